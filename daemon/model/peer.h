/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who calls: through which door, as which user and groups. As the kernel or the bus daemon said it
 * when the connection was made, never as the caller says. */

#include <sys/types.h>

#include "daemon/base/macro.h"

#define DOOR_MAIN "main"

typedef struct Peer {
        char *door;
        uid_t uid;
        gid_t *gids; /* primary and supplementary */
        size_t n_gids;
        bool privileged; /* root of the main door, or the daemon's own user there */
} Peer;

Peer *peer_new(const char *door, uid_t uid, const gid_t *gids, size_t n_gids, bool privileged);
Peer *peer_copy(const Peer *p);
Peer *peer_free(Peer *p);
DEFINE_CLEANUP(Peer *, peer_free);
#define _cleanup_peer_ _cleanup_(peer_freep)

/* The same owner: door and uid. */
bool peer_same_owner(const Peer *a, const Peer *b);

/* Who of the main door may submit to a profile; other doors have lists of their own (model/door.h).
 * Names are resolved when the configuration is read. */
typedef struct AccessRule {
        uid_t *uids;
        size_t n_uids;
        gid_t *gids;
        size_t n_gids;
} AccessRule;

bool access_rule_allows(const AccessRule *rule, const Peer *peer);
void access_rule_done(AccessRule *rule);

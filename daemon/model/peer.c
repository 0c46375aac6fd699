/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/peer.h"

#include <errno.h>

Peer *peer_new(const char *door, uid_t uid, const gid_t *gids, size_t n_gids, bool privileged) {
        _cleanup_peer_ Peer *p = calloc(1, sizeof(Peer));

        if (!p || free_and_strdup(&p->door, door) < 0)
                return NULL;
        p->uid = uid;
        p->privileged = privileged;
        if (n_gids > 0) {
                p->gids = calloc(n_gids, sizeof(gid_t));
                if (!p->gids)
                        return NULL;
                memcpy(p->gids, gids, n_gids * sizeof(gid_t));
                p->n_gids = n_gids;
        }
        return TAKE_PTR(p);
}

Peer *peer_copy(const Peer *p) {
        return peer_new(p->door, p->uid, p->gids, p->n_gids, p->privileged);
}

Peer *peer_free(Peer *p) {
        if (!p)
                return NULL;
        free(p->door);
        free(p->gids);
        free(p);
        return NULL;
}

bool peer_same_owner(const Peer *a, const Peer *b) {
        return a->uid == b->uid && streq(a->door, b->door);
}

bool access_rule_allows(const AccessRule *rule, const Peer *peer) {
        /* The numbers of another door's users are those of a container: the rule names nobody of
         * them. */
        if (!streq(peer->door, DOOR_MAIN))
                return false;
        if (peer->privileged)
                return true;
        for (size_t i = 0; i < rule->n_uids; i++)
                if (rule->uids[i] == peer->uid)
                        return true;
        for (size_t i = 0; i < rule->n_gids; i++)
                for (size_t j = 0; j < peer->n_gids; j++)
                        if (rule->gids[i] == peer->gids[j])
                                return true;
        return false;
}

void access_rule_done(AccessRule *rule) {
        free(rule->uids);
        free(rule->gids);
        *rule = (AccessRule){};
}

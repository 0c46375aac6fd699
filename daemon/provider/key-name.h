/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a device key in a token is called. All of it follows from the job, which is on record before
 * anything is made: so whatever happens to the daemon, the next one finds the key again, to go on
 * with it or to remove it. Pure.
 *
 * CKA_ID is the job's id, 16 bytes; the label says whose key it is, too, for as long as the token
 * has it, which is longer than the record of the job: fleetprovd-OWNER-JOB, where OWNER is half of
 * a SHA-256 over door and uid. Only who knows the PIN can write one. */

#include "daemon/model/peer.h"
#include "protocol/ipc/limits.h"

#define KEY_NAME_PREFIX "fleetprovd-"
#define KEY_NAME_ID_SIZE (IPC_JOB_ID_LENGTH / 2)
#define KEY_NAME_OWNER_LENGTH ((size_t) 32) /* hex digits */
#define KEY_NAME_LABEL_LENGTH \
        (sizeof(KEY_NAME_PREFIX) - 1 + KEY_NAME_OWNER_LENGTH + 1 + IPC_JOB_ID_LENGTH)

typedef struct KeyName {
        char label[KEY_NAME_LABEL_LENGTH + 1];
        uint8_t id[KEY_NAME_ID_SIZE];
} KeyName;

/* What the labels of all keys begin with that this owner may use: his own, or anybody's where he is
 * privileged. free() it. -EIO, -ENOMEM. */
int key_name_prefix(const Peer *owner, char **ret);

/* -EINVAL: that is no job's id; -EIO, -ENOMEM. */
int key_name_make(const char *job_id, const Peer *owner, KeyName *ret);

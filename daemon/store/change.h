/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One thing asked of the store, as it travels to the disk's thread and back: copies, no pointers
 * into the loop's world. */

#include "daemon/base/list.h"
#include "daemon/store/job-file.h"
#include "daemon/store/secret-file.h"
#include "daemon/store/store.h"

typedef enum ChangeType {
        CHANGE_CREATE,  /* a file of its own, which is not there yet */
        CHANGE_REWRITE, /* the same for a job that is there: all of its lines anew */
        CHANGE_UPDATE,  /* a line more */
        CHANGE_NOTE,    /* the same, and nobody waits for the flush */
        CHANGE_ERASE,   /* a line more, then the secrets go */
        CHANGE_SPEND,   /* the same, and nobody waits for them to go */
        CHANGE_REMOVE,  /* all of it goes */
        CHANGE_READ,    /* the secrets are wanted */
        CHANGE_RESEAL,  /* they are sealed with the present key, if they are not yet */
        CHANGE_TYPE_MAX,
} ChangeType;

typedef struct Change Change;
struct Change {
        ChangeType type;
        char id[IPC_JOB_ID_LENGTH + 1];
        char *lines; /* of the job's file */
        size_t lines_size;
        SecretContext context;
        bool has_secrets;     /* `secrets` are to be written */
        bool expects_secrets; /* there are none yet: room is made for them when it was told */
        JobSecrets secrets;
        int error; /* once negative, nothing more is done of it */

        /* The disk's thread, while it is at it. */
        JobFile file;
        int secret_fd;
        bool in_place; /* they have their name already */
        bool erases;   /* secrets are being overwritten */
        int erase_fd;
        bool has_replaced; /* those that new ones replaced still stand under the temporary name */
        bool renames;      /* a name of it changed: it wants the directory flushed */
        LIST_LINK(Change, changes);

        /* The loop's thread. */
        Store *store;
        bool submitting; /* the worker may still refuse it */
        StoreDone done;
        StoreSecretsDone secrets_done;
        void *userdata;
};

typedef struct ChangeList {
        LIST_HEAD(Change, changes);
} ChangeList;

/* NULL where memory is short. */
Change *change_new(ChangeType type, const char *id);
Change *change_free(Change *c);
DEFINE_CLEANUP(Change *, change_free);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Secrets that stand sealed with a former state key are sealed anew with the present one, a few at
 * a time, while nothing else is asked of the disk. Each is replaced by one rename, once it is
 * durable: a crash loses nothing, and the next start goes on. When none is left the journal says
 * which former keys may go. Loop thread only. */

#include <systemd/sd-event.h>

#include "daemon/store/load.h"

typedef struct Reseal Reseal;

typedef struct ResealOps {
        /* Reads one file, and writes it anew if it wants that; `done` follows, later, unless this
         * is negative. */
        int (*reseal)(void *userdata, const FormerSecrets *secrets,
                      void (*done)(int error, void *userdata), void *done_userdata);
        size_t (*pending)(void *userdata); /* what else is asked of the disk */
} ResealOps;

/* Takes what is in the list. Begins from the loop. *ret is NULL where there is nothing to do. */
int reseal_new(sd_event *event, const ResealOps *ops, void *userdata, const StateKeys *keys,
               FormerList *list, Reseal **ret);
/* Nothing of it is under way any more. */
Reseal *reseal_free(Reseal *r);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Notices that nothing comes from a peer any more. A peer that has lost its power says no goodbye,
 * and a connection to it looks well for as long as nothing is sent. Loop thread. */

#include <systemd/sd-event.h>

#include "daemon/base/macro.h"

typedef struct Silence Silence;

/* The limit has passed since silence_new() or silence_heard(), and will again: the Silence goes on
 * counting from now. It may be freed in it. */
typedef void (*SilenceHandler)(void *userdata);

/* The time that the machine slept counts: the peer was awake. -EINVAL: no limit. */
int silence_new(sd_event *event, usec_t limit_usec, SilenceHandler handler, void *userdata,
                Silence **ret);

void silence_heard(Silence *s); /* NULL: nobody listens */

Silence *silence_free(Silence *s);
DEFINE_CLEANUP(Silence *, silence_free);

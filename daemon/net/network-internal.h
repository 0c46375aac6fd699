/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What network.c, generation.c and connection.c share. */

#include "daemon/base/list.h"
#include "daemon/net/generation.h"
#include "daemon/net/network.h"

struct Network {
        sd_event *event;
        Worker *names;  /* getaddrinfo() */
        Worker *mqtt;   /* what waits for the MQTT library's global lock */
        Worker *tokens; /* not its own; NULL: nobody has a key in a token */
        LIST_HEAD(Generation, lingering);
        size_t n_lingering;
};

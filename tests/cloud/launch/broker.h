/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The mosquitto process: its configuration, its start, its end. */

#include <sys/types.h>

#include "tests/cloud/launch/options.h"
#include "tests/cloud/launch/place.h"

typedef struct Broker {
        pid_t pid;
        int ready_fd; /* becomes readable with "ready", or with its end when the broker has ended */
} Broker;

/* A port of the loopback addresses that nobody has now. Negative errno on failure. */
int broker_find_port(void);

/* dps_port -1: none. Writes the configuration and starts mosquitto as the place's user. It is
 * killed by the kernel when this process ends in whatever way. Negative errno, and a message on
 * standard error. */
int broker_start(const Place *place, const Options *options, int port, int dps_port, Broker *ret);

/* Shows the end of the broker's log on standard error. */
void broker_show_log(const Place *place);

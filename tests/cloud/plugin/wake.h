/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Gets the broker out of its wait. Mosquitto 2.0 calls a plugin's tick once a turn of its loop, and
 * waits up to 100 ms in epoll_wait() for something to happen; a signal that it leaves unblocked
 * there ends the wait at once. */

#include "daemon/base/macro.h"

/* To be called on the broker's thread, before any other function here. Negative errno on failure.
 */
int wake_setup(void);
void wake_shutdown(void);

/* Ends the present wait, or the next one. Any thread. */
void wake_broker(void);

/* Asks for a wake-up at that time of CLOCK_MONOTONIC; USEC_INFINITY asks for none. The broker is
 * woken every millisecond from then on until another time is set: a signal may come just before the
 * wait begins, and then ends nothing. */
void wake_at(usec_t when_usec);

/* Has the kernel wake the broker whenever the descriptor becomes readable. Negative errno. */
int wake_on_input(int fd);

/* CLOCK_MONOTONIC. */
usec_t wake_now(void);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The way in for tests/cloud/fault: a datagram socket beside the journal. One datagram asks, with
 * one JSON object; one answers, {"ok": true, …} or {"ok": false, "error": "…"}, when it has taken
 * effect. The socket's mode keeps everybody out but the broker's user and root. */

#include "tests/cloud/plugin/cloud.h"

/* Below the working directory, which keeps the name short enough for any place. */
#define CONTROL_SOCKET "control"

/* The largest datagram either way. */
#define CONTROL_MESSAGE_MAX (128 * 1024)

/* Fills cloud->control_fd. Negative errno on failure. */
int control_open(Cloud *cloud);
void control_close(Cloud *cloud);

/* Answers all that has been asked. */
void control_dispatch(Cloud *cloud);

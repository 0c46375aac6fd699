/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The way of a request: rules that it may break, faults that strike it, its work, the journal, and
 * the answers that are put into the outbox. */

#include "tests/cloud/plugin/cloud.h"

typedef enum Verdict {
        VERDICT_GO_ON,
        VERDICT_CUT, /* the connection is to be cut off */
} Verdict;

Verdict service_request(Cloud *cloud, Connection *connection, const Topic *topic,
                        const void *payload, size_t n);

/* Goes on with requests for keys that had to wait for one. */
void service_serve_key_requests(Cloud *cloud);

/* Forgets what that connection waits for. */
void service_forget(Cloud *cloud, const Connection *connection);

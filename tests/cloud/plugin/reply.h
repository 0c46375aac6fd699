/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* From an outcome to the answers that go out: one as a rule, more or other ones where a fault says
 * so. */

#include "tests/cloud/plugin/cloud.h"
#include "tests/cloud/plugin/outcome.h"

/* last: the request counts as answered once this has gone out. */
void reply_send(Cloud *cloud, const Connection *connection, const Topic *topic,
                const Outcome *outcome, const Strike *strike, bool last);

/* When an answer is due that such faults have struck; 0: at once. */
usec_t reply_due(const Strike *strike);

/* Puts these bytes into the outbox, with the faults of time and wire that have struck. Takes topic
 * and payload over; one of them may be NULL, and then nothing is sent. */
void reply_send_bytes(Cloud *cloud, const Connection *connection, char *topic, void *payload,
                      size_t n, const Strike *strike, bool last);

/* The connection's answer before, once more. */
void reply_send_former(Cloud *cloud, const Connection *connection, usec_t due_usec);

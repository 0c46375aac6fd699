/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A method call that somebody else answers, later: see front.h. */

#include "daemon/front/link.h"

/* Refused with QueueFull, and *ret NULL, where too many calls wait already: then the message is
 * answered, and the return value is what a method handler returns. Otherwise 1. */
int front_call_new(Link *l, sd_bus_message *m, FrontCall **ret);

/* The connection is going. */
void front_calls_forget(Link *l);

/* Answers m with a failure, which it takes (NULL: no-memory), and returns what a handler returns.
 */
int call_refuse(sd_bus_message *m, Failure *failure);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An application that keeps the daemon busy until it is killed: it submits, waits for the
 * announcement, fetches, and acknowledges or releases, several jobs at a time; and it writes down
 * whatever the daemon told it, a line each, in one write:
 *
 *   S ID KEY          Submit was answered
 *   N ID              JobAdded          D ID   JobChanged to succeeded      X ID   JobRemoved
 *   R ID CERT SUM     GetResult was answered: certificate id, and a sum of the private key
 *   a ID              Acknowledge is about to be called;   A ID   it was answered
 *   x ID              Release likewise;                    X ID
 *   ! TEXT            something else than all this happened
 *
 * As root it is told of everybody's jobs, and writes that down, too. What the daemon answers once
 * its disk is ill (`storage`) is no promise, and not written down. */

#include <sys/types.h>

/* `name` begins its keys and is another one each time. Ends with the caller, and with
 * process_end(). */
pid_t customer_start(const char *socket, const char *ledger, const char *name);

/* A sum of a secret, to know it again by. */
unsigned long long customer_sum(const void *data, size_t size);

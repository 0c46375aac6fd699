/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Fault points: places where a daemon made for tests dies on request.
 *
 * `fleetprovd-faults` is fleetprovd, object for object; only the linker (ld --wrap) leads the calls
 * below through here, before and after each. So the program that is shipped holds none of it, and
 * each new call of these functions is a fault point by itself:
 *
 *   write-FILE sync-FILE rename-FILE unlink-FILE overwrite-FILE   each step of the store, on the
 *                                                                 disk's thread; FILE is job,
 *                                                                 job-new, secret, directory, ...
 *   key                                                           a key is asked for
 *   connect subscribe publish-REQUEST                             what goes to the cloud
 *   probe                                                         a new certificate is tried
 *   answer-REQUEST-accepted, -rejected, answer-dps-STATUS         what comes from it
 *   tell-job tell-result tell-done tell-error                     an answer to a caller
 *   tell-added tell-changed tell-removed                          a signal
 *
 * each with `before-` or `after-` in front. From the environment:
 *
 *   FLEETPROV_FAULT=NAME[:COUNT]   SIGKILL at the COUNTth time (1) that this point is passed
 *   FLEETPROV_FAULT_LIST=FILE      each point that is passed, a line each: what a dry run is for
 */

typedef enum FaultWhen {
        FAULT_BEFORE,
        FAULT_AFTER,
} FaultWhen;

/* Before a step of the disk: death comes a moment later, while the daemon's loop goes on. What it
 * tells or sends before the step is done gets out so, and a test can see it. */
void fault_point_slow(FaultWhen when, const char *what, const char *detail);

/* Thread-safe. `detail`: NULL where there is none. */
void fault_point(FaultWhen when, const char *what, const char *detail);

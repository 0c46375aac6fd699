/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * fleetprovctl: shows and drives the daemon through libfleetprov-client.
 *
 * main.c finds the verb in the table of verbs.c; each verb is a file of its own and returns an exit
 * status. Results go to standard output, everything else to standard error; a verb that fails has
 * complained once (complain.h) when it returns.
 */

#include <sys/types.h>

#include "libclient/ctl/options.h"
#include "libclient/fleetprov-client.h"
#include "libclient/macro.h"

/* A plain call that is not answered for so long has no daemon behind it. Shorter than the library's
 * own patience, so that it is told as that. */
#define CTL_CALL_TIMEOUT_USEC (45 * USEC_PER_SEC)

typedef enum ExitStatus {
        STATUS_OK = 0,
        STATUS_FAILED = 1,
        STATUS_USAGE = 2,
        STATUS_NO_DAEMON = 3,
        STATUS_TIMEOUT = 4, /* the job's deadline, or --timeout */
        STATUS_DENIED = 5,
        STATUS_CANCELLED = 6,
        STATUS_BUSY = 7,
        STATUS_NOT_WRITTEN = 8, /* the job succeeded, and DIR could not be written */
} ExitStatus;

typedef struct Ctl {
        Options options;
        bool terminal;    /* standard output is one */
        usec_t deadline;  /* of the waiting, by --timeout; CLOCK_MONOTONIC */
        unsigned columns; /* its width */
        pid_t pager;      /* 0: none */
        fleetprov_client *client;
        char *said; /* the last thing that ctl_complain() said */
} Ctl;

DEFINE_CLEANUP(fleetprov_event *, fleetprov_event_free);
DEFINE_CLEANUP(fleetprov_request *, fleetprov_request_free);
DEFINE_CLEANUP(fleetprov_job *, fleetprov_job_free);
DEFINE_CLEANUP(fleetprov_result *, fleetprov_result_free);
DEFINE_CLEANUP(fleetprov_status *, fleetprov_status_free);
DEFINE_CLEANUP(fleetprov_error *, fleetprov_error_free);
DEFINE_CLEANUP(fleetprov_secret *, fleetprov_secret_free);

/* complain(), and keeps the text for --json. */
void ctl_complain(Ctl *ctl, const char *format, ...) _printf_(2, 3);

/* Connects, and complains where that fails. */
ExitStatus ctl_connect(Ctl *ctl);

/* What is left of --timeout, in usec; FLEETPROV_FOREVER without one. */
usec_t ctl_time_left(const Ctl *ctl);
usec_t ctl_now(void);

/* Waits for the answer to a call. `started` is what the call returned, `what` says in complaints
 * what it was about. On failure *ret_error (may be NULL) is the daemon's error, if it gave one. */
ExitStatus ctl_answer(Ctl *ctl, int started, uint64_t ticket, const char *what,
                      fleetprov_event **ret, fleetprov_error **ret_error);

/* Likewise, but a refusal is not complained about: 0 with *ret_error filled. */
ExitStatus ctl_ask(Ctl *ctl, int started, uint64_t ticket, const char *what, fleetprov_event **ret,
                   fleetprov_error **ret_error);

/* For a call that is answered when work under way has come to its end: as patient as --timeout. */
void ctl_be_patient(Ctl *ctl);

/* Shorthands of the above. */
ExitStatus ctl_get_job(Ctl *ctl, const char *id, fleetprov_job **ret);
ExitStatus ctl_get_status(Ctl *ctl, fleetprov_status **ret);

/* A job named by its id, by KEY, or by PROFILE/KEY; the id is the caller's to free. */
ExitStatus ctl_resolve(Ctl *ctl, const char *name, char **ret_id);

/* Which profile a request without one means: NULL where the daemon would refuse it. */
const char *ctl_default_profile(const fleetprov_status *status);

/* Exit status of a refused call; of a job that has ended. */
ExitStatus status_of_error(const fleetprov_error *error);
ExitStatus status_of_job(const fleetprov_job *job);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "libclient/ctl/ctl.h"
#include "libclient/ctl/out-dir.h"

/* What provision, create-certificate, create-keys and register-thing share: the request of the
 * options, DIR tried, submit, wait, deliver. `profile` NULL: the daemon's default. */
ExitStatus submit_and_deliver(Ctl *ctl, int operation, const char *profile);

/* The request that the options ask for; complains and returns negative errno. */
int submit_request(const Options *o, int operation, const char *profile, fleetprov_request **ret);

/* Submits it, waits, and delivers into DIR (NULL: none), which may take what comes. */
ExitStatus submit_run(Ctl *ctl, const fleetprov_request *request, int operation,
                      const char *profile, Out *out);

/* --json prints an object also where there is no job to speak of. `error` NULL: what was said last
 * tells why. */
void submit_print_refusal(const Ctl *ctl, int operation, const char *profile, ExitStatus status,
                          const fleetprov_error *error);

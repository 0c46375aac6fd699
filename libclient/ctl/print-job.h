/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job on standard output, for people or as one JSON object. */

#include "libclient/ctl/ctl.h"
#include "libclient/ctl/json-out.h"
#include "libclient/ctl/out-dir.h"

/* The job object, with `files` where DIR is given; `error` (may be NULL) takes the place of the
 * job's own. */
json_t *print_job_object(const fleetprov_job *job, const fleetprov_result *result, const Out *out,
                         const fleetprov_error *error);

/* `result` and `out` may be NULL. */
ExitStatus print_job(const Ctl *ctl, const fleetprov_job *job, const fleetprov_result *result,
                     const Out *out);

/* Says on standard error why a job ended without a result. */
void complain_job(const fleetprov_job *job);

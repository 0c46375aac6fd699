/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Brings the result of a job: fetches it, writes DIR, acknowledges, prints. One that is unverified
 * (job-end.h) is not acknowledged, and its exit status is that of a failure all the same. */

#include "libclient/ctl/ctl.h"
#include "libclient/ctl/out-dir.h"

/* Opens --out=DIR and tries that it can be written; *ret stays NULL without --out. Complains. */
ExitStatus deliver_prepare(Ctl *ctl, Out **ret);

/* The same in two: the opening, and the trial. */
ExitStatus deliver_open(Ctl *ctl, Out **ret);
ExitStatus deliver_stage(Ctl *ctl, Out *out);

/* Whether DIR may take the identity of this job; complains. `id` NULL: a job that is yet to be. */
bool deliver_may_replace(Ctl *ctl, const Out *out, const char *id);

/* The job has a result; `out` may be NULL. */
ExitStatus deliver(Ctl *ctl, const fleetprov_job *job, Out *out);

/* DIR holds this job's identity already, from a run that was cut off before it said so. */
ExitStatus deliver_again(Ctl *ctl, const fleetprov_job *job, Out *out);

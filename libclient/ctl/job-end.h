/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A job that has ended without success, as it is told. One that failed in nothing but that its new
 * certificate was not let in has an identity all the same. */

#include "libclient/ctl/ctl.h"

/* It failed with verify-failed. */
bool job_is_unverified(const fleetprov_job *job);

/* It succeeded, or is unverified: there is something to be fetched. */
bool job_has_result(const fleetprov_job *job);

/* The result as it stands, for showing; *ret stays NULL where there is none. */
ExitStatus job_try_result(Ctl *ctl, const fleetprov_job *job, fleetprov_result **ret);

/* Says why on standard error, and what to do; gives the exit status of such a job. `written`: its
 * identity was, all the same. */
ExitStatus job_complain_end(const fleetprov_job *job, bool written);

/* The same, behind the object of --json. */
ExitStatus job_tell_end(Ctl *ctl, const fleetprov_job *job);

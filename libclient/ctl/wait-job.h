/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "libclient/ctl/ctl.h"

/* Waits for a job's end, in whatever way, with progress on a terminal. STATUS_OK: *ret is the ended
 * job. STATUS_TIMEOUT: --timeout has passed and *ret is the job as it is. A signal ends the waiting
 * and then this process, after a word on how to find the job. */
ExitStatus wait_job(Ctl *ctl, const char *id, fleetprov_job **ret);

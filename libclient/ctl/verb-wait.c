/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/deliver.h"
#include "libclient/ctl/job-end.h"
#include "libclient/ctl/print-job.h"
#include "libclient/ctl/verbs.h"
#include "libclient/ctl/wait-job.h"

static ExitStatus wait_one(Ctl *ctl, const char *name) {
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;
        _cleanup_free_ char *id = NULL;
        usec_t deadline = ctl->deadline;
        ExitStatus status;

        status = ctl_resolve(ctl, name, &id);
        if (status != STATUS_OK)
                return status;
        status = wait_job(ctl, id, &job);
        if (status == STATUS_OK && fleetprov_job_get_state(job) == FLEETPROV_STATE_SUCCEEDED) {
                status = deliver(ctl, job, NULL);
                ctl->deadline = deadline;
                return status;
        }
        if (status == STATUS_OK) {
                status = job_tell_end(ctl, job);
                ctl->deadline = deadline;
                return status;
        }
        if (job && ctl->options.json != JSON_OFF)
                (void) json_print(ctl, print_job_object(job, NULL, NULL, NULL));
        return status;
}

/* Of several the first failure is the exit status; all are waited for. */
ExitStatus verb_wait(Ctl *ctl, int argc, char **argv) {
        ExitStatus status, result = STATUS_OK;

        status = ctl_connect(ctl);
        if (status != STATUS_OK)
                return status;
        for (int i = 0; i < argc; i++) {
                status = wait_one(ctl, argv[i]);
                if (result == STATUS_OK)
                        result = status;
        }
        return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/complain.h"
#include "libclient/ctl/deliver.h"
#include "libclient/ctl/job-end.h"
#include "libclient/ctl/print-job.h"
#include "libclient/ctl/verbs.h"

ExitStatus verb_result(Ctl *ctl, _unused_ int argc, char **argv) {
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;
        _cleanup_(out_freep) Out *out = NULL;
        _cleanup_free_ char *id = NULL;
        ExitStatus status;

        if ((status = deliver_prepare(ctl, &out)) != STATUS_OK ||
            (status = ctl_connect(ctl)) != STATUS_OK ||
            (status = ctl_resolve(ctl, argv[0], &id)) != STATUS_OK ||
            (status = ctl_get_job(ctl, id, &job)) != STATUS_OK)
                return status;
        if (job_has_result(job))
                return deliver(ctl, job, out);
        if (fleetprov_state_is_final(fleetprov_job_get_state(job)))
                return job_tell_end(ctl, job);
        if (ctl->options.json != JSON_OFF)
                (void) json_print(ctl, print_job_object(job, NULL, NULL, NULL));
        complain("job %s: has not ended (not-finished); wait for it: fleetprovctl wait %s", id, id);
        return STATUS_FAILED;
}

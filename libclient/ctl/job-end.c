/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/job-end.h"

#include "libclient/ctl/complain.h"
#include "libclient/ctl/print-job.h"

bool job_is_unverified(const fleetprov_job *job) {
        const fleetprov_error *error = fleetprov_job_get_error(job);

        return fleetprov_job_get_state(job) == FLEETPROV_STATE_FAILED && error &&
               fleetprov_error_get_code(error) == FLEETPROV_VERIFY_FAILED;
}

bool job_has_result(const fleetprov_job *job) {
        return fleetprov_job_get_state(job) == FLEETPROV_STATE_SUCCEEDED || job_is_unverified(job);
}

ExitStatus job_try_result(Ctl *ctl, const fleetprov_job *job, fleetprov_result **ret) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
        const char *id = fleetprov_job_get_id(job);
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        if (!job_has_result(job))
                return STATUS_OK;
        r = fleetprov_client_get_result(ctl->client, id, &ticket);
        status = ctl_ask(ctl, r, ticket, id, &event, &error);
        if (status == STATUS_OK && !error)
                *ret = fleetprov_event_steal_result(event);
        return status;
}

/* Without a key a second job would be another one, with another certificate. */
static void complain_unverified(const fleetprov_job *job, bool written) {
        const char *id = fleetprov_job_get_id(job), *key = fleetprov_job_get_key(job);

        if (written)
                complain("job %s: its certificate and key are written as they are, and kept%s%s%s",
                         id, key ? "; have them tried again: provision with --id=" : "",
                         key ? key : "", key ? " once more" : "");
        else if (streq(fleetprov_job_get_operation(job),
                       fleetprov_operation_to_string(FLEETPROV_OPERATION_ROTATE)))
                complain("job %s: its certificate and key are kept, and the old ones stay in "
                         "force; rotate once more: the same new ones are tried again",
                         id);
        else if (key)
                complain("job %s: its certificate and key are kept; have the same ones tried "
                         "again: provision with --id=%s once more; or fetch them as they are: "
                         "fleetprovctl result %s --out=DIR",
                         id, key, id);
        else
                complain("job %s: its certificate and key are kept; fetch them: fleetprovctl "
                         "result %s --out=DIR; a further provision makes others, for the job has "
                         "no key (--id=)",
                         id, id);
}

ExitStatus job_complain_end(const fleetprov_job *job, bool written) {
        complain_job(job);
        if (job_is_unverified(job))
                complain_unverified(job, written);
        return status_of_job(job);
}

ExitStatus job_tell_end(Ctl *ctl, const fleetprov_job *job) {
        _cleanup_(fleetprov_result_freep) fleetprov_result *result = NULL;

        if (ctl->options.json != JSON_OFF) {
                /* What cannot be had now is no failure here: the job's end is what is told. */
                (void) job_try_result(ctl, job, &result);
                (void) json_print(ctl, print_job_object(job, result, NULL, NULL));
        }
        return job_complain_end(job, false);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "libclient/ctl/job-end.h"
#include "libclient/ctl/pager.h"
#include "libclient/ctl/print-job.h"
#include "libclient/ctl/table.h"
#include "libclient/ctl/time-text.h"
#include "libclient/ctl/verbs.h"

static ExitStatus print_history(Ctl *ctl, const fleetprov_job *job) {
        static const Column columns[] = {
                {"TIME", COLUMN_WHOLE},  {"AFTER", COLUMN_RIGHT},        {"STATE", COLUMN_WHOLE},
                {"PHASE", COLUMN_WHOLE}, {"WHAT HAPPENED", COLUMN_WRAP},
        };
        _cleanup_(table_freep) Table *t = table_new(ctl, columns, ELEMENTSOF(columns));
        const char *state, *phase, *message;
        uint64_t time, before = 0;

        for (size_t i = 0;
             fleetprov_job_enumerate_history(job, i, &time, &state, &phase, &message) > 0; i++) {
                _cleanup_free_ char *text = time_local(time), *after = NULL;

                if (before != 0 && time >= before)
                        after = time_span(time - before);
                before = time;
                table_add(t, (const char *const[]){text, after ? after : " ", state,
                                                   *phase ? phase : " ", message});
        }
        if (before == 0)
                return STATUS_OK;
        putchar('\n');
        return table_print(t);
}

ExitStatus verb_show(Ctl *ctl, _unused_ int argc, char **argv) {
        _cleanup_(fleetprov_result_freep) fleetprov_result *result = NULL;
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;
        _cleanup_free_ char *id = NULL;
        ExitStatus status;

        if ((status = ctl_connect(ctl)) != STATUS_OK ||
            (status = ctl_resolve(ctl, argv[0], &id)) != STATUS_OK ||
            (status = ctl_get_job(ctl, id, &job)) != STATUS_OK)
                return status;
        /* Where there is no result, that is no failure here. */
        status = job_try_result(ctl, job, &result);
        if (status != STATUS_OK)
                return status;
        if (ctl->options.json == JSON_OFF)
                pager_open(ctl);
        status = print_job(ctl, job, result, NULL);
        if (status != STATUS_OK || ctl->options.json != JSON_OFF)
                return status;
        return print_history(ctl, job);
}

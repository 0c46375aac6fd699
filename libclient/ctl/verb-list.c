/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The jobs. A row of ListJobs knows neither key nor error text, so each job is asked for its
 * details, some at a time. */

#include <pwd.h>
#include <stdio.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/json-out.h"
#include "libclient/ctl/pager.h"
#include "libclient/ctl/table.h"
#include "libclient/ctl/time-text.h"
#include "libclient/ctl/verbs.h"

#define CALLS_AT_ONCE 32U

/* Details in place of rows; a job that has gone in between stays a row. */
static ExitStatus read_details(Ctl *ctl, const fleetprov_event *list, fleetprov_job **details) {
        size_t n = fleetprov_event_get_n_jobs(list), sent = 0;
        uint64_t tickets[CALLS_AT_ONCE];

        for (size_t got = 0; got < n; got++) {
                _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
                _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
                ExitStatus status;
                int r = 0;

                for (; r >= 0 && sent < n && sent < got + CALLS_AT_ONCE; sent++)
                        r = fleetprov_client_get_job(
                                ctl->client,
                                fleetprov_job_get_id(fleetprov_event_get_job(list, sent)),
                                &tickets[sent % CALLS_AT_ONCE]);
                status = ctl_ask(ctl, r, tickets[got % CALLS_AT_ONCE], "list", &event, &error);
                if (status != STATUS_OK)
                        return status;
                if (!error)
                        details[got] = fleetprov_event_steal_job(event, 0);
        }
        return STATUS_OK;
}

#define WIDE 110U /* columns of a terminal that shows everything */

static void add_row(Table *t, const fleetprov_job *job, bool wide) {
        const char *phase = fleetprov_job_get_phase(job);
        const fleetprov_error *error = fleetprov_job_get_error(job);
        const struct passwd *pw = getpwuid((uid_t) fleetprov_job_get_owner(job));
        _cleanup_free_ char *created = time_local(fleetprov_job_get_created(job)), *uid = NULL,
                            *age = time_age(fleetprov_job_get_created(job));

        if (asprintf(&uid, "%u", fleetprov_job_get_owner(job)) < 0)
                uid = NULL;
        table_add(t, (const char *const[]){
                             fleetprov_job_get_id(job),
                             fleetprov_state_to_string(fleetprov_job_get_state(job)),
                             error    ? fleetprov_error_get_name(error)
                             : *phase ? phase
                                      : NULL,
                             fleetprov_job_get_profile(job),
                             fleetprov_job_get_key(job),
                             wide ? created : age,
                             pw ? pw->pw_name : uid,
                             fleetprov_job_get_operation(job),
                     });
}

static ExitStatus print_table(Ctl *ctl, const fleetprov_event *list, fleetprov_job **details) {
        static const Column wide_columns[] = {
                {"JOB", COLUMN_WHOLE},   {"STATE", COLUMN_WHOLE},   {"DETAIL", COLUMN_CUT},
                {"PROFILE", COLUMN_CUT}, {"KEY", COLUMN_CUT},       {"CREATED", COLUMN_WHOLE},
                {"OWNER", COLUMN_CUT},   {"OPERATION", COLUMN_CUT},
        };
        static const Column narrow_columns[] = {
                {"JOB", COLUMN_WHOLE},   {"STATE", COLUMN_WHOLE}, {"DETAIL", COLUMN_CUT},
                {"PROFILE", COLUMN_CUT}, {"KEY", COLUMN_CUT},     {"AGE", COLUMN_RIGHT},
        };
        bool wide = !ctl->terminal || ctl->columns >= WIDE;
        size_t n = fleetprov_event_get_n_jobs(list);
        _cleanup_(table_freep) Table *t = NULL;
        ExitStatus status;

        pager_open(ctl);
        t = wide ? table_new(ctl, wide_columns, ELEMENTSOF(wide_columns))
                 : table_new(ctl, narrow_columns, ELEMENTSOF(narrow_columns));
        for (size_t i = 0; i < n; i++)
                add_row(t, details[i] ? details[i] : fleetprov_event_get_job(list, i), wide);
        status = table_print(t);
        if (status == STATUS_OK && !ctl->options.no_legend)
                printf("\n%zu job%s listed.\n", n, n == 1 ? "" : "s");
        return status;
}

static ExitStatus print_list(Ctl *ctl, const fleetprov_event *list, fleetprov_job **details) {
        size_t n = fleetprov_event_get_n_jobs(list);
        json_t *array;

        if (ctl->options.json != JSON_OFF) {
                array = json_array();
                for (size_t i = 0; i < n; i++)
                        json_array_append_new(
                                array, json_of_job(details[i] ? details[i]
                                                              : fleetprov_event_get_job(list, i),
                                                   NULL));
                return json_print(ctl, array);
        }
        if (n > 0)
                return print_table(ctl, list, details);
        if (!ctl->options.no_legend)
                puts("No jobs.");
        return STATUS_OK;
}

ExitStatus verb_list(Ctl *ctl, _unused_ int argc, _unused_ char **argv) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *list = NULL;
        fleetprov_job **details = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        size_t n;
        int r;

        status = ctl_connect(ctl);
        if (status != STATUS_OK)
                return status;
        r = fleetprov_client_list_jobs(ctl->client, (ctl->options.given & OPTION_ALL) != 0,
                                       &ticket);
        status = ctl_answer(ctl, r, ticket, "list", &list, NULL);
        if (status != STATUS_OK)
                return status;
        n = fleetprov_event_get_n_jobs(list);
        details = calloc(n ? n : 1, sizeof(fleetprov_job *));
        if (!details) {
                complain("out of memory");
                return STATUS_FAILED;
        }
        status = read_details(ctl, list, details);
        if (status == STATUS_OK)
                status = print_list(ctl, list, details);
        for (size_t i = 0; i < n; i++)
                fleetprov_job_free(details[i]);
        free(details);
        return status;
}

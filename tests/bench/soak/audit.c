/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/soak/audit.h"

#include <check.h>

#include "tests/integration/lib/agent.h"

#define ANSWER_USEC (60 * USEC_PER_SEC)

typedef struct Row {
        JobId id;
        int state;
        int code; /* of its error */
        char certificate[CERTIFICATE_ID_SIZE];
        bool on_ledger;
} Row;

typedef struct Rows {
        Row *rows; /* by id */
        size_t n;
} Rows;

static int compare_ids(const void *a, const void *b) {
        return strcmp(((const Row *) a)->id.text, ((const Row *) b)->id.text);
}

static int compare_certificates(const void *a, const void *b) {
        return strcmp(((const Row *) a)->certificate, ((const Row *) b)->certificate);
}

static Rows list_jobs(fleetprov_client *client) {
        fleetprov_event *event;
        uint64_t ticket;
        Rows rows = {};

        ck_assert_int_eq(fleetprov_client_list_jobs(client, 1, &ticket), 0);
        ck_assert_int_eq(fleetprov_client_wait(client, ticket, ANSWER_USEC, &event), 0);
        ck_assert_ptr_null(fleetprov_event_get_error(event));
        rows.n = fleetprov_event_get_n_jobs(event);
        rows.rows = calloc(rows.n + 1, sizeof(Row));
        ck_assert_ptr_nonnull(rows.rows);
        for (size_t i = 0; i < rows.n; i++) {
                const fleetprov_job *job = fleetprov_event_get_job(event, i);
                const fleetprov_error *error = fleetprov_job_get_error(job);

                memcpy(rows.rows[i].id.text, fleetprov_job_get_id(job), sizeof(JobId));
                rows.rows[i].state = fleetprov_job_get_state(job);
                rows.rows[i].code = error ? fleetprov_error_get_code(error) : 0;
        }
        fleetprov_event_free(event);
        qsort(rows.rows, rows.n, sizeof(Row), compare_ids);
        return rows;
}

static void fetch_certificate(fleetprov_client *client, Row *row) {
        fleetprov_result *result;

        if (row->state != FLEETPROV_STATE_SUCCEEDED)
                return;
        result = agent_fetch(client, row->id);
        ck_assert_ptr_nonnull(fleetprov_result_get_certificate_id(result));
        ck_assert_uint_lt(strlen(fleetprov_result_get_certificate_id(result)),
                          sizeof(row->certificate));
        memcpy(row->certificate, fleetprov_result_get_certificate_id(result),
               strlen(fleetprov_result_get_certificate_id(result)));
        fleetprov_result_free(result);
}

static void check_entry(const Rows *rows, const Entry *e, Audit *audit) {
        Row wanted = {}, *row;

        audit->released += e->released;
        if (*e->id == '\0' || e->released)
                return;
        memcpy(wanted.id.text, e->id, sizeof(wanted.id.text));
        row = bsearch(&wanted, rows->rows, rows->n, sizeof(Row), compare_ids);
        ck_assert_msg(row, "job %s, key %s, is lost", e->id, e->key);
        ck_assert_msg(!row->on_ledger, "job %s stands for two keys, one is %s", e->id, e->key);
        row->on_ledger = true;
        ck_assert_msg(e->end < 0 || e->steered || e->end == row->state,
                      "job %s, key %s, was told to be %s, and is %s", e->id, e->key,
                      fleetprov_state_to_string(e->end), fleetprov_state_to_string(row->state));
        ck_assert_msg(*e->certificate == '\0' || streq(e->certificate, row->certificate),
                      "job %s, key %s, had certificate %s, and has %s", e->id, e->key,
                      e->certificate, row->certificate);
}

static void count(const Rows *rows, Audit *audit) {
        audit->jobs = rows->n;
        for (size_t i = 0; i < rows->n; i++) {
                const Row *row = rows->rows + i;

                ck_assert_msg(fleetprov_state_is_final(row->state), "job %s is %s for ever",
                              row->id.text, fleetprov_state_to_string(row->state));
                if (row->state == FLEETPROV_STATE_SUCCEEDED)
                        audit->succeeded++;
                else if (row->state == FLEETPROV_STATE_FAILED)
                        audit->failed++;
                else
                        audit->others++;
                if (row->state == FLEETPROV_STATE_FAILED && row->code >= 0 &&
                    row->code < (int) AUDIT_CODES_MAX)
                        audit->codes[row->code]++;
                audit->unanswered += !row->on_ledger;
        }
}

static void check_certificates(Rows *rows) {
        qsort(rows->rows, rows->n, sizeof(Row), compare_certificates);
        for (size_t i = 1; i < rows->n; i++)
                ck_assert_msg(
                        *rows->rows[i].certificate == '\0' ||
                                !streq(rows->rows[i].certificate, rows->rows[i - 1].certificate),
                        "jobs %s and %s have the same certificate", rows->rows[i].id.text,
                        rows->rows[i - 1].id.text);
}

void audit_run(fleetprov_client *client, Ledger *ledger, Audit *ret) {
        Rows rows = list_jobs(client);
        size_t n_unanswered = 0;

        *ret = (Audit){};
        for (size_t i = 0; i < rows.n; i++)
                fetch_certificate(client, rows.rows + i);
        for (size_t i = 0; i < CLIENTS; i++)
                for (size_t j = 0; j < ledger->accounts[i].n; j++) {
                        const Entry *e = ledger->accounts[i].entries + j;

                        check_entry(&rows, e, ret);
                        n_unanswered += (*e->id == '\0' || e->released) && !e->refused;
                }
        count(&rows, ret);
        ck_assert_msg(ret->unanswered <= n_unanswered, "%zu jobs that nobody asked for",
                      ret->unanswered - n_unanswered);
        check_certificates(&rows);
        for (size_t i = 0; i < rows.n; i++)
                ck_assert_int_eq(agent_call(client, fleetprov_client_release, rows.rows[i].id),
                                 FLEETPROV_OK);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 0);
        free(rows.rows);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/disk/ledger.h"

#include <check.h>
#include <stdio.h>

#include "tests/integration/disk/customer.h"
#include "tests/integration/lib/identity.h"
#include "tests/integration/lib/place.h"

static Promise *promise_of(Ledger *l, const char *id) {
        Promise *more;

        /* The newest are those that change. */
        for (size_t i = l->n; i > 0; i--)
                if (streq(l->promises[i - 1].id.text, id))
                        return l->promises + i - 1;
        more = reallocarray(l->promises, l->n + 1, sizeof(Promise));
        ck_assert_ptr_nonnull(more);
        l->promises = more;
        more += l->n++;
        *more = (Promise){};
        ck_assert_uint_eq(strlen(id), sizeof(more->id.text) - 1);
        memcpy(more->id.text, id, sizeof(more->id.text));
        return more;
}

static void read_line(Ledger *l, const char *line) {
        char id[33] = "", text[65] = "";
        unsigned long long sum = 0;
        Promise *p;
        int n;

        ck_assert_msg(*line != '!', "a customer is surprised: %s", line);
        n = sscanf(line + 1, "%32s %64s %llx", id, text, &sum);
        ck_assert_msg(n >= 1, "the ledger: %s", line);
        p = promise_of(l, id);
        p->fresh = true;
        p->submitted = true;
        switch (*line) {
        case 'S':
                (void) snprintf(p->key, sizeof(p->key), "%s", text);
                break;
        case 'N':
                break;
        case 'D':
                p->succeeded = true;
                break;
        case 'R':
                ck_assert_int_eq(n, 3);
                memcpy(p->certificate, text, sizeof(p->certificate));
                p->sum = sum;
                break;
        case 'a':
        case 'A':
                p->acknowledging = true;
                p->acknowledged = p->acknowledged || *line == 'A';
                break;
        case 'x':
        case 'X':
                p->releasing = true;
                p->released = p->released || *line == 'X';
                break;
        default:
                ck_abort_msg("the ledger: %s", line);
        }
}

void ledger_read(Ledger *l) {
        _cleanup_free_ char *line = NULL;
        FILE *in = fopen(l->path, "re");
        size_t size = 0;

        ck_assert_ptr_nonnull(in);
        ck_assert_int_eq(fseek(in, l->read_to, SEEK_SET), 0);
        while (getline(&line, &size, in) > 0) {
                ck_assert_msg(line[strlen(line) - 1] == '\n', "the ledger is torn: %s", line);
                read_line(l, line);
        }
        l->read_to = ftell(in);
        fclose(in);
}

void ledger_done(Ledger *l) {
        free(l->promises);
        *l = (Ledger){};
}

static void check_gone(const Promise *p, fleetprov_client *client) {
        fleetprov_event *event;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_get_job(client, p->id.text, &ticket), 0);
        ck_assert_int_eq(fleetprov_client_wait(client, ticket, FLEETPROV_FOREVER, &event), 0);
        ck_assert_msg(fleetprov_event_get_error(event), "job %s was released, and is back",
                      p->id.text);
        ck_assert_int_eq(fleetprov_error_get_code(fleetprov_event_get_error(event)),
                         FLEETPROV_NO_SUCH_JOB);
        fleetprov_event_free(event);
        if (p->key[0] != '\0')
                ck_assert_int_eq(agent_find(client, "aws", p->key, NULL), FLEETPROV_NO_SUCH_JOB);
}

static void check_key(const Promise *p, const fleetprov_result *result, const char *secret_file) {
        _cleanup_free_ char *key = NULL;

        if (p->acknowledged) {
                ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 1);
                ck_assert(!fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY));
                ck_assert_msg(!file_exists(secret_file), "%s is back", secret_file);
        }
        if (!fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY)) {
                ck_assert_msg(p->acknowledging, "job %s has lost its key", p->id.text);
                return;
        }
        key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        identity_assert_pair(fleetprov_result_get_certificate_pem(result), key, NULL);
        if (p->certificate[0] != '\0')
                ck_assert_msg(customer_sum(key, strlen(key)) == p->sum,
                              "job %s delivers another key than before", p->id.text);
}

static void check_result(const Promise *p, fleetprov_client *client, const char *state) {
        _cleanup_free_ char *secret_file = NULL;
        fleetprov_result *result = agent_result(client, p->id);

        ck_assert_int_ge(asprintf(&secret_file, "%s/%s.secret", state, p->id.text), 0);
        ck_assert_ptr_nonnull(fleetprov_result_get_thing_name(result));
        if (p->certificate[0] != '\0')
                ck_assert_str_eq(fleetprov_result_get_certificate_id(result), p->certificate);
        check_key(p, result, secret_file);
        fleetprov_result_free(result);
}

static void check(const Promise *p, fleetprov_client *client, const char *state) {
        fleetprov_job *job;
        JobId found = {};

        if (p->released) {
                check_gone(p, client);
                return;
        }
        if (p->releasing) /* with or without it: nobody was told */
                return;
        job = agent_job(client, p->id);
        if (p->succeeded || p->certificate[0] != '\0')
                ck_assert_msg(fleetprov_job_get_state(job) == FLEETPROV_STATE_SUCCEEDED,
                              "job %s had succeeded, and is %s", p->id.text,
                              fleetprov_state_to_string(fleetprov_job_get_state(job)));
        if (p->acknowledged)
                ck_assert_int_eq(fleetprov_job_get_acknowledged(job), 1);
        fleetprov_job_free(job);
        if (p->key[0] != '\0') {
                ck_assert_int_eq(agent_find(client, "aws", p->key, &found), FLEETPROV_OK);
                ck_assert_str_eq(found.text, p->id.text);
        }
        if (p->succeeded)
                check_result(p, client, state);
}

void ledger_check(Ledger *l, fleetprov_client *client, const char *state, bool all) {
        for (Promise *p = l->promises; p < l->promises + l->n; p++)
                if (all || p->fresh) {
                        check(p, client, state);
                        p->fresh = false;
                }
}

void ledger_print(const Ledger *l) {
        size_t succeeded = 0, acknowledged = 0, released = 0;

        for (const Promise *p = l->promises; p < l->promises + l->n; p++) {
                succeeded += p->succeeded;
                acknowledged += p->acknowledged;
                released += p->released;
        }
        printf("%zu jobs submitted, %zu announced as succeeded, %zu acknowledged, %zu released\n",
               l->n, succeeded, acknowledged, released);
        (void) fflush(stdout);
}

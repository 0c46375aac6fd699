/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Idempotency keys: every state that a job can be left in, with what became of it since, asked for
 * again with the same request and with others, with and without a crash in between. */

#include "tests/integration/lib/stage.h"

typedef enum Before {
        SUCCEEDED,
        REFUSED_AT_CREATE,
        REFUSED_AT_REGISTER, /* there is a certificate */
        CANCELLED,
        EXPIRED,
        RUNNING,
        QUEUED,
} Before;

typedef enum Since {
        NOTHING,
        ACKNOWLEDGED,
        RELEASED,
} Since;

typedef struct Row {
        const char *key; /* and serial number */
        Before before;
        Since since;
        bool own_csr;
} Row;

static const Row rows[] = {
        {"succeeded", SUCCEEDED, NOTHING, false},
        {"succeeded-csr", SUCCEEDED, NOTHING, true},
        {"acknowledged", SUCCEEDED, ACKNOWLEDGED, false},
        {"acknowledged-csr", SUCCEEDED, ACKNOWLEDGED, true},
        {"released", SUCCEEDED, RELEASED, false},
        {"failed", REFUSED_AT_CREATE, NOTHING, false},
        {"failed-csr", REFUSED_AT_CREATE, NOTHING, true},
        {"failed-released", REFUSED_AT_CREATE, RELEASED, false},
        {"unregistered", REFUSED_AT_REGISTER, NOTHING, false},
        {"unregistered-csr", REFUSED_AT_REGISTER, NOTHING, true},
        {"unregistered-released", REFUSED_AT_REGISTER, RELEASED, false},
        {"cancelled", CANCELLED, NOTHING, false},
        {"cancelled-released", CANCELLED, RELEASED, false},
        {"expired", EXPIRED, NOTHING, false},
        {"expired-released", EXPIRED, RELEASED, false},
        /* They stay so until they are asked for. */
        {"running", RUNNING, NOTHING, false},
        {"queued", QUEUED, NOTHING, false},
};

static JobId ids[ELEMENTSOF(rows)];
static char *csr, *csr_key, *other_csr, *other_key;

static Wish wish_of(const Row *r) {
        return (Wish){.serial = r->key, .key = r->key, .csr = r->own_csr ? csr : NULL};
}

static bool has_ended(const Row *r) {
        return r->before != RUNNING && r->before != QUEUED;
}

static bool can_be_had(const Row *r) {
        return r->since != RELEASED && r->before == SUCCEEDED;
}

/* --- the state it is left in */

/* Behind one that takes its time, so that it does not begin. */
static JobId submit_behind(const Wish *wish, int state) {
        JobId first, id;

        cloud_add(&cloud, "delay=500", "--operation=create-csr", "--count=1");
        first = agent_submit(client, &(Wish){.serial = "first"});
        agent_wait_state(client, first, FLEETPROV_STATE_RUNNING, "create");
        id = agent_submit(client, wish);
        if (state == FLEETPROV_STATE_CANCELLED)
                ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
        agent_wait_end(client, id, state);
        agent_wait_end(client, first, FLEETPROV_STATE_SUCCEEDED);
        return id;
}

static void must_end(const Row *r, JobId id, int state) {
        fleetprov_job *job = agent_wait(client, id);

        ck_assert_msg(fleetprov_job_get_state(job) == state, "%s is %s", r->key,
                      fleetprov_state_to_string(fleetprov_job_get_state(job)));
        fleetprov_job_free(job);
}

static JobId bring_about(const Row *r) {
        Wish wish = wish_of(r);
        JobId id = {};

        switch (r->before) {
        case SUCCEEDED:
                id = agent_submit(client, &wish);
                agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
                break;
        case REFUSED_AT_CREATE:
        case REFUSED_AT_REGISTER:
                cloud_add(&cloud, "reject=403:ACCESS_DENIED:no",
                          r->before == REFUSED_AT_CREATE ? "--operation=create-csr"
                                                         : "--operation=register",
                          "--always");
                id = agent_submit(client, &wish);
                must_end(r, id, FLEETPROV_STATE_FAILED);
                cloud_clear(&cloud);
                break;
        case CANCELLED:
                id = submit_behind(&wish, FLEETPROV_STATE_CANCELLED);
                break;
        case EXPIRED:
                wish.deadline_usec = 1;
                id = submit_behind(&wish, FLEETPROV_STATE_EXPIRED);
                break;
        case RUNNING:
                cloud_add(&cloud, "delay=3000", "--operation=create-csr", "--count=1");
                id = agent_submit(client, &wish);
                agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
                break;
        case QUEUED: /* behind the one that runs */
                id = agent_submit(client, &wish);
                break;
        }
        return id;
}

static void let_happen(const Row *r, JobId id) {
        if (r->since == ACKNOWLEDGED)
                ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id),
                                 FLEETPROV_OK);
        if (r->since == RELEASED)
                ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
}

/* --- asked for again */

static void other_requests_are_a_conflict(const Row *r) {
        const Wish wishes[] = {
                {.serial = r->key, .key = r->key, .csr = other_csr},
                {.serial = r->key, .key = r->key, .csr = r->own_csr ? NULL : csr},
                {.key = r->key, .operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
                {.key = r->key,
                 .operation = FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR,
                 .csr = csr},
        };
        const size_t jobs = agent_count_jobs(client, 1);

        for (size_t i = 0; i < ELEMENTSOF(wishes); i++)
                ck_assert_msg(agent_refused(client, wishes + i, NULL) == FLEETPROV_ID_CONFLICT,
                              "%s, %zu", r->key, i);
        ck_assert_uint_eq(agent_count_jobs(client, 1), jobs);
}

static void check_secret(const Row *r, JobId id, bool forgotten) {
        fleetprov_result *result = agent_result(client, id);
        const bool gone = r->since == ACKNOWLEDGED || forgotten;

        ck_assert_str_eq(fleetprov_result_get_thing_name(result),
                         place_text(&d.place, "thing-%s", r->key));
        ck_assert_ptr_nonnull(fleetprov_result_get_certificate_pem(result));
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY),
                         !r->own_csr && !gone);
        if (r->own_csr || !gone)
                identity_assert(&cloud, result, r->key, r->own_csr ? csr_key : NULL, NULL);
        fleetprov_result_free(result);
}

/* How many certificates it takes to have it, and how many are left behind. */
typedef struct Cost {
        size_t made, left;
} Cost;

static Cost cost_of(const Row *r, bool forgotten) {
        if (r->since == RELEASED)
                return (Cost){1, 0};
        switch (r->before) {
        case SUCCEEDED:
                return (Cost){0, 0};
        case REFUSED_AT_REGISTER:
                /* Its token is a secret, too: after RetainSec= the certificate cannot be used. */
                return forgotten ? (Cost){1, 1} : (Cost){0, 0};
        case REFUSED_AT_CREATE:
        case CANCELLED:
        case EXPIRED:
        case RUNNING:
        case QUEUED:
                break;
        }
        return (Cost){1, 0};
}

static void ask_again(const Row *r, JobId before, bool forgotten) {
        const size_t certificates = stage_certificates();
        const Cost cost = cost_of(r, forgotten);
        const Wish wish = wish_of(r);
        fleetprov_job *job;
        JobId id;

        if (r->since == RELEASED)
                ck_assert_int_eq(agent_find(client, "aws", r->key, NULL), FLEETPROV_NO_SUCH_JOB);
        else
                other_requests_are_a_conflict(r);
        id = agent_submit(client, &wish);
        ck_assert_int_eq(streq(id.text, before.text), r->since != RELEASED);
        must_end(r, id, FLEETPROV_STATE_SUCCEEDED);
        job = agent_job(client, id);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), cost.left);
        ck_assert_msg(stage_certificates() - certificates == cost.made, "%s took %zu certificates",
                      r->key, stage_certificates() - certificates);
        fleetprov_job_free(job);
        if (!forgotten || can_be_had(r))
                check_secret(r, id, forgotten);
}

/* Those that were at work: how many certificates they took is another test's matter. */
static void ask_again_at_work(const Row *r, JobId before) {
        const Wish wish = wish_of(r);

        other_requests_are_a_conflict(r);
        ck_assert_str_eq(agent_submit(client, &wish).text, before.text);
        agent_wait_end(client, before, FLEETPROV_STATE_SUCCEEDED);
        check_secret(r, before, false);
}

START_TEST(each_state_is_met_again)
{
        const bool crash = _i & 1, forgotten = _i & 2;

        stage_start(forgotten ? "RetainSec=1s" : "", "");
        daemon_wait_session(&d, "aws", "ready");
        identity_make_csr(&csr_key, &csr);
        identity_make_csr(&other_key, &other_csr);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (has_ended(rows + i)) {
                        ids[i] = bring_about(rows + i);
                        let_happen(rows + i, ids[i]);
                }
        if (forgotten)
                WAIT_FOR(folder_count(d.state, ".secret") == 0);
        for (size_t i = 0; i < ELEMENTSOF(rows) && !forgotten; i++)
                if (!has_ended(rows + i))
                        ids[i] = bring_about(rows + i);
        if (crash)
                stage_restart(true);
        for (size_t i = 0; i < ELEMENTSOF(rows) && !forgotten; i++)
                if (!has_ended(rows + i))
                        ask_again_at_work(rows + i, ids[i]);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (has_ended(rows + i))
                        ask_again(rows + i, ids[i], forgotten);
        free(csr_key);
        free(csr);
        free(other_key);
        free(other_csr);
}
END_TEST

/* A key is gone only when it was released; without one, the record goes after RetainSec=. */
START_TEST(records_with_a_key_stay_and_others_go)
{
        JobId with, without;

        stage_start("RetainSec=1s", "");
        with = agent_submit(client, &(Wish){.serial = "with", .key = "with"});
        without = agent_submit(client, &(Wish){.serial = "without"});
        agent_wait_end(client, with, FLEETPROV_STATE_SUCCEEDED);
        WAIT_FOR(agent_count_jobs(client, 1) == 1);
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, without),
                         FLEETPROV_NO_SUCH_JOB);
        WAIT_FOR(folder_count(d.state, ".secret") == 0);
        WAIT_FOR(folder_count(d.state, ".job") == 1);
        stage_restart(_i == 1);
        agent_wait_end(client, with, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, with), FLEETPROV_OK);
        ck_assert_uint_eq(folder_count(d.state, ".job"), 0);
        stage_restart(_i == 1);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 0);
        ck_assert_int_eq(agent_find(client, "aws", "with", NULL), FLEETPROV_NO_SUCH_JOB);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: keys");
        TCase *tc = stage_shared(suite, "keys");

        tcase_add_loop_test(tc, each_state_is_met_again, 0, 4);
        tcase_add_loop_test(tc, records_with_a_key_stay_and_others_go, 0, 2);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Requests and answers that are lost, and connections that are cut. */

#include "tests/integration/daemon/faults.h"

typedef struct Loss {
        const char *fault;
        bool done; /* the work was done before the answer was lost */
} Loss;

static const Loss losses[] = {
        {"drop", false},       {"drop-answer", true},
        {"late=2", true},      {"topic=$aws/certificates/create/json/elsewhere", true},
        {"cut-before", false}, {"cut-after", true},
};

/* How many certificates are made but for the one that is delivered. */
static size_t certificates_lost(const Loss *loss) {
        return loss->done ? 1 : 0;
}

START_TEST(what_is_lost_is_asked_for_again)
{
        const Loss *loss = losses + _i / 2;

        start_with_format(_i, "ResponseTimeoutSec=300ms");
        for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
                const Request *r = requests + i;
                const char *serial = serial_of(_i, i);
                size_t before = stage_certificates();
                fleetprov_result *result;
                fleetprov_job *job;
                JobId id;

                cloud_add(&cloud, loss->fault, r->operation);
                id = submit_for(r, serial);
                result = agent_result(client, id);
                identity_assert(&cloud, result, serial, NULL, NULL);
                fleetprov_result_free(result);
                ck_assert_uint_eq(stage_certificates() - before, 1 + certificates_lost(loss));
                job = agent_job(client, id);
                /* A lost RegisterThing spends the token: that certificate is known, and named. */
                ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job),
                                  loss->done && !r->creates ? 1 : 0);
                ck_assert(agent_history_has(job, strstr(loss->fault, "cut")
                                                         ? "the connection was lost"
                                                         : "no answer in time"));
                fleetprov_job_free(job);
        }
        if (strstr(loss->fault, "topic="))
                cloud_expect_breach(&cloud, "not-subscribed");
}
END_TEST

static const struct {
        const char *fault, *code;
        size_t request;
} lasting[] = {
        {"drop", "timeout", 0},
        {"drop", "timeout", 2},
        {"cut-before", "permission-denied-by-policy", 0},
};

START_TEST(what_is_lost_each_time_ends_the_job)
{
        const Request *r = requests + lasting[_i].request;
        const fleetprov_error *error;
        fleetprov_job *job;
        size_t made;
        JobId id;

        start_with_format(_i, "ResponseTimeoutSec=300ms");
        cloud_add(&cloud, lasting[_i].fault, r->operation, "--always");
        id = agent_submit(client, &(Wish){.serial = serial_of(_i, 0), .key = "lasting"});
        job = agent_wait(client, id);
        error = fleetprov_job_get_error(job);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_str_eq(fleetprov_error_get_name(error), lasting[_i].code);
        fleetprov_job_free(job);
        made = stage_certificates();
        /* The connection is burned: the next job has another one, and the same key goes on. */
        cloud_clear(&cloud);
        id = agent_submit(client, &(Wish){.serial = serial_of(_i, 0), .key = "lasting"});
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(stage_certificates(), made > 0 ? made : 1);
}
END_TEST

START_TEST(others_wait_while_one_is_asked_again)
{
        enum {
                JOBS = 4
        };
        JobId ids[JOBS];

        start_with_format(_i, "ResponseTimeoutSec=300ms");
        cloud_add(&cloud, "drop", "--operation=create-csr", "--after=1");
        cloud_add(&cloud, "cut-before", "--operation=register", "--after=1");
        for (unsigned i = 0; i < JOBS; i++)
                ids[i] = submit_for(requests, serial_of(_i, i));
        for (unsigned i = 0; i < JOBS; i++) {
                fleetprov_result *result = agent_result(client, ids[i]);

                identity_assert(&cloud, result, serial_of(_i, i), NULL, NULL);
                fleetprov_result_free(result);
        }
        ck_assert_uint_eq(stage_certificates(), JOBS);
}
END_TEST

/* --- the session --- */

static const fleetprov_error *profile_error(fleetprov_status *status) {
        return fleetprov_status_get_profile_error(status, 0);
}

static bool last_error_is(const char *code) {
        fleetprov_status *status = agent_status(client);
        const fleetprov_error *error = profile_error(status);
        bool is = error && streq(fleetprov_error_get_name(error), code);

        fleetprov_status_free(status);
        return is;
}

static const struct {
        const char *fault, *code;
} session_faults[] = {
        {"connack=5", "credentials-refused"},
        {"connack=7", "credentials-refused"},
        {"connect-drop", "connection-lost"},
        {"suback-refuse", "permission-denied-by-policy"},
        {"deny-subscribe", "permission-denied-by-policy"},
};

START_TEST(session_says_what_is_wrong_and_tries_again)
{
        const fleetprov_error *waiting;
        fleetprov_job *job;
        JobId id;

        cloud_add(&cloud, session_faults[_i].fault, "--always");
        start_with_format(0, "");
        id = submit_for(requests, serial_of(_i, 0));
        WAIT_FOR(last_error_is(session_faults[_i].code));
        job = agent_job(client, id);
        waiting = fleetprov_job_get_waiting_for(job);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_QUEUED);
        ck_assert_ptr_nonnull(waiting);
        fleetprov_job_free(job);
        cloud_clear(&cloud);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
}
END_TEST

START_TEST(publishing_without_right_ends_the_job)
{
        fleetprov_job *job;

        start_with_format(0, "");
        cloud_add(&cloud, "deny-publish", "--always");
        job = agent_wait(client, submit_for(requests, "denied"));
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_str_eq(fleetprov_error_get_name(fleetprov_job_get_error(job)),
                         "permission-denied-by-policy");
        fleetprov_job_free(job);
}
END_TEST

START_TEST(kicked_when_idle_it_comes_back)
{
        start_with_format(0, "");
        daemon_wait_session(&d, "aws", "ready");
        cloud_fault(&cloud, "kick", NULL);
        must_serve_the_next("kicked");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: losses");
        TCase *tc = stage_shared(suite, "losses");

        tcase_add_loop_test(tc, what_is_lost_is_asked_for_again, 0, 2 * ELEMENTSOF(losses));
        tcase_add_loop_test(tc, what_is_lost_each_time_ends_the_job, 0, ELEMENTSOF(lasting));
        tcase_add_loop_test(tc, others_wait_while_one_is_asked_again, 0, 2);
        tcase_add_loop_test(tc, session_says_what_is_wrong_and_tries_again, 0,
                            ELEMENTSOF(session_faults));
        tcase_add_test(tc, publishing_without_right_ends_the_job);
        tcase_add_test(tc, kicked_when_idle_it_comes_back);
        return stage_run(suite);
}

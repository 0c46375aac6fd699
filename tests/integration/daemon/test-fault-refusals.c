/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the service refuses: all it said is kept, and what may pass is tried again. */

#include "tests/integration/daemon/faults.h"

/* --- for good --- */

static const struct {
        const char *fault;
        int status;
        const char *code, *message;
} permanent[] = {
        {"reject=400:InvalidPayload:not like this", 400, "InvalidPayload", "not like this"},
        {"reject=403:ACCESS_DENIED:the hook says: no", 403, "ACCESS_DENIED", "the hook says: no"},
        {"reject=404:ResourceNotFoundException:no such template", 404, "ResourceNotFoundException",
         "no such template"},
        {"reject=409::", 409, NULL, NULL},
};

static void must_tell_all(const fleetprov_job *job, size_t i, const Request *r) {
        const fleetprov_error *error = fleetprov_job_get_error(job);
        const char *code, *message;

        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_ptr_nonnull(error);
        code = fleetprov_error_get_service_code(error);
        message = fleetprov_error_get_service_message(error);
        ck_assert_str_eq(fleetprov_error_get_name(error), "server-refused");
        ck_assert_str_eq(fleetprov_error_get_phase(error), r->creates ? "create" : "register");
        ck_assert_int_eq(fleetprov_error_get_status_code(error), permanent[i].status);
        ck_assert(streq_ptr(code, permanent[i].code));
        ck_assert(streq_ptr(message, permanent[i].message));
        ck_assert_int_eq(fleetprov_error_has_retriable(error), 1);
        ck_assert_int_eq(fleetprov_error_get_retriable(error), 0);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), r->creates ? 0 : 1);
}

START_TEST(refusals_are_told_word_for_word)
{
        start_with_format(_i, "");
        for (size_t i = 0; i < ELEMENTSOF(permanent); i++)
                for (size_t j = 0; j < ELEMENTSOF(requests); j++) {
                        const Request *r = requests + j;
                        const char *serial = serial_of(_i, 10 * i + j);
                        fleetprov_job *job;
                        JobId id;

                        cloud_add(&cloud, permanent[i].fault, r->operation);
                        id = submit_for(r, serial);
                        job = agent_wait(client, id);
                        must_tell_all(job, i, r);
                        fleetprov_job_free(job);
                }
        must_serve_the_next(serial_of(_i, 0));
}
END_TEST

START_TEST(refusals_outlive_the_daemon)
{
        fleetprov_job *job;
        JobId id;

        start_with_format(_i, "");
        cloud_add(&cloud, permanent[1].fault, requests[2].operation);
        id = submit_for(requests + 2, "outlives");
        agent_wait_end(client, id, FLEETPROV_STATE_FAILED);
        stage_restart(_i == 1);
        job = agent_job(client, id);
        must_tell_all(job, 1, requests + 2);
        fleetprov_job_free(job);
}
END_TEST

START_TEST(hook_and_template_have_a_say)
{
        fleetprov_job *job;

        start_with_format(_i, "");
        job = agent_wait(client, submit_for(requests, "refuse-this"));
        ck_assert_int_eq(fleetprov_error_get_status_code(fleetprov_job_get_error(job)), 403);
        fleetprov_job_free(job);
        /* A required parameter is missing. */
        job = agent_wait(client, submit_for(requests, NULL));
        ck_assert_int_eq(fleetprov_error_get_status_code(fleetprov_job_get_error(job)), 400);
        fleetprov_job_free(job);
}
END_TEST

START_TEST(unknown_template_is_refused)
{
        fleetprov_job *job;

        start_with_format(_i, "Template=Unknown");
        job = agent_wait(client, submit_for(requests, "x"));
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_int_eq(fleetprov_error_get_status_code(fleetprov_job_get_error(job)), 404);
        fleetprov_job_free(job);
}
END_TEST

/* --- for now --- */

static const char *const passing[] = {"reject=500:InternalFailure:try again",
                                      "reject=503:ServiceUnavailable:later",
                                      "reject=429:ThrottlingException:slow down"};

START_TEST(what_passes_is_tried_again)
{
        start_with_both("");
        for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
                const Request *r = requests + i;
                size_t before = stage_certificates();
                Both both;

                strike_both(passing[_i], r, "--count=1");
                both = submit_to_both(r, serial_of(_i, i), NULL);
                both_must_succeed(&both);
                ck_assert_uint_eq(stage_certificates() - before, ELEMENTSOF(profiles));
                for (size_t j = 0; j < ELEMENTSOF(profiles); j++) {
                        fleetprov_job *job = agent_job(client, both.ids[j]);

                        ck_assert(agent_history_has(job, _i == 2 ? "throttled" : "had a fault"));
                        ck_assert_uint_ge(fleetprov_job_get_attempts(job), 2);
                        fleetprov_job_free(job);
                }
        }
}
END_TEST

static const struct {
        const char *fault, *name;
        int status;
} lasting[] = {
        {"reject=500:InternalFailure:try again", "server-refused", 500},
        {"reject=429:ThrottlingException:slow down", "throttled", 429},
};

START_TEST(what_does_not_pass_is_told_while_it_waits)
{
        const fleetprov_error *error;
        fleetprov_job *job;
        JobId id;

        start_with_format(_i, "");
        daemon_wait_session(&d, "aws", "ready");
        cloud_add(&cloud, lasting[_i].fault, requests[0].operation, "--always");
        id = agent_submit(client, &(Wish){.serial = "lasting", .deadline_usec = 3 * USEC_PER_SEC});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        job = agent_job(client, id);
        if (streq(fleetprov_job_get_phase(job), "backoff")) {
                error = fleetprov_job_get_error(job);
                ck_assert_ptr_nonnull(error);
                ck_assert_str_eq(fleetprov_error_get_name(error), lasting[_i].name);
                ck_assert_int_eq(fleetprov_error_get_status_code(error), lasting[_i].status);
                ck_assert_int_eq(fleetprov_error_get_retriable(error), 1);
        }
        fleetprov_job_free(job);
        /* And when the deadline ends it, as the cause. */
        job = agent_wait(client, id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_EXPIRED);
        error = fleetprov_job_get_error(job);
        ck_assert_str_eq(fleetprov_error_get_name(error), "expired");
        error = fleetprov_error_get_cause(error);
        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(fleetprov_error_get_status_code(error), lasting[_i].status);
        fleetprov_job_free(job);
}
END_TEST

START_TEST(throttled_jobs_all_come_through)
{
        enum {
                JOBS = 5
        };
        JobId ids[JOBS];

        start_with_format(_i, "");
        cloud_add(&cloud, "throttle=3");
        for (unsigned i = 0; i < JOBS; i++)
                ids[i] = submit_for(requests, serial_of(_i, i));
        for (unsigned i = 0; i < JOBS; i++)
                agent_wait_end(client, ids[i], FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(stage_certificates(), JOBS);
}
END_TEST

/* --- how often --- */

/* What one job, or one lane, may ask in that time with waits of up to 1, 2, 4, … s: some five
 * times, and more often than this with a luck that nobody will see. */
#define WATCH_USEC (8 * USEC_PER_SEC)
#define REQUESTS_MAX 11U

static size_t count_refused(void) {
        return cloud_count(&cloud, "create-csr", "rejected");
}

START_TEST(waits_grow_until_the_deadline)
{
        size_t before = count_refused();
        fleetprov_job *job;

        start_with_format(0, "");
        daemon_wait_session(&d, "aws", "ready");
        cloud_add(&cloud, lasting[0].fault, requests[0].operation, "--always");
        job = agent_wait(client, agent_submit(client, &(Wish){.serial = "slow",
                                                              .deadline_usec = WATCH_USEC}));
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_EXPIRED);
        ck_assert_uint_ge(count_refused(), before + 2);
        ck_assert_uint_le(count_refused(), before + REQUESTS_MAX);
        fleetprov_job_free(job);
}
END_TEST

/* Many jobs ask no oftener than one. And those that have not begun say what they wait for. */
START_TEST(throttling_slows_the_lane_not_each_job_alone)
{
        enum {
                JOBS = 20
        };
        size_t before = count_refused();
        fleetprov_job *last;
        JobId ids[JOBS];

        start_with_format(1, "");
        daemon_wait_session(&d, "aws", "ready");
        cloud_add(&cloud, lasting[1].fault, requests[0].operation, "--always");
        for (unsigned i = 0; i < JOBS; i++)
                ids[i] = agent_submit(
                        client, &(Wish){.serial = serial_of(_i, i), .deadline_usec = WATCH_USEC});
        agent_wait_state(client, ids[0], FLEETPROV_STATE_RUNNING, "backoff");
        last = agent_job(client, ids[JOBS - 1]);
        if (fleetprov_job_get_waiting_for(last)) /* unless the wait is over already */
                ck_assert_str_eq(fleetprov_error_get_name(fleetprov_job_get_waiting_for(last)),
                                 "throttled");
        fleetprov_job_free(last);
        for (unsigned i = 0; i < JOBS; i++)
                agent_wait_end(client, ids[i], FLEETPROV_STATE_EXPIRED);
        ck_assert_uint_ge(count_refused(), before + 2);
        ck_assert_uint_le(count_refused(), before + REQUESTS_MAX);
}
END_TEST

/* Each life of the daemon may ask once; a daemon that ends again and again makes no storm. */
START_TEST(restarts_are_no_storm)
{
        size_t before = count_refused();
        fleetprov_job *job;
        JobId id;

        start_with_format(0, "");
        cloud_add(&cloud, lasting[0].fault, requests[0].operation, "--always");
        id = submit_for(requests, "storm");
        for (unsigned life = 1; life <= 4; life++) {
                WAIT_FOR(count_refused() >= before + life);
                agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
                stage_restart(life % 2 == 0);
        }
        job = agent_job(client, id);
        ck_assert_uint_ge(fleetprov_job_get_attempts(job), 3);
        fleetprov_job_free(job);
        cloud_clear(&cloud);
        WAIT_FOR(agent_reload(client, NULL) == 0);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
}
END_TEST

/* --- tokens --- */

static const char *const token_faults[] = {
        "reject=400:InvalidCertificateOwnershipToken:expired",
        "token-ttl=0",
};

/* An expired token is a breach that this fault brings about. */
static void forgive(int i) {
        if (i / 2 == 1)
                cloud_expect_breach(&cloud, "token-expired");
}

static const char *token_operation(int i) {
        return i / 2 == 0 ? "--operation=register" : "--operation=create-csr";
}

START_TEST(token_that_is_not_taken_starts_the_job_over)
{
        fleetprov_result *result;
        fleetprov_job *job;
        JobId id;

        start_with_format(_i, "");
        cloud_add(&cloud, token_faults[_i / 2], token_operation(_i));
        id = submit_for(requests, serial_of(_i, 0));
        result = agent_result(client, id);
        identity_assert(&cloud, result, serial_of(_i, 0), NULL, NULL);
        job = agent_job(client, id);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 1);
        ck_assert(cloud_knows(&cloud, fleetprov_job_get_left_certificate(job, 0)));
        ck_assert_str_ne(fleetprov_job_get_left_certificate(job, 0),
                         fleetprov_result_get_certificate_id(result));
        ck_assert(agent_history_has(job, "starting over"));
        fleetprov_result_free(result);
        fleetprov_job_free(job);
        ck_assert_uint_eq(stage_certificates(), 2);
        forgive(_i);
}
END_TEST

START_TEST(job_starts_over_once_and_no_more)
{
        const fleetprov_error *error;
        fleetprov_job *job;

        start_with_format(_i, "");
        cloud_add(&cloud, token_faults[_i / 2], token_operation(_i), "--always");
        job = agent_wait(client, submit_for(requests, serial_of(_i, 0)));
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        error = fleetprov_job_get_error(job);
        ck_assert_str_eq(fleetprov_error_get_name(error), "server-refused");
        ck_assert_str_eq(fleetprov_error_get_service_code(error),
                         "InvalidCertificateOwnershipToken");
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 2);
        fleetprov_job_free(job);
        ck_assert_uint_eq(stage_certificates(), 2);
        forgive(_i);
}
END_TEST

START_TEST(register_thing_has_nothing_to_start_over_with)
{
        fleetprov_job *job;

        start_with_format(_i, "");
        job = agent_wait(
                client,
                agent_submit(client, &(Wish){.operation = FLEETPROV_OPERATION_REGISTER_THING,
                                             .serial = "nothing",
                                             .token = "expired",
                                             .token_size = strlen("expired")}));
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_int_eq(fleetprov_error_get_status_code(fleetprov_job_get_error(job)), 400);
        fleetprov_job_free(job);
        ck_assert_uint_eq(stage_certificates(), 0);
        cloud_expect_breach(&cloud, "token-unknown");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: refusals");
        TCase *tc = stage_shared(suite, "refusals");

        tcase_add_loop_test(tc, refusals_are_told_word_for_word, 0, 2);
        tcase_add_loop_test(tc, refusals_outlive_the_daemon, 0, 2);
        tcase_add_loop_test(tc, hook_and_template_have_a_say, 0, 2);
        tcase_add_loop_test(tc, unknown_template_is_refused, 0, 2);
        tcase_add_loop_test(tc, what_passes_is_tried_again, 0, ELEMENTSOF(passing));
        tcase_add_loop_test(tc, what_does_not_pass_is_told_while_it_waits, 0, ELEMENTSOF(lasting));
        tcase_add_test(tc, throttled_jobs_all_come_through);
        tcase_add_test(tc, waits_grow_until_the_deadline);
        tcase_add_test(tc, throttling_slows_the_lane_not_each_job_alone);
        tcase_add_test(tc, restarts_are_no_storm);
        tcase_add_loop_test(tc, token_that_is_not_taken_starts_the_job_over, 0,
                            2 * ELEMENTSOF(token_faults));
        tcase_add_loop_test(tc, job_starts_over_once_and_no_more, 0, 2 * ELEMENTSOF(token_faults));
        tcase_add_loop_test(tc, register_thing_has_nothing_to_start_over_with, 0, 2);
        return stage_run(suite);
}

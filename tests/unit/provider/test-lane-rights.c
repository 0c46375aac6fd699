/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the claim's policy seems to refuse: the breaker of a request, beside the session's. */
#include "daemon/model/right.h"
#include "tests/unit/provider/fixture.h"

static Job *csr_job(Operation operation) {
        Job *job = fixture_job(operation);

        free(cloud_make_key(&job->spec->csr));
        return job;
}

static void expect_said(const char *text) {
        ck_assert_ptr_nonnull(fixture.failure);
        ck_assert_msg(strstr(fixture.failure->message, text), "\"%s\" does not say \"%s\"",
                      fixture.failure->message, text);
}

static void drop(Job *job) {
        fixture_ready();
        fixture_start(job);
        fake_lost(ERROR_CONNECTION_LOST, "gone");
}

static void open_breaker(void) {
        Job *job = csr_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR);

        for (unsigned try = 1; try <= RIGHT_DROPS_SUSPICION; try++)
                drop(job);
        ck_assert_int_eq(lane_last_error(fixture.lane)->code, ERROR_PERMISSION_DENIED_BY_POLICY);
        fixture_ready();
}

START_TEST(what_is_refused_is_not_asked_by_the_next_job)
{
        Job *next = csr_job(OPERATION_PROVISION);
        size_t published;

        open_breaker();
        /* The session is well, but for this. */
        ck_assert(lane_is_free(fixture.lane));
        ck_assert_ptr_nonnull(strstr(
                lane_last_error(fixture.lane)->message,
                "iot:Publish on topic/$aws/certificates/create-from-csr/json ($aws/certificates/"
                "create/* does not cover"));
        published = fake.n_publishes;
        fixture_start(next);
        fixture_expect("create back-later ");
        ck_assert_uint_eq(fake.n_publishes, published);
        ck_assert_int_eq(fixture_code(), ERROR_PERMISSION_DENIED_BY_POLICY);
        expect_said("iot:Publish");
        ck_assert_uint_ge(fixture.delay_usec, RIGHT_WAIT_BASE_USEC / 3);
        ck_assert_uint_le(fixture.delay_usec, RIGHT_WAIT_BASE_USEC);
        /* Others may ask what they may. */
        fixture_start(fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE));
        fake_subscribed_all();
        fixture_expect("create ");
        fixture_expect_request(AWS_OPERATION_CREATE_KEYS);
        fixture_reject(AWS_OPERATION_CREATE_KEYS, 403, "no");
        /* Which says nothing about that. */
        ck_assert_ptr_nonnull(lane_last_error(fixture.lane));
        fixture.diary[0] = '\0';
        fixture_start(next);
        fixture_expect("create back-later ");
}
END_TEST

START_TEST(an_answer_closes_the_breaker)
{
        Job *next = csr_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR);

        open_breaker();
        lane_retry(fixture.lane);
        fixture_start(next);
        fixture_answer_created("id", "token");
        fixture_expect("create ready succeeded ");
        ck_assert_ptr_null(lane_last_error(fixture.lane));
        fixture_start(csr_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR));
        fixture_expect("create ");
}
END_TEST

START_TEST(one_drop_opens_it_again)
{
        Job *next = csr_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR);

        open_breaker();
        lane_retry(fixture.lane);
        drop(next);
        fixture_expect("create back backoff ");
        ck_assert_int_eq(fixture_code(), ERROR_PERMISSION_DENIED_BY_POLICY);
        fixture_ready();
        fixture_start(next);
        fixture_expect("create back-later ");
        /* Another claim has other rights. */
        fixture_open();
        fixture_ready();
        fixture_start(next);
        fixture_expect("create ");
        ck_assert_ptr_null(lane_last_error(fixture.lane));
}
END_TEST

START_TEST(what_cannot_be_registered_is_not_made)
{
        Job *job = fixture_job(OPERATION_REGISTER_THING), *next = csr_job(OPERATION_PROVISION);
        _cleanup_secret_ Secret *token = secret_new("token", 5);
        size_t published;

        for (unsigned try = 1; try <= RIGHT_DROPS_SUSPICION; try++) {
                fixture_ready();
                fixture_start_with(job, &(JobSecrets){.ownership_token = token});
                fake_lost(ERROR_CONNECTION_LOST, "gone");
        }
        fixture_ready();
        published = fake.n_publishes;
        fixture_start(next);
        fixture_expect("create back-later ");
        ck_assert_uint_eq(fake.n_publishes, published);
        expect_said(
                "iot:Publish on topic/$aws/provisioning-templates/FleetTemplate/provision/json");
        fixture_start(csr_job(OPERATION_CREATE_CERTIFICATE_FROM_CSR)); /* needs no registration */
        fixture_expect("create ");
}
END_TEST

START_TEST(who_is_cancelled_does_not_wait_for_the_breaker)
{
        Job *next = fixture_job(OPERATION_PROVISION);

        open_breaker();
        fixture_start(next);
        fixture_expect("keygen ");
        lane_cancel(fixture.lane);
        fixture_wait();
        fixture_expect("cancelled ");
}
END_TEST

START_TEST(a_link_that_breaks_is_no_refusal)
{
        Job *job = csr_job(OPERATION_PROVISION);

        for (unsigned i = 0; i < RIGHT_DROPS_SUSPICION; i++) {
                fixture_ready();
                fixture_start(job);
                fake_lost(ERROR_TLS_FAILED, "bad record");
        }
        fixture_ready();
        ck_assert_ptr_null(lane_last_error(fixture.lane));
        fixture_start(csr_job(OPERATION_PROVISION));
        fixture_expect("create ");
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, what_is_refused_is_not_asked_by_the_next_job);
        tcase_add_test(c, an_answer_closes_the_breaker);
        tcase_add_test(c, one_drop_opens_it_again);
        tcase_add_test(c, what_cannot_be_registered_is_not_made);
        tcase_add_test(c, who_is_cancelled_does_not_wait_for_the_breaker);
        tcase_add_test(c, a_link_that_breaks_is_no_refusal);
}

int main(void) {
        return fixture_main("provider/lane-rights", add_tests);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/job-run.h"

#include <errno.h>

#include "daemon/crypto/certificate.h"
#include "tests/unit/provider/fixture.h"

#define NOW (10 * USEC_PER_HOUR)

static int begin(Job *job, const JobSecrets *stored) {
        return job_run_begin(job, fixture.profile, stored, NOW);
}

static const struct {
        Operation operation;
        bool csr;
        KeySource asked, configured, expected;
} sources[] = {
        {OPERATION_PROVISION, false, KEY_SOURCE_INVALID, KEY_SOURCE_DAEMON, KEY_SOURCE_DAEMON},
        {OPERATION_PROVISION, false, KEY_SOURCE_INVALID, KEY_SOURCE_CLOUD, KEY_SOURCE_CLOUD},
        {OPERATION_PROVISION, false, KEY_SOURCE_CLOUD, KEY_SOURCE_DAEMON, KEY_SOURCE_CLOUD},
        {OPERATION_PROVISION, false, KEY_SOURCE_DAEMON, KEY_SOURCE_CLOUD, KEY_SOURCE_DAEMON},
        {OPERATION_PROVISION, true, KEY_SOURCE_INVALID, KEY_SOURCE_CLOUD, KEY_SOURCE_CALLER},
        {OPERATION_CREATE_CERTIFICATE_FROM_CSR, true, KEY_SOURCE_INVALID, KEY_SOURCE_CLOUD,
         KEY_SOURCE_CALLER},
        {OPERATION_CREATE_KEYS_AND_CERTIFICATE, false, KEY_SOURCE_INVALID, KEY_SOURCE_DAEMON,
         KEY_SOURCE_CLOUD},
};

START_TEST(the_key_comes_from_whom_it_should)
{
        Job *job = fixture_job(sources[_i].operation);

        fixture.profile->key_source = sources[_i].configured;
        job->spec->key_source = sources[_i].asked;
        if (sources[_i].csr)
                free(cloud_make_key(&job->spec->csr));
        ck_assert_int_eq(begin(job, NULL), 0);
        ck_assert_int_eq(job->run->exchange.key_source, sources[_i].expected);
        ck_assert_int_eq(job->run->exchange.operation, sources[_i].operation);
        ck_assert(!job->run->exchange.has_certificate);
}
END_TEST

START_TEST(the_callers_request_says_which_key_the_certificate_must_carry)
{
        Job *job = fixture_job(OPERATION_PROVISION);
        _cleanup_certificate_ Certificate *certificate = NULL;
        _cleanup_free_ char *pem = NULL;

        free(cloud_make_key(&job->spec->csr));
        pem = cloud_sign(job->spec->csr);
        ck_assert_int_eq(begin(job, NULL), 0);
        ck_assert_str_eq(job->run->csr, job->spec->csr);
        ck_assert_int_eq(certificate_parse(pem, strlen(pem), &certificate, NULL), 0);
        ck_assert(certificate_carries_key(certificate, job->run->spki, job->run->spki_size));
}
END_TEST

START_TEST(a_request_that_cannot_be_read_is_refused)
{
        Job *job = fixture_job(OPERATION_PROVISION);

        job->spec->csr = strdup("-----BEGIN NONSENSE-----");
        ck_assert_int_eq(begin(job, NULL), -EINVAL);
        ck_assert_ptr_null(job->run);
}
END_TEST

START_TEST(a_run_is_begun_once)
{
        Job *job = fixture_job(OPERATION_PROVISION);
        const JobRun *run;

        ck_assert_int_eq(begin(job, NULL), 0);
        run = job->run;
        job->run->exchange.has_key = true;
        ck_assert_int_eq(begin(job, NULL), 0);
        ck_assert_ptr_eq(job->run, run);
        ck_assert(run->exchange.has_key);
        job_run_free(job);
        ck_assert_ptr_null(job->run);
        job_run_free(job);
}
END_TEST

/* --- resuming -----------------------------------------------------------------------------------
 */

static Job *job_with_certificate(usec_t token_made_boot) {
        Job *job = fixture_job(OPERATION_PROVISION);

        job->result.certificate_id = strdup("id");
        job->result.certificate_pem = strdup("pem");
        job->token_made_boot = token_made_boot;
        return job;
}

static const struct {
        usec_t made;
        bool usable;
} tokens[] = {
        {NOW, true},
        {NOW - TOKEN_USABLE_USEC + 1, true},
        {NOW - TOKEN_USABLE_USEC, false},
        {NOW - 2 * USEC_PER_HOUR, false},
        {(usec_t) -USEC_PER_HOUR, false}, /* before this boot */
};

START_TEST(a_certificate_is_used_as_long_as_its_token_lives)
{
        _cleanup_secret_ Secret *key = secret_new("key", 3), *token = secret_new("token", 5);
        const JobSecrets stored = {.private_key = key, .ownership_token = token};
        Job *job = job_with_certificate(tokens[_i].made);

        ck_assert_int_eq(begin(job, &stored), 0);
        ck_assert_int_eq(job->run->exchange.has_certificate, tokens[_i].usable);
        if (tokens[_i].usable) {
                ck_assert_str_eq(job->result.certificate_id, "id");
                ck_assert_str_eq(secret_text(job->run->secrets.private_key), "key");
                ck_assert_ptr_ne(job->run->secrets.private_key, key);
                ck_assert_uint_eq(job->n_left_certificates, 0);
        } else {
                ck_assert_ptr_null(job->result.certificate_id);
                ck_assert_ptr_null(job->result.certificate_pem);
                ck_assert_uint_eq(job->token_made_boot, 0);
                ck_assert(job_secrets_is_empty(&job->run->secrets));
                ck_assert_uint_eq(job->n_left_certificates, 1);
                ck_assert_str_eq(job->left_certificates[0], "id");
        }
}
END_TEST

/* A rotation's claim is its own, and stays with it whatever becomes of a certificate. */
START_TEST(a_rotation_keeps_the_key_that_was_handed_in)
{
        _cleanup_secret_ Secret *key = secret_new("key", 3), *token = secret_new("token", 5),
                                *claim = secret_new("claim", 5);
        const JobSecrets stored = {
                .private_key = key, .ownership_token = token, .claim_key = claim};
        Job *job = job_with_certificate(tokens[_i].made);

        job->spec->operation = OPERATION_ROTATE;
        ck_assert_int_eq(begin(job, &stored), 0);
        ck_assert_int_eq(job->run->exchange.has_certificate, tokens[_i].usable);
        ck_assert_int_eq(job->run->secrets.private_key != NULL, tokens[_i].usable);
        ck_assert_str_eq(secret_text(job->run->secrets.claim_key), "claim");
}
END_TEST

START_TEST(shortly_after_a_reboot_a_token_may_live)
{
        _cleanup_secret_ Secret *token = secret_new("token", 5);
        Job *job = job_with_certificate((usec_t) -USEC_PER_MINUTE);

        ck_assert_int_eq(job_run_begin(job, fixture.profile,
                                       &(JobSecrets){.ownership_token = token}, USEC_PER_MINUTE),
                         0);
        ck_assert(job->run->exchange.has_certificate);
}
END_TEST

START_TEST(a_certificate_without_its_token_is_given_up)
{
        Job *job = job_with_certificate(NOW);

        ck_assert_int_eq(begin(job, NULL), 0);
        ck_assert(!job->run->exchange.has_certificate);
        ck_assert_uint_eq(job->n_left_certificates, 1);
}
END_TEST

START_TEST(a_certificate_can_be_given_up_outside_of_a_run)
{
        Job *job = job_with_certificate(NOW);

        ck_assert_int_eq(job_give_up_certificate(job), 0);
        ck_assert_ptr_null(job->result.certificate_id);
        ck_assert_uint_eq(job->n_left_certificates, 1);
        ck_assert_int_eq(job_give_up_certificate(job), 0); /* there is none any more */
        ck_assert_uint_eq(job->n_left_certificates, 1);
}
END_TEST

START_TEST(other_operations_bring_their_own_token)
{
        _cleanup_secret_ Secret *token = secret_new("token", 5);
        Job *job = fixture_job(OPERATION_REGISTER_THING);

        ck_assert_int_eq(begin(job, &(JobSecrets){.ownership_token = token}), 0);
        ck_assert(secret_equal(job->run->secrets.ownership_token, token));
        ck_assert(!job->run->exchange.has_certificate);
}
END_TEST

START_TEST(waits_go_on_from_an_earlier_life)
{
        static const struct {
                unsigned attempts, failures;
        } lives[] = {{0, 0}, {1, 0}, {2, 1}, {6, 5}, {7, 5}, {1000, 5}};
        Job *job = fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE);

        job->attempts = lives[_i].attempts;
        ck_assert_int_eq(begin(job, NULL), 0);
        ck_assert_uint_eq(job->run->exchange.backoff.failures, lives[_i].failures);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, waits_go_on_from_an_earlier_life, 0, 6);
        tcase_add_loop_test(c, the_key_comes_from_whom_it_should, 0, (int) ELEMENTSOF(sources));
        tcase_add_test(c, the_callers_request_says_which_key_the_certificate_must_carry);
        tcase_add_test(c, a_request_that_cannot_be_read_is_refused);
        tcase_add_test(c, a_run_is_begun_once);
        tcase_add_loop_test(c, a_certificate_is_used_as_long_as_its_token_lives, 0,
                            (int) ELEMENTSOF(tokens));
        tcase_add_loop_test(c, a_rotation_keeps_the_key_that_was_handed_in, 0,
                            (int) ELEMENTSOF(tokens));
        tcase_add_test(c, shortly_after_a_reboot_a_token_may_live);
        tcase_add_test(c, a_certificate_without_its_token_is_given_up);
        tcase_add_test(c, a_certificate_can_be_given_up_outside_of_a_run);
        tcase_add_test(c, other_operations_bring_their_own_token);
}

int main(void) {
        return fixture_main("provider/job-run", add_tests);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A registration that goes well: who logs in, what is asked, what the caller gets. */

#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/sas.h"
#include "daemon/provider/dps-internal.h"
#include "tests/unit/provider/cloud.h"
#include "tests/unit/provider/dps-fixture.h"

#define STATE                                                                                      \
        "{\"registrationId\":\"GW-1\",\"assignedHub\":\"" DPS_TEST_HUB "\",\"deviceId\":\"gw-1\"," \
        "\"status\":\"assigned\",\"payload\":{\"a\":[1]}}"
#define ASSIGNED \
        "{\"operationId\":\"5.a b\",\"status\":\"assigned\",\"registrationState\":" STATE "}"

START_TEST(device_is_registered_and_assigned)
{
        dps_start();
        dps_expect("register connecting ");
        ck_assert_str_eq(fake.host, "dps.example");
        ck_assert_str_eq(fake.client_id, "gw-1");
        fake_connected();
        dps_expect("subscribing ");
        ck_assert_uint_eq(fake.n_asked, 1);
        ck_assert_str_eq(fake.asked[0], "$dps/registrations/res/#");
        ck_assert_uint_eq(fake.n_publishes, 0);
        fake_subscribed(true);
        dps_expect("ready ");
        dps_expect_register("{\"registrationId\":\"gw-1\"}");

        dps_answer(202, "&retry-after=0", "{\"operationId\":\"5.a b\",\"status\":\"assigning\"}");
        dps_expect("poll store ");
        ck_assert_ptr_null(dps.secrets.private_key); /* there is nothing secret in it */
        ck_assert_str_eq(dps.job->result.operation_id, "5.a b");
        dps_wait();
        dps_expect_query("5.a%20b");
        dps_answer(202, "&retry-after=0", "{\"operationId\":\"5.a b\",\"status\":\"assigning\"}");
        dps_wait();
        ck_assert_uint_eq(fake.n_publishes, 3);
        dps_answer(200, "", ASSIGNED);
        dps_expect("offline succeeded ");
        ck_assert_ptr_null(dps.failure);
        ck_assert_ptr_null(fake.live);
        ck_assert_str_eq(dps.job->result.device_id, "gw-1");
        ck_assert_str_eq(dps.job->result.assigned_hub, DPS_TEST_HUB);
        ck_assert_str_eq(dps.job->result.registration_state, STATE);
        ck_assert_ptr_null(dps.job->result.operation_id);
        ck_assert(job_secrets_is_empty(&dps.secrets));
}
END_TEST

START_TEST(login_shows_the_key)
{
        dps_start();
        ck_assert_ptr_nonnull(strstr(fake.user_name,
                                     "0ne00000000/registrations/gw-1/"
                                     "api-version=2019-03-31&ClientVersion=fleetprovd%2F"));
        ck_assert_ptr_nonnull(strstr(
                fake.password, "SharedAccessSignature sr=0ne00000000%2Fregistrations%2Fgw-1&sig="));
        ck_assert_ptr_nonnull(strstr(fake.password, "&skn=registration"));
        ck_assert_ptr_null(fake.certificate);
}
END_TEST

/* The token's signature is that of the key over its own words. */
static void expect_signed_by(const Secret *key) {
        _cleanup_free_ char *copy = strdup(fake.password), *text = NULL;
        _cleanup_secret_ Secret *signature = NULL;
        char *resource = strstr(copy, "sr=") + 3, *expiry = strstr(copy, "&se=") + 4;
        char encoded[256], *out = encoded;

        resource[strcspn(resource, "&")] = '\0';
        expiry[strcspn(expiry, "&")] = '\0';
        ck_assert_int_ge(asprintf(&text, "%s\n%s", resource, expiry), 0);
        ck_assert_int_eq(sas_sign(key, text, &signature), 0);
        out = stpcpy(out, "&sig=");
        for (const char *p = secret_text(signature); *p; p++)
                out += *p == '+' || *p == '/' || *p == '='
                               ? sprintf(out, "%%%02X", (unsigned char) *p)
                               : sprintf(out, "%c", *p);
        ck_assert_msg(strstr(fake.password, encoded) != NULL, "%s: no %s", fake.password, encoded);
}

START_TEST(group_key_gives_each_registration_its_own)
{
        _cleanup_secret_ Secret *group = secret_new("0123456789abcdef", 16), *key = NULL,
                                *text = NULL;

        dps.profile->dps.authentication = AUTHENTICATION_GROUP_KEY;
        ck_assert_int_eq(sas_key_derive(group, "gw-1", &key), 0);
        ck_assert_int_eq(sas_key_write(key, &text), 0);
        dps_reach_query();
        expect_signed_by(key);
        dps_answer(200, "", ASSIGNED);
        ck_assert_str_eq(secret_text(dps.secrets.symmetric_key), secret_text(text));
}
END_TEST

START_TEST(certificate_needs_no_password)
{
        dps.profile->dps.authentication = AUTHENTICATION_X509;
        dps_start();
        ck_assert_ptr_null(fake.password);
        ck_assert_ptr_nonnull(fake.user_name);
        ck_assert_str_eq(fake.certificate, "certificate");
}
END_TEST

START_TEST(gateway_is_connected_to_in_the_place_of_the_endpoint)
{
        ck_assert_int_eq(free_and_strdup(&dps.profile->dps.gateway_hostname, "gw.local"), 0);
        dps_start();
        ck_assert_str_eq(fake.host, "gw.local");
        ck_assert_ptr_nonnull(strstr(fake.user_name, "0ne00000000/registrations/gw-1/"));
}
END_TEST

static const struct {
        const char *fixed, *brought, *by_default, *sent;
} payloads[] = {
        {NULL, NULL, NULL, "{\"registrationId\":\"gw-1\"}"},
        {NULL, NULL, "[1]", "{\"registrationId\":\"gw-1\",\"payload\":[1]}"},
        {NULL, "2.50", "[1]", "{\"registrationId\":\"gw-1\",\"payload\":2.50}"},
        {"{\"a\":1}", "2", NULL, "{\"registrationId\":\"gw-1\",\"payload\":{\"a\":1}}"},
};

START_TEST(payload_is_the_profiles_or_the_jobs)
{
        ck_assert_int_eq(free_and_strdup(&dps.profile->dps.payload, payloads[_i].fixed), 0);
        ck_assert_int_eq(
                free_and_strdup(&dps.profile->dps.default_payload, payloads[_i].by_default), 0);
        ck_assert_int_eq(free_and_strdup(&dps.job->spec->payload, payloads[_i].brought), 0);
        dps_reach_request();
        dps_expect_register(payloads[_i].sent);
}
END_TEST

START_TEST(registration_id_may_be_the_jobs)
{
        free(TAKE_PTR(dps.profile->dps.registration_id));
        ck_assert_int_eq(free_and_strdup(&dps.job->spec->registration_id, "sensor-7"), 0);
        dps_reach_request();
        ck_assert_str_eq(fake.client_id, "sensor-7");
        dps_expect_register("{\"registrationId\":\"sensor-7\"}");
}
END_TEST

START_TEST(job_without_an_id_is_not_begun)
{
        free(TAKE_PTR(dps.profile->dps.registration_id));
        ck_assert_int_eq(free_and_strdup(&dps.job->spec->registration_id, "gw-1"), 0);
        dps_start();
        registrar_cancel(dps.registrar);
        ck_assert_int_eq(free_and_strdup(&dps.job->spec->registration_id, "a/b"), 0);
        ck_assert_int_eq(registrar_start(dps.registrar, dps.job, NULL), -EINVAL);
        free(TAKE_PTR(dps.job->spec->registration_id));
        ck_assert_int_eq(registrar_start(dps.registrar, dps.job, NULL), -EINVAL);
        ck_assert_ptr_null(registrar_job(dps.registrar));
}
END_TEST

START_TEST(claim_must_be_what_authentication_needs)
{
        _cleanup_secret_ Secret *some = secret_new("some", 4);
        const RegistrarClaim no_key = {.trusted = some, .certificate = some, .private_key = some};
        const RegistrarClaim no_roots = {.symmetric_key = some};

        dps_start();
        ck_assert_int_eq(registrar_set_claim(dps.registrar, &no_key), -EINVAL);
        ck_assert_int_eq(registrar_set_claim(dps.registrar, &no_roots), -EINVAL);
}
END_TEST

/* --- certificates */

/* The request that was sent, as PEM; free() it. */
static char *sent_csr(void) {
        const char *begin = strstr((const char *) fake_last()->payload, "\"csr\":\"");
        char *pem = NULL;

        ck_assert_ptr_nonnull(begin);
        begin += strlen("\"csr\":\"");
        ck_assert_int_ge(asprintf(&pem,
                                  "-----BEGIN CERTIFICATE REQUEST-----\n%.*s\n"
                                  "-----END CERTIFICATE REQUEST-----\n",
                                  (int) strcspn(begin, "\""), begin),
                         0);
        return pem;
}

/* Without armour and line ends; takes it. */
static char *bare(char *pem) {
        char *p = strchr(pem, '\n'), *out = pem, *end = strstr(pem, "\n-----END");

        for (; p < end; p++)
                if (*p != '\n')
                        *out++ = *p;
        *out = '\0';
        return pem;
}

static void answer_with_certificate(char *pem) {
        _cleanup_free_ char *base64 = bare(pem), *body = NULL;

        ck_assert_int_ge(asprintf(&body,
                                  "{\"status\":\"assigned\",\"registrationState\":{\"deviceId\":"
                                  "\"gw-1\",\"assignedHub\":\"" DPS_TEST_HUB
                                  "\",\"issuedCertificateChain\":[\"%s\"]}}",
                                  base64),
                         0);
        dps_answer(200, "", body);
}

static void reach_request_with_key(void) {
        ck_assert_int_eq(free_and_strdup(&dps.profile->dps.api_version, "2025-07-01-preview"), 0);
        dps_start();
        dps_expect("keygen ");
        while (!fake.live)
                dps_wait();
        dps_expect("store register connecting ");
        dps_let_in();
}

START_TEST(certificate_is_issued_for_a_key_that_is_stored_first)
{
        _cleanup_free_ char *csr = NULL;

        reach_request_with_key();
        ck_assert_ptr_nonnull(dps.secrets.private_key);
        csr = sent_csr();
        answer_with_certificate(cloud_sign(csr));
        ck_assert_msg(strstr(dps.diary, "succeeded") != NULL, "%s: %s", dps.diary,
                      failure_message(dps.failure));
        ck_assert_uint_eq(strlen(dps.job->result.certificate_id), 64);
        ck_assert_ptr_nonnull(strstr(dps.job->result.certificate_pem, "BEGIN CERTIFICATE"));
        ck_assert_ptr_nonnull(dps.secrets.private_key);
}
END_TEST

START_TEST(certificate_for_another_key_is_refused)
{
        reach_request_with_key();
        answer_with_certificate(cloud_sign_for_nobody());
        ck_assert_int_eq(dps_code(), ERROR_KEY_MISMATCH);
        ck_assert_ptr_null(dps.job->result.certificate_pem);
        ck_assert_ptr_null(dps.job->result.device_id);
}
END_TEST

START_TEST(assignment_without_the_certificate_is_refused)
{
        reach_request_with_key();
        dps_answer(200, "", ASSIGNED);
        ck_assert_int_eq(dps_code(), ERROR_BAD_RESPONSE);
        ck_assert_ptr_nonnull(strstr(dps.failure->message, "no certificate was issued"));
}
END_TEST

START_TEST(request_of_the_callers_own_makes_no_key)
{
        _cleanup_free_ char *csr = NULL, *key = cloud_make_key(&csr), *sent = NULL;

        ck_assert_int_eq(free_and_strdup(&dps.profile->dps.api_version, "2025-07-01-preview"), 0);
        ck_assert_int_eq(free_and_strdup(&dps.job->spec->csr, csr), 0);
        dps_reach_request();
        sent = sent_csr();
        answer_with_certificate(cloud_sign(sent));
        ck_assert_ptr_nonnull(strstr(dps.diary, "succeeded"));
        ck_assert(job_secrets_is_empty(&dps.secrets));
}
END_TEST

START_TEST(request_needs_a_version_that_issues)
{
        _cleanup_free_ char *csr = NULL, *key = cloud_make_key(&csr);

        ck_assert_int_eq(free_and_strdup(&dps.job->spec->csr, csr), 0);
        dps_start();
        dps_let_in();
        ck_assert_int_eq(dps_code(), ERROR_BAD_PARAMETER);
        ck_assert_ptr_nonnull(strstr(dps.failure->message, "ApiVersion="));
        ck_assert_uint_eq(fake.n_publishes, 0);
}
END_TEST

/* In its own time, a connection is left alone; made, it has time-outs of its own. */
START_TEST(connection_that_hangs_is_begun_anew_when_a_network_came)
{
        dps_start();
        dps_expect("register connecting ");
        registrar_hurry(dps.registrar);
        ck_assert_uint_eq(fake.made, 1);
        ck_assert_int_ge(sd_event_source_set_time_relative(dps.registrar->timer, 0), 0);
        while (fake.made == 1)
                ck_assert_int_gt(sd_event_run(dps.event, UINT64_MAX), 0);
        dps_expect("");
        registrar_hurry(dps.registrar);
        fake_connected();
        registrar_hurry(dps.registrar);
        ck_assert_int_ge(sd_event_source_set_time_relative(dps.registrar->timer, 0), 0);
        dps_wait();
        dps_expect("subscribing offline back ");
        ck_assert_int_eq(dps_code(), ERROR_TIMEOUT);
        /* There is nobody to hurry. */
        registrar_hurry(dps.registrar);
        dps_expect("");
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, connection_that_hangs_is_begun_anew_when_a_network_came);
        tcase_add_test(c, device_is_registered_and_assigned);
        tcase_add_test(c, login_shows_the_key);
        tcase_add_test(c, group_key_gives_each_registration_its_own);
        tcase_add_test(c, certificate_needs_no_password);
        tcase_add_test(c, gateway_is_connected_to_in_the_place_of_the_endpoint);
        tcase_add_loop_test(c, payload_is_the_profiles_or_the_jobs, 0, ELEMENTSOF(payloads));
        tcase_add_test(c, registration_id_may_be_the_jobs);
        tcase_add_test(c, job_without_an_id_is_not_begun);
        tcase_add_test(c, claim_must_be_what_authentication_needs);
        tcase_add_test(c, certificate_is_issued_for_a_key_that_is_stored_first);
        tcase_add_test(c, certificate_for_another_key_is_refused);
        tcase_add_test(c, assignment_without_the_certificate_is_refused);
        tcase_add_test(c, request_of_the_callers_own_makes_no_key);
        tcase_add_test(c, request_needs_a_version_that_issues);
}

int main(void) {
        return dps_main("provider/dps", add_tests);
}

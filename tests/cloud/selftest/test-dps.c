/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What DPS answers, as it should be and as faults make it. */

#include <stdio.h>
#include <string.h>

#include <openssl/x509.h>

#include "daemon/base/macro.h"
#include "tests/cloud/selftest/dps-device.h"
#include "tests/cloud/selftest/suites.h"

static json_t *body_of(const char *id) {
        return json_pack("{s:s}", "registrationId", id);
}

/* Registers and gives the operation's id, to be freed. */
static char *begin(Client *client, const char *id) {
        DpsAnswer a;
        char *operation;

        dps_register(client, "r1", body_of(id));
        a = dps_receive(client);
        ck_assert_int_eq(a.status, 202);
        ck_assert_str_eq(a.rid, "r1");
        ck_assert_str_eq(dps_text(&a, "status"), "assigning");
        operation = strdup(dps_text(&a, "operationId"));
        ck_assert_uint_gt(strlen(operation), 8);
        dps_answer_clear(&a);
        return operation;
}

static void add_fault(const char *fault, const char *operation) {
        _cleanup_free_ char *option = NULL;

        ck_assert_int_ge(asprintf(&option, "--operation=%s", operation), 0);
        free(cloud_fault(&cloud, "add", fault, option, NULL));
}

START_TEST(device_is_assigned)
{
        _cleanup_free_ char *operation = NULL;
        DpsAnswer a;
        Client client;

        dps_device(&client, &cloud, "gw-Assigned");
        dps_register(
                &client, "r1",
                json_pack("{s:s, s:{s:i}}", "registrationId", "gw-Assigned", "payload", "n", 7));
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, 202);
        ck_assert_int_eq(a.retry_after, 1);
        operation = strdup(dps_text(&a, "operationId"));
        dps_answer_clear(&a);

        client_idle(&client, 1000);
        dps_query(&client, "r%2F2", operation);
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, 200);
        ck_assert_str_eq(a.rid, "r%2F2");
        ck_assert_int_eq(a.retry_after, -1);
        ck_assert_str_eq(dps_text(&a, "status"), "assigned");
        ck_assert_str_eq(dps_text(&a, "operationId"), operation);
        ck_assert_str_eq(dps_text(&a, "registrationState.registrationId"), "gw-Assigned");
        ck_assert_str_eq(dps_text(&a, "registrationState.deviceId"), "gw-assigned");
        ck_assert_str_eq(dps_text(&a, "registrationState.assignedHub"),
                         "hub.test.azure-devices.net");
        ck_assert_str_eq(dps_text(&a, "registrationState.substatus"), "initialAssignment");
        ck_assert_int_eq(
                json_integer_value(json_object_get(
                        json_object_get(json_object_get(a.body, "registrationState"), "payload"),
                        "n")),
                7);
        dps_answer_clear(&a);
        client_close(&client);
        ck_assert_int_eq(cloud_breaches(&cloud, "queried-too-early"), 0);
        ck_assert_uint_eq(cloud_journal_count(&cloud, "dps-query", operation), 1);
}
END_TEST

static const struct {
        const char *id, *fault, *status;
} fates[] = {
        {"gw-disabled", NULL, "disabled"},
        {"gw-failing", NULL, "failed"},
        {"gw-unassigned", NULL, "unassigned"},
        {"gw-x", "status=pondering", "pondering"},
};

START_TEST(fate_stands_in_the_id)
{
        _cleanup_free_ char *operation = NULL;
        DpsAnswer a;
        Client client;

        dps_device(&client, &cloud, fates[_i].id);
        add_fault("retry-after=0", "dps-register");
        if (fates[_i].fault)
                add_fault(fates[_i].fault, "dps-query");
        operation = begin(&client, fates[_i].id);
        dps_query(&client, "2", operation);
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, 200);
        ck_assert_str_eq(dps_text(&a, "status"), fates[_i].status);
        ck_assert_str_eq(dps_text(&a, "registrationState.status"), fates[_i].status);
        ck_assert_str_eq(dps_text(&a, "registrationState.deviceId"), "");
        if (streq(fates[_i].status, "failed"))
                ck_assert_int_eq(
                        json_integer_value(json_object_get(
                                json_object_get(a.body, "registrationState"), "errorCode")),
                        400209);
        dps_answer_clear(&a);
        client_close(&client);
}
END_TEST

START_TEST(assigning_takes_as_many_queries_as_are_asked_for)
{
        _cleanup_free_ char *operation = NULL;
        Client client;

        dps_device(&client, &cloud, "gw-slow");
        add_fault("assigning=2", "dps-register");
        free(cloud_fault(&cloud, "add", "retry-after=0", "--always", NULL));
        operation = begin(&client, "gw-slow");
        for (int i = 0; i < 3; i++) {
                DpsAnswer a;

                dps_query(&client, "q", operation);
                a = dps_receive(&client);
                ck_assert_int_eq(a.status, i < 2 ? 202 : 200);
                ck_assert_int_eq(a.retry_after, i < 2 ? 0 : -1);
                dps_answer_clear(&a);
        }
        client_close(&client);
}
END_TEST

START_TEST(registration_may_be_over_at_once)
{
        DpsAnswer a;
        Client client;

        dps_device(&client, &cloud, "gw-quick");
        add_fault("assigning=0", "dps-register");
        dps_register(&client, "1", body_of("gw-quick"));
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, 200);
        ck_assert_str_eq(dps_text(&a, "status"), "assigned");
        dps_answer_clear(&a);
        client_close(&client);
}
END_TEST

START_TEST(who_asks_too_early_or_registers_anew_is_noted)
{
        json_int_t early = cloud_breaches(&cloud, "queried-too-early");
        json_int_t anew = cloud_breaches(&cloud, "registered-anew");
        _cleanup_free_ char *operation = NULL, *second = NULL;
        DpsAnswer a;
        Client client;

        dps_device(&client, &cloud, "gw-hasty");
        add_fault("assigning=1", "dps-register");
        add_fault("retry-after=60", "dps-register");
        operation = begin(&client, "gw-hasty");
        dps_query(&client, "2", operation);
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, 202);
        dps_answer_clear(&a);
        ck_assert_int_eq(cloud_breaches(&cloud, "queried-too-early"), early + 1);
        ck_assert_int_eq(cloud_breaches(&cloud, "registered-anew"), anew);
        second = begin(&client, "gw-hasty");
        ck_assert_str_ne(second, operation);
        ck_assert_int_eq(cloud_breaches(&cloud, "registered-anew"), anew + 1);
        /* The one before is not known any more. */
        dps_query(&client, "3", operation);
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, 404);
        ck_assert_int_eq(json_integer_value(json_object_get(a.body, "errorCode")), 404204);
        dps_answer_clear(&a);
        client_close(&client);
}
END_TEST

static const struct {
        const char *fault;
        int status;
        json_int_t error_code;
        int retry_after;
} refusals[] = {
        {"throttle=0", 429, 429001, 1},
        {"reject=401:401002:Unauthorized", 401, 401002, -1},
        {"reject=500:500001:Internal", 500, 500001, -1},
};

START_TEST(refusals_say_what_they_are)
{
        DpsAnswer a;
        Client client;

        dps_device(&client, &cloud, "gw-1");
        add_fault(refusals[_i].fault, "dps-register");
        dps_register(&client, "1", body_of("gw-1"));
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, refusals[_i].status);
        ck_assert_int_eq(json_integer_value(json_object_get(a.body, "errorCode")),
                         refusals[_i].error_code);
        ck_assert_int_eq(a.retry_after, refusals[_i].retry_after);
        ck_assert_str_ne(dps_text(&a, "trackingId"), "");
        ck_assert_str_ne(dps_text(&a, "message"), "");
        ck_assert_str_ne(dps_text(&a, "timestampUtc"), "");
        dps_answer_clear(&a);
        client_close(&client);
}
END_TEST

static const char *const bad_bodies[] = {
        "", "{", "[]", "{}", "{\"registrationId\":\"gw-2\"}", "{\"registrationId\":7}"};

START_TEST(bad_registration_is_a_breach)
{
        json_int_t before = cloud_breaches(&cloud, "request-malformed");
        DpsAnswer a;
        Client client;

        dps_device(&client, &cloud, "gw-1");
        client_publish(&client, "$dps/registrations/PUT/iotdps-register/?$rid=1", bad_bodies[_i],
                       strlen(bad_bodies[_i]), 1, false);
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, 400);
        dps_answer_clear(&a);
        client_close(&client);
        ck_assert_int_gt(cloud_breaches(&cloud, "request-malformed"), before);
}
END_TEST

START_TEST(parameters_come_in_another_order)
{
        Message message;
        Client client;

        dps_device(&client, &cloud, "gw-1");
        add_fault("swapped", "dps-register");
        dps_register(&client, "r", body_of("gw-1"));
        ck_assert(client_receive(&client, &message));
        ck_assert_str_eq(message.topic, "$dps/registrations/res/202/?retry-after=1&new=1&$rid=r");
        message_clear(&message);
        client_close(&client);
}
END_TEST

START_TEST(answers_are_spoiled_as_asked_for)
{
        Message message;
        Client client;
        DpsAnswer a;

        dps_device(&client, &cloud, "gw-1");
        add_fault("malformed", "dps-register");
        dps_register(&client, "1", body_of("gw-1"));
        a = dps_receive(&client);
        ck_assert_ptr_null(a.body);
        dps_answer_clear(&a);

        add_fault("foreign", "dps-register");
        dps_register(&client, "2", body_of("gw-1"));
        a = dps_receive(&client);
        ck_assert_str_eq(a.rid, "of-nobody");
        dps_answer_clear(&a);

        add_fault("topic=$dps/registrations/res/200/?x=1", "dps-register");
        dps_register(&client, "3", body_of("gw-1"));
        ck_assert(client_receive(&client, &message));
        ck_assert_str_eq(message.topic, "$dps/registrations/res/200/?x=1");
        message_clear(&message);

        add_fault("double", "dps-register");
        dps_register(&client, "4", body_of("gw-1"));
        for (int i = 0; i < 2; i++) {
                a = dps_receive(&client);
                ck_assert_str_eq(a.rid, "4");
                dps_answer_clear(&a);
        }

        add_fault("cut-after", "dps-register");
        dps_register(&client, "5", body_of("gw-1"));
        client_await_drop(&client);
        client_close(&client);
}
END_TEST

/* A request for a certificate, base64 without armour, of that common name. */
static char *bare_csr(const char *name) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509_REQ *request = X509_REQ_new();
        unsigned char *der = NULL;
        char *text;
        int n;

        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_ASC,
                                   (const unsigned char *) name, -1, -1, 0);
        X509_REQ_set_pubkey(request, key);
        ck_assert_int_gt(X509_REQ_sign(request, key, EVP_sha256()), 0);
        n = i2d_X509_REQ(request, &der);
        ck_assert_int_gt(n, 0);
        text = malloc((size_t) n * 2);
        EVP_EncodeBlock((unsigned char *) text, der, n);
        OPENSSL_free(der);
        X509_REQ_free(request);
        EVP_PKEY_free(key);
        return text;
}

START_TEST(certificate_is_issued_along)
{
        DpsToken token = {.key_file = "dps.key", .lifetime_sec = 60};
        _cleanup_free_ char *csr = bare_csr("gw-csr"), *foreign = bare_csr("gw-other");
        json_t *chain;
        DpsAnswer a;
        Client client;

        ck_assert_int_eq(dps_connect(&client, &cloud, "gw-csr", &token, "2025-07-01-preview"), 0);
        ck_assert_int_ge(client_subscribe(&client, "$dps/registrations/res/#", 0), 0);
        add_fault("assigning=0", "dps-register");
        dps_register(&client, "1", json_pack("{s:s, s:s}", "registrationId", "gw-csr", "csr", csr));
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, 200);
        chain = json_object_get(json_object_get(a.body, "registrationState"),
                                "issuedCertificateChain");
        ck_assert_uint_eq(json_array_size(chain), 1);
        ck_assert_int_eq(strncmp(json_string_value(json_array_get(chain, 0)), "MII", 3), 0);
        dps_answer_clear(&a);

        dps_register(&client, "2",
                     json_pack("{s:s, s:s}", "registrationId", "gw-csr", "csr", foreign));
        a = dps_receive(&client);
        ck_assert_int_eq(a.status, 400);
        dps_answer_clear(&a);
        client_close(&client);
}
END_TEST

TCase *dps_tests(void) {
        TCase *c = tcase_create("dps");

        tcase_add_test(c, device_is_assigned);
        tcase_add_loop_test(c, fate_stands_in_the_id, 0, ELEMENTSOF(fates));
        tcase_add_test(c, assigning_takes_as_many_queries_as_are_asked_for);
        tcase_add_test(c, registration_may_be_over_at_once);
        tcase_add_test(c, who_asks_too_early_or_registers_anew_is_noted);
        tcase_add_loop_test(c, refusals_say_what_they_are, 0, ELEMENTSOF(refusals));
        tcase_add_loop_test(c, bad_registration_is_a_breach, 0, ELEMENTSOF(bad_bodies));
        tcase_add_test(c, parameters_come_in_another_order);
        tcase_add_test(c, answers_are_spoiled_as_asked_for);
        tcase_add_test(c, certificate_is_issued_along);
        return c;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/dps/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))

/* An assigned answer with more in its state. */
#define NAMES \
        "\"registrationId\":\"gw-1\",\"assignedHub\":\"h.azure-devices.net\",\"deviceId\":\"d\""
#define ASSIGNED(more)                                      \
        "{\"operationId\":\"5.1\",\"status\":\"assigned\"," \
        "\"registrationState\":{" NAMES ",\"status\":\"assigned\"" more "}}"
#define BLOCK(body) "-----BEGIN CERTIFICATE-----\n" body "-----END CERTIFICATE-----\n"

static DpsAnswer parsed(const char *json) {
        DpsAnswer a = {};
        char *why = NULL;
        int r;

        r = dps_answer_parse(json, strlen(json), &a, &why);
        ck_assert_msg(r == 0, "%s: %s", json, why);
        return a;
}

START_TEST(assigning_brings_the_operation)
{
        DpsAnswer a = parsed("{\"operationId\":\"5.41\",\"status\":\"assigning\"}");

        ck_assert_int_eq(a.assignment, DPS_ASSIGNMENT_ASSIGNING);
        ck_assert_str_eq(a.status, "assigning");
        ck_assert_str_eq(a.operation_id, "5.41");
        ck_assert_ptr_null(a.registration_state);
        dps_answer_done(&a);
        ck_assert_ptr_null(a.status);
        dps_answer_done(&a);
}
END_TEST

START_TEST(whole_state_reaches_the_caller)
{
        DpsAnswer a = parsed(
                "{\"operationId\":\"5.41\",\"status\":\"assigned\",\"registrationState\":{"
                "\"x509\":{\"a\":[1]}," NAMES ",\"status\":\"assigned\","
                "\"substatus\":\"initialAssignment\",\"createdDateTimeUtc\":\"2026-01-01T00:00Z\","
                "\"lastUpdatedDateTimeUtc\":\"2026-01-01T00:01Z\",\"etag\":\"IjEi\","
                "\"payload\":{\"n\":1.5,\"l\":[null,true]},\"new\":7},\"new\":[]}");

        ck_assert_int_eq(a.assignment, DPS_ASSIGNMENT_ASSIGNED);
        ck_assert_str_eq(a.registration_id, "gw-1");
        ck_assert_str_eq(a.device_id, "d");
        ck_assert_str_eq(a.assigned_hub, "h.azure-devices.net");
        ck_assert_str_eq(a.substatus, "initialAssignment");
        ck_assert_str_eq(a.registration_state,
                         "{\"x509\":{\"a\":[1]}," NAMES ",\"status\":\"assigned\","
                         "\"substatus\":\"initialAssignment\","
                         "\"createdDateTimeUtc\":\"2026-01-01T00:00Z\","
                         "\"lastUpdatedDateTimeUtc\":\"2026-01-01T00:01Z\",\"etag\":\"IjEi\","
                         "\"payload\":{\"n\":1.5,\"l\":[null,true]},\"new\":7}");
        ck_assert_ptr_null(a.certificate_pem);
        ck_assert_ptr_null(a.trust_bundle_pem);
        ck_assert_int_eq(a.refusal.status_code, 0);
        dps_answer_done(&a);
}
END_TEST

START_TEST(failure_within_the_state_is_kept)
{
        DpsAnswer a =
                parsed("{\"operationId\":\"5.4\",\"status\":\"failed\",\"registrationState\":{"
                       "\"registrationId\":\"gw-1\",\"status\":\"failed\","
                       "\"errorCode\":400207,\"errorMessage\":\"no hub\","
                       "\"trackingId\":\"t\",\"timestampUtc\":\"u\"}}");

        ck_assert_int_eq(a.assignment, DPS_ASSIGNMENT_FAILED);
        ck_assert_int_eq(a.refusal.status_code, 400);
        ck_assert_int_eq(a.refusal.error_number, 400207);
        ck_assert_str_eq(a.refusal.error_code, "400207");
        ck_assert_str_eq(a.refusal.message, "no hub");
        ck_assert_str_eq(a.refusal.tracking_id, "t");
        ck_assert_str_eq(a.refusal.timestamp_utc, "u");
        ck_assert_ptr_nonnull(a.registration_state);
        dps_answer_done(&a);
}
END_TEST

#define S64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
        const char *json;
        DpsAssignment assignment;
        const char *status;
} statuses[] = {
        {"{\"status\":\"disabled\"}", DPS_ASSIGNMENT_DISABLED, "disabled"},
        {"{\"status\":\"disabled\",\"registrationState\":null,\"operationId\":null}",
         DPS_ASSIGNMENT_DISABLED, "disabled"},
        {"{\"status\":\"unassigned\"}", DPS_ASSIGNMENT_UNASSIGNED, "unassigned"},
        {"{\"status\":\"failed\"}", DPS_ASSIGNMENT_FAILED, "failed"},
        {"{\"status\":\"pondering\"}", DPS_ASSIGNMENT_INVALID, "pondering"},
        {"{\"status\":\"" S64 "\"}", DPS_ASSIGNMENT_INVALID, S64},
        {"{\"status\":\"Assigned\"}", DPS_ASSIGNMENT_INVALID, "Assigned"},
        {"{\"registrationState\":{\"status\":\"failed\"}}", DPS_ASSIGNMENT_FAILED, "failed"},
        {"{\"status\":null,\"registrationState\":{\"status\":\"failed\"}}", DPS_ASSIGNMENT_FAILED,
         "failed"},
        {"{\"status\":\"assigning\",\"registrationState\":{\"status\":\"assigned\"}}",
         DPS_ASSIGNMENT_ASSIGNING, "assigning"},
        {"{\"status\":\"failed\",\"registrationState\":{\"errorCode\":\"x\",\"substatus\":7,"
         "\"deviceId\":null}}",
         DPS_ASSIGNMENT_FAILED, "failed"},
};

START_TEST(every_status_is_read)
{
        DpsAnswer a = parsed(statuses[_i].json);

        ck_assert_int_eq(a.assignment, statuses[_i].assignment);
        ck_assert_str_eq(a.status, statuses[_i].status);
        dps_answer_done(&a);
}
END_TEST

START_TEST(statuses_have_names)
{
        ck_assert_str_eq(dps_assignment_to_string(DPS_ASSIGNMENT_ASSIGNED), "assigned");
        ck_assert_ptr_null(dps_assignment_to_string(DPS_ASSIGNMENT_MAX));
}
END_TEST

static const struct {
        const char *json, *why;
} bad[] = {
        {"", "it is empty"},
        {"[]", "it is no JSON object"},
        {"{}", "status is missing"},
        {"{\"operationId\":\"1\"}", "status is missing"},
        {"{\"status\":7}", "status must be a text, and is a number"},
        {"{\"status\":1.5}", "status must be a text, and is a number"},
        {"{\"status\":true}", "status must be a text, and is a boolean"},
        {"{\"status\":[]}", "status must be a text, and is a list"},
        {"{\"status\":{}}", "status must be a text, and is an object"},
        {"{\"status\":\"\"}", "status is empty"},
        {"{\"status\":\"" S64 "0\"}", "status has 65 bytes, and 64 are allowed"},
        {"{\"status\":\"assigned\",\"status\":\"failed\"}", "status is there more than once"},
        {"{\"status\":\"assigning\",\"operationId\":7}",
         "operationId must be a text, and is a number"},
        {"{\"status\":\"assigning\",\"operationId\":\"a\\nb\"}",
         "operationId has a control character in it"},
        {"{\"status\":\"assigned\"}", "registrationState is missing"},
        {"{\"status\":\"assigned\",\"registrationState\":[]}",
         "registrationState must be an object, and is a list"},
        {"{\"status\":\"failed\",\"registrationState\":\"x\"}",
         "registrationState must be an object, and is a text"},
        {"{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h\"}}",
         "deviceId is missing"},
        {"{\"status\":\"assigned\",\"registrationState\":{\"deviceId\":\"d\"}}",
         "assignedHub is missing"},
        {"{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h\",\"deviceId\":\"\"}"
         "}",
         "deviceId is empty"},
        {"{\"status\":\"assigned\",\"registrationState\":{\"assignedHub\":\"h\\u007f\","
         "\"deviceId\":\"d\"}}",
         "assignedHub has a control character in it"},
        {"{\"status\":\"failed\",\"registrationState\":{\"registrationId\":\"" S64 S64 "0\"}}",
         "registrationId has 129 bytes, and 128 are allowed"},
        {ASSIGNED(",\"issuedCertificateChain\":[7]"),
         "issuedCertificateChain must hold texts, and holds a number"},
        {ASSIGNED(",\"issuedCertificateChain\":{}"),
         "issuedCertificateChain must hold texts, and holds an object"},
        {ASSIGNED(",\"issuedCertificateChain\":[\"MII\"]"),
         "issuedCertificateChain holds no certificate in base64"},
        {ASSIGNED(",\"issuedCertificateChain\":[\"\"]"),
         "issuedCertificateChain holds no certificate in base64"},
        {ASSIGNED(",\"issuedCertificateChain\":[\"QQ==\"]"),
         "issuedCertificateChain holds no certificate in base64"},
        {ASSIGNED(",\"issuedCertificateChain\":[\"M=II\"]"),
         "issuedCertificateChain holds no certificate in base64"},
        {ASSIGNED(",\"issuedCertificateChain\":[\"MI*I\"]"),
         "issuedCertificateChain holds no certificate in base64"},
        {ASSIGNED(",\"issuedCertificateChain\":[\"MIIB\",\"MIIB\",\"MIIB\",\"MIIB\",\"MIIB\","
                  "\"MIIB\",\"MIIB\",\"MIIB\",\"MIIB\"]"),
         "issuedCertificateChain has more than 8 certificates"},
        {ASSIGNED(",\"issuedClientCertificate\":\"-----BEGIN CERTIFICATE-----\\nMIIB\""),
         "issuedClientCertificate ends within a certificate"},
        {ASSIGNED(",\"issuedClientCertificate\":\"-----BEGIN PRIVATE KEY-----\\nMIIB\\n-----END "
                  "PRIVATE KEY-----\""),
         "issuedClientCertificate holds something besides certificates"},
        {ASSIGNED(",\"trustBundle\":7"), "trustBundle must be an object, and is a number"},
        {ASSIGNED(",\"trustBundle\":{\"certificates\":{}}"),
         "certificates must be a list, and is an object"},
        {ASSIGNED(",\"trustBundle\":{\"certificates\":[{}]}"),
         "an entry of trustBundle has no certificate"},
        {ASSIGNED(",\"trustBundle\":{\"certificates\":[\"MIIB\"]}"),
         "an entry of trustBundle has no certificate"},
        {ASSIGNED(",\"trustBundle\":{\"certificates\":[{\"certificate\":\"x\"}]}"),
         "trustBundle holds no certificate in base64"},
};

START_TEST(wrong_answer_is_refused_by_field)
{
        DpsAnswer a = {};
        char *why = NULL;

        ck_assert_int_eq(dps_answer_parse(bad[_i].json, strlen(bad[_i].json), &a, &why), -EBADMSG);
        ck_assert_str_eq(why, bad[_i].why);
        ck_assert_ptr_null(a.status);
        free(why);
        ck_assert_int_eq(dps_answer_parse(bad[_i].json, strlen(bad[_i].json), &a, NULL), -EBADMSG);
}
END_TEST

#define D60 "MIIB56789012345678901234567890123456789012345678901234567890"

static const struct {
        const char *json, *certificate, *trust_bundle;
} issued[] = {
        {ASSIGNED(",\"issuedCertificateChain\":[\"MIIBleaf\",\"MIICroot\"]"),
         BLOCK("MIIBleaf\n") BLOCK("MIICroot\n"), NULL},
        {ASSIGNED(",\"issuedCertificateChain\":[\"MIIB+/==\"]"), BLOCK("MIIB+/==\n"), NULL},
        {ASSIGNED(",\"issuedCertificateChain\":[\"" D60 "1234\"]"), BLOCK(D60 "1234\n"), NULL},
        {ASSIGNED(",\"issuedCertificateChain\":[\"" D60 "12345678\"]"), BLOCK(D60 "1234\n5678\n"),
         NULL},
        {ASSIGNED(",\"issuedCertificateChain\":[]"), NULL, NULL},
        {ASSIGNED(",\"issuedCertificateChain\":null,\"trustBundle\":null"), NULL, NULL},
        {ASSIGNED(",\"issuedClientCertificate\":\"-----BEGIN CERTIFICATE-----\\r\\nMIIB\\r\\nleaf"
                  "\\r\\n-----END CERTIFICATE-----\\r\\n\\n-----BEGIN CERTIFICATE-----MIIC-----END "
                  "CERTIFICATE-----\""),
         BLOCK("MIIBleaf\n") BLOCK("MIIC\n"), NULL},
        {ASSIGNED(",\"issuedClientCertificate\":\"MIIB\""), BLOCK("MIIB\n"), NULL},
        {ASSIGNED(",\"issuedClientCertificate\":\"MIIB\",\"issuedCertificateChain\":[\"MIIC\"]"),
         BLOCK("MIIC\n"), NULL},
        {ASSIGNED(",\"trustBundle\":{\"id\":\"x\",\"certificates\":[{\"certificate\":\"MIIB\","
                  "\"metadata\":{}},{\"certificate\":\"MIIC\"}]}"),
         NULL, BLOCK("MIIB\n") BLOCK("MIIC\n")},
        {ASSIGNED(",\"trustBundle\":{\"certificates\":null}"), NULL, NULL},
};

START_TEST(certificates_become_pem_leaf_first)
{
        DpsAnswer a = parsed(issued[_i].json);

        ck_assert_pstr_eq(a.certificate_pem, issued[_i].certificate);
        ck_assert_pstr_eq(a.trust_bundle_pem, issued[_i].trust_bundle);
        dps_answer_done(&a);
}
END_TEST

/* {"status":"assigned", ... one member of the state with this text of `size` 'M's */
static char *with_text(const char *before, size_t size, const char *after) {
        char *text = malloc(size + 1), *json;

        memset(text, 'M', size);
        text[size] = '\0';
        ck_assert_int_gt(asprintf(&json,
                                  "{\"status\":\"assigned\",\"registrationState\":{" NAMES
                                  ",%s%s%s}}",
                                  before, text, after),
                         0);
        free(text);
        return json;
}

START_TEST(chain_is_bounded)
{
        /* 26 and 28 bytes of armour with its newlines, and 65 for each full line of 64. */
        size_t lines = (DPS_CERTIFICATES_SIZE_MAX - 54) / 65;
        char *json = with_text("\"issuedCertificateChain\":[\"", 64 * lines - 64, "\"]"),
             *why = NULL;
        DpsAnswer a = parsed(json);

        ck_assert_uint_le(strlen(a.certificate_pem), DPS_CERTIFICATES_SIZE_MAX);
        dps_answer_done(&a);
        free(json);
        json = with_text("\"issuedCertificateChain\":[\"", 64 * lines + 64, "\"]");
        ck_assert_int_eq(dps_answer_parse(json, strlen(json), &a, &why), -EBADMSG);
        ck_assert_str_eq(why, "issuedCertificateChain has more than 32768 bytes as PEM");
        free(why);
        free(json);
}
END_TEST

START_TEST(answer_is_bounded)
{
        char *json = with_text("\"payload\":\"", DPS_PAYLOAD_MAX, "\""), *why = NULL, *end;
        DpsAnswer a = {};

        ck_assert_int_eq(dps_answer_parse(json, strlen(json), &a, &why), -EBADMSG);
        end = strstr(why, ", and 98304 are allowed");
        ck_assert_msg(end && end[strlen(", and 98304 are allowed")] == '\0', "%s", why);
        free(why);
        free(json);

        json = with_text("\"payload\":\"", 90 * 1024, "\"");
        a = parsed(json);
        ck_assert_uint_gt(strlen(a.registration_state), 90 * 1024);
        dps_answer_done(&a);
        free(json);
}
END_TEST

/* "1.1e9" comes back as 1100000000.0000002 or so. */
START_TEST(state_that_grows_is_bounded)
{
        static const char number[] = "1.1e99,";
        size_t n = 13000;
        char *json = malloc(n * strlen(number) + 200), *p, *why = NULL;
        DpsAnswer a = {};

        p = stpcpy(json, "{\"status\":\"failed\",\"registrationState\":{\"payload\":[");
        for (size_t i = 0; i < n; i++)
                p = stpcpy(p, number);
        (void) stpcpy(p, "0]}}");
        ck_assert_int_eq(dps_answer_parse(json, strlen(json), &a, &why), -EBADMSG);
        ck_assert_str_eq(why, "registrationState has more than 131072 bytes");
        free(why);
        free(json);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/dps answers");
        TCase *c = tcase_create("answers");

        tcase_add_test(c, assigning_brings_the_operation);
        tcase_add_test(c, whole_state_reaches_the_caller);
        tcase_add_test(c, failure_within_the_state_is_kept);
        tcase_add_loop_test(c, every_status_is_read, 0, N(statuses));
        tcase_add_test(c, statuses_have_names);
        tcase_add_loop_test(c, wrong_answer_is_refused_by_field, 0, N(bad));
        tcase_add_loop_test(c, certificates_become_pem_leaf_first, 0, N(issued));
        tcase_add_test(c, chain_is_bounded);
        tcase_add_test(c, answer_is_bounded);
        tcase_add_test(c, state_that_grows_is_bounded);
        suite_add_tcase(s, c);
        return suite_run(s);
}

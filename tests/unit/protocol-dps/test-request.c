/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/dps/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/wipe.h"
#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))
#define CSR                                         \
        "-----BEGIN CERTIFICATE REQUEST-----\n"     \
        "MIIBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" \
        "+/==\n"                                    \
        "-----END CERTIFICATE REQUEST-----\n"
/* 39 and 4 digits: not a multiple of four. */
#define CSR_OF(body)                              \
        "-----BEGIN NEW CERTIFICATE REQUEST-----" \
        "\r\n" body "\r\n-----END NEW CERTIFICATE REQUEST-----\r\n"
#define CERTIFICATE DPS_ISSUANCE_CERTIFICATE
#define CHAIN DPS_ISSUANCE_CHAIN
#define NONE DPS_ISSUANCE_NONE

static const struct {
        DpsRegistration registration;
        const char *text;
} good[] = {
        {{"gw-1", NULL, NONE, NULL}, "{\"registrationId\":\"gw-1\"}"},
        {{"gw-1", "{\"modelId\":\"dtmi:a:b;1\"}", NONE, NULL},
         "{\"registrationId\":\"gw-1\",\"payload\":{\"modelId\":\"dtmi:a:b;1\"}}"},
        /* As it came: neither numbers nor spaces change. */
        {{"gw-1", " [1.10, 1e3, {\"a\" : null}] ", NONE, NULL},
         "{\"registrationId\":\"gw-1\",\"payload\": [1.10, 1e3, {\"a\" : null}] }"},
        {{"gw-1", "\"text\"", NONE, NULL}, "{\"registrationId\":\"gw-1\",\"payload\":\"text\"}"},
        {{"gw-1", "7", CHAIN, NULL}, "{\"registrationId\":\"gw-1\",\"payload\":7}"},
        {{"gw-1", "null", NONE, NULL}, "{\"registrationId\":\"gw-1\",\"payload\":null}"},
        {{"gw-1", NULL, CHAIN, CSR_OF("MIIB\r\n +/==")},
         "{\"registrationId\":\"gw-1\",\"csr\":\"MIIB+/==\"}"},
        {{"gw-1", "{}", CHAIN, CSR_OF("MIIB")},
         "{\"registrationId\":\"gw-1\",\"payload\":{},\"csr\":\"MIIB\"}"},
        {{"gw-1", NULL, CERTIFICATE,
          "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END "
          "CERTIFICATE REQUEST-----\n"},
         "{\"registrationId\":\"gw-1\",\"clientCertificateCsr\":\"-----BEGIN CERTIFICATE "
         "REQUEST-----\\nMIIB\\n-----END CERTIFICATE REQUEST-----\\n\"}"},
};

START_TEST(registration_is_written)
{
        char *text = NULL, *why = NULL;
        size_t size = 0;

        ck_assert_int_eq(dps_request_register(&good[_i].registration, &text, &size, &why), 0);
        ck_assert_str_eq(text, good[_i].text);
        ck_assert_uint_eq(size, strlen(good[_i].text));
        ck_assert_ptr_null(why);
        protocol_wipe_free(text);
}
END_TEST

static const struct {
        DpsRegistration registration;
        const char *why;
} bad[] = {
        {{"", NULL, NONE, NULL},
         "the registration id must have 1 to 128 letters, digits or '-._:', and end in a letter, a "
         "digit or '-'"},
        {{"a\"b", NULL, NONE, NULL},
         "the registration id must have 1 to 128 letters, digits or '-._:', and end in a letter, a "
         "digit or '-'"},
        {{"gw", "", NONE, NULL}, "the payload is no JSON: it ends too early, at byte 0"},
        {{"gw", "{},\"registrationId\":\"x\"", NONE, NULL},
         "the payload is no JSON: more follows its end, at byte 3"},
        {{"gw", "{\"a\":1,\"a\":1}", NONE, NULL},
         "the payload is no JSON: a is there more than once"},
        {{"gw", NULL, NONE, CSR_OF("MIIB")},
         "this API version issues no certificates: set ApiVersion= to one that does"},
        {{"gw", NULL, CHAIN, ""}, "the certificate signing request is no PEM of one"},
        {{"gw", NULL, CHAIN, "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n"},
         "the certificate signing request is no PEM of one"},
        {{"gw", NULL, CHAIN, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"},
         "the certificate signing request is no PEM of one"},
        {{"gw", NULL, CHAIN, CSR}, "the certificate signing request holds no base64"},
        {{"gw", NULL, CHAIN, CSR_OF("")}, "the certificate signing request holds no base64"},
        {{"gw", NULL, CHAIN, CSR_OF("MI=B")}, "the certificate signing request holds no base64"},
        {{"gw", NULL, CERTIFICATE, CSR_OF("MI-B")},
         "the certificate signing request holds no base64"},
        {{"gw", NULL, CERTIFICATE, CSR_OF("MIIB") "\xff"},
         "the certificate signing request is not valid UTF-8"},
};

START_TEST(what_cannot_be_right_is_not_sent)
{
        char *text = NULL, *why = NULL;
        size_t size;

        ck_assert_int_eq(dps_request_register(&bad[_i].registration, &text, &size, &why), -EINVAL);
        ck_assert_str_eq(why, bad[_i].why);
        ck_assert_ptr_null(text);
        free(why);
        ck_assert_int_eq(dps_request_register(&bad[_i].registration, &text, &size, NULL), -EINVAL);
}
END_TEST

/* A JSON text of so many bytes. */
static char *long_payload(size_t size) {
        char *payload = malloc(size + 1);

        memset(payload, 'p', size);
        payload[0] = payload[size - 1] = '"';
        payload[size] = '\0';
        return payload;
}

START_TEST(requests_are_bounded)
{
        size_t frame = strlen("{\"registrationId\":\"gw\",\"payload\":}"), size;
        DpsRegistration registration = {.registration_id = "gw"};
        char *text = NULL, *why = NULL, *payload, *csr;

        registration.payload = payload = long_payload(DPS_PAYLOAD_MAX - frame);
        ck_assert_int_eq(dps_request_register(&registration, &text, &size, &why), 0);
        ck_assert_uint_eq(size, DPS_PAYLOAD_MAX);
        protocol_wipe_free(text);
        text = NULL;
        free(payload);

        registration.payload = payload = long_payload(DPS_PAYLOAD_MAX - frame + 1);
        ck_assert_int_eq(dps_request_register(&registration, &text, &size, &why), -E2BIG);
        ck_assert_str_eq(why, "the registration has more than 98304 bytes: make its payload "
                              "shorter");
        free(why);
        free(payload);

        registration.payload = payload = long_payload(DPS_PAYLOAD_MAX + 1);
        ck_assert_int_eq(dps_request_register(&registration, &text, &size, &why), -E2BIG);
        ck_assert_str_eq(why, "the payload has 98305 bytes, and 98304 are allowed");
        free(why);
        free(payload);

        csr = long_payload(DPS_CSR_MAX + 1);
        registration = (DpsRegistration){.registration_id = "gw", .issuance = CHAIN, .csr = csr};
        ck_assert_int_eq(dps_request_register(&registration, &text, &size, &why), -E2BIG);
        ck_assert_str_eq(why,
                         "the certificate signing request has 8193 bytes, and 8192 are allowed");
        free(why);
        free(csr);
        ck_assert_ptr_null(text);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/dps requests");
        TCase *c = tcase_create("requests");

        tcase_add_loop_test(c, registration_is_written, 0, N(good));
        tcase_add_loop_test(c, what_cannot_be_right_is_not_sent, 0, N(bad));
        tcase_add_test(c, requests_are_bounded);
        suite_add_tcase(s, c);
        return suite_run(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every allocation may fail, and nothing of a secret is left in what is freed. */
#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/wipe.h"
#include "protocol/dps/answer.h"
#include "protocol/dps/login.h"
#include "protocol/dps/request.h"
#include "protocol/dps/topic.h"
#include "tests/unit/protocol-aws/heap.h"
#include "tests/unit/protocol-aws/suite.h"

#define MARK "MARKEDSECRET"

typedef struct Work {
        int (*run)(char **ret_why);
        int result;
} Work;

static int run_answer(char **ret_why) {
        static const char json[] =
                "{\"operationId\":\"5.1\",\"status\":\"assigned\",\"registrationState\":{"
                "\"registrationId\":\"gw\",\"assignedHub\":\"h\",\"deviceId\":\"d\","
                "\"substatus\":\"s\",\"payload\":{\"password\":\"" MARK "\"},\"errorCode\":401002,"
                "\"errorMessage\":\"m\",\"trackingId\":\"t\",\"timestampUtc\":\"u\","
                "\"issuedCertificateChain\":[\"MIIB\",\"MIIC\"],\"trustBundle\":{\"certificates\":"
                "[{\"certificate\":\"-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----\"}]}"
                "}}";
        DpsAnswer a = {};
        int r;

        r = dps_answer_parse(json, sizeof(json) - 1, &a, ret_why);
        dps_answer_done(&a);
        return r;
}

static int run_bad_answer(char **ret_why) {
        static const char json[] = "{\"status\":\"assigned\",\"registrationState\":{"
                                   "\"payload\":\"" MARK "\",\"deviceId\":7}}";
        DpsAnswer a = {};

        return dps_answer_parse(json, sizeof(json) - 1, &a, ret_why);
}

static int run_refusal(char **ret_why) {
        static const char json[] = "{\"errorCode\":401002,\"trackingId\":\"t\",\"message\":\"m\","
                                   "\"timestampUtc\":\"u\"}";
        DpsRefusal refusal = {};
        int r;

        (void) ret_why;
        r = dps_refusal_parse(401, json, sizeof(json) - 1, &refusal);
        dps_refusal_done(&refusal);
        return r;
}

static int run_request(char **ret_why) {
        DpsRegistration registration = {
                .registration_id = "gw",
                .payload = "{\"password\":\"" MARK "\"}",
                .issuance = DPS_ISSUANCE_CHAIN,
                .csr = "-----BEGIN CERTIFICATE REQUEST-----MIIB-----END CERTIFICATE REQUEST-----",
        };
        char *text = NULL;
        size_t size;
        int r;

        r = dps_request_register(&registration, &text, &size, ret_why);
        protocol_wipe_free(text);
        return r;
}

static int run_bad_request(char **ret_why) {
        DpsRegistration registration = {.registration_id = "gw", .payload = "{\"a\":\"" MARK};
        char *text = NULL;
        size_t size;

        return dps_request_register(&registration, &text, &size, ret_why);
}

static int run_login(char **ret_why) {
        char *name = NULL, *resource = NULL, *text = NULL, *token = NULL;
        int r;

        (void) ret_why;
        r = dps_user_name("0ne", "gw", "2019-03-31", "client", &name);
        if (r >= 0)
                r = dps_sas_resource("0ne", "gw", &resource);
        if (r >= 0)
                r = dps_sas_text(resource, 1, &text);
        if (r >= 0)
                r = dps_sas_token(resource, 1, MARK, &token);
        free(name);
        free(resource);
        free(text);
        protocol_wipe_free(token);
        return r;
}

static int run_topics(char **ret_why) {
        char *first = NULL, *second = NULL;
        int r;

        (void) ret_why;
        r = dps_topic_register("1", &first);
        if (r >= 0)
                r = dps_topic_query("1", "5.1", &second);
        free(first);
        free(second);
        return r;
}

static const Work works[] = {
        {run_answer, 0},  {run_bad_answer, -EBADMSG}, {run_refusal, 0},
        {run_request, 0}, {run_bad_request, -EINVAL}, {run_login, 0},
        {run_topics, 0},
};
#define N_WORKS (int) (sizeof(works) / sizeof(works[0]))

START_TEST(each_allocation_may_fail)
{
        for (long n = 1;; n++) {
                char *why = NULL;
                int r;

                heap_fail_at(n);
                r = works[_i].run(&why);
                if (!heap_end()) {
                        ck_assert_int_eq(r, works[_i].result);
                        free(why);
                        break;
                }
                /* Either it could not be done, or it could not be said why not. */
                ck_assert_msg(r == -ENOMEM || (r == works[_i].result && r < 0),
                              "allocation %ld: %d %s", n, r, why);
                free(why);
                ck_assert_int_lt(n, 1000);
        }
}
END_TEST

START_TEST(nothing_that_is_freed_holds_a_secret)
{
        char *why = NULL;

        protocol_json_harden();
        heap_watch(MARK);
        ck_assert_int_eq(works[_i].run(&why), works[_i].result);
        ck_assert_uint_eq(heap_leaks(), 0);
        free(why);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/dps memory");
        TCase *c = tcase_create("memory");

        tcase_add_loop_test(c, each_allocation_may_fail, 0, N_WORKS);
        tcase_add_loop_test(c, nothing_that_is_freed_holds_a_secret, 0, N_WORKS);
        suite_add_tcase(s, c);
        return suite_run(s);
}

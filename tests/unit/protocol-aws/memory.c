/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: each allocation fails once, and nothing that is let go still holds a secret. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/aws/answer.h"
#include "protocol/aws/rejection.h"
#include "protocol/aws/request.h"
#include "protocol/aws/topic.h"
#include "protocol/base/wipe.h"
#include "tests/unit/protocol-aws/heap.h"
#include "tests/unit/protocol-aws/payload.h"
#include "tests/unit/protocol-aws/suite.h"

#define MARK "hushhush" /* is in every secret, and nowhere else */

#define KEYS_ANSWER                                                              \
        "{\"certificateId\":\"0a1b\",\"certificatePem\":\"pem\",\"privateKey\":" \
        "\"-----BEGIN\\n" MARK MARK MARK "\\n\",\"certificateOwnershipToken\":"  \
        "\"token" MARK "\",\"unknown\":\"" MARK "\",\"deep\":[{\"x\":\"" MARK "\"}]}"
#define REGISTER_ANSWER                                                               \
        "{\"thingName\":\"t\",\"deviceConfiguration\":{\"a\":\"b\",\"n\":7,\"m\":-7," \
        "\"r\":1.5,\"t\":true,\"password\":\"" MARK "\"}}"
#define REJECTION "{\"statusCode\":400,\"errorCode\":\"Code\",\"errorMessage\":\"text\"}"

static const AwsParameter parameters[] = {{"SerialNumber", "1"}, {"Line", "7"}};

/* One thing to be done with memory running short: 0, or -errno with its text. */
typedef struct Work {
        const char *json; /* of what is parsed */
        int (*run)(const Payload *p, char **ret_why);
        int result; /* with memory enough */
        /* jansson's own allocations fail, too. Not where it parses: 2.14 then follows a null
         * pointer, or drops a byte; see protocol_json_harden(). */
        bool jansson;
} Work;

static int run_keys(const Payload *p, char **ret_why) {
        AwsAnswer a = {};
        int r;

        r = aws_answer_parse(AWS_OPERATION_CREATE_KEYS, p->format, p->data, p->size, &a, ret_why);
        aws_answer_done(&a);
        return r;
}

static int run_register(const Payload *p, char **ret_why) {
        AwsAnswer a = {};
        int r;

        r = aws_answer_parse(AWS_OPERATION_REGISTER, p->format, p->data, p->size, &a, ret_why);
        aws_answer_done(&a);
        return r;
}

static int run_rejection(const Payload *p, char **ret_why) {
        AwsRejection rejection = {};
        int r;

        r = aws_rejection_parse(p->format, p->data, p->size, &rejection, ret_why);
        aws_rejection_done(&rejection);
        return r;
}

static int run_request(const Payload *p, char **ret_why) {
        AwsBuffer b = {};
        int r;

        r = aws_request_register(p->format, "token" MARK, strlen("token" MARK), parameters, 2, &b,
                                 ret_why);
        aws_buffer_wipe(&b);
        return r;
}

static int run_topic(const Payload *p, char **ret_why) {
        char *topic = NULL;
        int r;

        r = aws_topic_build((AwsOperation) (p->size % AWS_OPERATION_MAX), p->format, "T",
                            AWS_SUFFIX_ACCEPTED, &topic);
        free(topic);
        return r;
}

static const Work works[] = {
        {KEYS_ANSWER, run_keys, 0, false},
        {KEYS_ANSWER, run_register, -EBADMSG, false}, /* the thing is missing */
        {REGISTER_ANSWER, run_register, 0, false},
        {REGISTER_ANSWER, run_keys, -EBADMSG, false},
        {REJECTION, run_rejection, 0, false},
        {"{\"a\":\"" MARK "\",\"statusCode\":[]}", run_rejection, -EBADMSG, false},
        {"{}", run_request, 0, true},
        {"{}", run_topic, 0, true},
        {"{\"a\":1}", run_topic, 0, true},
        {"{\"ab\":1}", run_topic, 0, true},
};
#define N_WORKS (int) (sizeof(works) / sizeof(works[0]))

START_TEST(each_allocation_may_fail)
{
        const Work *work = &works[_i];

        if (work->jansson)
                json_set_alloc_funcs(__wrap_malloc, __wrap_free);
        for (Encoding e = 0; e < ENCODING_MAX; e++) {
                Payload p = payload_from_json(e, work->json);

                for (long n = 1;; n++) {
                        char *why = NULL;
                        int r;

                        heap_fail_at(n);
                        r = work->run(&p, &why);
                        if (!heap_end()) {
                                ck_assert_int_eq(r, work->result);
                                free(why);
                                break;
                        }
                        /* Either it could not be done, or it could not be said why not. */
                        ck_assert_msg(r == -ENOMEM || (r == work->result && r < 0),
                                      "allocation %ld: %d %s", n, r, why);
                        ck_assert_ptr_null(why);
                        ck_assert_int_lt(n, 1000);
                }
                payload_done(&p);
        }
}
END_TEST

START_TEST(nothing_that_is_freed_holds_a_secret)
{
        const Work *work = &works[_i];

        protocol_json_harden();
        for (Encoding e = 0; e < ENCODING_MAX; e++) {
                Payload p = payload_from_json(e, work->json);
                char *why = NULL;

                heap_watch(MARK);
                ck_assert_int_eq(work->run(&p, &why), work->result);
                ck_assert_uint_eq(heap_leaks(), 0);
                free(why);
                payload_done(&p);
        }
}
END_TEST

/* The tree is wiped without the hook, too; what it cannot reach are copies within the parser. */
START_TEST(wiped_tree_holds_no_secret)
{
        json_t *tree = json_pack("{s:s, s:[s, {s:s}]}", "a", MARK, "b", MARK, "c", MARK);

        ck_assert_ptr_nonnull(tree);
        json_set_alloc_funcs(__wrap_malloc, __wrap_free);
        heap_watch(MARK);
        protocol_json_wipep(&tree);
        ck_assert_uint_eq(heap_leaks(), 0);
}
END_TEST

/* See wipe.h. */
START_TEST(hardened_jansson_ends_rather_than_drop_a_byte)
{
        Payload p = payload_from_json(ENCODING_JSON, REGISTER_ANSWER);

        protocol_json_harden();
        heap_fail_at(_i);
        (void) run_register(&p, NULL);
        exit(EXIT_SUCCESS); /* and no signal */
}
END_TEST

/* That the tests above can fail. */
START_TEST(watch_sees_a_secret_that_was_left)
{
        char *left = malloc(64);

        memcpy(left, MARK, sizeof(MARK));
        heap_watch(MARK);
        free(left);
        ck_assert_uint_eq(heap_leaks(), 1);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/aws memory");
        TCase *c = tcase_create("memory");
        const char *fork = getenv("CK_FORK");

        tcase_set_timeout(c, 300);
        tcase_add_loop_test(c, each_allocation_may_fail, 0, N_WORKS);
        tcase_add_loop_test(c, nothing_that_is_freed_holds_a_secret, 0, N_WORKS);
        tcase_add_test(c, wiped_tree_holds_no_secret);
        /* Without a process of its own the signal would be ours. */
        if (!fork || strcmp(fork, "no") != 0)
                tcase_add_loop_test_raise_signal(c, hardened_jansson_ends_rather_than_drop_a_byte,
                                                 SIGABRT, 1, 8);
        tcase_add_test(c, watch_sees_a_secret_that_was_left);
        suite_add_tcase(s, c);
        return suite_run(s);
}

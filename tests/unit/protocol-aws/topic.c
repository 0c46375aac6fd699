/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Topics: the table of the embedded C library's own tests, and what a hostile broker may send. */
#include "protocol/aws/topic.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))
#define T36 "abcdefghijklmnopqrstuvwxyz_-01234567"

typedef struct Match {
        const char *topic;
        AwsOperation operation;
        AwsFormat format;
        AwsSuffix suffix;
        const char *template_name;
} Match;

#define EACH_SUFFIX(base, op, fmt, name)                                  \
        {base, op, fmt, AWS_SUFFIX_BARE, name},                           \
                {base "/accepted", op, fmt, AWS_SUFFIX_ACCEPTED, name}, { \
                base "/rejected", op, fmt, AWS_SUFFIX_REJECTED, name      \
        }
#define EACH_FORMAT(base, op, name)                           \
        EACH_SUFFIX(base "/json", op, AWS_FORMAT_JSON, name), \
                EACH_SUFFIX(base "/cbor", op, AWS_FORMAT_CBOR, name)

static const Match matches[] = {
        EACH_FORMAT("$aws/certificates/create", AWS_OPERATION_CREATE_KEYS, ""),
        EACH_FORMAT("$aws/certificates/create-from-csr", AWS_OPERATION_CREATE_FROM_CSR, ""),
        EACH_FORMAT("$aws/provisioning-templates/T/provision", AWS_OPERATION_REGISTER, "T"),
        EACH_FORMAT("$aws/provisioning-templates/" T36 "/provision", AWS_OPERATION_REGISTER, T36),
        /* A template may be called as the words around it. */
        EACH_FORMAT("$aws/provisioning-templates/provision/provision", AWS_OPERATION_REGISTER,
                    "provision"),
};

START_TEST(every_topic_is_recognised)
{
        const Match *m = &matches[_i];
        AwsTopic t;

        ck_assert_msg(aws_topic_parse(m->topic, strlen(m->topic), &t), "%s", m->topic);
        ck_assert_int_eq(t.operation, m->operation);
        ck_assert_int_eq(t.format, m->format);
        ck_assert_int_eq(t.suffix, m->suffix);
        ck_assert_str_eq(t.template_name, m->template_name);
}
END_TEST

START_TEST(every_topic_is_built)
{
        const Match *m = &matches[_i];
        char *topic = NULL;

        ck_assert_int_eq(
                aws_topic_build(m->operation, m->format, m->template_name, m->suffix, &topic), 0);
        ck_assert_str_eq(topic, m->topic);
        free(topic);
}
END_TEST

START_TEST(no_proper_beginning_of_a_topic_is_another_one)
{
        const Match *m = &matches[_i];

        for (size_t n = 0; n < strlen(m->topic); n++) {
                char *exact = strndup(m->topic, n);
                AwsTopic t;

                /* Only the bare topic begins those with a suffix. */
                ck_assert_int_eq(aws_topic_parse(exact, n, &t),
                                 m->suffix != AWS_SUFFIX_BARE &&
                                         n == strlen(m->topic) - strlen("/accepted"));
                free(exact);
        }
}
END_TEST

static const char *const strangers[] = {
        "",
        "$aws",
        "$aws/cert",
        "$aws/certificates/create",
        "$aws/certificates/create/",
        "$aws/certificates/create/bad",
        "$aws/certificates/create-from-csr/bad",
        "$aws/certificates/create-from-csr",
        "$aws/certificates/create-from-cs/json",
        "$aws/provisioning-templates/T/provision/bad",
        "$aws/provisioning-templates/T/provision",
        "$aws/provisioning-templates/T/provision/",
        "$aws/provisioning-templates//provision",
        "$aws/provisioning-templates//provision/json",
        "$aws/provisioning-templates/provision/json",
        "$aws/provisioning-templates/T",
        "$aws/provisioning-templates/T/json",
        "$aws/provisioning-templates/T/U/provision/json",
        "$aws/provisioning-templates/+/provision/json",
        "$aws/provisioning-templates/#/provision/json",
        "$aws/provisioning-templates/a b/provision/json",
        "$aws/provisioning-templates/\xc3\xa4/provision/json",
        "$aws/provisioning-templates/" T36 "8/provision/json",
        "$aws/certificates/create/json/bad",
        "$aws/certificates/create/json/gibberish",
        "$aws/certificates/create/json/accepted/gibberish",
        "$aws/certificates/create/json/acceptedx",
        "$aws/certificates/create/json/accepte",
        "$aws/certificates/create/json/accepted/",
        "$aws/certificates/create/json/",
        "$aws/certificates/create/jsonx",
        "$aws/certificates/create/JSON",
        "$aws/certificates/create/json/Accepted",
        "$AWS/certificates/create/json",
        "/$aws/certificates/create/json",
        "aws/certificates/create/json",
        "$aws/provisioning-templates/T/Provision/json",
};

START_TEST(foreign_topic_is_refused)
{
        AwsTopic t = {.format = AWS_FORMAT_MAX};

        ck_assert_msg(!aws_topic_parse(strangers[_i], strlen(strangers[_i]), &t), "%s",
                      strangers[_i]);
        ck_assert_int_eq(t.format, AWS_FORMAT_MAX); /* nothing is filled in */
}
END_TEST

START_TEST(nul_in_a_topic_hides_nothing)
{
        static const char behind[] = "$aws/certificates/create/json\0/accepted";
        static const char at_end[] = "$aws/certificates/create/json";
        static const char in_name[] = "$aws/provisioning-templates/T\0U/provision/json";
        AwsTopic t;

        ck_assert(!aws_topic_parse(behind, sizeof(behind) - 1, &t));
        ck_assert(!aws_topic_parse(at_end, sizeof(at_end), &t));
        ck_assert(!aws_topic_parse(in_name, sizeof(in_name) - 1, &t));
}
END_TEST

START_TEST(template_names_are_checked)
{
        char *topic = NULL;

        ck_assert(aws_template_name_is_valid("a"));
        ck_assert(aws_template_name_is_valid("Fleet_Template-7"));
        ck_assert(aws_template_name_is_valid(T36));
        ck_assert(!aws_template_name_is_valid(T36 "8"));
        ck_assert(!aws_template_name_is_valid(""));
        ck_assert(!aws_template_name_is_valid(NULL));
        ck_assert(!aws_template_name_is_valid("a/b"));
        ck_assert(!aws_template_name_is_valid("+"));
        ck_assert(!aws_template_name_is_valid("a "));
        ck_assert(!aws_template_name_is_valid("\xc3\xa4"));
        ck_assert_int_eq(aws_topic_build(AWS_OPERATION_REGISTER, AWS_FORMAT_JSON, "a/b",
                                         AWS_SUFFIX_BARE, &topic),
                         -EINVAL);
        ck_assert_int_eq(aws_topic_build(AWS_OPERATION_REGISTER, AWS_FORMAT_JSON, NULL,
                                         AWS_SUFFIX_BARE, &topic),
                         -EINVAL);
        ck_assert_ptr_null(topic);
}
END_TEST

START_TEST(values_outside_their_enum_are_refused)
{
        char *topic = NULL;

        ck_assert_int_eq(
                aws_topic_build(AWS_OPERATION_MAX, AWS_FORMAT_JSON, "T", AWS_SUFFIX_BARE, &topic),
                -EINVAL);
        ck_assert_int_eq(aws_topic_build(AWS_OPERATION_INVALID, AWS_FORMAT_JSON, "T",
                                         AWS_SUFFIX_BARE, &topic),
                         -EINVAL);
        ck_assert_int_eq(aws_topic_build(AWS_OPERATION_CREATE_KEYS, AWS_FORMAT_MAX, NULL,
                                         AWS_SUFFIX_BARE, &topic),
                         -EINVAL);
        ck_assert_int_eq(aws_topic_build(AWS_OPERATION_CREATE_KEYS, AWS_FORMAT_JSON, NULL,
                                         AWS_SUFFIX_INVALID, &topic),
                         -EINVAL);
        ck_assert_ptr_null(topic);
        ck_assert_ptr_null(aws_format_to_string(AWS_FORMAT_INVALID));
        ck_assert_int_eq(aws_format_from_string("cbor"), AWS_FORMAT_CBOR);
        ck_assert_int_eq(aws_format_from_string("CBOR"), AWS_FORMAT_INVALID);
        ck_assert_int_eq(aws_operation_from_string("register"), AWS_OPERATION_REGISTER);
        ck_assert_int_eq(aws_suffix_from_string("/rejected"), AWS_SUFFIX_REJECTED);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/aws topics");
        TCase *c = tcase_create("topics");

        tcase_add_loop_test(c, every_topic_is_recognised, 0, N(matches));
        tcase_add_loop_test(c, every_topic_is_built, 0, N(matches));
        tcase_add_loop_test(c, no_proper_beginning_of_a_topic_is_another_one, 0, N(matches));
        tcase_add_loop_test(c, foreign_topic_is_refused, 0, N(strangers));
        tcase_add_test(c, nul_in_a_topic_hides_nothing);
        tcase_add_test(c, template_names_are_checked);
        tcase_add_test(c, values_outside_their_enum_are_refused);
        suite_add_tcase(s, c);
        return suite_run(s);
}

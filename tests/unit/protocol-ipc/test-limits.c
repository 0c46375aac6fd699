/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/ipc/limits.h"

#include <locale.h>
#include <string.h>

#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))
#define X16 "xxxxxxxxxxxxxxxx"
#define HEX16 "0123456789abcdef"

typedef struct Sample {
        const char *text;
        bool good;
} Sample;

static const Sample keys[] = {
        {NULL, false},
        {"", false},
        {"a", true},
        {"daily.2024-05-01_run:7@host", true},
        {"AZaz09._:@-", true},
        {X16 X16 X16 X16, true},
        {X16 X16 X16 X16 "x", false},
        {"a b", false},
        {"a/b", false},
        {"a\n", false},
        {"\xc3\xbc", false},
        {"a%", false},
        /* a job id's form, in either case; one digit more or less is a key */
        {HEX16 HEX16, false},
        {"0123456789ABCDEF0123456789ABCDEF", false},
        {"0123456789abcdef0123456789ABCDEF", false},
        {"00000000000000000000000000000000", false},
        {"0123456789abcdef0123456789abcde", true},
        {HEX16 HEX16 "0", true},
        {"0123456789abcdef0123456789abcdeg", true},
        {"0123456789abcdef0123456789abcde-", true},
};

START_TEST(keys_have_letters_digits_and_a_few_marks)
{ ck_assert_int_eq(ipc_key_is_valid(keys[_i].text), keys[_i].good); }
END_TEST

static const Sample names[] = {
        {NULL, false},           {"", false},
        {"aws", true},           {"AZaz09_-", true},
        {X16 X16 X16 X16, true}, {X16 X16 X16 X16 "x", false},
        {HEX16 HEX16, true}, /* a name is not taken for a job */
        {"a.b", false},          {"a:b", false},
        {"a@b", false},          {"a/b", false},
        {"..", false},           {"a b", false},
        {" aws", false},         {"\xc3\xbc", false},
};

START_TEST(profile_names_fit_a_path)
{ ck_assert_int_eq(ipc_profile_name_is_valid(names[_i].text), names[_i].good); }
END_TEST

static const Sample ids[] = {
        {NULL, false},
        {"", false},
        {HEX16 HEX16, true},
        {"00000000000000000000000000000000", true},
        {"0123456789ABCDEF0123456789ABCDEF", false},
        {"0123456789abcdef0123456789abcde", false},
        {HEX16 HEX16 "0", false},
        {"0123456789abcdef0123456789abcdeg", false},
        {"0123456789abcdef/0123456789abcde", false},
};

START_TEST(job_ids_are_32_small_hex_digits)
{ ck_assert_int_eq(ipc_job_id_is_valid(ids[_i].text), ids[_i].good); }
END_TEST

/* Each byte alone: exactly these are allowed, whatever the locale takes for a letter. */
START_TEST(no_other_character_is_allowed)
{
        static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
                                      "WXYZ._:@-";

        (void) setlocale(LC_ALL, "");
        for (int c = 1; c < 256; c++) {
                char text[] = {(char) c, '\0'};
                bool letter = strchr(allowed, (char) c);

                ck_assert_int_eq(ipc_key_is_valid(text), letter);
                ck_assert_int_eq(ipc_profile_name_is_valid(text),
                                 letter && !strchr(".:@", (char) c));
        }
}
END_TEST

/* What callers were told. */
START_TEST(bounds_are_as_published)
{
        ck_assert_uint_eq(IPC_MESSAGE_MAX, 262144);
        ck_assert_uint_eq(IPC_MESSAGE_FDS_MAX, 4);
        ck_assert_uint_eq(IPC_MESSAGE_COMPLETE_USEC, 10000000);
        ck_assert_uint_eq(IPC_SECRET_MAX, 65536);
        ck_assert_uint_eq(IPC_CSR_MAX, 8192);
        ck_assert_uint_eq(IPC_PARAMETERS_MAX, 64);
        ck_assert_uint_eq(IPC_PARAMETER_NAME_MAX, 128);
        ck_assert_uint_eq(IPC_PARAMETER_VALUE_MAX, 4096);
        /* All of them together fit a message. */
        ck_assert_uint_lt(IPC_PARAMETERS_TOTAL_MAX + IPC_CSR_MAX + IPC_PAYLOAD_MAX +
                                  IPC_CERTIFICATE_MAX,
                          IPC_MESSAGE_MAX);
}
END_TEST

int main(void) {
        Suite *s = suite_create("ipc/limits");
        TCase *c = tcase_create("limits");

        tcase_add_loop_test(c, keys_have_letters_digits_and_a_few_marks, 0, N(keys));
        tcase_add_loop_test(c, profile_names_fit_a_path, 0, N(names));
        tcase_add_loop_test(c, job_ids_are_32_small_hex_digits, 0, N(ids));
        tcase_add_test(c, no_other_character_is_allowed);
        tcase_add_test(c, bounds_are_as_published);
        suite_add_tcase(s, c);
        return suite_run(s);
}

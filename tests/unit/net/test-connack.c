/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/connack.h"

#include "tests/unit/net/run-suite.h"

static const struct {
        int code;
        ErrorCode error;
        bool retriable;
        const char *text;
} cases[] = {
        {1, ERROR_SERVER_REFUSED, false, "MQTT 3.1.1"},
        {2, ERROR_SERVER_REFUSED, false, "ClientId="},
        {3, ERROR_SERVER_REFUSED, true, "not available"},
        {4, ERROR_CREDENTIALS_REFUSED, false, "password"},
        {5, ERROR_CREDENTIALS_REFUSED, false, "iot:Connect"},
        {6, ERROR_SERVER_REFUSED, false, "refused"},
        {7, ERROR_CREDENTIALS_REFUSED, false, "iot:Connect"},
        {255, ERROR_SERVER_REFUSED, false, "refused"},
};

START_TEST(each_code_has_its_sentence)
{
        _cleanup_failure_ Failure *f = connack_failure(cases[_i].code, "host:8883", "gw-1", NULL);

        ck_assert_int_eq(f->code, cases[_i].error);
        ck_assert_int_eq(f->status_code, cases[_i].code);
        ck_assert_int_eq(f->retriable, cases[_i].retriable);
        ck_assert_ptr_nonnull(strstr(f->message, cases[_i].text));
        ck_assert_ptr_nonnull(strstr(f->message, "host:8883"));
}
END_TEST

int main(void) {
        Suite *s = suite_create("connack");
        TCase *t = tcase_create("connack");

        tcase_add_loop_test(t, each_code_has_its_sentence, 0, ELEMENTSOF(cases));
        suite_add_tcase(s, t);
        return run_suite(s);
}

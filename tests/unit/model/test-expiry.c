/* SPDX-License-Identifier: GPL-2.0-or-later */

/* When the end of a claim is spoken of. */

#include <check.h>
#include <stdlib.h>

#include "daemon/model/expiry.h"

#define END (1800000000 * USEC_PER_SEC)
#define HOUR (60 * USEC_PER_MINUTE)

static const struct {
        usec_t now;
        ExpiryStage stage;
} stages[] = {
        {0, EXPIRY_FAR}, /* a clock that was never set */
        {END - EXPIRY_WARNING_USEC - 1, EXPIRY_FAR},
        {END - EXPIRY_WARNING_USEC, EXPIRY_NEAR},
        {END - 1, EXPIRY_NEAR},
        {END, EXPIRY_PAST},
        {END + 1, EXPIRY_PAST},
};

START_TEST(thirty_days_before_it_is_near)
{ ck_assert_int_eq(expiry_stage(END, stages[_i].now), stages[_i].stage); }
END_TEST

START_TEST(it_is_told_once_and_then_once_a_day)
{
        unsigned told = 0;
        Expiry e = {};

        /* Looked at every hour, for ten days. */
        for (usec_t boot = 0; boot < 10 * USEC_PER_DAY; boot += HOUR)
                told += expiry_is_due(&e, EXPIRY_NEAR, boot);
        ck_assert_uint_eq(told, 10);
        ck_assert(!expiry_is_due(&e, EXPIRY_FAR, 20 * USEC_PER_DAY));
        /* That it is past is news. */
        ck_assert(expiry_is_due(&e, EXPIRY_PAST, 9 * USEC_PER_DAY + 23 * HOUR));
        ck_assert(!expiry_is_due(&e, EXPIRY_PAST, 10 * USEC_PER_DAY));
}
END_TEST

START_TEST(clock_that_goes_to_and_fro_brings_no_more)
{
        static const ExpiryStage jumps[] = {EXPIRY_NEAR, EXPIRY_FAR, EXPIRY_PAST};
        unsigned told = 0;
        Expiry e = {};

        for (usec_t boot = 0; boot < USEC_PER_DAY; boot += USEC_PER_SEC)
                told += expiry_is_due(&e, jumps[boot / USEC_PER_SEC % ELEMENTSOF(jumps)], boot);
        ck_assert_uint_eq(told, 2);
}
END_TEST

static const struct {
        const char *subject;
        usec_t now;
        const char *text;
} texts[] = {
        {"CN=claim,O=Example", END - 12 * USEC_PER_DAY - HOUR,
         "the claim's certificate (CN=claim,O=Example) expires on 2027-01-15 08:00:00 UTC, in 12 "
         "days; bring another certificate and key to where Certificate= and PrivateKey= point "
         "before that"},
        {"", END + USEC_PER_DAY,
         "the claim's certificate has expired on 2027-01-15 08:00:00 UTC, 1 days ago by this "
         "machine's clock; set the clock if that is wrong, else bring another certificate and key "
         "to where Certificate= and PrivateKey= point"},
        {NULL, END - 365 * USEC_PER_DAY,
         "the claim's certificate is good until 2027-01-15 08:00:00 UTC, for 365 days"},
};

START_TEST(it_says_whose_end_when_and_what_to_do)
{
        char *text = expiry_text(texts[_i].subject, END, texts[_i].now);

        ck_assert_str_eq(text, texts[_i].text);
        free(text);
        /* No date is too far to be told. */
        text = expiry_text("CN=a", USEC_INFINITY, 0);
        ck_assert_ptr_nonnull(text);
        free(text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("model: expiry");
        TCase *tc = tcase_create("expiry");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_loop_test(tc, thirty_days_before_it_is_near, 0, (int) ELEMENTSOF(stages));
        tcase_add_test(tc, it_is_told_once_and_then_once_a_day);
        tcase_add_test(tc, clock_that_goes_to_and_fro_brings_no_more);
        tcase_add_loop_test(tc, it_says_whose_end_when_and_what_to_do, 0, (int) ELEMENTSOF(texts));
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

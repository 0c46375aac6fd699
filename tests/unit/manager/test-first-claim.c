/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A claim that is read for the first time, at a start or for a profile that changed: by the worker,
 * and whoever needs it waits. */

#include "tests/unit/manager/bench.h"

#define CHANGED BENCH_PROFILE "Port=443\nAllowUsers=1000 1001\nRotationTemplate=Rotation\n"

/* Its claim is being read. */
static void change_profile(void) {
        bench_reload(CHANGED);
        ck_assert(slot->claim_awaited);
        ck_assert_ptr_null(slot->claim);
}

START_TEST(request_waits_for_the_claim)
{
        FrontCall hers, his;

        change_profile();
        bench_submit(alice, "k", &hers);
        bench_submit(bob, "k", &his);
        ck_assert_int_eq(hers.answer, ANSWER_NONE);
        ck_assert_uint_eq(disk_pending(), 0);
        bench_run();
        ck_assert_ptr_nonnull(slot->claim);
        ck_assert_uint_eq(disk_pending(), 2);
        disk_settle();
        ck_assert_ptr_nonnull(bench_job(&hers));
        ck_assert_ptr_nonnull(bench_job(&his));
        ck_assert_uint_lt(bench_job(&hers)->serial, bench_job(&his)->serial);
}
END_TEST

START_TEST(request_is_refused_once_it_is_known_that_there_is_none)
{
        FrontCall call;

        claim_key = NULL;
        change_profile();
        bench_submit(alice, NULL, &call);
        ck_assert_int_eq(call.answer, ANSWER_NONE);
        bench_run();
        ck_assert_int_eq(call.answer, ANSWER_FAILED);
        ck_assert_int_eq(call.code, ERROR_NOT_INITIALIZED);
        /* From now on at once. */
        bench_submit(alice, NULL, &call);
        ck_assert_int_eq(call.code, ERROR_NOT_INITIALIZED);
}
END_TEST

START_TEST(who_needs_no_claim_does_not_wait)
{
        FrontCall rotation = {}, again;

        (void) bench_cancelled(alice, "c");
        (void) bench_succeeded(alice, "s");
        change_profile();
        bench_submit(alice, "s", &again);
        ck_assert_int_eq(again.answer, ANSWER_JOB);
        manager_submit(m, alice, bench_rotation_spec(NULL), &rotation);
        ck_assert_uint_eq(disk_pending(), 1);
        disk_answer(0);
        ck_assert_int_eq(rotation.answer, ANSWER_JOB);
        /* But one that is to be made again needs it. */
        bench_submit(alice, "c", &again);
        ck_assert_int_eq(again.answer, ANSWER_NONE);
        bench_run();
        disk_settle();
        ck_assert_int_eq(again.answer, ANSWER_JOB);
}
END_TEST

START_TEST(profile_goes_while_its_claim_is_read)
{
        FrontCall call;

        change_profile();
        bench_submit(alice, NULL, &call);
        bench_reload("");
        ck_assert_int_eq(call.answer, ANSWER_FAILED);
        ck_assert_int_eq(call.code, ERROR_NOT_INITIALIZED);
        bench_run();
}
END_TEST

START_TEST(profile_changes_again_while_its_claim_is_read)
{
        FrontCall call, reload = {};

        change_profile();
        bench_submit(alice, NULL, &call);
        bench_reload(BENCH_PROFILE "Port=8884\nAllowUsers=1000 1001\n");
        reload_answer(m, &reload);
        ck_assert(slot->claim_awaited);
        ck_assert_int_eq(call.answer, ANSWER_NONE);
        ck_assert_int_eq(reload.answer, ANSWER_NONE);
        bench_run();
        disk_settle();
        ck_assert_ptr_nonnull(bench_job(&call));
        ck_assert_int_eq(reload.answer, ANSWER_DONE);
}
END_TEST

/* Reload returns when the new configuration is in force. */
START_TEST(reload_is_answered_when_the_claims_are_read)
{
        FrontCall first = {}, second = {}, third = {};

        change_profile();
        reload_answer(m, &first);
        reload_answer(m, &second);
        ck_assert_int_eq(first.answer, ANSWER_NONE);
        bench_run();
        ck_assert_int_eq(first.answer, ANSWER_DONE);
        ck_assert_int_eq(second.answer, ANSWER_DONE);
        reload_answer(m, &third); /* nothing is read */
        ck_assert_int_eq(third.answer, ANSWER_DONE);
}
END_TEST

START_TEST(profile_that_goes_leaves_no_reload_unanswered)
{
        FrontCall reload = {};

        change_profile();
        reload_answer(m, &reload);
        bench_reload("");
        ck_assert_int_eq(reload.answer, ANSWER_DONE);
}
END_TEST

START_TEST(who_waits_when_the_daemon_ends_is_let_go)
{
        FrontCall call, reload = {};

        change_profile();
        bench_submit(alice, NULL, &call);
        reload_answer(m, &reload);
        m = manager_free(m);
        ck_assert_int_eq(call.answer, ANSWER_DROPPED);
        ck_assert_int_eq(reload.answer, ANSWER_DROPPED);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: first claim");
        TCase *tc = tcase_create("first claim");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, request_waits_for_the_claim);
        tcase_add_test(tc, request_is_refused_once_it_is_known_that_there_is_none);
        tcase_add_test(tc, who_needs_no_claim_does_not_wait);
        tcase_add_test(tc, profile_goes_while_its_claim_is_read);
        tcase_add_test(tc, profile_changes_again_while_its_claim_is_read);
        tcase_add_test(tc, reload_is_answered_when_the_claims_are_read);
        tcase_add_test(tc, profile_that_goes_leaves_no_reload_unanswered);
        tcase_add_test(tc, who_waits_when_the_daemon_ends_is_let_go);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A claim that took the place of another one and does not connect: which of them serves. */

#include "tests/unit/manager/bench.h"

static void setup(void) {
        bench_setup();
        bench_reload(BENCH_PROFILE "AllowUsers=1000 1001\n");
        bench_run();
        ck_assert(slot->claim_connected);
}

static const char *opened_with(void) {
        return secret_text(slot->way.lane->private_key);
}

/* The files hold another one, which does not connect (yet). */
static void replace_claim(const char *key) {
        claim_key = key;
        lanes_open_ready = false;
        bench_reload(BENCH_PROFILE "AllowUsers=1000 1001\n");
        bench_run();
        ck_assert_str_eq(opened_with(), key);
}

static void session_fails(unsigned times, ErrorCode code) {
        for (unsigned i = 0; i < times; i++) {
                lane_fail(slot->way.lane, code);
                bench_run();
        }
}

/* What is to change comes with a timer. */
static void must_fall_back(void) {
        lanes_open_ready = true;
        while (streq(opened_with(), "new"))
                ck_assert_int_gt(sd_event_run(m->event, 20 * USEC_PER_SEC), 0);
        ck_assert_str_eq(opened_with(), "a key");
        bench_run();
        ck_assert_ptr_nonnull(slot->refused_claim);
        ck_assert_ptr_null(slot->former_claim);
}

static void must_stay(void) {
        ck_assert(!slot_claim_is_refused(slot));
        ck_assert_ptr_null(slot->claim_timer);
        ck_assert_str_eq(opened_with(), "new");
}

START_TEST(refusal_is_enough_once)
{
        replace_claim("new");
        session_fails(1, ERROR_CREDENTIALS_REFUSED);
        must_fall_back();
}
END_TEST

START_TEST(network_that_is_away_is_not_its_fault)
{
        replace_claim("new");
        session_fails(10, ERROR_CONNECT_FAILED);
        session_fails(10, ERROR_NAME_RESOLUTION);
        session_fails(10, ERROR_TIMEOUT);
        must_stay();
        lane_make_ready(slot->way.lane);
        ck_assert_ptr_null(slot->former_claim);
}
END_TEST

/* A cloud may say no without a word: where the policy does not allow iot:Connect, say. */
START_TEST(dropped_again_and_again_it_is_refused)
{
        replace_claim("new");
        session_fails(2, ERROR_CONNECTION_LOST);
        must_stay();
        session_fails(1, ERROR_CONNECTION_LOST);
        must_fall_back();
}
END_TEST

START_TEST(drops_with_other_trouble_between_are_the_networks)
{
        replace_claim("new");
        for (unsigned i = 0; i < 5; i++) {
                session_fails(2, ERROR_CONNECTION_LOST);
                session_fails(1, ERROR_CONNECT_FAILED);
        }
        must_stay();
}
END_TEST

START_TEST(each_new_one_has_all_its_tries)
{
        replace_claim("newer");
        session_fails(2, ERROR_CONNECTION_LOST);
        replace_claim("new");
        session_fails(2, ERROR_CONNECTION_LOST);
        must_stay();
        session_fails(1, ERROR_CONNECTION_LOST);
        must_fall_back();
}
END_TEST

/* One that has connected is no new one, whatever comes later. */
START_TEST(one_that_has_connected_stays)
{
        replace_claim("new");
        lane_make_ready(slot->way.lane);
        session_fails(10, ERROR_CONNECTION_LOST);
        session_fails(10, ERROR_CREDENTIALS_REFUSED);
        must_stay();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: former claim");
        TCase *tc = tcase_create("former claim");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, setup, bench_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, refusal_is_enough_once);
        tcase_add_test(tc, network_that_is_away_is_not_its_fault);
        tcase_add_test(tc, dropped_again_and_again_it_is_refused);
        tcase_add_test(tc, drops_with_other_trouble_between_are_the_networks);
        tcase_add_test(tc, each_new_one_has_all_its_tries);
        tcase_add_test(tc, one_that_has_connected_stays);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The end of an exchange with VerifyCertificate=yes: the certificate is tried. */

#include "tests/unit/model/exchange-way.h"
#include "tests/unit/protocol-aws/suite.h"

static ExchangeEffect feed(Exchange *x, ExchangeEventType type) {
        return exchange_step(x, type, 0);
}

/* Waits between tries: at their least and at their most. */
START_TEST(a_certificate_is_tried_some_times_ever_slower)
{
        static const ExchangeEventType types[] = {EXCHANGE_EVENT_VERIFY_REFUSED,
                                                  EXCHANGE_EVENT_VERIFY_UNDECIDED};
        usec_t most = EXCHANGE_VERIFY_WAIT_USEC, least_of_all = 0, most_of_all = 0;
        Exchange x = exchange_at_step(EXCHANGE_VERIFYING);
        ExchangeEffect e;

        for (unsigned i = 1; i < EXCHANGE_VERIFY_TRIES_MAX; i++) {
                Exchange other = x;

                e = exchange_step(&other, types[_i], 0);
                ck_assert_uint_eq(e.delay_usec, most / 2);
                least_of_all += e.delay_usec;
                e = exchange_step(&x, types[_i], most / 2);
                ck_assert_uint_eq(e.delay_usec, most);
                most_of_all += e.delay_usec;
                ck_assert_int_eq(e.action, EXCHANGE_DO_WAIT);
                ck_assert(!e.throttled); /* it is nobody else's trouble */
                ck_assert(!e.leave_certificate);
                ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_VERIFY);
                if (most < EXCHANGE_VERIFY_WAIT_CAP_USEC)
                        most *= 2;
        }
        ck_assert_uint_ge(least_of_all, 15 * USEC_PER_SEC);
        ck_assert_uint_le(most_of_all, 31 * USEC_PER_SEC);
        e = feed(&x, types[_i]);
        ck_assert_int_eq(e.action, EXCHANGE_DO_FINISH);
        ck_assert_int_eq(e.outcome, JOB_FAILED);
        ck_assert(e.verify_failed);
        ck_assert_int_eq(e.verify_undecided, types[_i] == EXCHANGE_EVENT_VERIFY_UNDECIDED);
        ck_assert(!e.leave_certificate); /* it is the result */
}
END_TEST

START_TEST(a_certificate_that_is_let_in_later_is_a_success)
{
        Exchange x = exchange_at_step(EXCHANGE_VERIFYING);
        ExchangeEffect e;

        for (unsigned i = 1; i < EXCHANGE_VERIFY_TRIES_MAX; i++) {
                (void) feed(&x, EXCHANGE_EVENT_VERIFY_REFUSED);
                (void) feed(&x, EXCHANGE_EVENT_START);
        }
        e = feed(&x, EXCHANGE_EVENT_VERIFIED);
        ck_assert_int_eq(e.outcome, JOB_SUCCEEDED);
        ck_assert(!e.verify_failed);
}
END_TEST

START_TEST(waiting_for_the_session_costs_no_try_of_a_certificate)
{
        Exchange x = exchange_at_step(EXCHANGE_VERIFYING);

        for (unsigned i = 0; i < 50; i++) {
                ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_NOT_SENT).action, EXCHANGE_DO_REQUEUE);
                ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_VERIFY);
        }
        ck_assert_uint_eq(x.verify_tries, 0);
}
END_TEST

/* After a restart, or under the same key: nothing but the trying is left. */
START_TEST(an_identity_of_an_earlier_life_is_tried_alone)
{
        ExchangeEffect e;
        Exchange x;

        exchange_init(&x, OPERATION_PROVISION, _i ? KEY_SOURCE_CLOUD : KEY_SOURCE_DAEMON);
        exchange_is_registered(&x);
        exchange_wants_verify(&x);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_VERIFY);
        ck_assert_int_eq(exchange_phase(&x), PHASE_VERIFY);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_VERIFIED).outcome, JOB_SUCCEEDED);

        /* VerifyCertificate= was turned off in between. */
        exchange_init(&x, OPERATION_PROVISION, KEY_SOURCE_DAEMON);
        exchange_is_registered(&x);
        e = feed(&x, EXCHANGE_EVENT_START);
        ck_assert_int_eq(e.action, EXCHANGE_DO_FINISH);
        ck_assert_int_eq(e.outcome, JOB_SUCCEEDED);
}
END_TEST

START_TEST(a_key_of_the_callers_is_not_tried_and_that_is_said)
{
        ExchangeEffect e;
        Exchange x;

        exchange_init(&x, OPERATION_PROVISION, KEY_SOURCE_CALLER);
        exchange_wants_verify(&x);
        (void) feed(&x, EXCHANGE_EVENT_START);
        (void) feed(&x, EXCHANGE_EVENT_NOTED);
        (void) feed(&x, EXCHANGE_EVENT_CREATED);
        (void) feed(&x, EXCHANGE_EVENT_STORED);
        e = feed(&x, EXCHANGE_EVENT_REGISTERED);
        ck_assert_int_eq(e.outcome, JOB_SUCCEEDED);
        ck_assert_ptr_nonnull(strstr(e.note, "cannot be tried"));
}
END_TEST

START_TEST(cancelled_before_it_is_tried_it_is_kept_and_not_tried)
{
        Exchange x = exchange_at_step(EXCHANGE_KEEPING);
        ExchangeEffect e;

        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_CANCEL).action, EXCHANGE_DO_NOTHING);
        e = feed(&x, EXCHANGE_EVENT_STORED);
        ck_assert_int_eq(e.outcome, JOB_CANCELLED);
        ck_assert(e.leave_certificate);

        x = exchange_at_step(EXCHANGE_VERIFYING);
        (void) feed(&x, EXCHANGE_EVENT_VERIFY_REFUSED);
        e = feed(&x, EXCHANGE_EVENT_CANCEL); /* between two tries */
        ck_assert_int_eq(e.outcome, JOB_CANCELLED);
        ck_assert(e.leave_certificate);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/exchange-verify");
        TCase *c = tcase_create("exchange-verify");

        tcase_add_loop_test(c, a_certificate_is_tried_some_times_ever_slower, 0, 2);
        tcase_add_test(c, a_certificate_that_is_let_in_later_is_a_success);
        tcase_add_test(c, waiting_for_the_session_costs_no_try_of_a_certificate);
        tcase_add_loop_test(c, an_identity_of_an_earlier_life_is_tried_alone, 0, 2);
        tcase_add_test(c, a_key_of_the_callers_is_not_tried_and_that_is_said);
        tcase_add_test(c, cancelled_before_it_is_tried_it_is_kept_and_not_tried);
        suite_add_tcase(s, c);
        return suite_run(s);
}

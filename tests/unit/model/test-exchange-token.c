/* SPDX-License-Identifier: GPL-2.0-or-later */

/* An exchange whose key is in a token, where it outlives the daemon. */

#include "tests/unit/model/exchange-way.h"
#include "tests/unit/protocol-aws/suite.h"

static ExchangeEffect feed(Exchange *x, ExchangeEventType type) {
        return exchange_step(x, type, 0);
}

static Exchange begin(void) {
        Exchange x;

        exchange_init(&x, OPERATION_PROVISION, KEY_SOURCE_DAEMON);
        exchange_keeps_key_in_token(&x);
        return x;
}

START_TEST(where_the_key_will_be_is_durable_before_it_is_made)
{
        Exchange x = begin();

        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_PLACE_KEY);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_KEY_MADE).action, EXCHANGE_DO_NOTHING);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_STORED).action, EXCHANGE_DO_MAKE_KEY);
        ck_assert(!exchange_looks_for_key(&x));
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_KEY_MADE).action, EXCHANGE_DO_NOTE);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_NOTED).action, EXCHANGE_DO_CREATE);
}
END_TEST

/* Of another life: the exchange goes on only with the key that the certificate carries. */
START_TEST(the_key_of_a_certificate_is_looked_for_first)
{
        Exchange x = begin();

        if (_i == 0)
                exchange_has_certificate(&x);
        else {
                exchange_wants_verify(&x);
                exchange_is_registered(&x);
        }
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_PLACE_KEY);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_STORED).action, EXCHANGE_DO_MAKE_KEY);
        ck_assert(exchange_looks_for_key(&x));
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_KEY_MADE).action,
                         _i == 0 ? EXCHANGE_DO_REGISTER : EXCHANGE_DO_VERIFY);
}
END_TEST

START_TEST(a_certificate_without_its_key_is_given_up)
{
        Exchange x = begin();
        ExchangeEffect e;

        exchange_wants_verify(&x);
        if (_i == 0)
                exchange_has_certificate(&x);
        else
                exchange_is_registered(&x);
        (void) feed(&x, EXCHANGE_EVENT_START);
        (void) feed(&x, EXCHANGE_EVENT_STORED);
        e = feed(&x, EXCHANGE_EVENT_KEY_GONE);
        ck_assert_int_eq(e.action, EXCHANGE_DO_MAKE_KEY);
        ck_assert(e.leave_certificate);
        ck_assert_ptr_nonnull(e.note);
        ck_assert(!exchange_looks_for_key(&x));
        /* There is none any more that could be gone. */
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_KEY_GONE).action, EXCHANGE_DO_NOTHING);
        e = feed(&x, EXCHANGE_EVENT_KEY_MADE);
        ck_assert_int_eq(e.action, EXCHANGE_DO_NOTE);
        ck_assert(!e.leave_certificate);
}
END_TEST

START_TEST(a_token_that_is_away_is_waited_for)
{
        Exchange x = begin();

        for (unsigned i = 0; i < 4; i++) {
                ExchangeEffect e;

                (void) feed(&x, EXCHANGE_EVENT_START);
                if (i > 0)
                        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_STORED).action,
                                         EXCHANGE_DO_MAKE_KEY);
                e = exchange_step(&x, EXCHANGE_EVENT_KEY_LATER, UINT64_MAX);
                ck_assert_int_eq(e.action, EXCHANGE_DO_WAIT);
                ck_assert(!e.throttled && !e.burn);
                ck_assert_uint_gt(e.delay_usec, 0);
                ck_assert_uint_le(e.delay_usec, EXCHANGE_BACKOFF_CAP_USEC);
        }
}
END_TEST

/* It may never answer, and what it makes can be found. */
START_TEST(nobody_waits_for_a_token_to_cancel)
{
        Exchange x = begin();
        ExchangeEffect e;

        if (_i == 1)
                exchange_has_certificate(&x);
        (void) feed(&x, EXCHANGE_EVENT_START);
        (void) feed(&x, EXCHANGE_EVENT_STORED);
        e = feed(&x, EXCHANGE_EVENT_CANCEL);
        ck_assert_int_eq(e.action, EXCHANGE_DO_FINISH);
        ck_assert_int_eq(e.outcome, JOB_CANCELLED);
        ck_assert_int_eq(e.leave_certificate, _i == 1);
}
END_TEST

/* Nobody has another one of it. */
START_TEST(a_key_serves_another_certificate_of_the_same_job)
{
        Exchange x = begin();
        ExchangeEffect e;

        (void) feed(&x, EXCHANGE_EVENT_START);
        (void) feed(&x, EXCHANGE_EVENT_STORED);
        (void) feed(&x, EXCHANGE_EVENT_KEY_MADE);
        (void) feed(&x, EXCHANGE_EVENT_NOTED);
        (void) feed(&x, EXCHANGE_EVENT_CREATED);
        (void) feed(&x, EXCHANGE_EVENT_STORED);
        e = feed(&x, EXCHANGE_EVENT_REFUSED_TOKEN);
        ck_assert_int_eq(e.action, EXCHANGE_DO_NOTE);
        ck_assert(e.leave_certificate);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/exchange-token");
        TCase *c = tcase_create("exchange");

        tcase_add_test(c, where_the_key_will_be_is_durable_before_it_is_made);
        tcase_add_loop_test(c, the_key_of_a_certificate_is_looked_for_first, 0, 2);
        tcase_add_loop_test(c, a_certificate_without_its_key_is_given_up, 0, 2);
        tcase_add_test(c, a_token_that_is_away_is_waited_for);
        tcase_add_loop_test(c, nobody_waits_for_a_token_to_cancel, 0, 2);
        tcase_add_test(c, a_key_serves_another_certificate_of_the_same_job);
        suite_add_tcase(s, c);
        return suite_run(s);
}

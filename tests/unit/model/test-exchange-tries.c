/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What each operation asks for, and how often something is tried. */

#include "tests/unit/model/exchange-way.h"
#include "tests/unit/protocol-aws/suite.h"

/* --- what an operation asks for --------------------------------------------------------------- */

/* What is to be noted is noted at once. */
static ExchangeEffect feed(Exchange *x, ExchangeEventType type) {
        ExchangeEffect e = exchange_step(x, type, 0);

        return e.action == EXCHANGE_DO_NOTE ? exchange_step(x, EXCHANGE_EVENT_NOTED, 0) : e;
}

static const struct {
        Operation operation;
        KeySource key_source;
        ExchangeAction first;
        ExchangeEventType answer;
        ExchangeAction second;
} operations[] = {
        {OPERATION_PROVISION, KEY_SOURCE_DAEMON, EXCHANGE_DO_MAKE_KEY, EXCHANGE_EVENT_KEY_MADE,
         EXCHANGE_DO_CREATE},
        {OPERATION_PROVISION, KEY_SOURCE_CLOUD, EXCHANGE_DO_CREATE, EXCHANGE_EVENT_CREATED,
         EXCHANGE_DO_STORE},
        {OPERATION_PROVISION, KEY_SOURCE_CALLER, EXCHANGE_DO_CREATE, EXCHANGE_EVENT_CREATED,
         EXCHANGE_DO_STORE},
        {OPERATION_CREATE_CERTIFICATE_FROM_CSR, KEY_SOURCE_CALLER, EXCHANGE_DO_CREATE,
         EXCHANGE_EVENT_CREATED, EXCHANGE_DO_FINISH},
        {OPERATION_CREATE_KEYS_AND_CERTIFICATE, KEY_SOURCE_CLOUD, EXCHANGE_DO_CREATE,
         EXCHANGE_EVENT_CREATED, EXCHANGE_DO_FINISH},
        {OPERATION_REGISTER_THING, KEY_SOURCE_DAEMON, EXCHANGE_DO_REGISTER,
         EXCHANGE_EVENT_REGISTERED, EXCHANGE_DO_FINISH},
};

START_TEST(operations_ask_for_what_they_need)
{
        ExchangeEffect e;
        Exchange x;

        exchange_init(&x, operations[_i].operation, operations[_i].key_source);
        ck_assert_int_eq(x.step, EXCHANGE_IDLE);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, operations[_i].first);
        e = feed(&x, operations[_i].answer);
        ck_assert_int_eq(e.action, operations[_i].second);
        if (e.action == EXCHANGE_DO_FINISH)
                ck_assert_int_eq(e.outcome, JOB_SUCCEEDED);
}
END_TEST

/* On record first: at each try anew, since what came between is on record, too. */
START_TEST(nothing_is_asked_for_before_it_is_noted)
{
        static const ExchangeEventType ends_of_a_try[] = {
                EXCHANGE_EVENT_REFUSED_TRANSIENT, EXCHANGE_EVENT_REFUSED_THROTTLED,
                EXCHANGE_EVENT_TIMEOUT, EXCHANGE_EVENT_LOST, EXCHANGE_EVENT_NOT_SENT};
        ExchangeEffect e;
        Exchange x;

        exchange_init(&x, operations[_i].operation, operations[_i].key_source);
        for (size_t i = 0; i < 4 * ELEMENTSOF(ends_of_a_try); i++) {
                e = exchange_step(&x, EXCHANGE_EVENT_START, 0);
                if (e.action == EXCHANGE_DO_MAKE_KEY)
                        e = exchange_step(&x, EXCHANGE_EVENT_KEY_MADE, 0);
                ck_assert_int_eq(e.action, EXCHANGE_DO_NOTE);
                ck_assert_int_eq(exchange_phase(&x), x.operation == OPERATION_REGISTER_THING
                                                             ? PHASE_REGISTER
                                                             : PHASE_CREATE);
                ck_assert(!exchange_is_in_flight(&x));
                e = exchange_step(&x, EXCHANGE_EVENT_NOTED, 0);
                ck_assert_int_eq(e.action, x.operation == OPERATION_REGISTER_THING
                                                   ? EXCHANGE_DO_REGISTER
                                                   : EXCHANGE_DO_CREATE);
                x.unanswered = x.dropped = 0; /* not what is tried here */
                (void) exchange_step(&x, ends_of_a_try[i % ELEMENTSOF(ends_of_a_try)], 0);
                ck_assert_int_eq(x.step, EXCHANGE_IDLE);
        }
}
END_TEST

START_TEST(a_silence_says_what_it_may_have_left)
{
        const bool creates = _i / 2 == 0;
        Exchange x = exchange_at_step(creates ? EXCHANGE_CREATING : EXCHANGE_REGISTERING);
        ExchangeEffect e = feed(&x, _i % 2 ? EXCHANGE_EVENT_LOST : EXCHANGE_EVENT_TIMEOUT);

        ck_assert((strstr(e.note, "left behind") != NULL) == creates);
}
END_TEST

START_TEST(a_certificate_of_an_earlier_life_is_registered)
{
        Exchange x;

        exchange_init(&x, OPERATION_PROVISION, KEY_SOURCE_DAEMON);
        exchange_has_certificate(&x);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_REGISTER);
}
END_TEST

/* --- tries ------------------------------------------------------------------------------------ */

START_TEST(a_key_that_was_made_serves_the_next_try)
{
        Exchange x = exchange_at_step(EXCHANGE_CREATING);

        (void) feed(&x, EXCHANGE_EVENT_REFUSED_TRANSIENT);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_CREATE);
}
END_TEST

START_TEST(a_certificate_that_was_stored_serves_the_next_try)
{
        Exchange x = exchange_at_step(EXCHANGE_REGISTERING);

        (void) feed(&x, EXCHANGE_EVENT_LOST);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_REGISTER);
}
END_TEST

START_TEST(faults_are_tried_again_without_end_and_ever_slower)
{
        Exchange x = exchange_at_step(EXCHANGE_CREATING);

        for (unsigned i = 0; i < 50; i++) {
                /* The greatest random number that the wait's ceiling divides is the ceiling. */
                usec_t ceiling = EXCHANGE_BACKOFF_BASE_USEC << (i < 20 ? i : 20);
                ExchangeEffect e;

                if (ceiling > EXCHANGE_BACKOFF_CAP_USEC)
                        ceiling = EXCHANGE_BACKOFF_CAP_USEC;
                e = exchange_step(&x,
                                  i % 2 ? EXCHANGE_EVENT_REFUSED_THROTTLED
                                        : EXCHANGE_EVENT_REFUSED_TRANSIENT,
                                  ceiling);
                ck_assert_int_eq(e.action, EXCHANGE_DO_WAIT);
                ck_assert_uint_eq(e.delay_usec, ceiling);
                (void) feed(&x, EXCHANGE_EVENT_START);
        }
        /* A certificate starts the count anew: registering is another matter. */
        (void) feed(&x, EXCHANGE_EVENT_CREATED);
        ck_assert_uint_eq(x.backoff.failures, 0);
}
END_TEST

static ExchangeEffect repeat_until_over(Exchange *x, ExchangeEventType type, unsigned *ret_times) {
        ExchangeEffect e;

        for (*ret_times = 1;; ++*ret_times) {
                e = feed(x, type);
                if (e.action == EXCHANGE_DO_FINISH)
                        return e;
                ck_assert_uint_lt(*ret_times, 100);
                (void) feed(x, EXCHANGE_EVENT_START);
        }
}

START_TEST(silence_ends_a_job_after_some_tries)
{
        Exchange x = exchange_at_step(EXCHANGE_CREATING);
        unsigned times;
        ExchangeEffect e = repeat_until_over(&x, EXCHANGE_EVENT_TIMEOUT, &times);

        ck_assert_uint_eq(times, EXCHANGE_UNANSWERED_MAX);
        ck_assert_int_eq(e.outcome, JOB_FAILED);
        ck_assert(e.burn);
        ck_assert(!e.suspect_policy);
}
END_TEST

START_TEST(drops_alone_make_a_policy_suspect)
{
        Exchange x = exchange_at_step(EXCHANGE_REGISTERING);
        unsigned times;
        ExchangeEffect e = repeat_until_over(&x, EXCHANGE_EVENT_LOST, &times);

        ck_assert_uint_eq(times, EXCHANGE_UNANSWERED_MAX);
        ck_assert_int_eq(e.outcome, JOB_FAILED);
        ck_assert(!e.burn);
        ck_assert(e.suspect_policy);
        ck_assert(e.leave_certificate);

        x = exchange_at_step(EXCHANGE_REGISTERING);
        (void) feed(&x, EXCHANGE_EVENT_TIMEOUT);
        (void) feed(&x, EXCHANGE_EVENT_START);
        e = repeat_until_over(&x, EXCHANGE_EVENT_LOST, &times);
        ck_assert_uint_eq(times, EXCHANGE_UNANSWERED_MAX - 1);
        ck_assert(!e.suspect_policy);
}
END_TEST

START_TEST(any_answer_starts_the_count_of_silences_anew)
{
        static const ExchangeEventType answers[] = {
                EXCHANGE_EVENT_REFUSED_TRANSIENT, EXCHANGE_EVENT_REFUSED_THROTTLED,
                EXCHANGE_EVENT_REFUSED_TOKEN, EXCHANGE_EVENT_CREATED};
        Exchange x = exchange_at_step(EXCHANGE_CREATING);

        (void) feed(&x, EXCHANGE_EVENT_LOST);
        (void) feed(&x, EXCHANGE_EVENT_START);
        ck_assert_uint_eq(x.unanswered, 1);
        (void) feed(&x, answers[_i]);
        ck_assert_uint_eq(x.unanswered, 0);
        ck_assert_uint_eq(x.dropped, 0);
}
END_TEST

START_TEST(a_doubtful_refusal_is_asked_for_once_more)
{
        Exchange x = exchange_at_step(EXCHANGE_REGISTERING);
        ExchangeEffect e = exchange_step(&x, EXCHANGE_EVENT_DOUBTFUL, 0);

        ck_assert_int_eq(e.action, EXCHANGE_DO_REQUEUE);
        ck_assert(e.burn && x.doubted);
        ck_assert(!e.leave_certificate);
        ck_assert_uint_eq(x.unanswered, 0);
        (void) feed(&x, EXCHANGE_EVENT_START);
        ck_assert_int_eq(x.step, EXCHANGE_REGISTERING);
        /* An answer that leaves no doubt. */
        (void) feed(&x, EXCHANGE_EVENT_REFUSED_TRANSIENT);
        ck_assert(!x.doubted);
}
END_TEST

START_TEST(what_was_not_sent_costs_no_try)
{
        Exchange x = exchange_at_step(EXCHANGE_CREATING);

        for (unsigned i = 0; i < 50; i++) {
                ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_NOT_SENT).action, EXCHANGE_DO_REQUEUE);
                (void) feed(&x, EXCHANGE_EVENT_START);
        }
        ck_assert_uint_eq(x.unanswered, 0);
}
END_TEST

START_TEST(a_refused_token_starts_over_once)
{
        Exchange x = exchange_at_step(EXCHANGE_REGISTERING);
        ExchangeEffect e = feed(&x, EXCHANGE_EVENT_REFUSED_TOKEN);

        ck_assert_int_eq(e.action, EXCHANGE_DO_MAKE_KEY);
        ck_assert(e.leave_certificate);
        (void) feed(&x, EXCHANGE_EVENT_KEY_MADE);
        (void) feed(&x, EXCHANGE_EVENT_CREATED);
        (void) feed(&x, EXCHANGE_EVENT_STORED);
        e = feed(&x, EXCHANGE_EVENT_REFUSED_TOKEN);
        ck_assert_int_eq(e.action, EXCHANGE_DO_FINISH);
        ck_assert_int_eq(e.outcome, JOB_FAILED);
        ck_assert(e.leave_certificate);
}
END_TEST

START_TEST(a_token_that_was_handed_in_cannot_be_made_anew)
{
        ExchangeEffect e;
        Exchange x;

        exchange_init(&x, OPERATION_REGISTER_THING, KEY_SOURCE_DAEMON);
        (void) feed(&x, EXCHANGE_EVENT_START);
        e = feed(&x, EXCHANGE_EVENT_REFUSED_TOKEN);
        ck_assert_int_eq(e.outcome, JOB_FAILED);
        ck_assert(!e.leave_certificate); /* it is the caller's */
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/exchange-tries");
        TCase *c = tcase_create("exchange-tries");

        tcase_add_loop_test(c, operations_ask_for_what_they_need, 0, (int) ELEMENTSOF(operations));
        tcase_add_loop_test(c, nothing_is_asked_for_before_it_is_noted, 0,
                            (int) ELEMENTSOF(operations));
        tcase_add_loop_test(c, a_silence_says_what_it_may_have_left, 0, 4);
        tcase_add_test(c, a_certificate_of_an_earlier_life_is_registered);
        tcase_add_test(c, a_key_that_was_made_serves_the_next_try);
        tcase_add_test(c, a_certificate_that_was_stored_serves_the_next_try);
        tcase_add_test(c, faults_are_tried_again_without_end_and_ever_slower);
        tcase_add_test(c, silence_ends_a_job_after_some_tries);
        tcase_add_test(c, drops_alone_make_a_policy_suspect);
        tcase_add_loop_test(c, any_answer_starts_the_count_of_silences_anew, 0, 4);
        tcase_add_test(c, a_doubtful_refusal_is_asked_for_once_more);
        tcase_add_test(c, what_was_not_sent_costs_no_try);
        tcase_add_test(c, a_refused_token_starts_over_once);
        tcase_add_test(c, a_token_that_was_handed_in_cannot_be_made_anew);
        suite_add_tcase(s, c);
        return suite_run(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ways of an assignment over more than one step: waits, operations, the line, credentials. */
#include "daemon/model/assignment.h"

#include "tests/unit/model/assignment-way.h"
#include "tests/unit/protocol-aws/suite.h"

/* --- waiting ---------------------------------------------------------------------------------- */

static const struct {
        usec_t told, waited;
        AssignmentAction action;
} waits[] = {
        {USEC_INFINITY, ASSIGNMENT_POLL_USEC, ASSIGNMENT_DO_PAUSE},
        {0, 0, ASSIGNMENT_DO_PAUSE},
        {1 * USEC_PER_SEC, 1 * USEC_PER_SEC, ASSIGNMENT_DO_PAUSE},
        {ASSIGNMENT_PAUSE_MAX_USEC, ASSIGNMENT_PAUSE_MAX_USEC, ASSIGNMENT_DO_PAUSE},
        {ASSIGNMENT_PAUSE_MAX_USEC + 1, ASSIGNMENT_PAUSE_MAX_USEC + 1, ASSIGNMENT_DO_WAIT},
        {301 * USEC_PER_SEC, 301 * USEC_PER_SEC, ASSIGNMENT_DO_WAIT},
        {USEC_PER_DAY, USEC_PER_DAY, ASSIGNMENT_DO_WAIT},
};

START_TEST(what_the_service_says_is_waited)
{
        Assignment a = at_step(ASSIGNMENT_REGISTERING);
        AssignmentEffect e;

        /* Before the first query ... */
        (void) feed_all(&a, ASSIGNMENT_EVENT_ASSIGNING, waits[_i].told, 7);
        e = feed(&a, ASSIGNMENT_EVENT_STORED);
        ck_assert_int_eq(e.action, waits[_i].action);
        ck_assert_uint_eq(e.delay_usec, waits[_i].waited);
        /* ... and before the next. */
        a = at_step(ASSIGNMENT_QUERYING);
        e = feed_all(&a, ASSIGNMENT_EVENT_ASSIGNING, waits[_i].told, 7);
        ck_assert_int_eq(e.action, waits[_i].action);
        ck_assert_uint_eq(e.delay_usec, waits[_i].waited);
        ck_assert(!e.burn);
}
END_TEST

START_TEST(after_a_long_wait_it_connects_and_queries)
{
        Assignment a = at_step(ASSIGNMENT_QUERYING);

        (void) feed_all(&a, ASSIGNMENT_EVENT_ASSIGNING, USEC_PER_HOUR, 0);
        ck_assert_int_eq(assignment_phase(&a), PHASE_BACKOFF);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_START).action, ASSIGNMENT_DO_CONNECT);
        ck_assert_int_eq(assignment_phase(&a), PHASE_POLL);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_CONNECTED).action, ASSIGNMENT_DO_QUERY);
}
END_TEST

START_TEST(what_was_left_of_a_wait_is_waited_first)
{
        Assignment a;
        AssignmentEffect e;

        assignment_init(&a, _i == 1, false);
        if (_i == 0)
                assignment_has_operation(&a);
        e = feed_all(&a, ASSIGNMENT_EVENT_START, 7 * USEC_PER_SEC, 3);
        ck_assert_int_eq(e.action, ASSIGNMENT_DO_WAIT);
        ck_assert_uint_eq(e.delay_usec, 7 * USEC_PER_SEC);
        ck_assert(!e.throttled);
        /* Early: there is some left of it. */
        e = feed_all(&a, ASSIGNMENT_EVENT_START, 1, 3);
        ck_assert_int_eq(e.action, ASSIGNMENT_DO_WAIT);
        ck_assert_uint_eq(e.delay_usec, 1);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_START).action,
                         _i == 0 ? ASSIGNMENT_DO_CONNECT : ASSIGNMENT_DO_MAKE_KEY);
}
END_TEST

/* --- certificates ----------------------------------------------------------------------------- */

START_TEST(callers_certificate_is_noted_before_it_is_asked_for_and_no_key_is_made)
{
        Assignment a;

        assignment_init(&a, false, false);
        assignment_certifies(&a);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_START).action, ASSIGNMENT_DO_CONNECT);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_CONNECTED).action, ASSIGNMENT_DO_NOTE);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_NOTED).action, ASSIGNMENT_DO_REGISTER);
}
END_TEST

START_TEST(certificate_whose_answer_does_not_come_is_named)
{
        static const AssignmentEventType silences[] = {ASSIGNMENT_EVENT_TIMEOUT,
                                                       ASSIGNMENT_EVENT_LOST};
        Assignment a = at_step(ASSIGNMENT_REGISTERING), b;
        const char *said = "a certificate may have been made";

        for (unsigned i = 1; i < ASSIGNMENT_UNANSWERED_MAX; i++) {
                ck_assert_ptr_nonnull(strstr(feed(&a, silences[_i]).note, said));
                (void) feed(&a, ASSIGNMENT_EVENT_START);
                /* Each one is noted. */
                ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_CONNECTED).action, ASSIGNMENT_DO_NOTE);
                (void) feed(&a, ASSIGNMENT_EVENT_NOTED);
        }
        ck_assert_ptr_nonnull(strstr(feed(&a, silences[_i]).note, said));
        b = at_step(ASSIGNMENT_QUERYING);
        ck_assert_ptr_null(strstr(feed(&b, silences[_i]).note, said));
        b = at_step_with(ASSIGNMENT_CONNECTING, false, false);
        (void) feed(&b, ASSIGNMENT_EVENT_CONNECTED);
        ck_assert_int_eq(b.step, ASSIGNMENT_REGISTERING);
        ck_assert_ptr_null(strstr(feed(&b, silences[_i]).note, said));
}
END_TEST

START_TEST(line_that_is_lost_while_it_is_noted_is_made_again_and_no_more_is_noted)
{
        Assignment a = at_step(ASSIGNMENT_NOTING);

        (void) feed(&a, ASSIGNMENT_EVENT_LOST);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_NOTED).action, ASSIGNMENT_DO_CONNECT);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_CONNECTED).action, ASSIGNMENT_DO_REGISTER);
}
END_TEST

static const AssignmentEventType with_retry_after[] = {
        ASSIGNMENT_EVENT_REFUSED_TRANSIENT, ASSIGNMENT_EVENT_REFUSED_THROTTLED,
        ASSIGNMENT_EVENT_ENDED_TRANSIENT, ASSIGNMENT_EVENT_ENDED_THROTTLED};

START_TEST(back_off_comes_on_top_of_what_the_service_says)
{
        static const AssignmentStep steps[] = {ASSIGNMENT_REGISTERING, ASSIGNMENT_QUERYING};

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                Assignment a = at_step(steps[i]);
                AssignmentEffect e;

                e = feed_all(&a, with_retry_after[_i], 400 * USEC_PER_SEC,
                             ASSIGNMENT_BACKOFF_BASE_USEC);
                ck_assert_int_eq(e.action, ASSIGNMENT_DO_WAIT);
                ck_assert_uint_eq(e.delay_usec, 401 * USEC_PER_SEC);
                a = at_step(steps[i]);
                e = feed_all(&a, with_retry_after[_i], USEC_INFINITY, 5);
                ck_assert_int_eq(e.action, ASSIGNMENT_DO_PAUSE);
                ck_assert_uint_eq(e.delay_usec, 5);
        }
}
END_TEST

/* The greatest random number that the wait's ceiling divides is the ceiling. */
static uint64_t most_of(unsigned failures) {
        usec_t ceiling = ASSIGNMENT_BACKOFF_BASE_USEC;

        for (unsigned i = 0; i < failures && ceiling < ASSIGNMENT_BACKOFF_CAP_USEC; i++)
                ceiling *= 2;
        return ceiling < ASSIGNMENT_BACKOFF_CAP_USEC ? ceiling : ASSIGNMENT_BACKOFF_CAP_USEC;
}

/* Goes on from wherever it paused, to the request. */
static void come_back(Assignment *a) {
        if (a->step == ASSIGNMENT_PAUSING)
                (void) feed(a, ASSIGNMENT_EVENT_TIMER);
        if (a->step == ASSIGNMENT_IDLE)
                (void) feed(a, ASSIGNMENT_EVENT_START);
        if (a->step == ASSIGNMENT_CONNECTING)
                (void) feed(a, ASSIGNMENT_EVENT_CONNECTED);
        if (a->step == ASSIGNMENT_NOTING)
                (void) feed(a, ASSIGNMENT_EVENT_NOTED);
}

START_TEST(faults_are_tried_again_without_end_and_ever_slower)
{
        AssignmentStep step = _i < 2 ? ASSIGNMENT_REGISTERING : ASSIGNMENT_QUERYING;
        Assignment a = at_step(step);

        for (unsigned i = 0; i < 50; i++) {
                AssignmentEffect e =
                        feed_all(&a, with_retry_after[_i % 2], USEC_INFINITY, most_of(i));

                ck_assert_uint_eq(e.delay_usec, most_of(i));
                come_back(&a);
                ck_assert_int_eq(a.step, step);
        }
}
END_TEST

START_TEST(a_good_answer_ends_the_back_off)
{
        Assignment a = at_step(ASSIGNMENT_QUERYING);

        for (unsigned i = 0; i < 5; i++) {
                (void) feed(&a, ASSIGNMENT_EVENT_REFUSED_TRANSIENT);
                come_back(&a);
        }
        (void) feed(&a, ASSIGNMENT_EVENT_ASSIGNING);
        come_back(&a);
        /* One more than the first ceiling: drawn below it, that is zero. */
        ck_assert_uint_eq(feed_all(&a, ASSIGNMENT_EVENT_REFUSED_TRANSIENT, USEC_INFINITY,
                                   ASSIGNMENT_BACKOFF_BASE_USEC + 1)
                                  .delay_usec,
                          0);
}
END_TEST

START_TEST(connections_are_tried_without_end)
{
        static const AssignmentEventType failures[] = {
                ASSIGNMENT_EVENT_NOT_CONNECTED, ASSIGNMENT_EVENT_LOST, ASSIGNMENT_EVENT_TIMEOUT};
        Assignment a = at_step(ASSIGNMENT_CONNECTING);

        for (unsigned i = 0; i < 100; i++) {
                AssignmentEffect e =
                        feed_all(&a, failures[i % ELEMENTSOF(failures)], USEC_INFINITY, most_of(i));

                ck_assert_int_eq(e.action, ASSIGNMENT_DO_WAIT);
                ck_assert_uint_eq(e.delay_usec, most_of(i));
                ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_START).action, ASSIGNMENT_DO_CONNECT);
        }
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_CONNECTED).action, ASSIGNMENT_DO_NOTE);
}
END_TEST

/* --- operations ------------------------------------------------------------------------------- */

START_TEST(operation_of_an_earlier_life_is_queried_first)
{
        Assignment a;

        assignment_init(&a, _i, false);
        assignment_has_key(&a);
        assignment_has_operation(&a);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_START).action, ASSIGNMENT_DO_CONNECT);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_CONNECTED).action, ASSIGNMENT_DO_QUERY);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_ASSIGNED).outcome, JOB_SUCCEEDED);
}
END_TEST

START_TEST(operation_whose_key_is_lost_is_given_up)
{
        Assignment a;
        AssignmentEffect e;

        assignment_init(&a, true, false);
        assignment_has_operation(&a);
        e = feed(&a, ASSIGNMENT_EVENT_START);
        ck_assert_int_eq(e.action, ASSIGNMENT_DO_MAKE_KEY);
        ck_assert(e.forget_operation);
        ck_assert(!a.has_operation);
}
END_TEST

START_TEST(forgotten_operation_is_registered_anew_once)
{
        Assignment a = at_step(ASSIGNMENT_QUERYING);
        AssignmentEffect e = feed(&a, ASSIGNMENT_EVENT_OPERATION_UNKNOWN);

        ck_assert_int_eq(e.action, ASSIGNMENT_DO_NOTE);
        ck_assert(e.forget_operation);
        ck_assert_str_eq(e.note,
                         "the service does not know the operation; a certificate may have been "
                         "made, and is left behind then; registering anew");
        (void) feed(&a, ASSIGNMENT_EVENT_NOTED);
        (void) feed(&a, ASSIGNMENT_EVENT_ASSIGNING);
        (void) feed(&a, ASSIGNMENT_EVENT_STORED);
        (void) feed(&a, ASSIGNMENT_EVENT_TIMER);
        e = feed(&a, ASSIGNMENT_EVENT_OPERATION_UNKNOWN);
        ck_assert_int_eq(e.outcome, JOB_FAILED);
        ck_assert(e.forget_operation);
}
END_TEST

START_TEST(operation_that_failed_for_now_is_registered_anew)
{
        Assignment a = at_step(ASSIGNMENT_QUERYING);

        ck_assert(feed(&a, ASSIGNMENT_EVENT_ENDED_TRANSIENT).forget_operation);
        ck_assert_int_eq(assignment_phase(&a), PHASE_BACKOFF);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_TIMER).action, ASSIGNMENT_DO_NOTE);
}
END_TEST

START_TEST(refused_query_is_asked_again_not_registered)
{
        Assignment a = at_step(ASSIGNMENT_QUERYING);

        (void) feed(&a, ASSIGNMENT_EVENT_REFUSED_THROTTLED);
        ck_assert_int_eq(assignment_phase(&a), PHASE_POLL);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_TIMER).action, ASSIGNMENT_DO_QUERY);
}
END_TEST

/* --- the line --------------------------------------------------------------------------------- */

START_TEST(silence_is_borne_a_few_times)
{
        AssignmentEventType type = _i % 2 ? ASSIGNMENT_EVENT_LOST : ASSIGNMENT_EVENT_TIMEOUT;
        AssignmentStep step = _i < 2 ? ASSIGNMENT_REGISTERING : ASSIGNMENT_QUERYING;
        Assignment a = at_step(step);
        AssignmentEffect e = {};

        for (unsigned i = 1; i < ASSIGNMENT_UNANSWERED_MAX; i++) {
                e = feed_all(&a, type, USEC_INFINITY, most_of(i - 1));
                ck_assert_int_eq(e.action, ASSIGNMENT_DO_WAIT);
                ck_assert_uint_eq(e.delay_usec, most_of(i - 1));
                ck_assert_int_eq(e.burn, type == ASSIGNMENT_EVENT_TIMEOUT);
                come_back(&a);
                ck_assert_int_eq(a.step, step);
        }
        e = feed(&a, type);
        ck_assert_int_eq(e.outcome, JOB_FAILED);
        ck_assert(!e.forget_operation); /* what it did is not known: to be asked after */
}
END_TEST

START_TEST(any_answer_ends_the_count_of_silences)
{
        static const AssignmentEventType answers[] = {
                ASSIGNMENT_EVENT_ASSIGNING, ASSIGNMENT_EVENT_REFUSED_TRANSIENT,
                ASSIGNMENT_EVENT_REFUSED_THROTTLED, ASSIGNMENT_EVENT_ENDED_TRANSIENT,
                ASSIGNMENT_EVENT_OPERATION_UNKNOWN};
        Assignment a = at_step(ASSIGNMENT_QUERYING);

        (void) feed(&a, ASSIGNMENT_EVENT_LOST);
        come_back(&a);
        ck_assert_uint_eq(a.unanswered, 1);
        (void) feed(&a, answers[_i]);
        ck_assert_uint_eq(a.unanswered, 0);
}
END_TEST

START_TEST(line_that_ends_in_a_pause_is_made_again_when_it_is_over)
{
        Assignment a = at_step(ASSIGNMENT_PAUSING);

        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_LOST).action, ASSIGNMENT_DO_NOTHING);
        ck_assert_int_eq(a.step, ASSIGNMENT_PAUSING);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_TIMER).action, ASSIGNMENT_DO_CONNECT);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_CONNECTED).action, ASSIGNMENT_DO_QUERY);
}
END_TEST

START_TEST(line_that_ends_while_the_id_is_written_costs_no_wait)
{
        Assignment a = at_step(ASSIGNMENT_REGISTERING);
        AssignmentEffect e;

        (void) feed_all(&a, ASSIGNMENT_EVENT_ASSIGNING, 3 * USEC_PER_SEC, 0);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_LOST).action, ASSIGNMENT_DO_NOTHING);
        e = feed(&a, ASSIGNMENT_EVENT_STORED);
        ck_assert_int_eq(e.action, ASSIGNMENT_DO_WAIT);
        ck_assert_uint_eq(e.delay_usec, 3 * USEC_PER_SEC);
        come_back(&a);
        ck_assert_int_eq(a.step, ASSIGNMENT_QUERYING);
}
END_TEST

/* --- credentials ------------------------------------------------------------------------------ */

static const AssignmentStep refusing[] = {ASSIGNMENT_CONNECTING, ASSIGNMENT_REGISTERING,
                                          ASSIGNMENT_QUERYING};

START_TEST(secondary_key_is_tried_once)
{
        Assignment a = at_step_with(refusing[_i], false, true);
        AssignmentEffect e = feed(&a, ASSIGNMENT_EVENT_CREDENTIALS_REFUSED);

        ck_assert_int_eq(e.action, ASSIGNMENT_DO_CONNECT);
        ck_assert(a.secondary);
        ck_assert(e.burn);
        ck_assert_int_eq(a.step, ASSIGNMENT_CONNECTING);
        e = feed(&a, ASSIGNMENT_EVENT_CREDENTIALS_REFUSED);
        ck_assert_int_eq(e.action, ASSIGNMENT_DO_FINISH);
        ck_assert_int_eq(e.outcome, JOB_FAILED);
        ck_assert(!e.forget_operation);
}
END_TEST

START_TEST(key_that_was_taken_stays_in_use)
{
        Assignment a = at_step_with(ASSIGNMENT_CONNECTING, false, true);

        (void) feed(&a, ASSIGNMENT_EVENT_CREDENTIALS_REFUSED);
        (void) feed(&a, ASSIGNMENT_EVENT_CONNECTED);
        (void) feed(&a, ASSIGNMENT_EVENT_LOST);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_START).action, ASSIGNMENT_DO_CONNECT);
        ck_assert(a.secondary);
}
END_TEST

START_TEST(refusal_while_the_clock_is_not_set_is_tried_again_without_end)
{
        Assignment a = at_step_with(refusing[_i], false, true);
        AssignmentEvent event = {.type = ASSIGNMENT_EVENT_CREDENTIALS_REFUSED,
                                 .retry_after_usec = USEC_INFINITY,
                                 .clock_unset = true};

        for (unsigned i = 0; i < 20; i++) {
                AssignmentEffect e;

                event.random = most_of(i);
                e = assignment_step(&a, &event);
                ck_assert_int_eq(e.action, ASSIGNMENT_DO_WAIT);
                ck_assert_uint_eq(e.delay_usec, most_of(i));
                ck_assert(e.name_clock);
                ck_assert(e.burn);
                ck_assert_int_eq(a.secondary, i % 2 == 0); /* perhaps it is the key's fault */
                ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_START).action, ASSIGNMENT_DO_CONNECT);
        }
        event.clock_unset = false;
        ck_assert_int_eq(assignment_step(&a, &event).action, ASSIGNMENT_DO_CONNECT);
        ck_assert(a.secondary);
        ck_assert_int_eq(assignment_step(&a, &event).action, ASSIGNMENT_DO_FINISH);
}
END_TEST

START_TEST(both_keys_are_tried_once_the_clock_is_set)
{
        Assignment a = at_step_with(refusing[_i], false, true);
        AssignmentEvent event = {.type = ASSIGNMENT_EVENT_CREDENTIALS_REFUSED,
                                 .retry_after_usec = USEC_INFINITY,
                                 .clock_unset = true};

        ck_assert_int_eq(assignment_step(&a, &event).action, ASSIGNMENT_DO_WAIT);
        ck_assert(a.secondary);
        (void) feed(&a, ASSIGNMENT_EVENT_START);
        event.clock_unset = false;
        for (unsigned i = 0; i < 2; i++) {
                ck_assert_int_eq(assignment_step(&a, &event).action, ASSIGNMENT_DO_CONNECT);
                ck_assert_int_eq(a.secondary, i == 1);
        }
        ck_assert_int_eq(assignment_step(&a, &event).action, ASSIGNMENT_DO_FINISH);
}
END_TEST

START_TEST(cancelled_job_says_nothing_of_the_clock)
{
        Assignment a = at_step(ASSIGNMENT_REGISTERING);
        AssignmentEvent event = {.type = ASSIGNMENT_EVENT_CREDENTIALS_REFUSED, .clock_unset = true};
        AssignmentEffect e;

        (void) feed(&a, ASSIGNMENT_EVENT_CANCEL);
        e = assignment_step(&a, &event);
        ck_assert_int_eq(e.outcome, JOB_CANCELLED);
        ck_assert(!e.name_clock);
}
END_TEST

START_TEST(refusal_that_nobody_asked_for_changes_nothing)
{
        Assignment a = at_step_with(ASSIGNMENT_PAUSING, false, true);

        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_CREDENTIALS_REFUSED).action,
                         ASSIGNMENT_DO_NOTHING);
        ck_assert(!a.secondary);
}
END_TEST

static TCase *waiting(void) {
        TCase *c = tcase_create("waiting");

        tcase_add_loop_test(c, what_the_service_says_is_waited, 0, ELEMENTSOF(waits));
        tcase_add_test(c, after_a_long_wait_it_connects_and_queries);
        tcase_add_loop_test(c, what_was_left_of_a_wait_is_waited_first, 0, 2);
        tcase_add_test(c, callers_certificate_is_noted_before_it_is_asked_for_and_no_key_is_made);
        tcase_add_loop_test(c, certificate_whose_answer_does_not_come_is_named, 0, 2);
        tcase_add_test(c, line_that_is_lost_while_it_is_noted_is_made_again_and_no_more_is_noted);
        tcase_add_loop_test(c, back_off_comes_on_top_of_what_the_service_says, 0,
                            ELEMENTSOF(with_retry_after));
        tcase_add_loop_test(c, faults_are_tried_again_without_end_and_ever_slower, 0, 4);
        tcase_add_test(c, a_good_answer_ends_the_back_off);
        tcase_add_test(c, connections_are_tried_without_end);
        return c;
}

static TCase *trouble(void) {
        TCase *c = tcase_create("trouble");

        tcase_add_loop_test(c, operation_of_an_earlier_life_is_queried_first, 0, 2);
        tcase_add_test(c, operation_whose_key_is_lost_is_given_up);
        tcase_add_test(c, forgotten_operation_is_registered_anew_once);
        tcase_add_test(c, operation_that_failed_for_now_is_registered_anew);
        tcase_add_test(c, refused_query_is_asked_again_not_registered);
        tcase_add_loop_test(c, silence_is_borne_a_few_times, 0, 4);
        tcase_add_loop_test(c, any_answer_ends_the_count_of_silences, 0, 5);
        tcase_add_test(c, line_that_ends_in_a_pause_is_made_again_when_it_is_over);
        tcase_add_test(c, line_that_ends_while_the_id_is_written_costs_no_wait);
        tcase_add_loop_test(c, secondary_key_is_tried_once, 0, ELEMENTSOF(refusing));
        tcase_add_test(c, key_that_was_taken_stays_in_use);
        tcase_add_loop_test(c, refusal_while_the_clock_is_not_set_is_tried_again_without_end, 0,
                            ELEMENTSOF(refusing));
        tcase_add_loop_test(c, both_keys_are_tried_once_the_clock_is_set, 0, ELEMENTSOF(refusing));
        tcase_add_test(c, cancelled_job_says_nothing_of_the_clock);
        tcase_add_test(c, refusal_that_nobody_asked_for_changes_nothing);
        return c;
}

int main(void) {
        Suite *s = suite_create("model/assignment ways");

        suite_add_tcase(s, waiting());
        suite_add_tcase(s, trouble());
        return suite_run(s);
}

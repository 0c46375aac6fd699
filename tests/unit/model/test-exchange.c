/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/exchange.h"

#include <stdio.h>

#include "tests/unit/protocol-aws/suite.h"

static const char *const step_names[EXCHANGE_STEP_MAX] = {
        [EXCHANGE_IDLE] = "idle",       [EXCHANGE_MAKING_KEY] = "making-key",
        [EXCHANGE_NOTING] = "noting",   [EXCHANGE_CREATING] = "creating",
        [EXCHANGE_STORING] = "storing", [EXCHANGE_REGISTERING] = "registering",
        [EXCHANGE_OVER] = "over",
};

static const char *const action_names[EXCHANGE_ACTION_MAX] = {
        [EXCHANGE_DO_NOTHING] = "nothing", [EXCHANGE_DO_MAKE_KEY] = "make-key",
        [EXCHANGE_DO_NOTE] = "note",       [EXCHANGE_DO_CREATE] = "create",
        [EXCHANGE_DO_STORE] = "store",     [EXCHANGE_DO_REGISTER] = "register",
        [EXCHANGE_DO_WAIT] = "wait",       [EXCHANGE_DO_REQUEUE] = "requeue",
        [EXCHANGE_DO_FINISH] = "finish",
};

/* What happened, in words: the step it went to, and what is to be done. */
static void describe(const Exchange *x, const ExchangeEffect *e, char *ret, size_t size) {
        (void) snprintf(ret, size, "%s %s%s%s%s%s%s%s", step_names[x->step],
                        action_names[e->action], e->action == EXCHANGE_DO_FINISH ? " " : "",
                        e->action == EXCHANGE_DO_FINISH ? job_state_to_string(e->outcome) : "",
                        e->throttled ? " throttled" : "", e->burn ? " burn" : "",
                        e->leave_certificate ? " left" : "", e->suspect_policy ? " policy" : "");
}

typedef const char *Row[EXCHANGE_EVENT_TYPE_MAX]; /* NULL: nothing happens, the step stays */

/* A provision with the daemon's key, nobody interfering. */
static const Row undisturbed[EXCHANGE_STEP_MAX] = {
        [EXCHANGE_IDLE] =
                {
                        [EXCHANGE_EVENT_START] = "making-key make-key",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed",
                        [EXCHANGE_EVENT_CANCEL] = "over finish cancelled",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired",
                },
        [EXCHANGE_MAKING_KEY] =
                {
                        [EXCHANGE_EVENT_KEY_MADE] = "noting note",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired",
                },
        [EXCHANGE_NOTING] =
                {
                        [EXCHANGE_EVENT_NOTED] = "creating create",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired",
                },
        [EXCHANGE_CREATING] =
                {
                        [EXCHANGE_EVENT_CREATED] = "storing store",
                        [EXCHANGE_EVENT_REFUSED_TRANSIENT] = "idle wait",
                        [EXCHANGE_EVENT_REFUSED_THROTTLED] = "idle wait throttled",
                        [EXCHANGE_EVENT_REFUSED_TOKEN] = "making-key make-key",
                        [EXCHANGE_EVENT_REFUSED_PERMANENT] = "over finish failed",
                        [EXCHANGE_EVENT_BAD_ANSWER] = "over finish failed",
                        [EXCHANGE_EVENT_TIMEOUT] = "idle requeue burn",
                        [EXCHANGE_EVENT_LOST] = "idle requeue",
                        [EXCHANGE_EVENT_NOT_SENT] = "idle requeue",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired burn",
                },
        [EXCHANGE_STORING] =
                {
                        [EXCHANGE_EVENT_STORED] = "registering register",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed left",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired left",
                },
        [EXCHANGE_REGISTERING] =
                {
                        [EXCHANGE_EVENT_REGISTERED] = "over finish succeeded",
                        [EXCHANGE_EVENT_REFUSED_TRANSIENT] = "idle wait",
                        [EXCHANGE_EVENT_REFUSED_THROTTLED] = "idle wait throttled",
                        [EXCHANGE_EVENT_REFUSED_TOKEN] = "making-key make-key left",
                        [EXCHANGE_EVENT_REFUSED_PERMANENT] = "over finish failed left",
                        [EXCHANGE_EVENT_BAD_ANSWER] = "over finish failed left",
                        [EXCHANGE_EVENT_TIMEOUT] = "idle requeue burn",
                        [EXCHANGE_EVENT_LOST] = "idle requeue",
                        [EXCHANGE_EVENT_NOT_SENT] = "idle requeue",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed left",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired burn left",
                },
        /* EXCHANGE_OVER: whatever comes is too late. */
};

/* The same after a request to cancel it. */
static const Row cancelled[EXCHANGE_STEP_MAX] = {
        [EXCHANGE_IDLE] =
                {
                        [EXCHANGE_EVENT_START] = "over finish cancelled",
                        [EXCHANGE_EVENT_BROKEN] = "over finish cancelled",
                        [EXCHANGE_EVENT_CANCEL] = "over finish cancelled",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired",
                },
        [EXCHANGE_MAKING_KEY] =
                {
                        [EXCHANGE_EVENT_KEY_MADE] = "over finish cancelled",
                        [EXCHANGE_EVENT_BROKEN] = "over finish cancelled",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired",
                },
        [EXCHANGE_NOTING] =
                {
                        [EXCHANGE_EVENT_NOTED] = "over finish cancelled",
                        [EXCHANGE_EVENT_BROKEN] = "over finish cancelled",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired",
                },
        [EXCHANGE_CREATING] =
                {
                        [EXCHANGE_EVENT_CREATED] = "over finish cancelled left",
                        [EXCHANGE_EVENT_REFUSED_TRANSIENT] = "over finish cancelled",
                        [EXCHANGE_EVENT_REFUSED_THROTTLED] = "over finish cancelled",
                        [EXCHANGE_EVENT_REFUSED_TOKEN] = "over finish cancelled",
                        [EXCHANGE_EVENT_REFUSED_PERMANENT] = "over finish cancelled",
                        [EXCHANGE_EVENT_BAD_ANSWER] = "over finish cancelled",
                        [EXCHANGE_EVENT_TIMEOUT] = "over finish cancelled burn",
                        [EXCHANGE_EVENT_LOST] = "over finish cancelled",
                        [EXCHANGE_EVENT_NOT_SENT] = "over finish cancelled",
                        [EXCHANGE_EVENT_BROKEN] = "over finish cancelled",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired burn",
                },
        [EXCHANGE_STORING] =
                {
                        [EXCHANGE_EVENT_STORED] = "over finish cancelled left",
                        [EXCHANGE_EVENT_BROKEN] = "over finish cancelled left",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired left",
                },
        [EXCHANGE_REGISTERING] =
                {
                        /* Too late: it has its thing. */
                        [EXCHANGE_EVENT_REGISTERED] = "over finish succeeded",
                        [EXCHANGE_EVENT_REFUSED_TRANSIENT] = "over finish cancelled left",
                        [EXCHANGE_EVENT_REFUSED_THROTTLED] = "over finish cancelled left",
                        [EXCHANGE_EVENT_REFUSED_TOKEN] = "over finish cancelled left",
                        [EXCHANGE_EVENT_REFUSED_PERMANENT] = "over finish cancelled left",
                        [EXCHANGE_EVENT_BAD_ANSWER] = "over finish cancelled left",
                        [EXCHANGE_EVENT_TIMEOUT] = "over finish cancelled burn left",
                        [EXCHANGE_EVENT_LOST] = "over finish cancelled left",
                        [EXCHANGE_EVENT_NOT_SENT] = "over finish cancelled left",
                        [EXCHANGE_EVENT_BROKEN] = "over finish cancelled left",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired burn left",
                },
};

/* A provision with the daemon's key, led to this step. */
static Exchange at_step(ExchangeStep step) {
        static const ExchangeEventType way[] = {EXCHANGE_EVENT_START,  EXCHANGE_EVENT_KEY_MADE,
                                                EXCHANGE_EVENT_NOTED,  EXCHANGE_EVENT_CREATED,
                                                EXCHANGE_EVENT_STORED, EXCHANGE_EVENT_REGISTERED};
        Exchange x;

        exchange_init(&x, OPERATION_PROVISION, KEY_SOURCE_DAEMON);
        for (size_t i = 0; x.step != step && i < ELEMENTSOF(way); i++)
                (void) exchange_step(&x, way[i], 0);
        ck_assert_int_eq(x.step, step);
        return x;
}

static void expect_row(ExchangeStep step, const Row row, bool after_cancel) {
        for (ExchangeEventType type = 0; type < EXCHANGE_EVENT_TYPE_MAX; type++) {
                Exchange x = at_step(step);
                ExchangeEffect e;
                char seen[128], nothing[64];

                if (after_cancel)
                        x.cancelled = true;
                e = exchange_step(&x, type, 0);
                describe(&x, &e, seen, sizeof(seen));
                (void) snprintf(nothing, sizeof(nothing), "%s nothing", step_names[step]);
                ck_assert_msg(streq(seen, row[type] ? row[type] : nothing),
                              "%s, event %d: %s, expected %s", step_names[step], type, seen,
                              row[type] ? row[type] : nothing);
                /* Whatever is done has its line in the history. */
                ck_assert((e.action == EXCHANGE_DO_NOTHING) == (e.note == NULL));
        }
}

START_TEST(each_event_in_each_step)
{ expect_row((ExchangeStep) _i, undisturbed[_i], false); }
END_TEST

START_TEST(each_event_in_each_step_of_a_cancelled_job)
{ expect_row((ExchangeStep) _i, cancelled[_i], true); }
END_TEST

START_TEST(a_request_to_cancel_is_kept)
{
        Exchange x = at_step((ExchangeStep) _i);

        (void) exchange_step(&x, EXCHANGE_EVENT_CANCEL, 0);
        ck_assert(x.cancelled);
}
END_TEST

START_TEST(unknown_events_change_nothing)
{
        Exchange x = at_step(EXCHANGE_CREATING);
        ExchangeEffect e = exchange_step(&x, EXCHANGE_EVENT_TYPE_MAX, 0);

        ck_assert_int_eq(e.action, EXCHANGE_DO_NOTHING);
        ck_assert_int_eq(x.step, EXCHANGE_CREATING);
}
END_TEST

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
        Exchange x = at_step(creates ? EXCHANGE_CREATING : EXCHANGE_REGISTERING);
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
        Exchange x = at_step(EXCHANGE_CREATING);

        (void) feed(&x, EXCHANGE_EVENT_REFUSED_TRANSIENT);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_CREATE);
}
END_TEST

START_TEST(a_certificate_that_was_stored_serves_the_next_try)
{
        Exchange x = at_step(EXCHANGE_REGISTERING);

        (void) feed(&x, EXCHANGE_EVENT_LOST);
        ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_START).action, EXCHANGE_DO_REGISTER);
}
END_TEST

START_TEST(faults_are_tried_again_without_end_and_ever_slower)
{
        Exchange x = at_step(EXCHANGE_CREATING);

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
        Exchange x = at_step(EXCHANGE_CREATING);
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
        Exchange x = at_step(EXCHANGE_REGISTERING);
        unsigned times;
        ExchangeEffect e = repeat_until_over(&x, EXCHANGE_EVENT_LOST, &times);

        ck_assert_uint_eq(times, EXCHANGE_UNANSWERED_MAX);
        ck_assert_int_eq(e.outcome, JOB_FAILED);
        ck_assert(!e.burn);
        ck_assert(e.suspect_policy);
        ck_assert(e.leave_certificate);

        x = at_step(EXCHANGE_REGISTERING);
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
        Exchange x = at_step(EXCHANGE_CREATING);

        (void) feed(&x, EXCHANGE_EVENT_LOST);
        (void) feed(&x, EXCHANGE_EVENT_START);
        ck_assert_uint_eq(x.unanswered, 1);
        (void) feed(&x, answers[_i]);
        ck_assert_uint_eq(x.unanswered, 0);
        ck_assert_uint_eq(x.dropped, 0);
}
END_TEST

START_TEST(what_was_not_sent_costs_no_try)
{
        Exchange x = at_step(EXCHANGE_CREATING);

        for (unsigned i = 0; i < 50; i++) {
                ck_assert_int_eq(feed(&x, EXCHANGE_EVENT_NOT_SENT).action, EXCHANGE_DO_REQUEUE);
                (void) feed(&x, EXCHANGE_EVENT_START);
        }
        ck_assert_uint_eq(x.unanswered, 0);
}
END_TEST

START_TEST(a_refused_token_starts_over_once)
{
        Exchange x = at_step(EXCHANGE_REGISTERING);
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

/* --- what people see -------------------------------------------------------------------------- */

START_TEST(steps_have_their_phases)
{
        static const JobPhase phases[EXCHANGE_STEP_MAX] = {
                [EXCHANGE_IDLE] = PHASE_BACKOFF,   [EXCHANGE_MAKING_KEY] = PHASE_KEYGEN,
                [EXCHANGE_NOTING] = PHASE_CREATE,  [EXCHANGE_CREATING] = PHASE_CREATE,
                [EXCHANGE_STORING] = PHASE_CREATE, [EXCHANGE_REGISTERING] = PHASE_REGISTER,
                [EXCHANGE_OVER] = PHASE_NONE};
        Exchange x = at_step((ExchangeStep) _i);

        ck_assert_int_eq(exchange_phase(&x), phases[_i]);
        ck_assert_int_eq(exchange_is_in_flight(&x),
                         _i == EXCHANGE_CREATING || _i == EXCHANGE_REGISTERING);
        x.step = EXCHANGE_STEP_MAX;
        ck_assert_int_eq(exchange_phase(&x), PHASE_NONE);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/exchange");
        TCase *c = tcase_create("exchange");

        tcase_add_loop_test(c, each_event_in_each_step, 0, EXCHANGE_STEP_MAX);
        tcase_add_loop_test(c, each_event_in_each_step_of_a_cancelled_job, 0, EXCHANGE_STEP_MAX);
        tcase_add_loop_test(c, a_request_to_cancel_is_kept, 0, EXCHANGE_OVER);
        tcase_add_test(c, unknown_events_change_nothing);
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
        tcase_add_test(c, what_was_not_sent_costs_no_try);
        tcase_add_test(c, a_refused_token_starts_over_once);
        tcase_add_test(c, a_token_that_was_handed_in_cannot_be_made_anew);
        tcase_add_loop_test(c, steps_have_their_phases, 0, EXCHANGE_STEP_MAX);
        suite_add_tcase(s, c);
        return suite_run(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the exchange does upon each event in each of its steps. */

#include <stdio.h>

#include "tests/unit/model/exchange-way.h"
#include "tests/unit/protocol-aws/suite.h"

static const char *const step_names[EXCHANGE_STEP_MAX] = {
        [EXCHANGE_IDLE] = "idle",
        [EXCHANGE_MAKING_KEY] = "making-key",
        [EXCHANGE_PLACING_KEY] = "placing-key",
        [EXCHANGE_NOTING] = "noting",
        [EXCHANGE_CREATING] = "creating",
        [EXCHANGE_STORING] = "storing",
        [EXCHANGE_REGISTERING] = "registering",
        [EXCHANGE_KEEPING] = "keeping",
        [EXCHANGE_VERIFYING] = "verifying",
        [EXCHANGE_OVER] = "over",
};

static const char *const action_names[EXCHANGE_ACTION_MAX] = {
        [EXCHANGE_DO_NOTHING] = "nothing", [EXCHANGE_DO_MAKE_KEY] = "make-key",
        [EXCHANGE_DO_NOTE] = "note",       [EXCHANGE_DO_CREATE] = "create",
        [EXCHANGE_DO_STORE] = "store",     [EXCHANGE_DO_REGISTER] = "register",
        [EXCHANGE_DO_KEEP] = "keep",       [EXCHANGE_DO_VERIFY] = "verify",
        [EXCHANGE_DO_WAIT] = "wait",       [EXCHANGE_DO_REQUEUE] = "requeue",
        [EXCHANGE_DO_FINISH] = "finish",   [EXCHANGE_DO_PLACE_KEY] = "place-key",
};

/* What happened, in words: the step it went to, and what is to be done. */
static void describe(const Exchange *x, const ExchangeEffect *e, char *ret, size_t size) {
        (void) snprintf(ret, size, "%s %s%s%s%s%s%s%s%s%s", step_names[x->step],
                        action_names[e->action], e->action == EXCHANGE_DO_FINISH ? " " : "",
                        e->action == EXCHANGE_DO_FINISH ? job_state_to_string(e->outcome) : "",
                        e->throttled ? " throttled" : "", e->burn ? " burn" : "",
                        e->leave_certificate ? " left" : "", e->suspect_policy ? " policy" : "",
                        e->verify_failed ? " verify-failed" : "",
                        e->verify_undecided ? " undecided" : "");
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
        [EXCHANGE_PLACING_KEY] =
                {
                        [EXCHANGE_EVENT_STORED] = "making-key make-key",
                        [EXCHANGE_EVENT_KEY_LATER] = "idle wait",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed",
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
                        [EXCHANGE_EVENT_DOUBTFUL] = "idle requeue burn",
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
                        [EXCHANGE_EVENT_DOUBTFUL] = "idle requeue burn",
                        [EXCHANGE_EVENT_BAD_ANSWER] = "over finish failed left",
                        [EXCHANGE_EVENT_TIMEOUT] = "idle requeue burn",
                        [EXCHANGE_EVENT_LOST] = "idle requeue",
                        [EXCHANGE_EVENT_NOT_SENT] = "idle requeue",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed left",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired burn left",
                },
        [EXCHANGE_KEEPING] =
                {
                        [EXCHANGE_EVENT_STORED] = "verifying verify",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed left",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired left",
                },
        [EXCHANGE_VERIFYING] =
                {
                        [EXCHANGE_EVENT_VERIFIED] = "over finish succeeded",
                        [EXCHANGE_EVENT_VERIFY_REFUSED] = "idle wait",
                        [EXCHANGE_EVENT_VERIFY_UNDECIDED] = "idle wait",
                        [EXCHANGE_EVENT_NOT_SENT] = "idle requeue",
                        [EXCHANGE_EVENT_BROKEN] = "over finish failed verify-failed undecided",
                        [EXCHANGE_EVENT_CANCEL] = "over finish cancelled left",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired left",
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
        [EXCHANGE_PLACING_KEY] =
                {
                        [EXCHANGE_EVENT_STORED] = "over finish cancelled",
                        [EXCHANGE_EVENT_KEY_LATER] = "over finish cancelled",
                        [EXCHANGE_EVENT_BROKEN] = "over finish cancelled",
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
                        [EXCHANGE_EVENT_DOUBTFUL] = "over finish cancelled burn",
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
                        [EXCHANGE_EVENT_DOUBTFUL] = "over finish cancelled burn left",
                        [EXCHANGE_EVENT_BAD_ANSWER] = "over finish cancelled left",
                        [EXCHANGE_EVENT_TIMEOUT] = "over finish cancelled burn left",
                        [EXCHANGE_EVENT_LOST] = "over finish cancelled left",
                        [EXCHANGE_EVENT_NOT_SENT] = "over finish cancelled left",
                        [EXCHANGE_EVENT_BROKEN] = "over finish cancelled left",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired burn left",
                },
        /* Its identity is on record, and one who asks again has it tried. */
        [EXCHANGE_KEEPING] =
                {
                        [EXCHANGE_EVENT_STORED] = "over finish cancelled left",
                        [EXCHANGE_EVENT_BROKEN] = "over finish cancelled left",
                        [EXCHANGE_EVENT_EXPIRED] = "over finish expired left",
                },
        /* EXCHANGE_VERIFYING: a request to cancel ends it at once. */
};

static void expect_row(ExchangeStep step, const Row row, bool after_cancel) {
        for (ExchangeEventType type = 0; type < EXCHANGE_EVENT_TYPE_MAX; type++) {
                Exchange x = exchange_at_step(step);
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
{
        if (_i != EXCHANGE_VERIFYING)
                expect_row((ExchangeStep) _i, cancelled[_i], true);
}
END_TEST

START_TEST(a_request_to_cancel_is_kept)
{
        Exchange x = exchange_at_step((ExchangeStep) _i);

        (void) exchange_step(&x, EXCHANGE_EVENT_CANCEL, 0);
        ck_assert(x.cancelled);
}
END_TEST

START_TEST(unknown_events_change_nothing)
{
        Exchange x = exchange_at_step(EXCHANGE_CREATING);
        ExchangeEffect e = exchange_step(&x, EXCHANGE_EVENT_TYPE_MAX, 0);

        ck_assert_int_eq(e.action, EXCHANGE_DO_NOTHING);
        ck_assert_int_eq(x.step, EXCHANGE_CREATING);
}
END_TEST

/* --- what people see -------------------------------------------------------------------------- */

START_TEST(steps_have_their_phases)
{
        static const JobPhase phases[EXCHANGE_STEP_MAX] = {
                [EXCHANGE_IDLE] = PHASE_BACKOFF,     [EXCHANGE_MAKING_KEY] = PHASE_KEYGEN,
                [EXCHANGE_NOTING] = PHASE_CREATE,    [EXCHANGE_CREATING] = PHASE_CREATE,
                [EXCHANGE_STORING] = PHASE_CREATE,   [EXCHANGE_REGISTERING] = PHASE_REGISTER,
                [EXCHANGE_KEEPING] = PHASE_REGISTER, [EXCHANGE_VERIFYING] = PHASE_VERIFY,
                [EXCHANGE_OVER] = PHASE_NONE,        [EXCHANGE_PLACING_KEY] = PHASE_KEYGEN};
        Exchange x = exchange_at_step((ExchangeStep) _i);

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
        tcase_add_loop_test(c, steps_have_their_phases, 0, EXCHANGE_STEP_MAX);
        suite_add_tcase(s, c);
        return suite_run(s);
}

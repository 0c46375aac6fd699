/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/assignment.h"

#include <stdio.h>

#include "daemon/model/session.h"
#include "tests/unit/model/assignment-way.h"
#include "tests/unit/protocol-aws/suite.h"

static const char *const step_names[ASSIGNMENT_STEP_MAX] = {
        [ASSIGNMENT_IDLE] = "idle",
        [ASSIGNMENT_PLACING_KEY] = "placing-key",
        [ASSIGNMENT_MAKING_KEY] = "making-key",
        [ASSIGNMENT_STORING_KEY] = "storing-key",
        [ASSIGNMENT_CONNECTING] = "connecting",
        [ASSIGNMENT_NOTING] = "noting",
        [ASSIGNMENT_REGISTERING] = "registering",
        [ASSIGNMENT_STORING] = "storing",
        [ASSIGNMENT_PAUSING] = "pausing",
        [ASSIGNMENT_QUERYING] = "querying",
        [ASSIGNMENT_OVER] = "over",
};

static const char *const action_names[ASSIGNMENT_ACTION_MAX] = {
        [ASSIGNMENT_DO_NOTHING] = "nothing",     [ASSIGNMENT_DO_MAKE_KEY] = "make-key",
        [ASSIGNMENT_DO_STORE] = "store",         [ASSIGNMENT_DO_CONNECT] = "connect",
        [ASSIGNMENT_DO_REGISTER] = "register",   [ASSIGNMENT_DO_QUERY] = "query",
        [ASSIGNMENT_DO_PAUSE] = "pause",         [ASSIGNMENT_DO_WAIT] = "wait",
        [ASSIGNMENT_DO_FINISH] = "finish",       [ASSIGNMENT_DO_NOTE] = "note",
        [ASSIGNMENT_DO_GIVE_TIME] = "give-time", [ASSIGNMENT_DO_PLACE_KEY] = "place-key",
};

/* What happened, in words: the step it went to, and what is to be done. */
static void describe(const Assignment *a, const AssignmentEffect *e, char *ret, size_t size) {
        (void) snprintf(ret, size, "%s %s%s%s%s%s%s%s", step_names[a->step],
                        action_names[e->action], e->action == ASSIGNMENT_DO_FINISH ? " " : "",
                        e->action == ASSIGNMENT_DO_FINISH ? job_state_to_string(e->outcome) : "",
                        e->throttled ? " throttled" : "", e->burn ? " burn" : "",
                        e->name_clock ? " clock" : "", e->forget_operation ? " forget" : "");
}

typedef const char *Row[ASSIGNMENT_EVENT_TYPE_MAX]; /* NULL: nothing happens, the step stays */

#define EV(name) [ASSIGNMENT_EVENT_##name]

/* One key, a certificate is issued along, nobody interfering. */
static const Row undisturbed[ASSIGNMENT_STEP_MAX] = {
        [ASSIGNMENT_IDLE] =
                {
                        EV(START) = "making-key make-key",
                        EV(BROKEN) = "over finish failed",
                        EV(CANCEL) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_PLACING_KEY] =
                {
                        EV(STORED) = "making-key make-key",
                        EV(KEY_LATER) = "idle wait",
                        EV(BROKEN) = "over finish failed",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_MAKING_KEY] =
                {
                        EV(KEY_MADE) = "storing-key store",
                        EV(BROKEN) = "over finish failed",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_STORING_KEY] =
                {
                        EV(STORED) = "connecting connect",
                        EV(BROKEN) = "over finish failed",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_CONNECTING] =
                {
                        EV(CONNECTED) = "noting note",
                        EV(NOT_CONNECTED) = "idle wait",
                        EV(CREDENTIALS_REFUSED) = "over finish failed burn",
                        EV(TIMEOUT) = "idle wait burn",
                        EV(LOST) = "idle wait",
                        EV(HURRY) = "connecting give-time",
                        EV(BROKEN) = "over finish failed",
                        EV(CANCEL) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_NOTING] =
                {
                        EV(NOTED) = "registering register",
                        EV(BROKEN) = "over finish failed",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_REGISTERING] =
                {
                        EV(CREDENTIALS_REFUSED) = "over finish failed burn",
                        EV(ASSIGNING) = "storing store",
                        EV(ASSIGNED) = "over finish succeeded",
                        EV(ENDED_TRANSIENT) = "pausing pause",
                        EV(ENDED_THROTTLED) = "pausing pause throttled",
                        EV(ENDED) = "over finish failed",
                        EV(REFUSED_TRANSIENT) = "pausing pause",
                        EV(REFUSED_THROTTLED) = "pausing pause throttled",
                        EV(REFUSED_PERMANENT) = "over finish failed",
                        EV(OPERATION_UNKNOWN) = "over finish failed",
                        EV(BAD_ANSWER) = "over finish failed",
                        EV(TIMEOUT) = "idle wait burn",
                        EV(LOST) = "idle wait",
                        EV(NOT_SENT) = "idle wait",
                        EV(BROKEN) = "over finish failed",
                        EV(EXPIRED) = "over finish expired burn",
                },
        [ASSIGNMENT_STORING] =
                {
                        EV(STORED) = "pausing pause",
                        EV(BROKEN) = "over finish failed",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_PAUSING] =
                {
                        EV(TIMER) = "querying query",
                        EV(BROKEN) = "over finish failed",
                        EV(CANCEL) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_QUERYING] =
                {
                        EV(CREDENTIALS_REFUSED) = "over finish failed burn",
                        EV(ASSIGNING) = "pausing pause",
                        EV(ASSIGNED) = "over finish succeeded",
                        EV(ENDED_TRANSIENT) = "pausing pause forget",
                        EV(ENDED_THROTTLED) = "pausing pause throttled forget",
                        EV(ENDED) = "over finish failed forget",
                        EV(REFUSED_TRANSIENT) = "pausing pause",
                        EV(REFUSED_THROTTLED) = "pausing pause throttled",
                        EV(REFUSED_PERMANENT) = "over finish failed forget",
                        EV(OPERATION_UNKNOWN) = "noting note forget",
                        EV(BAD_ANSWER) = "over finish failed forget",
                        EV(TIMEOUT) = "idle wait burn",
                        EV(LOST) = "idle wait",
                        EV(NOT_SENT) = "idle wait",
                        EV(BROKEN) = "over finish failed",
                        EV(EXPIRED) = "over finish expired burn",
                },
        /* ASSIGNMENT_OVER: whatever comes is too late. */
};

/* The same after a request to cancel it. */
static const Row cancelled[ASSIGNMENT_STEP_MAX] = {
        [ASSIGNMENT_IDLE] =
                {
                        EV(START) = "over finish cancelled",
                        EV(BROKEN) = "over finish cancelled",
                        EV(CANCEL) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_PLACING_KEY] =
                {
                        EV(STORED) = "over finish cancelled",
                        EV(KEY_LATER) = "over finish cancelled",
                        EV(BROKEN) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_MAKING_KEY] =
                {
                        EV(KEY_MADE) = "over finish cancelled",
                        EV(BROKEN) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_STORING_KEY] =
                {
                        EV(STORED) = "over finish cancelled",
                        EV(BROKEN) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_CONNECTING] =
                {
                        EV(CONNECTED) = "over finish cancelled",
                        EV(NOT_CONNECTED) = "over finish cancelled",
                        EV(CREDENTIALS_REFUSED) = "over finish cancelled burn",
                        EV(TIMEOUT) = "over finish cancelled burn",
                        EV(LOST) = "over finish cancelled",
                        EV(HURRY) = "connecting give-time",
                        EV(BROKEN) = "over finish cancelled",
                        EV(CANCEL) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_NOTING] =
                {
                        EV(NOTED) = "over finish cancelled",
                        EV(BROKEN) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_REGISTERING] =
                {
                        EV(CREDENTIALS_REFUSED) = "over finish cancelled burn",
                        EV(ASSIGNING) = "storing store",
                        EV(ASSIGNED) = "over finish succeeded",
                        EV(ENDED_TRANSIENT) = "over finish cancelled",
                        EV(ENDED_THROTTLED) = "over finish cancelled",
                        EV(ENDED) = "over finish cancelled",
                        EV(REFUSED_TRANSIENT) = "over finish cancelled",
                        EV(REFUSED_THROTTLED) = "over finish cancelled",
                        EV(REFUSED_PERMANENT) = "over finish cancelled",
                        EV(OPERATION_UNKNOWN) = "over finish cancelled",
                        EV(BAD_ANSWER) = "over finish cancelled",
                        EV(TIMEOUT) = "over finish cancelled burn",
                        EV(LOST) = "over finish cancelled",
                        EV(NOT_SENT) = "over finish cancelled",
                        EV(BROKEN) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired burn",
                },
        [ASSIGNMENT_STORING] =
                {
                        EV(STORED) = "over finish cancelled",
                        EV(BROKEN) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_PAUSING] =
                {
                        EV(TIMER) = "over finish cancelled",
                        EV(BROKEN) = "over finish cancelled",
                        EV(CANCEL) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired",
                },
        [ASSIGNMENT_QUERYING] =
                {
                        EV(CREDENTIALS_REFUSED) = "over finish cancelled burn",
                        EV(ASSIGNING) = "over finish cancelled",
                        EV(ASSIGNED) = "over finish succeeded",
                        EV(ENDED_TRANSIENT) = "over finish cancelled forget",
                        EV(ENDED_THROTTLED) = "over finish cancelled forget",
                        EV(ENDED) = "over finish cancelled forget",
                        EV(REFUSED_TRANSIENT) = "over finish cancelled",
                        EV(REFUSED_THROTTLED) = "over finish cancelled",
                        EV(REFUSED_PERMANENT) = "over finish cancelled forget",
                        EV(OPERATION_UNKNOWN) = "over finish cancelled forget",
                        EV(BAD_ANSWER) = "over finish cancelled forget",
                        EV(TIMEOUT) = "over finish cancelled burn",
                        EV(LOST) = "over finish cancelled",
                        EV(NOT_SENT) = "over finish cancelled",
                        EV(BROKEN) = "over finish cancelled",
                        EV(EXPIRED) = "over finish expired burn",
                },
};

static void expect_row(AssignmentStep step, const Row row, bool after_cancel) {
        for (AssignmentEventType type = 0; type < ASSIGNMENT_EVENT_TYPE_MAX; type++) {
                Assignment a = at_step(step);
                AssignmentEffect e;
                char seen[128], nothing[64];

                a.cancelled = after_cancel;
                e = feed(&a, type);
                describe(&a, &e, seen, sizeof(seen));
                (void) snprintf(nothing, sizeof(nothing), "%s nothing", step_names[step]);
                ck_assert_msg(streq(seen, row[type] ? row[type] : nothing),
                              "%s, event %d: %s, expected %s", step_names[step], type, seen,
                              row[type] ? row[type] : nothing);
        }
}

START_TEST(each_event_in_each_step)
{ expect_row((AssignmentStep) _i, undisturbed[_i], false); }
END_TEST

START_TEST(each_event_in_each_step_of_a_cancelled_job)
{ expect_row((AssignmentStep) _i, cancelled[_i], true); }
END_TEST

START_TEST(unknown_events_change_nothing)
{
        Assignment a = at_step(ASSIGNMENT_QUERYING);

        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_TYPE_MAX).action, ASSIGNMENT_DO_NOTHING);
        ck_assert_int_eq(a.step, ASSIGNMENT_QUERYING);
}
END_TEST

START_TEST(a_request_to_cancel_is_kept)
{
        Assignment a = at_step((AssignmentStep) _i);

        (void) feed(&a, ASSIGNMENT_EVENT_CANCEL);
        ck_assert(a.cancelled);
}
END_TEST

START_TEST(who_cancels_is_told_what_may_be_left)
{
        Assignment a = at_step(ASSIGNMENT_PAUSING), b = at_step(ASSIGNMENT_CONNECTING);

        ck_assert_str_eq(feed(&a, ASSIGNMENT_EVENT_CANCEL).note,
                         "cancelled; the service may finish the registration");
        ck_assert_str_eq(feed(&b, ASSIGNMENT_EVENT_CANCEL).note, "cancelled");
}
END_TEST

START_TEST(without_a_certificate_no_key_is_made)
{
        Assignment a;

        assignment_init(&a, false, false);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_START).action, ASSIGNMENT_DO_CONNECT);
        ck_assert(!a.secondary);
}
END_TEST

START_TEST(what_is_assigned_at_once_needs_no_query)
{
        Assignment a = at_step(ASSIGNMENT_REGISTERING);
        AssignmentEffect e = feed(&a, ASSIGNMENT_EVENT_ASSIGNED);

        ck_assert_int_eq(e.action, ASSIGNMENT_DO_FINISH);
        ck_assert_int_eq(e.outcome, JOB_SUCCEEDED);
}
END_TEST

START_TEST(connection_that_hangs_is_begun_anew_once_in_a_moment)
{
        Assignment a = at_step(ASSIGNMENT_CONNECTING);
        AssignmentEffect e = feed(&a, ASSIGNMENT_EVENT_HURRY);

        ck_assert_uint_eq(e.delay_usec, SESSION_HURRY_USEC);
        /* Further news do not put it off. */
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_HURRY).action, ASSIGNMENT_DO_NOTHING);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_TIMER).action, ASSIGNMENT_DO_CONNECT);
        ck_assert_int_eq(a.step, ASSIGNMENT_CONNECTING);
        /* The next one has the time that it takes, unless there is other news. */
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_TIMER).action, ASSIGNMENT_DO_NOTHING);
        ck_assert_int_eq(feed(&a, ASSIGNMENT_EVENT_HURRY).action, ASSIGNMENT_DO_GIVE_TIME);
}
END_TEST

/* --- whatever comes --------------------------------------------------------------------------- */

/* xorshift64: the same walk each time. */
static uint64_t next(uint64_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

/* What has to hold, seen from outside. */
typedef struct Watch {
        bool line;      /* a connection is there */
        bool operation; /* an id is on record */
        bool noted;     /* … that a certificate is asked for */
        bool over;
} Watch;

static void expect_lawful(Watch *w, const Assignment *a, const AssignmentEvent *event,
                          const AssignmentEffect *e, bool was_asked) {
        if (w->over) {
                ck_assert_int_eq(e->action, ASSIGNMENT_DO_NOTHING);
                return;
        }
        if (event->type == ASSIGNMENT_EVENT_CONNECTED && e->action != ASSIGNMENT_DO_NOTHING)
                w->line = true;
        if (event->type == ASSIGNMENT_EVENT_LOST || e->burn)
                w->line = false;
        if (e->forget_operation)
                w->operation = false;
        switch (e->action) {
        case ASSIGNMENT_DO_PLACE_KEY:
                break;
        case ASSIGNMENT_DO_STORE:
                if (a->step == ASSIGNMENT_STORING)
                        w->operation = true;
                break;
        case ASSIGNMENT_DO_REGISTER:
                ck_assert(w->line && !w->operation);
                ck_assert(w->noted || !a->issues);
                w->noted = false;
                break;
        case ASSIGNMENT_DO_NOTE:
                ck_assert(a->issues && !w->noted);
                w->noted = true;
                break;
        case ASSIGNMENT_DO_QUERY:
                ck_assert(w->line && w->operation);
                break;
        case ASSIGNMENT_DO_PAUSE:
                ck_assert(w->line);
                ck_assert_uint_le(e->delay_usec, ASSIGNMENT_PAUSE_MAX_USEC);
                break;
        case ASSIGNMENT_DO_GIVE_TIME:
        case ASSIGNMENT_DO_CONNECT:
                ck_assert(!w->line);
                break;
        case ASSIGNMENT_DO_FINISH:
                w->over = true;
                break;
        case ASSIGNMENT_DO_WAIT:
                w->line = w->noted = false;
                break;
        case ASSIGNMENT_DO_NOTHING:
        case ASSIGNMENT_DO_MAKE_KEY:
        case ASSIGNMENT_ACTION_MAX:
                break;
        }
        if ((e->action == ASSIGNMENT_DO_PAUSE || e->action == ASSIGNMENT_DO_WAIT) && was_asked &&
            event->retry_after_usec != USEC_INFINITY && event->type >= ASSIGNMENT_EVENT_ASSIGNING &&
            event->type <= ASSIGNMENT_EVENT_REFUSED_THROTTLED)
                ck_assert_uint_ge(e->delay_usec, event->retry_after_usec);
}

START_TEST(rules_hold_whatever_comes)
{
        uint64_t state = (uint64_t) _i * 0x9E3779B97F4A7C15U + 1;

        for (unsigned round = 0; round < 2000; round++) {
                Watch w = {};
                Assignment a;

                assignment_init(&a, next(&state) % 2, next(&state) % 2);
                if (next(&state) % 2) {
                        assignment_has_operation(&a);
                        assignment_has_key(&a);
                        w.operation = true;
                }
                for (unsigned i = 0; i < 200; i++) {
                        AssignmentEvent event = {
                                .type = (AssignmentEventType) (next(&state) %
                                                               ASSIGNMENT_EVENT_TYPE_MAX),
                                .retry_after_usec = next(&state) % 2
                                                            ? USEC_INFINITY
                                                            : next(&state) % (40 * USEC_PER_SEC),
                                .clock_unset = next(&state) % 2,
                                .random = next(&state),
                        };
                        bool asked = assignment_is_in_flight(&a);
                        AssignmentEffect e;

                        /* What ends it comes late, or the walks are short. */
                        if (i < 150 && (event.type >= ASSIGNMENT_EVENT_BROKEN ||
                                        event.type == ASSIGNMENT_EVENT_BAD_ANSWER ||
                                        event.type == ASSIGNMENT_EVENT_REFUSED_PERMANENT ||
                                        event.type == ASSIGNMENT_EVENT_ENDED))
                                continue;
                        e = assignment_step(&a, &event);
                        expect_lawful(&w, &a, &event, &e, asked);
                }
        }
}
END_TEST

START_TEST(steps_have_their_phases)
{
        static const JobPhase phases[ASSIGNMENT_STEP_MAX] = {
                [ASSIGNMENT_IDLE] = PHASE_BACKOFF,       [ASSIGNMENT_MAKING_KEY] = PHASE_KEYGEN,
                [ASSIGNMENT_STORING_KEY] = PHASE_KEYGEN, [ASSIGNMENT_CONNECTING] = PHASE_REGISTER,
                [ASSIGNMENT_NOTING] = PHASE_REGISTER,    [ASSIGNMENT_REGISTERING] = PHASE_REGISTER,
                [ASSIGNMENT_STORING] = PHASE_POLL,       [ASSIGNMENT_PAUSING] = PHASE_POLL,
                [ASSIGNMENT_QUERYING] = PHASE_POLL,      [ASSIGNMENT_OVER] = PHASE_NONE,
                [ASSIGNMENT_PLACING_KEY] = PHASE_KEYGEN,
        };
        Assignment a = at_step((AssignmentStep) _i);

        ck_assert_int_eq(assignment_phase(&a), phases[_i]);
        ck_assert_int_eq(assignment_is_in_flight(&a),
                         _i == ASSIGNMENT_REGISTERING || _i == ASSIGNMENT_QUERYING);
        a.step = ASSIGNMENT_STEP_MAX;
        ck_assert_int_eq(assignment_phase(&a), PHASE_NONE);
}
END_TEST

static TCase *rules(void) {
        TCase *c = tcase_create("rules");

        tcase_add_loop_test(c, each_event_in_each_step, 0, ASSIGNMENT_STEP_MAX);
        tcase_add_loop_test(c, each_event_in_each_step_of_a_cancelled_job, 0, ASSIGNMENT_STEP_MAX);
        tcase_add_test(c, unknown_events_change_nothing);
        tcase_add_loop_test(c, a_request_to_cancel_is_kept, 0, ASSIGNMENT_OVER);
        tcase_add_test(c, who_cancels_is_told_what_may_be_left);
        tcase_add_test(c, connection_that_hangs_is_begun_anew_once_in_a_moment);
        tcase_add_test(c, without_a_certificate_no_key_is_made);
        tcase_add_test(c, what_is_assigned_at_once_needs_no_query);
        tcase_add_loop_test(c, steps_have_their_phases, 0, ASSIGNMENT_STEP_MAX);
        tcase_add_loop_test(c, rules_hold_whatever_comes, 0, 8);
        return c;
}

int main(void) {
        Suite *s = suite_create("model/assignment");

        suite_add_tcase(s, rules());
        return suite_run(s);
}

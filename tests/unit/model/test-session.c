/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/session.h"

#include <stdio.h>

#include "tests/unit/protocol-aws/suite.h"

#define SUBSCRIBE_USEC (7 * USEC_PER_SEC)
#define GENERATION UINT64_C(5)

/* What happened, in words: the state it went to, and what is to be done. */
static void describe(const Session *s, const SessionEffects *e, char *ret, size_t size) {
        (void) snprintf(ret, size, "%s%s%s%s%s%s%s%s%s", session_state_to_string(s->state),
                        e->close ? " close" : "", e->connect ? " connect" : "",
                        e->subscribe ? " subscribe" : "", e->set_timer ? " timer" : "",
                        e->stop_timer ? " no-timer" : "", e->went_down ? " down" : "",
                        e->became_ready ? " up" : "",
                        s->generation != GENERATION ? " new-generation" : "");
}

/* Each event in each state. */
static const char *const transitions[SESSION_STATE_MAX][SESSION_EVENT_TYPE_MAX] = {
        [SESSION_OFFLINE] =
                {
                        [SESSION_EVENT_START] = "connecting connect no-timer new-generation",
                        [SESSION_EVENT_STOP] = "offline no-timer new-generation",
                        [SESSION_EVENT_CONNECTED] = "offline",
                        [SESSION_EVENT_SUBSCRIBED] = "offline",
                        [SESSION_EVENT_REFUSED] = "offline",
                        [SESSION_EVENT_LOST] = "offline",
                        [SESSION_EVENT_BURN] = "offline",
                        [SESSION_EVENT_PROVED] = "offline",
                        [SESSION_EVENT_TIMER] = "offline",
                        [SESSION_EVENT_HURRY] = "offline",
                        [SESSION_EVENT_RETRY] = "offline",
                },
        [SESSION_CONNECTING] =
                {
                        [SESSION_EVENT_START] = "connecting close connect no-timer new-generation",
                        [SESSION_EVENT_STOP] = "offline close no-timer new-generation",
                        [SESSION_EVENT_CONNECTED] = "subscribing subscribe timer",
                        [SESSION_EVENT_SUBSCRIBED] = "connecting",
                        [SESSION_EVENT_REFUSED] = "backoff close timer",
                        [SESSION_EVENT_LOST] = "backoff close timer",
                        [SESSION_EVENT_BURN] = "backoff close timer",
                        [SESSION_EVENT_PROVED] = "connecting",
                        [SESSION_EVENT_TIMER] = "connecting",
                        [SESSION_EVENT_HURRY] = "connecting timer",
                        [SESSION_EVENT_RETRY] = "connecting",
                },
        [SESSION_SUBSCRIBING] =
                {
                        [SESSION_EVENT_START] = "connecting close connect no-timer new-generation",
                        [SESSION_EVENT_STOP] = "offline close no-timer new-generation",
                        [SESSION_EVENT_CONNECTED] = "subscribing",
                        [SESSION_EVENT_SUBSCRIBED] = "ready no-timer up",
                        [SESSION_EVENT_REFUSED] = "backoff close timer",
                        [SESSION_EVENT_LOST] = "backoff close timer",
                        [SESSION_EVENT_BURN] = "backoff close timer",
                        [SESSION_EVENT_PROVED] = "subscribing",
                        [SESSION_EVENT_TIMER] = "backoff close timer",
                        [SESSION_EVENT_HURRY] = "subscribing",
                        [SESSION_EVENT_RETRY] = "subscribing",
                },
        [SESSION_READY] =
                {
                        [SESSION_EVENT_START] =
                                "connecting close connect no-timer down new-generation",
                        [SESSION_EVENT_STOP] = "offline close no-timer down new-generation",
                        [SESSION_EVENT_CONNECTED] = "ready",
                        [SESSION_EVENT_SUBSCRIBED] = "ready",
                        [SESSION_EVENT_REFUSED] = "backoff close timer down",
                        [SESSION_EVENT_LOST] = "backoff close timer down",
                        [SESSION_EVENT_BURN] = "backoff close timer down",
                        [SESSION_EVENT_PROVED] = "ready",
                        [SESSION_EVENT_TIMER] = "ready",
                        [SESSION_EVENT_HURRY] = "ready",
                        [SESSION_EVENT_RETRY] = "ready",
                },
        [SESSION_BACKOFF] =
                {
                        [SESSION_EVENT_START] = "connecting connect no-timer new-generation",
                        [SESSION_EVENT_STOP] = "offline no-timer new-generation",
                        [SESSION_EVENT_CONNECTED] = "backoff",
                        [SESSION_EVENT_SUBSCRIBED] = "backoff",
                        [SESSION_EVENT_REFUSED] = "backoff",
                        [SESSION_EVENT_LOST] = "backoff",
                        [SESSION_EVENT_BURN] = "backoff",
                        [SESSION_EVENT_PROVED] = "backoff",
                        [SESSION_EVENT_TIMER] = "connecting connect no-timer new-generation",
                        [SESSION_EVENT_HURRY] = "connecting connect no-timer new-generation",
                        [SESSION_EVENT_RETRY] = "connecting connect no-timer new-generation",
                },
};

static Session in_state(SessionState state) {
        Session s;

        session_init(&s, SUBSCRIBE_USEC);
        s.state = state;
        s.generation = GENERATION;
        return s;
}

static SessionEffects step(Session *s, SessionEventType type) {
        return session_step(s, &(SessionEvent){.type = type,
                                               .generation = s->generation,
                                               .random = 77,
                                               .dropped = type == SESSION_EVENT_LOST});
}

START_TEST(each_event_in_each_state)
{
        for (SessionEventType type = 0; type < SESSION_EVENT_TYPE_MAX; type++) {
                Session s = in_state((SessionState) _i);
                SessionEffects e = step(&s, type);
                const char *expected = transitions[_i][type];
                char seen[128];

                describe(&s, &e, seen, sizeof(seen));
                ck_assert_ptr_nonnull(expected);
                ck_assert_msg(streq(seen, expected), "%s, event %d: %s, expected %s",
                              session_state_to_string((SessionState) _i), type, seen, expected);
                /* No effect contradicts another. */
                ck_assert(!(e.set_timer && e.stop_timer));
                ck_assert(!(e.connect && e.subscribe));
                ck_assert(!(e.went_down && !e.close));
        }
}
END_TEST

START_TEST(what_an_older_connection_says_changes_nothing)
{
        static const SessionEventType of_a_connection[] = {
                SESSION_EVENT_CONNECTED, SESSION_EVENT_SUBSCRIBED, SESSION_EVENT_REFUSED,
                SESSION_EVENT_LOST,      SESSION_EVENT_BURN,       SESSION_EVENT_PROVED};

        for (SessionState state = 0; state < SESSION_STATE_MAX; state++)
                for (size_t i = 0; i < ELEMENTSOF(of_a_connection); i++) {
                        static const SessionEffects nothing;
                        Session s = in_state(state), before;
                        SessionEffects e;

                        s.backoff.failures = 3;
                        before = s;
                        e = session_step(&s, &(SessionEvent){.type = of_a_connection[i],
                                                             .generation = GENERATION - 1});
                        ck_assert_mem_eq(&s, &before, sizeof(s));
                        ck_assert_mem_eq(&e, &nothing, sizeof(e));
                }
}
END_TEST

START_TEST(unknown_events_change_nothing)
{
        Session s = in_state(SESSION_READY);
        SessionEffects e = step(&s, SESSION_EVENT_TYPE_MAX);

        ck_assert(!e.close && !e.connect && s.state == SESSION_READY);
}
END_TEST

START_TEST(the_first_state_is_offline)
{
        Session s;

        session_init(&s, SUBSCRIBE_USEC);
        ck_assert_int_eq(s.state, SESSION_OFFLINE);
        ck_assert(!session_suspects_policy(&s));
        ck_assert_uint_eq(s.subscribe_timeout_usec, SUBSCRIBE_USEC);
}
END_TEST

/* Connects and loses; the ceiling of the wait that follows, by drawing with all bits. */
static usec_t lose(Session *s) {
        SessionEffects e;
        unsigned failures = s->backoff.failures;

        (void) step(s, SESSION_EVENT_TIMER);
        e = step(s, SESSION_EVENT_LOST);
        ck_assert(e.set_timer);
        ck_assert_uint_eq(s->backoff.failures, failures + 1);
        return e.delay_usec;
}

START_TEST(waits_grow_until_the_service_answered)
{
        Session s = in_state(SESSION_BACKOFF);

        for (unsigned i = 0; i < 10; i++)
                ck_assert_uint_le(lose(&s), SESSION_BACKOFF_CAP_USEC);
        (void) step(&s, SESSION_EVENT_TIMER);
        (void) step(&s, SESSION_EVENT_CONNECTED);
        (void) step(&s, SESSION_EVENT_SUBSCRIBED);
        /* Ready alone is no proof: the server may drop everybody who comes so far. */
        ck_assert_uint_eq(s.backoff.failures, 10);
        (void) step(&s, SESSION_EVENT_PROVED);
        ck_assert_uint_eq(s.backoff.failures, 0);
        ck_assert_uint_le(step(&s, SESSION_EVENT_BURN).delay_usec, SESSION_BACKOFF_BASE_USEC);
}
END_TEST

START_TEST(the_wait_is_drawn)
{
        Session s = in_state(SESSION_READY);
        SessionEffects e = session_step(&s, &(SessionEvent){.type = SESSION_EVENT_LOST,
                                                            .generation = GENERATION,
                                                            .random = 123456});

        ck_assert_uint_eq(e.delay_usec, 123456);
}
END_TEST

START_TEST(subscriptions_have_their_time)
{
        Session s = in_state(SESSION_CONNECTING);
        SessionEffects e = step(&s, SESSION_EVENT_CONNECTED);

        ck_assert_uint_eq(e.delay_usec, SUBSCRIBE_USEC);
        /* A server that is silent is not one that drops. */
        (void) step(&s, SESSION_EVENT_TIMER);
        ck_assert_uint_eq(s.dropped_on_subscribe, 0);
        ck_assert_uint_eq(s.backoff.failures, 1);
}
END_TEST

START_TEST(a_policy_is_suspected_after_drops_in_a_row)
{
        Session s = in_state(SESSION_SUBSCRIBING);

        for (unsigned i = 1; i <= SESSION_POLICY_SUSPICION; i++) {
                ck_assert(!session_suspects_policy(&s));
                (void) step(&s, SESSION_EVENT_LOST);
                ck_assert_uint_eq(s.dropped_on_subscribe, i);
                (void) step(&s, SESSION_EVENT_TIMER);
                (void) step(&s, SESSION_EVENT_CONNECTED);
        }
        ck_assert(session_suspects_policy(&s));
        (void) step(&s, SESSION_EVENT_SUBSCRIBED);
        ck_assert(!session_suspects_policy(&s));
}
END_TEST

START_TEST(other_losses_are_no_drops)
{
        Session s = in_state(SESSION_CONNECTING);

        (void) step(&s, SESSION_EVENT_LOST);
        ck_assert_uint_eq(s.dropped_on_subscribe, 0);
        s = in_state(SESSION_READY);
        (void) step(&s, SESSION_EVENT_LOST);
        ck_assert_uint_eq(s.dropped_on_subscribe, 0);
        /* Nobody dropped it: it broke. */
        for (SessionState state = SESSION_SUBSCRIBING; state <= SESSION_READY; state++) {
                s = in_state(state);
                (void) session_step(&s, &(SessionEvent){.type = SESSION_EVENT_LOST,
                                                        .generation = s.generation});
                ck_assert_uint_eq(s.dropped_on_subscribe, 0);
                ck_assert_uint_eq(s.pushed_out, 0);
                ck_assert(!s.breaker_open);
        }
}
END_TEST

START_TEST(a_refused_subscription_leaves_no_doubt)
{
        Session s = in_state(SESSION_SUBSCRIBING);

        (void) step(&s, SESSION_EVENT_REFUSED);
        ck_assert(session_suspects_policy(&s));
}
END_TEST

START_TEST(another_claim_starts_with_a_clean_slate)
{
        Session s = in_state(SESSION_BACKOFF);

        s.backoff.failures = 9;
        s.dropped_on_subscribe = 9;
        (void) step(&s, SESSION_EVENT_START);
        ck_assert_uint_eq(s.backoff.failures, 0);
        ck_assert(!session_suspects_policy(&s));
}
END_TEST

/* What the network still lacks comes a moment later. But it is the same claim. */
START_TEST(haste_begins_the_waits_again)
{
        Session s = in_state(SESSION_BACKOFF);

        s.backoff.failures = 9;
        s.dropped_on_subscribe = 1;
        (void) step(&s, SESSION_EVENT_HURRY);
        ck_assert_uint_eq(s.backoff.failures, 0);
        ck_assert_uint_eq(s.dropped_on_subscribe, 1);
}
END_TEST

START_TEST(connection_that_was_begun_before_the_network_came_is_begun_anew)
{
        Session s = in_state(SESSION_CONNECTING);
        uint64_t generation = s.generation;
        SessionEffects e;

        s.backoff.failures = 9;
        e = step(&s, SESSION_EVENT_HURRY);
        ck_assert(e.set_timer && !e.close && !e.connect);
        ck_assert_uint_eq(e.delay_usec, SESSION_HURRY_USEC);
        ck_assert_uint_eq(s.generation, generation);
        ck_assert(!step(&s, SESSION_EVENT_HURRY).set_timer); /* more news put it off no further */
        e = step(&s, SESSION_EVENT_TIMER);
        ck_assert(e.close && e.connect);
        ck_assert_uint_gt(s.generation, generation);
        ck_assert_uint_eq(s.backoff.failures, 9);
        e = step(&s, SESSION_EVENT_TIMER);
        ck_assert(!e.close && !e.connect);
        ck_assert(step(&s, SESSION_EVENT_HURRY).set_timer);
        e = step(&s, SESSION_EVENT_CONNECTED); /* in time */
        ck_assert(!e.close && e.subscribe);
        ck_assert_uint_eq(e.delay_usec, SUBSCRIBE_USEC);
}
END_TEST

/* --- the breaker --------------------------------------------------------------------------------
 */

static void up_to_subscribing(Session *s) {
        if (s->state == SESSION_BACKOFF)
                (void) step(s, SESSION_EVENT_TIMER);
        (void) step(s, SESSION_EVENT_CONNECTED);
        ck_assert_int_eq(s->state, SESSION_SUBSCRIBING);
}

START_TEST(a_refused_topic_makes_the_waits_long)
{
        SessionEventType how = _i == 0 ? SESSION_EVENT_LOST : SESSION_EVENT_REFUSED;
        Session s = in_state(SESSION_CONNECTING);
        usec_t most = SESSION_BREAKER_BASE_USEC;

        if (how == SESSION_EVENT_LOST) { /* the first one may have been chance */
                up_to_subscribing(&s);
                ck_assert_uint_le(step(&s, how).delay_usec, SESSION_BACKOFF_BASE_USEC);
        }
        for (unsigned i = 0; i < 10; i++) {
                SessionEffects e;

                up_to_subscribing(&s);
                ck_assert(how == SESSION_EVENT_REFUSED || session_subscribes_singly(&s));
                e = step(&s, how);
                ck_assert_uint_ge(e.delay_usec, most / 2);
                ck_assert_uint_le(e.delay_usec, most);
                most = most * 2 > SESSION_BREAKER_CAP_USEC ? SESSION_BREAKER_CAP_USEC : most * 2;
        }
        /* Neither network nor clock mend a policy. */
        (void) step(&s, SESSION_EVENT_HURRY);
        ck_assert_int_eq(s.state, SESSION_BACKOFF);
        /* Who asks for it gets one try, and the next wait is the shortest of the long ones. */
        (void) step(&s, SESSION_EVENT_RETRY);
        ck_assert_int_eq(s.state, SESSION_CONNECTING);
        up_to_subscribing(&s);
        ck_assert_uint_le(step(&s, how).delay_usec, SESSION_BREAKER_BASE_USEC);
        /* Once it is let in, all is forgotten. */
        up_to_subscribing(&s);
        (void) step(&s, SESSION_EVENT_SUBSCRIBED);
        ck_assert(!session_suspects_policy(&s) && !session_subscribes_singly(&s));
        ck_assert_uint_eq(s.breaker.failures, 0);
}
END_TEST

START_TEST(a_network_that_is_away_does_not_open_the_breaker)
{
        Session s = in_state(SESSION_SUBSCRIBING);

        (void) step(&s, SESSION_EVENT_REFUSED);
        (void) step(&s, SESSION_EVENT_TIMER);
        ck_assert_uint_le(step(&s, SESSION_EVENT_LOST).delay_usec, SESSION_BACKOFF_CAP_USEC);
        ck_assert_uint_eq(s.breaker.failures, 1);
        (void) step(&s, SESSION_EVENT_HURRY);
        ck_assert_int_eq(s.state, SESSION_CONNECTING);
        /* And is no reason to forget why it was open. */
        ck_assert(session_suspects_policy(&s));
}
END_TEST

static SessionEffects push_out(Session *s, usec_t lived_usec, bool busy) {
        up_to_subscribing(s);
        (void) step(s, SESSION_EVENT_SUBSCRIBED);
        return session_step(s, &(SessionEvent){.type = SESSION_EVENT_LOST,
                                               .generation = s->generation,
                                               .random = 77,
                                               .dropped = true,
                                               .lived_usec = lived_usec,
                                               .busy = busy});
}

static Session pushed_out(void) {
        Session s = in_state(SESSION_CONNECTING);

        for (unsigned i = 1; i <= SESSION_TAKEOVER_SUSPICION; i++) {
                ck_assert(!session_suspects_takeover(&s));
                (void) push_out(&s, SESSION_SHORT_USEC, false);
                ck_assert_uint_eq(s.pushed_out, i);
        }
        ck_assert(session_suspects_takeover(&s));
        return s;
}

START_TEST(who_is_pushed_out_again_and_again_suspects_another_client)
{
        Session s = pushed_out();
        usec_t most = SESSION_BREAKER_BASE_USEC;

        /* Answers in between prove the service, not peace. */
        (void) step(&s, SESSION_EVENT_PROVED);
        ck_assert(session_suspects_takeover(&s));
        for (unsigned i = 0; i < 10; i++) {
                SessionEffects e = push_out(&s, SESSION_BREAKER_CAP_USEC, i % 2 == 0);

                most = most * 2 > SESSION_BREAKER_CAP_USEC ? SESSION_BREAKER_CAP_USEC : most * 2;
                ck_assert_uint_ge(e.delay_usec, most / 2);
                ck_assert_uint_le(e.delay_usec, most);
                (void) step(&s, SESSION_EVENT_HURRY);
                ck_assert_int_eq(s.state, SESSION_BACKOFF);
        }
}
END_TEST

START_TEST(peace_ends_the_suspicion)
{
        Session s = pushed_out();
        SessionEffects e;

        up_to_subscribing(&s);
        e = step(&s, SESSION_EVENT_SUBSCRIBED);
        ck_assert(e.became_ready && e.set_timer);
        ck_assert_uint_eq(e.delay_usec, SESSION_PEACE_USEC);
        ck_assert(session_suspects_takeover(&s));
        e = step(&s, SESSION_EVENT_TIMER);
        ck_assert(e.calmed);
        ck_assert_int_eq(s.state, SESSION_READY);
        ck_assert(!session_suspects_takeover(&s));
        ck_assert_uint_le(step(&s, SESSION_EVENT_LOST).delay_usec, SESSION_BACKOFF_CAP_USEC);
}
END_TEST

START_TEST(other_losses_look_like_no_other_client)
{
        Session s = in_state(SESSION_CONNECTING);

        (void) push_out(&s, 0, false);
        (void) push_out(&s, 0, false);
        /* What was asked may have been the reason: it counts for nothing. */
        (void) push_out(&s, 0, true);
        ck_assert_uint_eq(s.pushed_out, 2);
        /* Nobody threw it off for a while. */
        (void) push_out(&s, SESSION_SHORT_USEC + 1, false);
        ck_assert_uint_eq(s.pushed_out, 0);
        (void) push_out(&s, 0, false);
        (void) push_out(&s, 0, false);
        /* It does not get in: that is another trouble. */
        (void) lose(&s);
        ck_assert_uint_eq(s.pushed_out, 0);
        /* What we end ourselves is nobody else's doing. */
        s = in_state(SESSION_READY);
        (void) step(&s, SESSION_EVENT_BURN);
        ck_assert_uint_eq(s.pushed_out, 0);
        /* Another claim is another beginning. */
        s = pushed_out();
        (void) step(&s, SESSION_EVENT_START);
        ck_assert(!session_suspects_takeover(&s));
        ck_assert_uint_eq(s.breaker.failures, 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/session");
        TCase *c = tcase_create("session");

        tcase_add_loop_test(c, each_event_in_each_state, 0, SESSION_STATE_MAX);
        tcase_add_test(c, what_an_older_connection_says_changes_nothing);
        tcase_add_test(c, unknown_events_change_nothing);
        tcase_add_test(c, the_first_state_is_offline);
        tcase_add_test(c, waits_grow_until_the_service_answered);
        tcase_add_test(c, the_wait_is_drawn);
        tcase_add_test(c, subscriptions_have_their_time);
        tcase_add_test(c, a_policy_is_suspected_after_drops_in_a_row);
        tcase_add_test(c, other_losses_are_no_drops);
        tcase_add_test(c, a_refused_subscription_leaves_no_doubt);
        tcase_add_test(c, another_claim_starts_with_a_clean_slate);
        tcase_add_test(c, haste_begins_the_waits_again);
        tcase_add_test(c, connection_that_was_begun_before_the_network_came_is_begun_anew);
        tcase_add_loop_test(c, a_refused_topic_makes_the_waits_long, 0, 2);
        tcase_add_test(c, a_network_that_is_away_does_not_open_the_breaker);
        tcase_add_test(c, who_is_pushed_out_again_and_again_suspects_another_client);
        tcase_add_test(c, peace_ends_the_suspicion);
        tcase_add_test(c, other_losses_look_like_no_other_client);
        suite_add_tcase(s, c);
        return suite_run(s);
}

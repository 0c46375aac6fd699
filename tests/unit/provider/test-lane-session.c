/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The session that a lane keeps: what it subscribes to, what it says when that fails. */
#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/provider/lane-internal.h"
#include "protocol/aws/format.h"
#include "tests/unit/provider/fixture.h"

static void expect_asked(size_t i, AwsOperation operation, const char *suffix) {
        _cleanup_free_ char *topic = fixture_topic(operation, suffix);

        ck_assert_uint_lt(i, fake.n_asked);
        ck_assert_str_eq(fake.asked[i], topic);
}

static void expect_last_error(ErrorCode code, const char *text) {
        const Failure *f = lane_last_error(fixture.lane);

        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(f->code, code);
        ck_assert_msg(strstr(f->message, text), "\"%s\" does not say \"%s\"", f->message, text);
}

START_TEST(it_connects_subscribes_and_is_ready)
{
        fixture_set_encoding((Encoding) _i);
        fixture_open();
        fixture_expect("connecting ");
        ck_assert_str_eq(fake.host, "cloud.example");
        ck_assert_uint_eq(fake.port, 8883);
        ck_assert_str_eq(fake.client_id, "gateway-7");
        ck_assert_str_eq(fake.certificate, "certificate");
        ck_assert_uint_ge(fake.packet_max, AWS_PAYLOAD_MAX);
        ck_assert_uint_eq(fake.n_asked, 0);
        fake_connected();
        fixture_expect("subscribing ");
        ck_assert_uint_eq(fake.n_asked, 4);
        expect_asked(0, AWS_OPERATION_CREATE_FROM_CSR, "/accepted");
        expect_asked(1, AWS_OPERATION_CREATE_FROM_CSR, "/rejected");
        expect_asked(2, AWS_OPERATION_REGISTER, "/accepted");
        expect_asked(3, AWS_OPERATION_REGISTER, "/rejected");
        for (unsigned i = 0; i < 4; i++) {
                ck_assert(!lane_is_free(fixture.lane));
                ck_assert_uint_eq(lane_connected_since_real(fixture.lane), 0);
                fake_subscribed(true);
        }
        fixture_expect("ready ");
        ck_assert(lane_is_free(fixture.lane));
        ck_assert_uint_gt(lane_connected_since_real(fixture.lane), 0);
        ck_assert_ptr_null(lane_last_error(fixture.lane));
        ck_assert_ptr_eq(lane_profile(fixture.lane), fixture.profile);
        ck_assert_ptr_null(lane_job(fixture.lane));
}
END_TEST

START_TEST(keys_of_the_cloud_have_their_own_topics)
{
        fixture.profile->key_source = KEY_SOURCE_CLOUD;
        fixture_open();
        fake_connected();
        ck_assert_uint_eq(fake.n_asked, 4);
        expect_asked(0, AWS_OPERATION_CREATE_KEYS, "/accepted");
        expect_asked(1, AWS_OPERATION_CREATE_KEYS, "/rejected");
}
END_TEST

START_TEST(without_a_template_nothing_can_be_registered)
{
        ck_assert_int_eq(free_and_strdup(&fixture.profile->template_name, NULL), 0);
        fixture_open();
        fake_connected();
        ck_assert_uint_eq(fake.n_asked, 2);
        fake_subscribed_all();
        ck_assert(lane_is_free(fixture.lane));
}
END_TEST

START_TEST(a_profile_that_needs_no_topic_is_ready_at_once)
{
        ck_assert_int_eq(free_and_strdup(&fixture.profile->template_name, NULL), 0);
        fixture.profile->key_source = KEY_SOURCE_CALLER;
        fixture_open();
        fake_connected();
        ck_assert_uint_eq(fake.n_asked, 0);
        ck_assert(lane_is_free(fixture.lane));
}
END_TEST

START_TEST(a_lost_connection_is_made_again)
{
        fixture_open();
        fake_lost(ERROR_TLS_TRUST, "unknown authority");
        fixture_expect("connecting backoff ");
        ck_assert_ptr_null(fake.live);
        expect_last_error(ERROR_TLS_TRUST, "unknown authority");
        lane_hurry(fixture.lane);
        fixture_expect("connecting ");
        /* The error stays until the session is ready again. */
        expect_last_error(ERROR_TLS_TRUST, "unknown authority");
        fixture_ready();
        ck_assert_ptr_null(lane_last_error(fixture.lane));
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        fixture_expect("backoff ");
        ck_assert_uint_eq(lane_connected_since_real(fixture.lane), 0);
        /* And by itself, after the wait. */
        fixture_wait();
        fixture_expect("connecting ");
        ck_assert_uint_eq(fake.made, 3);
}
END_TEST

static void lose_some(void) {
        fixture_open();
        for (unsigned i = 0; i < 5; i++) {
                fake_lost(ERROR_CONNECTION_LOST, "gone");
                fixture_end_wait();
        }
        ck_assert_uint_eq(fixture.lane->session.backoff.failures, 5);
        fixture_ready();
        ck_assert_uint_eq(fixture.lane->session.backoff.failures, 5);
}

START_TEST(an_answer_proves_the_session)
{
        lose_some();
        fixture_start(fixture_job(OPERATION_CREATE_KEYS_AND_CERTIFICATE));
        fake_subscribed_all();
        ck_assert_uint_eq(fixture.lane->session.backoff.failures, 5);
        fixture_reject(AWS_OPERATION_CREATE_KEYS, 403, "no"); /* a refusal is one, too */
        ck_assert_uint_eq(fixture.lane->session.backoff.failures, 0);
}
END_TEST

START_TEST(a_session_that_lasted_has_proved_itself)
{
        bool lasted = _i == 1;

        lose_some();
        if (lasted)
                fixture.lane->connected_since_boot = clock_boot_usec() - SESSION_LASTED_USEC;
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        ck_assert_uint_eq(fixture.lane->session.backoff.failures, lasted ? 1 : 6);
}
END_TEST

START_TEST(a_connection_that_cannot_even_be_begun)
{
        fake.new_error = -ENOMEM;
        fixture_open();
        ck_assert_int_eq(lane_state(fixture.lane), SESSION_BACKOFF);
        expect_last_error(ERROR_NO_MEMORY, "cloud.example");
        fake.new_error = 0;
        fixture_ready();
}
END_TEST

START_TEST(a_refused_subscription_names_topic_and_policy)
{
        fixture_open();
        fake_connected();
        fake_subscribed(true);
        fake_subscribed(true);
        fake_subscribed(false);
        fixture_expect("connecting subscribing backoff ");
        ck_assert_ptr_null(fake.live);
        expect_last_error(ERROR_PERMISSION_DENIED_BY_POLICY,
                          "topicfilter/$aws/provisioning-templates/FleetTemplate/provision/json/"
                          "accepted");
        expect_last_error(ERROR_PERMISSION_DENIED_BY_POLICY, "iot:Subscribe");
        /* The next connection asks for all of them. */
        fixture_ready();
        ck_assert_uint_eq(fake.n_asked, 4);
}
END_TEST

START_TEST(dropped_twice_upon_a_subscription_the_policy_is_named)
{
        fixture_open();
        fake_connected();
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        expect_last_error(ERROR_CONNECTION_LOST, "gone");
        lane_hurry(fixture.lane);
        fake_connected();
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        expect_last_error(ERROR_PERMISSION_DENIED_BY_POLICY, "iot:Subscribe");
        ck_assert_int_eq(lane_last_error(fixture.lane)->cause->code, ERROR_CONNECTION_LOST);
}
END_TEST

/* Which of the topics it was cannot be told while all are open, and is told when they are not. */
START_TEST(once_dropped_it_subscribes_one_by_one_and_names_the_topic)
{
        _cleanup_free_ char *topic = fixture_topic(AWS_OPERATION_REGISTER, "/accepted");

        fixture_open();
        fake_connected();
        ck_assert_uint_eq(fake.n_asked, 4);
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        lane_hurry(fixture.lane);
        fake_connected();
        for (size_t i = 1; i <= 3; i++) {
                ck_assert_uint_eq(fake.n_asked, i);
                if (i < 3)
                        fake_subscribed(true);
        }
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        expect_last_error(ERROR_PERMISSION_DENIED_BY_POLICY, topic);
        expect_last_error(ERROR_PERMISSION_DENIED_BY_POLICY, "iot:Subscribe on topicfilter/");
        expect_last_error(ERROR_PERMISSION_DENIED_BY_POLICY, "iot:Receive on topic/");
        /* The breaker is open: only who asks for it gets a try. */
        lane_hurry(fixture.lane);
        ck_assert_int_eq(lane_state(fixture.lane), SESSION_BACKOFF);
        lane_retry(fixture.lane);
        ck_assert_int_eq(lane_state(fixture.lane), SESSION_CONNECTING);
        fixture_ready();
        ck_assert_uint_eq(fake.n_asked, 4);
        ck_assert_ptr_null(lane_last_error(fixture.lane));
        /* And then all at once again. */
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        lane_retry(fixture.lane);
        fake_connected();
        ck_assert_uint_eq(fake.n_asked, 4);
}
END_TEST

START_TEST(the_trap_of_the_sample_policy_is_named)
{
        fixture_open();
        fake_connected();
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        lane_retry(fixture.lane);
        fake_connected();
        fake_lost(ERROR_CONNECTION_LOST, "gone");
        expect_last_error(ERROR_PERMISSION_DENIED_BY_POLICY,
                          "topicfilter/$aws/certificates/create-from-csr/json/accepted");
        expect_last_error(ERROR_PERMISSION_DENIED_BY_POLICY,
                          "create/* does not cover $aws/certificates/create-from-csr/*");
}
END_TEST

/* A link that breaks is no policy. */
START_TEST(other_ends_while_subscribing_name_no_policy)
{
        fixture_open();
        for (unsigned i = 0; i < 5; i++) {
                fake_connected();
                fake_lost(ERROR_TLS_FAILED, "bad record");
                expect_last_error(ERROR_TLS_FAILED, "bad record");
                lane_hurry(fixture.lane);
        }
}
END_TEST

static void push_out(void) {
        fixture_ready();
        fake_lost(ERROR_CONNECTION_LOST, "gone");
}

START_TEST(another_client_with_its_id_is_named)
{
        for (unsigned i = 1; i < SESSION_TAKEOVER_SUSPICION; i++) {
                push_out();
                expect_last_error(ERROR_CONNECTION_LOST, "gone");
        }
        push_out();
        expect_last_error(ERROR_CONNECTION_LOST,
                          "another client seems to use the client id gateway-7");
        ck_assert_str_eq(lane_last_error(fixture.lane)->cause->message, "gone");
        lane_hurry(fixture.lane);
        ck_assert_int_eq(lane_state(fixture.lane), SESSION_BACKOFF);
        /* Ready for the moment, it is still worth knowing. */
        fixture_ready();
        expect_last_error(ERROR_CONNECTION_LOST, "another client");
        /* Until it has been left in peace. */
        ck_assert_int_ge(sd_event_source_set_time_relative(fixture.lane->session_timer, 0), 0);
        fixture_wait();
        fixture_expect("ready ");
        ck_assert_ptr_null(lane_last_error(fixture.lane));
}
END_TEST

START_TEST(a_server_that_swallows_subscriptions_is_left)
{
        fixture.profile->response_timeout_usec = FIXTURE_SHORT_USEC;
        fixture_open();
        fake_connected();
        fixture_expect("connecting subscribing ");
        fixture_wait();
        fixture_expect("backoff ");
        ck_assert_ptr_null(fake.live);
        expect_last_error(ERROR_TIMEOUT, "subscription");
}
END_TEST

START_TEST(subscriptions_that_meet_the_end_wait_for_its_reason)
{
        fixture_open();
        fake.subscribe_error = -ENOTCONN;
        fake_connected();
        ck_assert_int_eq(lane_state(fixture.lane), SESSION_SUBSCRIBING);
        fake_lost(ERROR_CREDENTIALS_REFUSED, "revoked");
        expect_last_error(ERROR_CREDENTIALS_REFUSED, "revoked");
        fake.subscribe_error = 0;
        fixture_ready();
}
END_TEST

START_TEST(subscriptions_that_cannot_be_made_break_the_session)
{
        fixture_open();
        fake.subscribe_error = -ENOMEM;
        fake_connected();
        ck_assert_int_eq(lane_state(fixture.lane), SESSION_BACKOFF);
        expect_last_error(ERROR_NO_MEMORY, "subscribe");
}
END_TEST

START_TEST(closed_it_stays_closed_and_says_why)
{
        fixture_ready();
        lane_close(fixture.lane, failure_new(ERROR_NOT_INITIALIZED, "no claim"));
        fixture_expect("offline ");
        ck_assert_ptr_null(fake.live);
        expect_last_error(ERROR_NOT_INITIALIZED, "no claim");
        lane_hurry(fixture.lane);
        ck_assert_int_eq(lane_state(fixture.lane), SESSION_OFFLINE);
        fixture_open();
        ck_assert_ptr_null(lane_last_error(fixture.lane));
        fixture_ready();
}
END_TEST

START_TEST(another_claim_makes_another_connection)
{
        fixture_ready();
        fixture_open();
        fixture_expect("connecting ");
        ck_assert_uint_eq(fake.made, 2);
        ck_assert_uint_eq(fake.freed, 1);
}
END_TEST

START_TEST(strange_messages_and_acknowledgements_change_nothing)
{
        static const char *const topics[] = {
                "$aws/certificates/create-from-csr/cbor/accepted", /* the other format */
                "$aws/provisioning-templates/Other/provision/json/accepted",
                "$aws/certificates/create-from-csr/json",
                "$aws/things/x/shadow",
                "",
        };
        Payload p = payload_from_text(AWS_FORMAT_JSON, "{}");

        fixture_ready();
        for (size_t i = 0; i < ELEMENTSOF(topics); i++)
                fake_message(topics[i], &p);
        payload_done(&p);
        fixture_expect("");
        ck_assert(lane_is_free(fixture.lane));
        /* A subscription that nobody made. */
        fake.asked[fake.n_asked++] = strdup("nonsense");
        fake_subscribed(false);
        ck_assert(lane_is_free(fixture.lane));
}
END_TEST

START_TEST(a_lane_can_be_let_go_at_any_time)
{
        if (_i == 0)
                ck_assert_ptr_null(lane_free(NULL));
        if (_i >= 1)
                fixture_open();
        if (_i >= 2)
                fake_connected();
        if (_i >= 3)
                fake_subscribed_all();
        if (_i >= 4)
                fixture_start(fixture_job(OPERATION_PROVISION)); /* a key is being made */
        fixture.lane = lane_free(fixture.lane);
        ck_assert_uint_eq(fake.made, fake.freed);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, it_connects_subscribes_and_is_ready, 0, ENCODING_MAX);
        tcase_add_test(c, keys_of_the_cloud_have_their_own_topics);
        tcase_add_test(c, without_a_template_nothing_can_be_registered);
        tcase_add_test(c, a_profile_that_needs_no_topic_is_ready_at_once);
        tcase_add_test(c, a_lost_connection_is_made_again);
        tcase_add_test(c, an_answer_proves_the_session);
        tcase_add_loop_test(c, a_session_that_lasted_has_proved_itself, 0, 2);
        tcase_add_test(c, a_connection_that_cannot_even_be_begun);
        tcase_add_test(c, a_refused_subscription_names_topic_and_policy);
        tcase_add_test(c, dropped_twice_upon_a_subscription_the_policy_is_named);
        tcase_add_test(c, once_dropped_it_subscribes_one_by_one_and_names_the_topic);
        tcase_add_test(c, the_trap_of_the_sample_policy_is_named);
        tcase_add_test(c, other_ends_while_subscribing_name_no_policy);
        tcase_add_test(c, another_client_with_its_id_is_named);
        tcase_add_test(c, a_server_that_swallows_subscriptions_is_left);
        tcase_add_test(c, subscriptions_that_meet_the_end_wait_for_its_reason);
        tcase_add_test(c, subscriptions_that_cannot_be_made_break_the_session);
        tcase_add_test(c, closed_it_stays_closed_and_says_why);
        tcase_add_test(c, another_claim_makes_another_connection);
        tcase_add_test(c, strange_messages_and_acknowledgements_change_nothing);
        tcase_add_loop_test(c, a_lane_can_be_let_go_at_any_time, 0, 5);
}

int main(void) {
        return fixture_main("provider/lane-session", add_tests);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Sessions that are refused, dropped, cut, or pushed out; and claims whose policy refuses a topic:
 * that is named, with what the policy must allow, and is not tried at full speed for ever. */

#include <unistd.h>

#include "tests/integration/daemon/faults.h"

/* Shorter than the shortest wait of a breaker, and long enough for some tries without one. */
#define WATCH_SEC 3U

/* Whether the profile's last error has that code and says that. */
static bool last_error_says(const char *profile, const char *code, const char *text) {
        fleetprov_status *status = agent_status(client);
        bool says = false;

        for (size_t i = 0; i < fleetprov_status_get_n_profiles(status); i++) {
                const fleetprov_error *error = fleetprov_status_get_profile_error(status, i);

                if (streq(fleetprov_status_get_profile_name(status, i), profile))
                        says = error && streq(fleetprov_error_get_name(error), code) &&
                               strstr(fleetprov_error_get_message(error), text);
        }
        fleetprov_status_free(status);
        return says;
}

static bool has_no_error(const char *profile) {
        fleetprov_status *status = agent_status(client);
        bool none = false;

        for (size_t i = 0; i < fleetprov_status_get_n_profiles(status); i++)
                if (streq(fleetprov_status_get_profile_name(status, i), profile))
                        none = !fleetprov_status_get_profile_error(status, i);
        fleetprov_status_free(status);
        return none;
}

static size_t count_connects(void) {
        return file_count_lines(place_path(&cloud.place, "journal.jsonl"), "\"event\":\"connect\"",
                                NULL);
}

/* What the job waits for has that code and says that. */
static void must_wait_for(JobId id, const char *code, const char *text) {
        fleetprov_job *job = agent_job(client, id);
        const fleetprov_error *waiting = fleetprov_job_get_state(job) == FLEETPROV_STATE_QUEUED
                                                 ? fleetprov_job_get_waiting_for(job)
                                                 : fleetprov_job_get_error(job);

        ck_assert_ptr_nonnull(waiting);
        ck_assert_str_eq(fleetprov_error_get_name(waiting), code);
        ck_assert_msg(strstr(fleetprov_error_get_message(waiting), text), "%s",
                      fleetprov_error_get_message(waiting));
        fleetprov_job_free(job);
}

static void mend_and_reload(void) {
        cloud_clear(&cloud);
        ck_assert_int_eq(agent_reload(client, NULL), 0);
}

/* --- refused sessions */

static const struct {
        const char *fault, *code;
} session_faults[] = {
        {"connack=5", "credentials-refused"},
        {"connack=7", "credentials-refused"},
        {"connack=3", "server-refused"},
        {"connect-drop", "connection-lost"},
        {"suback-refuse", "permission-denied-by-policy"},
        {"deny-subscribe", "permission-denied-by-policy"},
};

START_TEST(session_says_what_is_wrong_and_tries_again)
{
        JobId id;

        cloud_add(&cloud, session_faults[_i].fault, "--always");
        start_with_format(_i, "");
        id = submit_for(requests, serial_of(_i, 0));
        WAIT_FOR(last_error_says("aws", session_faults[_i].code, ""));
        must_wait_for(id, session_faults[_i].code, "");
        cloud_clear(&cloud);
        if (streq(session_faults[_i].code, "permission-denied-by-policy"))
                ck_assert_int_eq(agent_reload(client, NULL), 0);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        ck_assert(has_no_error("aws"));
}
END_TEST

/* --- topics that may not be subscribed to */

static const struct {
        const char *key_source, *filter, *topic; /* %s: the format */
} topics[] = {
        {"daemon", "*/create-from-csr/*/accepted", "$aws/certificates/create-from-csr/%s/accepted"},
        {"daemon", "*/create-from-csr/*/rejected", "$aws/certificates/create-from-csr/%s/rejected"},
        {"daemon", "*/provision/*/accepted",
         "$aws/provisioning-templates/FleetTemplate/provision/%s/accepted"},
        {"cloud", "*/create/*/accepted", "$aws/certificates/create/%s/accepted"},
        {"cloud", "*/provision/*/rejected",
         "$aws/provisioning-templates/FleetTemplate/provision/%s/rejected"},
};

START_TEST(refused_subscription_names_topic_and_right_and_is_not_tried_all_the_time)
{
        const char *kind = _i % 2 == 0 ? "deny-subscribe" : "suback-refuse", *wanted[2];
        Both both;

        cloud_add(&cloud, place_text(&cloud.place, "%s=%s", kind, topics[_i / 2].filter),
                  "--always");
        start_with_both(place_text(&cloud.place, "KeySource=%s", topics[_i / 2].key_source));
        both = submit_to_both(requests, serial_of(_i, 0), NULL);
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                wanted[i] = place_text(&cloud.place, topics[_i / 2].topic, formats[i]);
#pragma GCC diagnostic pop
                WAIT_FOR(last_error_says(
                        profiles[i], "permission-denied-by-policy",
                        place_text(&cloud.place,
                                   "iot:Subscribe on topicfilter/%s and iot:Receive on topic/%s",
                                   wanted[i], wanted[i])));
                must_wait_for(both.ids[i], "permission-denied-by-policy", wanted[i]);
        }
        if (_i < 2) {
                size_t connects = count_connects();

                (void) sleep(WATCH_SEC);
                ck_assert_uint_eq(count_connects(), connects);
        }
        mend_and_reload();
        both_must_succeed(&both);
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++)
                ck_assert(has_no_error(profiles[i]));
}
END_TEST

/* --- requests that may not be published */

static const char *const request_topics[] = {
        "$aws/certificates/create-from-csr/%s",
        "$aws/certificates/create/%s",
        "$aws/provisioning-templates/FleetTemplate/provision/%s",
};

START_TEST(refused_publication_ends_the_job_and_holds_the_others)
{
        const Request *r = requests + _i;
        const char *topic[ELEMENTSOF(profiles)];
        size_t connects, certificates;
        Both first, second;

        start_with_both("");
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
                topic[i] = place_text(&cloud.place, request_topics[_i], formats[i]);
#pragma GCC diagnostic pop
                cloud_add(&cloud, place_text(&cloud.place, "deny-publish=%s", topic[i]),
                          "--always");
        }
        first = submit_to_both(r, serial_of(_i, 0), NULL);
        both_must_fail(&first, "permission-denied-by-policy", "iot:Publish on topic/");
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
                fleetprov_job *job = agent_job(client, first.ids[i]);
                const fleetprov_error *error = fleetprov_job_get_error(job);

                ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), topic[i]));
                ck_assert_str_eq(fleetprov_error_get_phase(error),
                                 r->creates ? "create" : "register");
                /* The certificate that could not be registered is on record, and the only one. */
                ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), r->creates ? 0 : 1);
                fleetprov_job_free(job);
                WAIT_FOR(last_error_says(profiles[i], "permission-denied-by-policy", topic[i]));
                daemon_wait_session(&d, profiles[i], "ready");
        }
        second = submit_to_both(r, serial_of(_i, 1), NULL);
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
                agent_wait_state(client, second.ids[i], FLEETPROV_STATE_RUNNING, "backoff");
                must_wait_for(second.ids[i], "permission-denied-by-policy", topic[i]);
        }
        connects = count_connects();
        certificates = stage_certificates();
        (void) sleep(WATCH_SEC);
        ck_assert_uint_eq(count_connects(), connects);
        ck_assert_uint_eq(stage_certificates(), certificates);
        mend_and_reload();
        both_must_succeed(&second);
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++)
                WAIT_FOR(has_no_error(profiles[i]));
}
END_TEST

/* --- pushed out */

START_TEST(kicked_when_idle_it_comes_back)
{
        start_with_format(0, "");
        daemon_wait_session(&d, "aws", "ready");
        cloud_fault(&cloud, "kick", NULL);
        must_serve_the_next("kicked");
        ck_assert(has_no_error("aws"));
}
END_TEST

static bool suspects(const char *profile) {
        return last_error_says(profile, "connection-lost",
                               "another client seems to use the client id twin");
}

/* One of them comes to know first, and leaves the other one in peace for a while: no more than half
 * a minute, and then that one knows, too. */
START_TEST(two_with_one_client_id_say_so_and_do_not_fight_for_ever)
{
        size_t connects;

        stage_start(cloud_profile(&cloud, "other", "ClientId=twin"), "ClientId=twin");
        WAIT_FOR(suspects("aws") || suspects("other"));
        connects = count_connects();
        (void) sleep(WATCH_SEC);
        /* The other one may have been on its way back. */
        ck_assert_uint_le(count_connects(), connects + 1);
        for (unsigned i = 0; i < 90 && !(suspects("aws") && suspects("other")); i++)
                (void) sleep(1);
        ck_assert(suspects("aws") && suspects("other"));
        ck_assert_uint_le(count_connects(), connects + 3);
        cloud_expect_breach(&cloud, "client-id-taken-over");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: sessions");
        TCase *tc = stage_shared(suite, "sessions");

        tcase_add_loop_test(tc, session_says_what_is_wrong_and_tries_again, 0,
                            ELEMENTSOF(session_faults));
        tcase_add_loop_test(
                tc, refused_subscription_names_topic_and_right_and_is_not_tried_all_the_time, 0,
                2 * ELEMENTSOF(topics));
        tcase_add_loop_test(tc, refused_publication_ends_the_job_and_holds_the_others, 0,
                            ELEMENTSOF(requests));
        tcase_add_test(tc, kicked_when_idle_it_comes_back);
        tcase_add_test(tc, two_with_one_client_id_say_so_and_do_not_fight_for_ever);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Sessions that are refused, dropped, or cut. */

#include "tests/integration/daemon/faults.h"

static const fleetprov_error *profile_error(fleetprov_status *status) {
        return fleetprov_status_get_profile_error(status, 0);
}

static bool last_error_is(const char *code) {
        fleetprov_status *status = agent_status(client);
        const fleetprov_error *error = profile_error(status);
        bool is = error && streq(fleetprov_error_get_name(error), code);

        fleetprov_status_free(status);
        return is;
}

static const struct {
        const char *fault, *code;
} session_faults[] = {
        {"connack=5", "credentials-refused"},
        {"connack=7", "credentials-refused"},
        {"connect-drop", "connection-lost"},
        {"suback-refuse", "permission-denied-by-policy"},
        {"deny-subscribe", "permission-denied-by-policy"},
};

START_TEST(session_says_what_is_wrong_and_tries_again)
{
        const fleetprov_error *waiting;
        fleetprov_job *job;
        JobId id;

        cloud_add(&cloud, session_faults[_i].fault, "--always");
        start_with_format(0, "");
        id = submit_for(requests, serial_of(_i, 0));
        WAIT_FOR(last_error_is(session_faults[_i].code));
        job = agent_job(client, id);
        waiting = fleetprov_job_get_waiting_for(job);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_QUEUED);
        ck_assert_ptr_nonnull(waiting);
        fleetprov_job_free(job);
        cloud_clear(&cloud);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
}
END_TEST

START_TEST(publishing_without_right_ends_the_job)
{
        fleetprov_job *job;

        start_with_format(0, "");
        cloud_add(&cloud, "deny-publish", "--always");
        job = agent_wait(client, submit_for(requests, "denied"));
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_str_eq(fleetprov_error_get_name(fleetprov_job_get_error(job)),
                         "permission-denied-by-policy");
        fleetprov_job_free(job);
}
END_TEST

START_TEST(kicked_when_idle_it_comes_back)
{
        start_with_format(0, "");
        daemon_wait_session(&d, "aws", "ready");
        cloud_fault(&cloud, "kick", NULL);
        must_serve_the_next("kicked");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: sessions");
        TCase *tc = stage_shared(suite, "sessions");

        tcase_add_loop_test(tc, session_says_what_is_wrong_and_tries_again, 0,
                            ELEMENTSOF(session_faults));
        tcase_add_test(tc, publishing_without_right_ends_the_job);
        tcase_add_test(tc, kicked_when_idle_it_comes_back);
        return stage_run(suite);
}

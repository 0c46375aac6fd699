/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Jobs that are called off, and jobs that come too late. */

#include "tests/integration/lib/stage.h"

static void cancel(JobId id) {
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
}

/* When Cancel() has answered, the end is on record. */
static void must_have_ended(JobId id, int state, const char *code, size_t left) {
        fleetprov_job *job = agent_job(client, id);

        ck_assert_int_eq(fleetprov_job_get_state(job), state);
        ck_assert_str_eq(fleetprov_error_get_name(fleetprov_job_get_error(job)), code);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), left);
        for (size_t i = 0; i < left; i++)
                ck_assert(cloud_knows(&cloud, fleetprov_job_get_left_certificate(job, i)));
        ck_assert_str_eq(fleetprov_job_get_phase(job), "");
        fleetprov_job_free(job);
        ck_assert_int_eq(agent_call(client, fleetprov_client_get_result, id),
                         streq(code, "expired") ? FLEETPROV_EXPIRED : FLEETPROV_CANCELLED);
}

static void must_serve(const char *serial) {
        fleetprov_result *result =
                agent_result(client, agent_submit(client, &(Wish){.serial = serial}));

        identity_assert(&cloud, result, serial, NULL, NULL);
        fleetprov_result_free(result);
}

START_TEST(queued_jobs_end_at_once)
{
        JobId first, second;

        cloud_stop(&cloud);
        stage_start("", "");
        first = agent_submit(client, &(Wish){.serial = "first"});
        second = agent_submit(client, &(Wish){.serial = "second"});
        cancel(first);
        must_have_ended(first, FLEETPROV_STATE_CANCELLED, "cancelled", 0);
        cancel(first); /* again: nothing happens */
        cloud_again(&cloud);
        agent_wait_end(client, second, FLEETPROV_STATE_SUCCEEDED);
        cancel(second); /* too late: nothing happens */
        fleetprov_result_free(agent_result(client, second));
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

/* The call under way is finished, so that what it brings is on record. */
START_TEST(running_jobs_end_after_their_call)
{
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "delay=1000", "--operation=create-csr");
        id = agent_submit(client, &(Wish){.serial = "create"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 1);
        must_serve("next");
}
END_TEST

START_TEST(registered_things_are_not_called_off)
{
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "delay=1000", "--operation=register");
        id = agent_submit(client, &(Wish){.serial = "registered"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "register");
        cancel(id);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        must_serve("next");
}
END_TEST

START_TEST(waits_between_tries_end_at_once)
{
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "reject=500:InternalFailure:no", "--operation=register", "--always");
        id = agent_submit(client, &(Wish){.serial = "backoff"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 1);
        cloud_clear(&cloud);
        must_serve("next");
}
END_TEST

START_TEST(unanswered_calls_end_by_their_timeout)
{
        JobId id;

        stage_start("", "ResponseTimeoutSec=500ms");
        cloud_add(&cloud, "drop", "--operation=create-csr");
        id = agent_submit(client, &(Wish){.serial = "unanswered"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 0);
        must_serve("next");
}
END_TEST

START_TEST(keys_under_way_are_thrown_away)
{
        JobId id;

        stage_start("", "");
        daemon_wait_session(&d, "aws", "ready");
        id = agent_submit(client, &(Wish){.serial = "keygen", .key_type = "rsa-3072"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "keygen");
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 0);
        must_serve("next");
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

/* --- deadlines --- */

START_TEST(queued_jobs_expire)
{
        JobId own, profiles;

        cloud_stop(&cloud);
        stage_start("", "DeadlineSec=1s");
        profiles = agent_submit(client, &(Wish){.serial = "profile"});
        own = agent_submit(client, &(Wish){.serial = "own", .deadline_usec = 200 * USEC_PER_MSEC});
        agent_wait_end(client, own, FLEETPROV_STATE_EXPIRED);
        must_have_ended(own, FLEETPROV_STATE_EXPIRED, "expired", 0);
        agent_wait_end(client, profiles, FLEETPROV_STATE_EXPIRED);
        cloud_again(&cloud);
        /* They are not started after all. */
        agent_wait_end(
                client,
                agent_submit(client, &(Wish){.serial = "later", .deadline_usec = USEC_PER_HOUR}),
                FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

static const struct {
        const char *fault, *operation, *phase;
        size_t left;
} stuck[] = {
        {"drop", "--operation=create-csr", "create", 0},
        {"drop", "--operation=register", "register", 1},
        {"reject=500:InternalFailure:no", "--operation=create-csr", "backoff", 0},
        {"reject=500:InternalFailure:no", "--operation=register", "backoff", 1},
};

START_TEST(running_jobs_expire)
{
        JobId id;

        stage_start("", "");
        daemon_wait_session(&d, "aws", "ready");
        cloud_add(&cloud, stuck[_i].fault, stuck[_i].operation, "--always");
        id = agent_submit(client, &(Wish){.serial = "stuck", .deadline_usec = 2 * USEC_PER_SEC});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, stuck[_i].phase);
        agent_wait_end(client, id, FLEETPROV_STATE_EXPIRED);
        must_have_ended(id, FLEETPROV_STATE_EXPIRED, "expired", stuck[_i].left);
        cloud_clear(&cloud);
        must_serve("next");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: cancel");
        TCase *tc = stage_shared(suite, "cancel");

        tcase_add_test(tc, running_jobs_end_after_their_call);
        tcase_add_test(tc, registered_things_are_not_called_off);
        tcase_add_test(tc, waits_between_tries_end_at_once);
        tcase_add_test(tc, unanswered_calls_end_by_their_timeout);
        tcase_add_test(tc, keys_under_way_are_thrown_away);
        tcase_add_loop_test(tc, running_jobs_expire, 0, ELEMENTSOF(stuck));
        tc = stage_alone(suite, "cancel without cloud");
        tcase_add_test(tc, queued_jobs_end_at_once);
        tcase_add_test(tc, queued_jobs_expire);
        return stage_run(suite);
}

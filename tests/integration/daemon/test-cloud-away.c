/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The cloud is away, or goes, and comes back. */

#include "tests/integration/lib/stage.h"

static void must_wait_for(JobId id, const char *code) {
        fleetprov_job *job = agent_job(client, id);
        const fleetprov_error *waiting = fleetprov_job_get_waiting_for(job);

        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_QUEUED);
        ck_assert_ptr_nonnull(waiting);
        ck_assert_str_eq(fleetprov_error_get_name(waiting), code);
        ck_assert_uint_gt(strlen(fleetprov_error_get_message(waiting)), 10);
        fleetprov_job_free(job);
}

/* What the only profile's status says of its last error; "" for none. */
static const char *last_error(void) {
        fleetprov_status *status = agent_status(client);
        const fleetprov_error *error = fleetprov_status_get_profile_error(status, 0);
        const char *name = place_text(&d.place, "%s", error ? fleetprov_error_get_name(error) : "");

        fleetprov_status_free(status);
        return name;
}

START_TEST(jobs_wait_and_say_why)
{
        JobId id;

        cloud_stop(&cloud);
        stage_start("", ""); /* READY, without the cloud */
        id = agent_submit(client, &(Wish){.serial = "waits"});
        WAIT_FOR(streq(last_error(), "connect-failed"));
        must_wait_for(id, "connect-failed");
        ck_assert_uint_eq(agent_count_jobs(client, 0), 1);
        cloud_again(&cloud);
        fleetprov_result_free(agent_result(client, id));
        ck_assert_str_eq(last_error(), "");
}
END_TEST

START_TEST(cloud_that_goes_is_waited_for)
{
        JobId before, after;

        stage_start("", "");
        before = agent_submit(client, &(Wish){.serial = "before"});
        agent_wait_end(client, before, FLEETPROV_STATE_SUCCEEDED);
        cloud_stop(&cloud);
        after = agent_submit(client, &(Wish){.serial = "after"});
        WAIT_FOR(!streq(last_error(), ""));
        cloud_again(&cloud);
        agent_wait_end(client, after, FLEETPROV_STATE_SUCCEEDED);
        /* What was done stays done. */
        fleetprov_result_free(agent_result(client, before));
}
END_TEST

START_TEST(status_tells_the_session)
{
        fleetprov_status *status;

        stage_start("", "");
        daemon_wait_session(&d, "aws", "ready");
        status = agent_status(client);
        ck_assert_uint_eq(fleetprov_status_get_n_profiles(status), 1);
        ck_assert_str_eq(fleetprov_status_get_state(status), "running");
        ck_assert_str_eq(fleetprov_status_get_profile_provider(status, 0), "aws-iot");
        ck_assert_str_eq(fleetprov_status_get_profile_endpoint(status, 0),
                         place_text(&d.place, "localhost:%u", cloud.port));
        ck_assert_uint_gt(fleetprov_status_get_profile_connected_since(status, 0), 0);
        ck_assert_ptr_nonnull(fleetprov_status_get_claim_subject(status, 0));
        ck_assert_uint_eq(strlen(fleetprov_status_get_claim_fingerprint(status, 0)), 64);
        ck_assert_uint_gt(fleetprov_status_get_claim_not_after(status, 0), 0);
        ck_assert_ptr_null(fleetprov_status_get_profile_error(status, 0));
        fleetprov_status_free(status);
        cloud_stop(&cloud);
        daemon_wait_session(&d, "aws", "backoff");
        status = agent_status(client);
        ck_assert_uint_eq(fleetprov_status_get_profile_connected_since(status, 0), 0);
        ck_assert_ptr_nonnull(fleetprov_status_get_profile_error(status, 0));
        fleetprov_status_free(status);
        cloud_again(&cloud);
        daemon_wait_session(&d, "aws", "ready");
}
END_TEST

static const struct {
        const char *lines, *code;
} unreachable[] = {
        {"Endpoint=no-such-host.invalid\n", "name-resolution"},
        {"Endpoint=127.0.0.2\n", "connect-failed"},
        {"TrustedCertificates=%s/claim.pem\n", "tls-trust"},
        {"Certificate=%s/claim-2.pem\nPrivateKey=%s/claim.key\n", "key-mismatch"},
};

/* A profile whose lines are other ones than the cloud's. */
static const char *profile_but(const char *lines) {
        const char *dir = cloud.place.dir;

        if (strstr(lines, "Endpoint="))
                return place_text(&d.place,
                                  "[Profile aws]\nProvider=aws-iot\n%sPort=%u\n"
                                  "TrustedCertificates=%s/ca.pem\nCertificate=%s/claim.pem\n"
                                  "PrivateKey=%s/claim.key\nTemplate=FleetTemplate\n",
                                  lines, cloud.port, dir, dir, dir);
        if (strstr(lines, "TrustedCertificates="))
                return place_text(&d.place,
                                  "[Profile aws]\nProvider=aws-iot\nEndpoint=localhost\nPort=%u\n"
                                  "TrustedCertificates=%s/claim.pem\nCertificate=%s/claim.pem\n"
                                  "PrivateKey=%s/claim.key\nTemplate=FleetTemplate\n",
                                  cloud.port, dir, dir, dir);
        return place_text(&d.place,
                          "[Profile aws]\nProvider=aws-iot\nEndpoint=localhost\nPort=%u\n"
                          "TrustedCertificates=%s/ca.pem\nCertificate=%s/claim-2.pem\n"
                          "PrivateKey=%s/claim.key\nTemplate=FleetTemplate\n",
                          cloud.port, dir, dir, dir);
}

START_TEST(each_trouble_has_its_name)
{
        daemon_make(&d);
        daemon_configure(&d, profile_but(unreachable[_i].lines));
        daemon_start(&d);
        client = agent_open(d.socket);
        WAIT_FOR(streq(last_error(), unreachable[_i].code));
        if (!streq(unreachable[_i].code, "key-mismatch")) {
                JobId id = agent_submit(client, &(Wish){.serial = "x"});

                must_wait_for(id, unreachable[_i].code);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: cloud away");
        TCase *tc = stage_alone(suite, "away");

        tcase_add_test(tc, jobs_wait_and_say_why);
        tcase_add_test(tc, cloud_that_goes_is_waited_for);
        tcase_add_test(tc, status_tells_the_session);
        tc = stage_shared(suite, "unreachable");
        tcase_add_loop_test(tc, each_trouble_has_its_name, 0, ELEMENTSOF(unreachable));
        return stage_run(suite);
}

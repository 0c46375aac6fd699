/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is refused and how it is told; what a reload changes; claims that come later. */

#include <signal.h>
#include <unistd.h>

#include "tests/integration/lib/stage.h"

#define EXIT_CONFIG 78

/* --- refused at start --- */

static const struct {
        const char *name, *text;
        unsigned line;
        const char *part; /* of the reason */
} bad_files[] = {
        {"section", "[Nonsense]\n", 1, "Nonsense"},
        {"key", "[Daemon]\nNonsense=1\n", 2, "Nonsense"},
        {"value", "[Daemon]\n\nMaxJobs=many\n", 3, "MaxJobs"},
        {"span", "[Daemon]\nRetainSec=soon\n", 2, "RetainSec"},
        {"no-equals", "[Daemon]\nMaxJobs\n", 2, "MaxJobs"},
        {"twice", "[Daemon]\nMaxJobs=1\nMaxJobs=2\n", 3, "MaxJobs"},
        {"profile-name", "[Profile a b]\nProvider=aws-iot\n", 1, "a b"},
        {"provider", "[Profile aws]\nProvider=gcp\n", 2, "gcp"},
        {"boolean",
         "[Profile aws]\nProvider=aws-iot\nEndpoint=localhost\nTemplate=T\nCertificate=/c\n"
         "PrivateKey=/k\nTrustedCertificates=/t\nVerifyCertificate=perhaps\n",
         8, "VerifyCertificate"},
        {"cipher",
         "[Profile aws]\nProvider=aws-iot\nEndpoint=localhost\nTemplate=T\nCertificate=/c\n"
         "PrivateKey=/k\nTrustedCertificates=/t\nCipherList=NULL-SHA\n",
         8, "CipherList"},
        {"specifier",
         "[Profile aws]\nProvider=aws-iot\nEndpoint=localhost\nTemplate=T\nCertificate=/c\n"
         "PrivateKey=/k\nTrustedCertificates=/t\nParameter.A=%z\n",
         8, "%z"},
        {"user",
         "[Profile aws]\nProvider=aws-iot\nEndpoint=localhost\nTemplate=T\nCertificate=/c\n"
         "PrivateKey=/k\nTrustedCertificates=/t\nAllowUsers=no-such-user-here\n",
         8, "no-such-user-here"},
};

static void must_tell(const char *output, const char *path, unsigned line, const char *part) {
        ck_assert_msg(strstr(output, place_text(&d.place, "%s:%u", path, line)), "no %s:%u in: %s",
                      path, line, output);
        ck_assert_msg(strstr(output, part), "no '%s' in: %s", part, output);
}

/* By --check-config, and by a start. */
static void must_be_refused(const char *config, const char *file, unsigned line, const char *part) {
        const char *const check[] = {config, "--check-config", NULL};
        const char *const start[] = {config, place_text(&d.place, "--state-directory=%s", d.state),
                                     "--bus=none", place_text(&d.place, "--socket=%s", d.socket),
                                     NULL};
        const char *const *const ways[] = {check, start};

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                _cleanup_free_ char *output = NULL;
                int status = daemon_run_once(ways[i], NULL, &output);

                ck_assert_msg(status == EXIT_CONFIG, "exit %d: %s", status, output);
                must_tell(output, file, line, part);
        }
        ck_assert(!file_exists(d.socket));
}

START_TEST(bad_files_are_refused_with_file_line_and_reason)
{
        const char *path;

        daemon_make(&d);
        path = place_write(&d.place, "bad.conf", 0600, bad_files[_i].text);
        must_be_refused(place_text(&d.place, "--config=%s", path), path, bad_files[_i].line,
                        bad_files[_i].part);
}
END_TEST

START_TEST(bad_drop_in_is_named_itself)
{
        const char *main_file, *drop_in;

        daemon_make(&d);
        main_file = place_write(&d.place, "good.conf", 0600, "[Daemon]\nMaxJobs=5\n");
        ck_assert_int_eq(
                process_run(
                        (const char *const[]){"mkdir", place_path(&d.place, "good.conf.d"), NULL},
                        NULL, NULL),
                0);
        drop_in = place_write(&d.place, "good.conf.d/10-bad.conf", 0600, "[Daemon]\nMaxJob=6\n");
        must_be_refused(place_text(&d.place, "--config=%s", main_file), drop_in, 2, "MaxJob");
}
END_TEST

START_TEST(good_files_pass_the_check)
{
        const char *arguments[] = {NULL, "--check-config", NULL};
        _cleanup_free_ char *output = NULL;

        daemon_make(&d);
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        arguments[0] = place_text(&d.place, "--config=%s", d.config);
        ck_assert_int_eq(daemon_run_once(arguments, NULL, &output), 0);
        ck_assert_str_eq(output, "");
}
END_TEST

START_TEST(missing_file_is_refused)
{
        const char *const arguments[] = {"--config=/nonexistent/fleetprovd.conf", "--check-config",
                                         NULL};
        _cleanup_free_ char *output = NULL;

        ck_assert_int_eq(daemon_run_once(arguments, NULL, &output), EXIT_CONFIG);
        ck_assert_ptr_nonnull(strstr(output, "/nonexistent/fleetprovd.conf"));
}
END_TEST

START_TEST(no_profile_is_no_error)
{
        daemon_make(&d);
        daemon_configure(&d, "# nothing\n");
        daemon_start(&d);
        client = agent_open(d.socket);
        ck_assert_int_eq(agent_refused(client, &(Wish){.serial = "x"}, NULL),
                         FLEETPROV_NOT_INITIALIZED);
        ck_assert_int_eq(agent_refused(client, &(Wish){.profile = "aws", .serial = "x"}, NULL),
                         FLEETPROV_NOT_INITIALIZED);
}
END_TEST

/* --- claims --- */

static void copy(const char *from, const char *to, mode_t mode) {
        _cleanup_free_ char *content = file_read(from, NULL);

        ck_assert_ptr_nonnull(content);
        (void) place_write(&d.place, to, mode, content);
}

static const char *own_claim(void) {
        return place_text(&d.place, "Certificate=%s/claim.pem\nPrivateKey=%s/claim.key",
                          d.place.dir, d.place.dir);
}

static void bring_claim(const char *name) {
        copy(place_text(&d.place, "%s/%s.pem", cloud.place.dir, name), "claim.pem", 0644);
        copy(place_text(&d.place, "%s/%s.key", cloud.place.dir, name), "claim.key", 0600);
}

static char *fingerprint(void) {
        fleetprov_status *status = agent_status(client);
        const char *text = fleetprov_status_get_claim_fingerprint(status, 0);
        char *copied = text ? strdup(text) : NULL;

        fleetprov_status_free(status);
        return copied;
}

START_TEST(claim_that_comes_later_is_taken_up)
{
        fleetprov_error *error;

        daemon_make(&d);
        daemon_configure(&d, cloud_profile(&cloud, "aws", own_claim()));
        daemon_start(&d);
        client = agent_open(d.socket);
        ck_assert_int_eq(agent_refused(client, &(Wish){.serial = "early"}, &error),
                         FLEETPROV_NOT_INITIALIZED);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "claim"));
        fleetprov_error_free(error);
        bring_claim("claim");
        daemon_wait_session(&d, "aws", "ready");
        fleetprov_result_free(
                agent_result(client, agent_submit(client, &(Wish){.serial = "late"})));
}
END_TEST

START_TEST(half_a_claim_leaves_the_old_one)
{
        _cleanup_free_ char *first = NULL, *second = NULL;

        daemon_make(&d);
        bring_claim("claim");
        daemon_configure(&d, cloud_profile(&cloud, "aws", own_claim()));
        daemon_start(&d);
        client = agent_open(d.socket);
        daemon_wait_session(&d, "aws", "ready");
        first = fingerprint();
        copy(place_text(&d.place, "%s/claim-2.pem", cloud.place.dir), "claim.pem", 0644);
        WAIT_FOR(file_has(d.log, "does not") || file_has(d.log, "key-mismatch"));
        fleetprov_result_free(
                agent_result(client, agent_submit(client, &(Wish){.serial = "half"})));
        second = fingerprint();
        ck_assert_str_eq(first, second);
}
END_TEST

START_TEST(key_that_others_can_read_is_refused)
{
        fleetprov_error *error;

        daemon_make(&d);
        bring_claim("claim");
        copy(place_text(&d.place, "%s/claim.key", cloud.place.dir), "claim.key", 0644);
        daemon_configure(&d, cloud_profile(&cloud, "aws", own_claim()));
        daemon_start(&d);
        client = agent_open(d.socket);
        ck_assert_int_eq(agent_refused(client, &(Wish){.serial = "open"}, &error),
                         FLEETPROV_NOT_INITIALIZED);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "chmod"));
        ck_assert(file_has(d.log, "chmod"));
        fleetprov_error_free(error);
        copy(place_text(&d.place, "%s/claim.key", cloud.place.dir), "claim.key", 0600);
        daemon_wait_session(&d, "aws", "ready");
}
END_TEST

/* --- reload --- */

/* _i 0: by Reload(), 1: by SIGHUP. */
static int reload(int i, const char *expected_in_log) {
        size_t before = file_count_lines(d.log, expected_in_log, NULL);

        if (i == 0)
                return agent_reload(client, NULL);
        ck_assert_int_eq(kill(d.pid, SIGHUP), 0);
        WAIT_FOR(file_count_lines(d.log, expected_in_log, NULL) > before);
        return streq(expected_in_log, "was read again") ? FLEETPROV_OK : FLEETPROV_BAD_PARAMETER;
}

static size_t n_profiles(void) {
        fleetprov_status *status = agent_status(client);
        size_t n = fleetprov_status_get_n_profiles(status);

        fleetprov_status_free(status);
        return n;
}

START_TEST(refused_reload_changes_nothing)
{
        stage_start("", "");
        daemon_wait_session(&d, "aws", "ready");
        daemon_configure(&d, "[Daemon]\nNonsense=1\n");
        ck_assert_int_eq(reload(_i, "was not read again"), FLEETPROV_BAD_PARAMETER);
        if (_i == 0) {
                fleetprov_error *error;

                ck_assert_int_eq(agent_reload(client, &error), FLEETPROV_BAD_PARAMETER);
                must_tell(fleetprov_error_get_message(error), d.config, 2, "Nonsense");
                fleetprov_error_free(error);
        }
        ck_assert_uint_eq(n_profiles(), 1);
        daemon_wait_session(&d, "aws", "ready");
        fleetprov_result_free(agent_result(client, agent_submit(client, &(Wish){.serial = "on"})));
}
END_TEST

START_TEST(new_profile_appears)
{
        const Wish wish = {.profile = "second", .serial = "second"};

        stage_start("", "");
        ck_assert_int_eq(agent_refused(client, &wish, NULL), FLEETPROV_NOT_INITIALIZED);
        daemon_configure(&d, place_text(&d.place, "%s%s", cloud_profile(&cloud, "aws", ""),
                                        cloud_profile(&cloud, "second", "")));
        ck_assert_int_eq(reload(_i, "was read again"), FLEETPROV_OK);
        ck_assert_uint_eq(n_profiles(), 2);
        fleetprov_result_free(agent_result(client, agent_submit(client, &wish)));
        fleetprov_result_free(agent_result(
                client, agent_submit(client, &(Wish){.profile = "aws", .serial = "first"})));
}
END_TEST

/* The job is queued, or (_i / 2) under way. */
START_TEST(jobs_of_a_removed_profile_fail)
{
        fleetprov_job *job;
        JobId gone;

        stage_start(cloud_profile(&cloud, "gone", ""), "");
        daemon_wait_session(&d, "gone", "ready");
        if (_i / 2 == 1)
                cloud_add(&cloud, "drop", "--operation=create-csr");
        else
                cloud_add(&cloud, "reject=500:InternalFailure:no", "--always");
        gone = agent_submit(client, &(Wish){.profile = "gone", .serial = "gone"});
        agent_wait_state(client, gone, FLEETPROV_STATE_RUNNING, _i / 2 == 1 ? "create" : "backoff");
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        ck_assert_int_eq(reload(_i % 2, "was read again"), FLEETPROV_OK);
        job = agent_wait(client, gone);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_str_eq(fleetprov_error_get_name(fleetprov_job_get_error(job)), "not-initialized");
        fleetprov_job_free(job);
        ck_assert_uint_eq(n_profiles(), 1);
        cloud_clear(&cloud);
        fleetprov_result_free(agent_result(client, agent_submit(client, &(Wish){.serial = "on"})));
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, gone), FLEETPROV_OK);
}
END_TEST

START_TEST(changed_profile_finishes_what_it_does_first)
{
        fleetprov_result *result;
        JobId id, next;

        stage_start("", "PayloadFormat=json");
        cloud_add(&cloud, "delay=1000", "--operation=register");
        id = agent_submit(client, &(Wish){.serial = "before"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "register");
        daemon_configure(&d, cloud_profile(&cloud, "aws",
                                           "PayloadFormat=cbor\nParameter.SerialNumber=changed"));
        ck_assert_int_eq(reload(_i, "was read again"), FLEETPROV_OK);
        next = agent_submit(client, &(Wish){});
        result = agent_result(client, id);
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-before");
        fleetprov_result_free(result);
        result = agent_result(client, next);
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-changed");
        fleetprov_result_free(result);
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

START_TEST(profile_that_comes_back_finds_its_jobs)
{
        const Wish wish = {.profile = "back", .serial = "back", .key = "back"};
        const char *both;
        JobId id;

        both = place_text(&cloud.place, "%s%s", cloud_profile(&cloud, "aws", ""),
                          cloud_profile(&cloud, "back", ""));
        stage_start(cloud_profile(&cloud, "back", ""), "");
        id = agent_submit(client, &wish);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        ck_assert_int_eq(reload(_i, "was read again"), FLEETPROV_OK);
        fleetprov_result_free(agent_result(client, id)); /* done is done */
        daemon_configure(&d, both);
        ck_assert_int_eq(reload(_i, "was read again"), FLEETPROV_OK);
        ck_assert_str_eq(agent_submit(client, &wish).text, id.text);
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: configuration");
        TCase *tc = stage_shared(suite, "configuration");

        tcase_add_loop_test(tc, bad_files_are_refused_with_file_line_and_reason, 0,
                            ELEMENTSOF(bad_files));
        tcase_add_test(tc, bad_drop_in_is_named_itself);
        tcase_add_test(tc, good_files_pass_the_check);
        tcase_add_test(tc, missing_file_is_refused);
        tcase_add_test(tc, no_profile_is_no_error);
        tcase_add_test(tc, claim_that_comes_later_is_taken_up);
        tcase_add_test(tc, half_a_claim_leaves_the_old_one);
        tcase_add_test(tc, key_that_others_can_read_is_refused);
        tcase_add_loop_test(tc, refused_reload_changes_nothing, 0, 2);
        tcase_add_loop_test(tc, new_profile_appears, 0, 2);
        tcase_add_loop_test(tc, jobs_of_a_removed_profile_fail, 0, 4);
        tcase_add_loop_test(tc, changed_profile_finishes_what_it_does_first, 0, 2);
        tcase_add_loop_test(tc, profile_that_comes_back_finds_its_jobs, 0, 2);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* VerifyCertificate=yes: a new certificate is tried before success is told, and what is not let in
 * is kept. */

#include "tests/integration/lib/stage.h"

/* All tries of a certificate that is never let in take up to 31 s. */
#define ALL_TRIES_USEC (90 * USEC_PER_SEC)

static const char *journal(void) {
        return place_path(&cloud.place, "journal.jsonl");
}

static const char *client_text(const char *id) {
        return place_text(&cloud.place, "\"client\":\"%s\"", id);
}

static size_t count_accepted(const char *id) {
        return file_count_lines(journal(), client_text(id),
                                "\"role\":\"device\",\"outcome\":\"accepted\"");
}

/* All that this client id was answered with. */
static size_t count_connects(const char *id) {
        return file_count_lines(journal(), client_text(id), "\"event\":\"connect\"");
}

static const char *thing(const char *serial) {
        return place_text(&cloud.place, "thing-%s", serial);
}

static fleetprov_job *wait_end(JobId id) {
        fleetprov_error *error = NULL;
        fleetprov_job *job = NULL;

        ck_assert_int_eq(fleetprov_client_wait_job(client, id.text, ALL_TRIES_USEC, &job, &error),
                         0);
        return job;
}

static void must_be_right(JobId id, const char *serial) {
        fleetprov_job *job = wait_end(id);
        fleetprov_result *result;

        ck_assert_msg(fleetprov_job_get_state(job) == FLEETPROV_STATE_SUCCEEDED, "%s",
                      fleetprov_error_get_message(fleetprov_job_get_error(job)));
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 0);
        fleetprov_job_free(job);
        result = agent_fetch(client, id);
        identity_assert(&cloud, result, serial, NULL, NULL);
        fleetprov_result_free(result);
        ck_assert_uint_eq(count_accepted(thing(serial)), 1);
}

static void must_have_phase(JobId id, const char *wanted) {
        fleetprov_job *job = agent_job(client, id);
        const char *phase;
        bool found = false;

        for (size_t i = 0;
             fleetprov_job_enumerate_history(job, i, NULL, NULL, &phase, NULL) > 0 && !found; i++)
                found = streq(phase, wanted);
        ck_assert_msg(found, "no phase %s", wanted);
        fleetprov_job_free(job);
}

static bool has_history(JobId id, const char *text) {
        fleetprov_job *job = agent_job(client, id);
        bool has = agent_history_has(job, text);

        fleetprov_job_free(job);
        return has;
}

#define wait_until_refused(id) WAIT_FOR(has_history(id, "not let in yet"))

/* --- it is let in -------------------------------------------------------------------------------
 */

START_TEST(certificate_is_tried_before_success_is_told)
{
        static const char *const formats[] = {"json", "cbor"};
        static const char *const sources[] = {"daemon", "cloud"};
        const char *serial = place_text(&cloud.place, "tried-%d", _i);
        JobId id;

        stage_start("", place_text(&cloud.place, "VerifyCertificate=yes\nPayloadFormat=%s",
                                   formats[_i % 2]));
        id = agent_submit(client, &(Wish){.serial = serial, .key_source = sources[_i / 2]});
        must_be_right(id, serial);
        must_have_phase(id, "verify");
        ck_assert_uint_eq(count_connects(thing(serial)), 1);
        /* And the session is still the one that it was. */
        must_be_right(agent_submit(client,
                                   &(Wish){.serial = place_text(&cloud.place, "%s-next", serial)}),
                      place_text(&cloud.place, "%s-next", serial));
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

START_TEST(activation_that_spreads_late_is_waited_for)
{
        JobId id, other;

        stage_start("", "VerifyCertificate=yes");
        cloud_add(&cloud, "activation-delay=3000", "--operation=register");
        id = agent_submit(client, &(Wish){.serial = "late"});
        wait_until_refused(id);
        /* It holds up nobody. */
        other = agent_submit(client, &(Wish){.serial = "between"});
        must_be_right(other, "between");
        must_be_right(id, "late");
        ck_assert_uint_gt(count_connects("thing-late"), 1);
        ck_assert_uint_eq(cloud_count(&cloud, "register", "rejected"), 0);
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

START_TEST(client_id_is_the_one_of_the_profile)
{
        JobId id;

        stage_start("", "VerifyCertificate=yes\nVerifyClientId=just-to-try");
        id = agent_submit(client, &(Wish){.serial = "other-id"});
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(count_accepted("just-to-try"), 1);
        ck_assert_uint_eq(count_connects("thing-other-id"), 0);
}
END_TEST

START_TEST(nothing_is_tried_unasked)
{
        stage_start("", "");
        agent_wait_end(client, agent_submit(client, &(Wish){.serial = "unasked"}),
                       FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(count_connects("thing-unasked"), 0);
}
END_TEST

START_TEST(key_of_the_callers_is_not_tried_and_the_job_says_so)
{
        _cleanup_free_ char *key = NULL, *csr = NULL;
        JobId id;

        stage_start("", "VerifyCertificate=yes");
        identity_make_csr(&key, &csr);
        id = agent_submit(client, &(Wish){.serial = "callers", .csr = csr});
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        ck_assert(has_history(id, "cannot be tried here"));
        ck_assert_uint_eq(count_connects("thing-callers"), 0);
}
END_TEST

/* --- it is not let in ---------------------------------------------------------------------------
 */

static void must_fail_to_verify(JobId id, bool retriable, int status_code, const char *text) {
        fleetprov_job *job = wait_end(id);
        const fleetprov_error *error = fleetprov_job_get_error(job);
        const fleetprov_error *cause = fleetprov_error_get_cause(error);

        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_str_eq(fleetprov_error_get_name(error), "verify-failed");
        ck_assert_str_eq(fleetprov_error_get_phase(error), "verify");
        ck_assert_int_eq(fleetprov_error_get_retriable(error), retriable);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), text));
        ck_assert_ptr_nonnull(cause);
        ck_assert_int_eq(fleetprov_error_get_status_code(cause), status_code);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 0);
        fleetprov_job_free(job);
}

/* The identity can be fetched all the same. Its certificate's id, the caller's to free. */
static char *fetch_identity(JobId id, const char *serial, char **ret_key) {
        fleetprov_result *result = agent_fetch(client, id);
        char *certificate_id = strdup(fleetprov_result_get_certificate_id(result));

        ck_assert_str_eq(fleetprov_result_get_thing_name(result), thing(serial));
        *ret_key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        identity_assert_pair(fleetprov_result_get_certificate_pem(result), *ret_key, NULL);
        fleetprov_result_free(result);
        return certificate_id;
}

/* Under the same key: the same certificate, and no word to the provisioning service. */
static void try_again(JobId id, const char *serial, const char *key) {
        JobId again = agent_submit(client, &(Wish){.serial = serial, .key = key});

        ck_assert_str_eq(again.text, id.text);
        must_be_right(id, serial);
}

/* What is kept outlives the daemon, and what was mended in between is noticed. */
static void inactive_is_kept_and_tried_again(JobId id) {
        _cleanup_free_ char *certificate = NULL, *same = NULL, *key = NULL, *same_key = NULL;

        ck_assert_uint_eq(count_connects("thing-inactive"), 6);
        certificate = fetch_identity(id, "inactive", &key);
        stage_restart(true);
        cloud_fault(&cloud, "certificate", certificate, "active", NULL);
        try_again(id, "inactive", "inactive");
        same = fetch_identity(id, "inactive", &same_key);
        ck_assert_str_eq(same, certificate);
        ck_assert_str_eq(same_key, key);
        ck_assert(has_history(id, "asked for again"));
}

/* Who takes an identity untried has it, and gets no other before he says so. */
static void taken_untried_it_is_his(JobId id) {
        const Wish wish = {.serial = "unheard", .key = "unheard"};
        _cleanup_free_ char *certificate = NULL, *key = NULL;
        fleetprov_error *error = NULL;

        certificate = fetch_identity(id, "unheard", &key);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        stage_restart(true);
        ck_assert_int_eq(agent_refused(client, &wish, &error), FLEETPROV_RESULT_GONE);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "release"));
        fleetprov_error_free(error);
        ck_assert_uint_eq(stage_certificates(), 3);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
        must_be_right(agent_submit(client, &wish), "unheard");
        ck_assert_uint_eq(stage_certificates(), 4);
}

/* At once, since each takes half a minute: one that the template leaves inactive, one for which the
 * server is not available (CONNACK 3, which says nothing about it), one dropped without a word. */
START_TEST(certificates_that_are_not_let_in_are_kept)
{
        JobId inactive, unheard, dropped;

        stage_start("", "VerifyCertificate=yes");
        cloud_add(&cloud, "connack=3", "--client=thing-unheard", "--always");
        cloud_add(&cloud, "connect-drop", "--client=thing-dropped", "--always");
        cloud_add(&cloud, "inactive", "--operation=register");
        inactive = agent_submit(client, &(Wish){.serial = "inactive", .key = "inactive"});
        unheard = agent_submit(client, &(Wish){.serial = "unheard", .key = "unheard"});
        dropped = agent_submit(client, &(Wish){.serial = "dropped", .key = "dropped"});
        must_fail_to_verify(inactive, false, 7, "CONNACK 7");
        must_fail_to_verify(unheard, true, 3, "could not be tried");
        must_fail_to_verify(dropped, false, 0, "closed the connection");
        ck_assert_uint_eq(stage_certificates(), 3);

        cloud_clear(&cloud);
        inactive_is_kept_and_tried_again(inactive);
        try_again(dropped, "dropped", "dropped");
        ck_assert_uint_eq(stage_certificates(), 3);
        taken_untried_it_is_his(unheard);
}
END_TEST

/* --- it ends while it is tried ------------------------------------------------------------------
 */

/* A job between two tries of a certificate that is not active. */
static JobId start_inactive(const char *serial, uint64_t deadline_usec) {
        JobId id;

        cloud_add(&cloud, "inactive", "--operation=register");
        id = agent_submit(client,
                          &(Wish){.serial = serial, .key = serial, .deadline_usec = deadline_usec});
        wait_until_refused(id);
        return id;
}

static void activate_left(const fleetprov_job *job) {
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 1);
        cloud_fault(&cloud, "certificate", fleetprov_job_get_left_certificate(job, 0), "active",
                    NULL);
}

START_TEST(killed_while_it_is_tried_nothing_is_made_twice)
{
        const char *serial = _i == 0 ? "killed" : "ended";
        JobId id;

        stage_start("", "VerifyCertificate=yes");
        cloud_add(&cloud, "activation-delay=5000", "--operation=register");
        id = agent_submit(client, &(Wish){.serial = serial, .key = serial});
        wait_until_refused(id);
        stage_restart(_i == 0);
        must_be_right(id, serial);
        ck_assert(has_history(id, "going on with the certificate, which is still"));
        ck_assert_uint_eq(stage_certificates(), 1);
        ck_assert_uint_eq(cloud_count(&cloud, "register", "rejected"), 0);
}
END_TEST

START_TEST(cancelled_while_it_is_tried_it_is_on_record_and_tried_again)
{
        fleetprov_job *job;
        JobId id;

        stage_start("", "VerifyCertificate=yes");
        id = start_inactive("called-off", 0);
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
        job = agent_job(client, id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_CANCELLED);
        activate_left(job);
        fleetprov_job_free(job);
        ck_assert_int_eq(agent_call(client, fleetprov_client_get_result, id), FLEETPROV_CANCELLED);
        try_again(id, "called-off", "called-off");
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

START_TEST(deadline_passes_while_it_is_tried)
{
        fleetprov_job *job;
        JobId id;

        stage_start("", "VerifyCertificate=yes");
        id = start_inactive("too-late", 5 * USEC_PER_SEC);
        job = wait_end(id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_EXPIRED);
        ck_assert_str_eq(
                fleetprov_error_get_name(fleetprov_error_get_cause(fleetprov_job_get_error(job))),
                "credentials-refused");
        activate_left(job);
        fleetprov_job_free(job);
        try_again(id, "too-late", "too-late");
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

/* Its place in the queue is not lost with the session, and nothing fails. */
START_TEST(session_that_is_lost_costs_it_nothing)
{
        JobId id;

        stage_start("", "VerifyCertificate=yes");
        cloud_add(&cloud, "activation-delay=4000", "--operation=register");
        id = agent_submit(client, &(Wish){.serial = "kicked"});
        wait_until_refused(id);
        cloud_fault(&cloud, "kick", NULL);
        must_be_right(id, "kicked");
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: verify");
        TCase *tc = stage_shared(suite, "verify");

        tcase_set_timeout(tc, 200);
        tcase_add_loop_test(tc, certificate_is_tried_before_success_is_told, 0, 4);
        tcase_add_test(tc, activation_that_spreads_late_is_waited_for);
        tcase_add_test(tc, client_id_is_the_one_of_the_profile);
        tcase_add_test(tc, nothing_is_tried_unasked);
        tcase_add_test(tc, key_of_the_callers_is_not_tried_and_the_job_says_so);
        tcase_add_test(tc, certificates_that_are_not_let_in_are_kept);
        tcase_add_loop_test(tc, killed_while_it_is_tried_nothing_is_made_twice, 0, 2);
        tcase_add_test(tc, cancelled_while_it_is_tried_it_is_on_record_and_tried_again);
        tcase_add_test(tc, deadline_passes_while_it_is_tried);
        tcase_add_test(tc, session_that_is_lost_costs_it_nothing);
        return stage_run(suite);
}

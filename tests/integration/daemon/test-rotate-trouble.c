/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A rotation whose daemon dies, whose new certificate is not let in, or that is given up. The old
 * identity stays in force, the key that was handed in goes when the job ends, and no rerun mints a
 * second identity. */

#include <unistd.h>

#include "tests/integration/lib/rotation.h"

#define ROTATES "RotationTemplate=FleetRotation"

static void must_be_active(const char *certificate_id) {
        _cleanup_free_ char *state = cloud_certificate_state(&cloud, certificate_id);

        ck_assert_str_eq(state, "ACTIVE");
}

static void must_not_be_on_disk(const char *secret) {
        Trace trace = identity_trace(secret);
        _cleanup_free_ char *path = folder_find_bytes(d.place.dir, trace.text, strlen(trace.text));

        ck_assert_msg(!path, "%s holds a secret", path);
}

/* <id>.secret says which fields it has, a bit each, in its tenth byte (daemon/store/secret-file.h).
 */
#define FIELDS_AT 9
#define CLAIM_KEY_BIT 8

static bool claim_key_is_gone(JobId id) {
        size_t size = 0;
        _cleanup_free_ char *file =
                file_read(place_text(&d.place, "%s/%s.secret", d.state, id.text), &size);

        return !file || (size > FIELDS_AT && !(file[FIELDS_AT] & CLAIM_KEY_BIT));
}

/* Half a minute of tries, and as much again for a busy machine. */
#define LONG_PATIENCE_USEC (90 * USEC_PER_SEC)

static fleetprov_job *wait_long(JobId id) {
        fleetprov_job *job = NULL;

        ck_assert_int_eq(fleetprov_client_wait_job(client, id.text, LONG_PATIENCE_USEC, &job, NULL),
                         0);
        return job;
}

/* The result, of whatever end. */
static fleetprov_result *fetch(JobId id) {
        fleetprov_result *result;
        fleetprov_event *event;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_get_result(client, id.text, &ticket), 0);
        ck_assert_int_eq(fleetprov_client_wait(client, ticket, LONG_PATIENCE_USEC, &event), 0);
        result = fleetprov_event_steal_result(event);
        ck_assert_ptr_nonnull(result);
        fleetprov_event_free(event);
        return result;
}

static bool says_why_it_waits(JobId id) {
        fleetprov_job *job = agent_job(client, id);
        const fleetprov_error *why = fleetprov_job_get_waiting_for(job);
        bool says = fleetprov_job_get_state(job) == FLEETPROV_STATE_QUEUED && why &&
                    fleetprov_error_get_code(why) == FLEETPROV_CONNECT_FAILED;

        fleetprov_job_free(job);
        return says;
}

/* --- the daemon ends */

static const struct {
        const char *name, *fault, *operation, *phase;
        size_t made; /* certificates by the rotation, at most */
} points[] = {
        {"create", "delay=4000", "--operation=create-csr", "create", 2},
        {"register", "drop", "--operation=register", "register", 1},
        {"register-late", "delay=4000", "--operation=register", "register", 2},
        {"verify", "activation-delay=4000", "--operation=register", "verify", 1},
};

START_TEST(rotation_goes_on_where_it_stood)
{
        const bool kill = _i % 2 == 1;
        const char *name = points[_i / 2].name;
        _cleanup_(identity_done) Identity old = {};
        fleetprov_result *result;
        size_t before;
        Wish wish;
        JobId id;

        stage_start("", ROTATES);
        old = rotation_first_identity(name);
        before = stage_certificates();
        cloud_add(&cloud, points[_i / 2].fault, points[_i / 2].operation);
        wish = rotation_wish(&old, name);
        wish.key = "restart";
        id = agent_submit(client, &wish);
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, points[_i / 2].phase);
        must_not_be_on_disk(old.private_key);
        stage_restart(kill);
        result = agent_result(client, id);
        identity_assert(&cloud, result, name, NULL, NULL);
        fleetprov_result_free(result);
        must_be_active(old.certificate_id);
        ck_assert_uint_ge(stage_certificates() - before, 1);
        ck_assert_uint_le(stage_certificates() - before, points[_i / 2].made);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        ck_assert_uint_eq(folder_count(d.state, ".secret"), 0);
}
END_TEST

/* --- the new certificate is not let in */

START_TEST(certificate_that_is_not_let_in_is_kept_and_tried_again)
{
        _cleanup_(identity_done) Identity old = {};
        _cleanup_free_ char *made = NULL;
        const fleetprov_error *error;
        fleetprov_result *result;
        fleetprov_job *job;
        Wish wish;
        JobId id;

        stage_start("", ROTATES);
        old = rotation_first_identity("inactive");
        cloud_add(&cloud, "inactive", "--operation=register");
        wish = rotation_wish(&old, "inactive");
        wish.key = "inactive";
        id = agent_submit(client, &wish);
        job = wait_long(id);
        error = fleetprov_job_get_error(job);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_int_eq(fleetprov_error_get_code(error), FLEETPROV_VERIFY_FAILED);
        fleetprov_job_free(job);
        must_be_active(old.certificate_id);

        /* What was handed in is gone, what was made is not. */
        WAIT_FOR(claim_key_is_gone(id));
        result = fetch(id);
        made = strdup(fleetprov_result_get_certificate_id(result));
        fleetprov_result_free(result);

        cloud_fault(&cloud, "certificate", made, "active", NULL);
        stage_restart(true);
        (void) agent_submit(client, &wish);
        result = agent_result(client, id);
        ck_assert_str_eq(fleetprov_result_get_certificate_id(result), made);
        identity_assert(&cloud, result, "inactive", NULL, NULL);
        fleetprov_result_free(result);
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

/* A device is connected with the thing's name while its certificate is rotated. */
START_TEST(things_own_client_id_is_never_taken)
{
        _cleanup_(identity_done) Identity old = {};
        const fleetprov_error *error;
        fleetprov_job *job;
        Wish wish;

        stage_start("", ROTATES "\nVerifyClientId=thing-own");
        old = rotation_first_identity("own");
        wish = rotation_wish(&old, "own");
        job = agent_wait(client, agent_submit(client, &wish));
        error = fleetprov_job_get_error(job);
        ck_assert_int_eq(fleetprov_error_get_code(error), FLEETPROV_VERIFY_FAILED);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "the thing's own"));
        fleetprov_job_free(job);
        ck_assert_uint_eq(file_count_lines(place_path(&cloud.place, "journal.jsonl"),
                                           "\"event\":\"connect\"", "\"client\":\"thing-own\""),
                          0);
}
END_TEST

/* A template may end the old certificate at once: what is left to do needs no session of it. */
START_TEST(old_certificate_may_end_when_the_thing_is_registered)
{
        _cleanup_(identity_done) Identity old = {};
        fleetprov_result *result;
        Wish wish;
        JobId id;

        stage_start("", ROTATES);
        old = rotation_first_identity("ended");
        cloud_add(&cloud, "activation-delay=6000", "--operation=register");
        wish = rotation_wish(&old, "ended");
        id = agent_submit(client, &wish);
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        cloud_fault(&cloud, "certificate", old.certificate_id, "inactive", NULL);
        cloud_fault(&cloud, "kick", NULL);
        if (_i == 1)
                stage_restart(true);
        result = agent_result(client, id);
        identity_assert(&cloud, result, "ended", NULL, NULL);
        fleetprov_result_free(result);
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

/* --- it is given up */

START_TEST(what_was_handed_in_goes_with_the_end)
{
        static const char *const phases[] = {"create", "register"};
        static const char *const operations[] = {"--operation=create-csr", "--operation=register"};
        const size_t phase = (size_t) _i / 2;
        const bool expires = _i % 2 == 1;
        _cleanup_(identity_done) Identity old = {};
        Wish wish;
        JobId id;

        stage_start("", ROTATES);
        old = rotation_first_identity("given-up");
        cloud_add(&cloud, "delay=3000", operations[phase]);
        wish = rotation_wish(&old, "given-up");
        wish.deadline_usec = expires ? 3 * USEC_PER_SEC : 0;
        id = agent_submit(client, &wish);
        if (!expires) {
                agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, phases[phase]);
                (void) agent_call(client, fleetprov_client_cancel, id);
        }
        agent_wait_end(client, id, expires ? FLEETPROV_STATE_EXPIRED : FLEETPROV_STATE_CANCELLED);
        must_be_active(old.certificate_id);
        /* A certificate that was made keeps its key; the one that was handed in has no copy. */
        WAIT_FOR(claim_key_is_gone(id));
}
END_TEST

START_TEST(rotation_waits_for_a_cloud_that_is_away)
{
        _cleanup_(identity_done) Identity old = {};
        JobId id;
        Wish wish;

        stage_start("", ROTATES);
        old = rotation_first_identity("away");
        cloud_stop(&cloud);
        wish = rotation_wish(&old, "away");
        id = agent_submit(client, &wish);
        WAIT_FOR(says_why_it_waits(id));
        ck_assert(!claim_key_is_gone(id));
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
        agent_wait_end(client, id, FLEETPROV_STATE_CANCELLED);
        WAIT_FOR(folder_count(d.state, ".secret") == 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: rotate, trouble");
        TCase *tc = stage_shared(suite, "trouble");

        tcase_set_timeout(tc, 200);
        tcase_add_loop_test(tc, rotation_goes_on_where_it_stood, 0, 2 * ELEMENTSOF(points));
        tcase_add_test(tc, certificate_that_is_not_let_in_is_kept_and_tried_again);
        tcase_add_test(tc, things_own_client_id_is_never_taken);
        tcase_add_loop_test(tc, old_certificate_may_end_when_the_thing_is_registered, 0, 2);
        tcase_add_loop_test(tc, what_was_handed_in_goes_with_the_end, 0, 4);
        tc = stage_alone(suite, "trouble without cloud");
        tcase_add_test(tc, rotation_waits_for_a_cloud_that_is_away);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* An identity in force is rotated: it is its own claim, on a session of its own, and stays in force
 * whatever becomes of that. */

#include <unistd.h>

#include "tests/integration/lib/rotation.h"

#define ROTATES "RotationTemplate=FleetRotation"

static const char *journal(void) {
        return place_path(&cloud.place, "journal.jsonl");
}

static size_t n_connects(const char *client_id_and_more) {
        return file_count_lines(journal(), "\"event\":\"connect\"", client_id_and_more);
}

static const struct {
        const char *name, *format, *key_source, *key_type;
} ways[] = {
        {"json", "", NULL, NULL},
        {"cbor", "\nPayloadFormat=cbor", NULL, "ec-p384"},
        {"cloud-key", "", "cloud", NULL},
        {"cbor-cloud-key", "\nPayloadFormat=cbor\nKeySource=cloud", NULL, NULL},
};

START_TEST(new_identity_for_the_same_thing)
{
        _cleanup_(identity_done) Identity old = {};
        _cleanup_free_ char *state = NULL;
        fleetprov_result *result;
        size_t in_all;
        Wish wish;
        JobId id;

        stage_start("", place_text(&cloud.place, ROTATES "%s", ways[_i].format));
        old = rotation_first_identity(ways[_i].name);
        wish = rotation_wish(&old, ways[_i].name);
        wish.key_source = ways[_i].key_source;
        wish.key_type = ways[_i].key_type;
        in_all = n_connects("\"client\":\"thing-");
        id = agent_submit(client, &wish);
        result = agent_result(client, id);
        identity_assert(&cloud, result, ways[_i].name, NULL, ways[_i].key_type);
        ck_assert_str_ne(fleetprov_result_get_certificate_id(result), old.certificate_id);
        fleetprov_result_free(result);
        ck_assert_uint_eq(stage_certificates(), 2);

        /* The old one is still in force, and the thing's own client id was nobody's. */
        state = cloud_certificate_state(&cloud, old.certificate_id);
        ck_assert_str_eq(state, "ACTIVE");
        ck_assert_uint_eq(n_connects("\"client\":\"thing-"), in_all);
        ck_assert_uint_eq(n_connects(place_text(&cloud.place, "\"client\":\"fleetprovd-rotate-%s\"",
                                                id.text)),
                          1);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        ck_assert_uint_eq(folder_count(d.state, ".secret"), 0);
}
END_TEST

START_TEST(new_identity_is_the_claim_of_the_next_rotation)
{
        _cleanup_(identity_done) Identity first = {}, second = {}, third = {};

        stage_start("", ROTATES);
        first = rotation_first_identity("next");
        second = rotation_new_identity(&first, "next");
        third = rotation_new_identity(&second, "next");
        ck_assert_str_ne(third.certificate_id, second.certificate_id);
        ck_assert_uint_eq(stage_certificates(), 3);
}
END_TEST

/* --- what is refused at once */

START_TEST(requests_that_make_no_sense_are_refused)
{
        _cleanup_(identity_done) Identity a = {}, b = {};
        _cleanup_free_ char *key = NULL, *csr = NULL;
        Wish wish;

        stage_start("", ROTATES);
        a = rotation_first_identity("sense-a");
        b = rotation_first_identity("sense-b");
        identity_make_csr(&key, &csr);

        wish = rotation_wish(&a, "sense-a");
        wish.certificate = NULL;
        rotation_must_be_refused(&wish, FLEETPROV_BAD_PARAMETER, "'certificate' is missing");
        wish = rotation_wish(&a, "sense-a");
        wish.private_key = NULL;
        rotation_must_be_refused(&wish, FLEETPROV_BAD_PARAMETER, "'private-key' is missing");
        wish = rotation_wish(&a, "sense-a");
        wish.certificate = "no PEM";
        rotation_must_be_refused(&wish, FLEETPROV_BAD_PARAMETER, "Option 'certificate'");
        wish = rotation_wish(&a, "sense-a");
        wish.private_key = "no PEM";
        rotation_must_be_refused(&wish, FLEETPROV_BAD_PARAMETER, "Option 'private-key'");
        wish = rotation_wish(&a, "sense-a");
        wish.private_key = b.private_key;
        rotation_must_be_refused(&wish, FLEETPROV_KEY_MISMATCH, "no pair");
        wish = rotation_wish(&a, "sense-a");
        wish.csr = csr;
        rotation_must_be_refused(&wish, FLEETPROV_BAD_PARAMETER, "'csr'");
        wish = rotation_wish(&a, "sense-a");
        wish.operation = FLEETPROV_OPERATION_PROVISION;
        rotation_must_be_refused(&wish, FLEETPROV_BAD_PARAMETER, "with rotate alone");
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

START_TEST(profile_without_a_rotation_template_says_so)
{
        _cleanup_(identity_done) Identity old = {};
        Wish wish;

        stage_start("", "");
        old = rotation_first_identity("no-template");
        wish = rotation_wish(&old, "no-template");
        rotation_must_be_refused(&wish, FLEETPROV_BAD_PARAMETER, "RotationTemplate=");
}
END_TEST

/* --- the same key */

START_TEST(same_key_is_the_same_rotation)
{
        _cleanup_(identity_done) Identity old = {}, other = {};
        JobId id, again;
        Wish wish;

        stage_start("", ROTATES);
        old = rotation_first_identity("same");
        other = rotation_first_identity("other");
        wish = rotation_wish(&old, "same");
        wish.key = "rotation";
        id = agent_submit(client, &wish);
        again = agent_submit(client, &wish);
        ck_assert_str_eq(again.text, id.text);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        stage_restart(true);
        again = agent_submit(client, &wish);
        ck_assert_str_eq(again.text, id.text);
        ck_assert_uint_eq(stage_certificates(), 3);

        wish = rotation_wish(&other, "same");
        wish.key = "rotation";
        rotation_must_be_refused(&wish, FLEETPROV_ID_CONFLICT, "another request");
}
END_TEST

/* --- the certificate in force is refused */

START_TEST(certificate_that_is_refused_ends_the_job)
{
        _cleanup_(identity_done) Identity old = {};
        const fleetprov_error *error;
        fleetprov_result *result;
        fleetprov_job *job;
        JobId id, again;
        Wish wish;

        stage_start("", ROTATES);
        old = rotation_first_identity("revoked");
        cloud_fault(&cloud, "certificate", old.certificate_id, "inactive", NULL);
        wish = rotation_wish(&old, "revoked");
        wish.key = "revoked";
        id = agent_submit(client, &wish);
        job = agent_wait(client, id);
        error = fleetprov_job_get_error(job);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_int_eq(fleetprov_error_get_code(error), FLEETPROV_CREDENTIALS_REFUSED);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "to be rotated"));
        fleetprov_job_free(job);
        ck_assert_uint_eq(stage_certificates(), 1);
        WAIT_FOR(folder_count(d.state, ".secret") == 0);

        /* The claim's session has nothing to do with it. */
        agent_wait_end(client, agent_submit(client, &(Wish){.serial = "meanwhile"}),
                       FLEETPROV_STATE_SUCCEEDED);

        cloud_fault(&cloud, "certificate", old.certificate_id, "active", NULL);
        again = agent_submit(client, &wish);
        ck_assert_str_eq(again.text, id.text);
        result = agent_result(client, id);
        identity_assert(&cloud, result, "revoked", NULL, NULL);
        fleetprov_result_free(result);
        ck_assert_uint_eq(stage_certificates(), 3);
}
END_TEST

/* --- beside the claim's session */

START_TEST(claims_jobs_go_on_beside_a_rotation)
{
        _cleanup_(identity_done) Identity old = {};
        JobId rotation;
        Wish wish;

        stage_start("", ROTATES);
        old = rotation_first_identity("beside");
        cloud_add(&cloud, "delay=4000", "--operation=create-csr");
        wish = rotation_wish(&old, "beside");
        rotation = agent_submit(client, &wish);
        agent_wait_state(client, rotation, FLEETPROV_STATE_RUNNING, "create");
        for (unsigned i = 0; i < 3; i++)
                agent_wait_end(client, agent_submit(client, &(Wish){.serial = "claimed"}),
                               FLEETPROV_STATE_SUCCEEDED);
        agent_wait_state(client, rotation, FLEETPROV_STATE_RUNNING, "create");
        agent_wait_end(client, rotation, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(stage_certificates(), 5);
}
END_TEST

START_TEST(rotations_of_a_profile_take_turns)
{
        enum {
                MANY = 3
        };
        Identity old[MANY];
        JobId ids[MANY];

        stage_start("", ROTATES);
        for (size_t i = 0; i < MANY; i++)
                old[i] = rotation_first_identity(place_text(&cloud.place, "turn-%zu", i));
        for (size_t i = 0; i < MANY; i++) {
                Wish wish = rotation_wish(old + i, place_text(&cloud.place, "turn-%zu", i));

                ids[i] = agent_submit(client, &wish);
        }
        for (size_t i = 0; i < MANY; i++) {
                agent_wait_end(client, ids[i], FLEETPROV_STATE_SUCCEEDED);
                identity_done(old + i);
        }
        ck_assert_uint_eq(stage_certificates(), 2 * MANY);
}
END_TEST

START_TEST(claim_is_not_needed_to_rotate)
{
        _cleanup_(identity_done) Identity old = {}, new = {};
        const char *dir;

        /* A factory's claim is taken from the device that has its identity. */
        stage_start("", ROTATES);
        old = rotation_first_identity("claimless");
        dir = cloud.place.dir;
        daemon_configure(&d, cloud_profile(&cloud, "aws",
                                           place_text(&cloud.place,
                                                      ROTATES "\nCertificate=%s/gone.pem\n"
                                                              "PrivateKey=%s/gone.key\n",
                                                      dir, dir)));
        stage_restart(false);
        new = rotation_new_identity(&old, "claimless");
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

/* --- trouble on the way */

START_TEST(refusal_of_the_hook_leaves_the_old_one_in_force)
{
        _cleanup_(identity_done) Identity old = {};
        _cleanup_free_ char *state = NULL;
        fleetprov_job *job;
        Wish wish;
        JobId id;

        stage_start("", ROTATES);
        old = rotation_first_identity("hooked");
        cloud_add(&cloud, "reject=403:ACCESS_DENIED:no", "--operation=register");
        wish = rotation_wish(&old, "hooked");
        wish.key = "hooked";
        id = agent_submit(client, &wish);
        job = agent_wait(client, id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_int_eq(fleetprov_error_get_code(fleetprov_job_get_error(job)),
                         FLEETPROV_SERVER_REFUSED);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 1);
        fleetprov_job_free(job);
        state = cloud_certificate_state(&cloud, old.certificate_id);
        ck_assert_str_eq(state, "ACTIVE");

        /* Again: the certificate that was made is registered, and no second one made. */
        stage_restart(_i == 1);
        (void) agent_submit(client, &wish);
        fleetprov_result_free(agent_result(client, id));
        ck_assert_uint_eq(stage_certificates(), 2);
}
END_TEST

START_TEST(template_that_is_not_for_it_is_told_by_its_topic)
{
        _cleanup_(identity_done) Identity old = {};
        const fleetprov_error *error;
        fleetprov_job *job;
        Wish wish;

        stage_start("", "RotationTemplate=HookTemplate\nTemplate=FleetTemplate");
        old = rotation_first_identity("policy");
        wish = rotation_wish(&old, "policy");
        job = agent_wait(client, agent_submit(client, &wish));
        error = fleetprov_job_get_error(job);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_int_eq(fleetprov_error_get_code(error), FLEETPROV_PERMISSION_DENIED_BY_POLICY);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "HookTemplate"));
        fleetprov_job_free(job);
        ck_assert_uint_eq(stage_certificates(), 1);
        cloud_expect_breach(&cloud, "subscribe-without-right");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: rotate");
        TCase *tc = stage_shared(suite, "rotate");

        tcase_add_loop_test(tc, new_identity_for_the_same_thing, 0, ELEMENTSOF(ways));
        tcase_add_test(tc, new_identity_is_the_claim_of_the_next_rotation);
        tcase_add_test(tc, requests_that_make_no_sense_are_refused);
        tcase_add_test(tc, profile_without_a_rotation_template_says_so);
        tcase_add_test(tc, same_key_is_the_same_rotation);
        tcase_add_test(tc, certificate_that_is_refused_ends_the_job);
        tcase_add_test(tc, claims_jobs_go_on_beside_a_rotation);
        tcase_add_test(tc, rotations_of_a_profile_take_turns);
        tcase_add_test(tc, claim_is_not_needed_to_rotate);
        tcase_add_loop_test(tc, refusal_of_the_hook_leaves_the_old_one_in_force, 0, 2);
        tcase_add_test(tc, template_that_is_not_for_it_is_told_by_its_topic);
        return stage_run(suite);
}

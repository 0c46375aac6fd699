/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Registrations with DPS for which a certificate is issued, whose key is made in a token
 * (KeyStore=). */

#include "tests/integration/daemon/azure.h"
#include "tests/integration/daemon/keystore.h"

static void begin(const char *version) {
        const char *lines;

        keystore_make_token();
        lines = keystore_lines(place_text(
                &d.place, "RegistrationIds=gw-*\nSymmetricKey=DIR/dps.key\nApiVersion=%s\n",
                version));
        registered_before = cloud_count(&cloud, "dps-register", "assigning");
        daemon_configure(&d, cloud_dps_profile(&cloud, "azure", lines));
        daemon_start(&d);
        client = agent_open(d.socket);
}

static void must_be_issued(JobId id, const char *device) {
        fleetprov_result *result = agent_result(client, id);

        assert_assigned(result, device);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 0);
        keystore_assert_pair(result);
        ck_assert_str_eq(keystore_id_of(result), id.text);
        fleetprov_result_free(result);
        ck_assert_uint_eq(token_user_count(id.text), 1);
}

static const struct {
        const char *version, *type;
} kinds[] = {
        {"2025-07-01-preview", NULL},
        {"2025-07-01-preview", "rsa-2048"},
        {"2021-11-01-preview", "ec-p384"},
};

START_TEST(a_key_in_the_token_is_certified)
{
        JobId id;

        begin(kinds[_i].version);
        id = agent_submit(client, &(Wish){.profile = "azure",
                                          .registration_id = "gw-token",
                                          .key_type = kinds[_i].type});
        must_be_issued(id, "gw-token");
        ck_assert_uint_eq(soft_token_made(), 1);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
        ck_assert_uint_eq(token_user_count(id.text), 1);
}
END_TEST

static const char *const stops[] = {"dps-register", "dps-query"};

START_TEST(a_killed_daemon_goes_on_with_the_same_key)
{
        JobId id;

        cloud_add(&cloud, "drop", place_text(&cloud.place, "--operation=%s", stops[_i]));
        begin(kinds[0].version);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "gw-killed"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, _i == 0 ? "register" : "poll");
        WAIT_FOR(soft_token_objects() == 2);
        stage_restart(true);
        must_be_issued(id, "gw-killed");
        ck_assert_uint_eq(soft_token_made(), 1);
}
END_TEST

START_TEST(the_key_of_a_refused_registration_is_removed)
{
        JobId id;

        begin(kinds[0].version);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "gw-disabled"});
        agent_wait_end(client, id, FLEETPROV_STATE_FAILED);
        ck_assert_uint_eq(soft_token_made(), 1);
        WAIT_FOR(soft_token_objects() == 0);
        WAIT_FOR(file_count_lines(d.log, id.text, "was removed from its token") == 1);
}
END_TEST

START_TEST(a_token_that_is_taken_out_is_waited_for)
{
        JobId id;

        begin(kinds[0].version);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "gw-now"});
        must_be_issued(id, "gw-now");
        soft_token_fault("removed");
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "gw-later"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        soft_token_fault(NULL);
        must_be_issued(id, "gw-later");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon/azure-keystore");
        TCase *tc = stage_shared_dps(suite, "keys");

        tcase_add_loop_test(tc, a_key_in_the_token_is_certified, 0, ELEMENTSOF(kinds));
        tcase_add_loop_test(tc, a_killed_daemon_goes_on_with_the_same_key, 0, ELEMENTSOF(stops));
        tcase_add_test(tc, the_key_of_a_refused_registration_is_removed);
        tcase_add_test(tc, a_token_that_is_taken_out_is_waited_for);
        return stage_run(suite);
}

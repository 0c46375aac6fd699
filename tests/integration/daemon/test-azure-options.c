/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Options of Azure's own client that fleetprovd-azure(7) has a row for and no other test shows:
 * each one does what it does there. */

#include <sys/stat.h>

#include "tests/integration/daemon/azure.h"

#define GATEWAY "RegistrationIds=gw-*\nSymmetricKey=DIR/dps.key"

/* A later file replaces what the profile says. */
static void start_with_drop_in(const char *lines, const char *later) {
        registered_before = cloud_count(&cloud, "dps-register", "assigning");
        daemon_make(&d);
        daemon_configure(&d, cloud_dps_profile(&cloud, "azure", lines));
        ck_assert_int_eq(mkdir(place_path(&d.place, "fleetprovd.conf.d"), 0755), 0);
        (void) place_write(&d.place, "fleetprovd.conf.d/50-later.conf", 0600,
                           place_text(&d.place, "[Profile azure]\n%s\n", later));
        daemon_start(&d);
        client = agent_open(d.socket);
}

static const char *const payloads[] = {
        "{\"modelId\":\"dtmi:example:gw;1\"}", "[1,\"two\",null]", "\"a text\"", "7", "true",
};

START_TEST(payload_is_any_json)
{
        fleetprov_result *result;

        start(GATEWAY);
        result = agent_result(client, agent_submit(client, &(Wish){.profile = "azure",
                                                                   .registration_id = "gw-payload",
                                                                   .payload = payloads[_i]}));
        ck_assert_ptr_nonnull(strstr(fleetprov_result_get_registration_state(result),
                                     place_text(&d.place, "\"payload\":%s", payloads[_i])));
        fleetprov_result_free(result);
}
END_TEST

START_TEST(gateway_stands_in_for_the_host_alone)
{
        start_with_drop_in(GATEWAY, "Endpoint=dps.invalid\nGatewayHostname=localhost");
        must_assign(&(Wish){.profile = "azure", .registration_id = "gw-behind"}, "gw-behind");
}
END_TEST

START_TEST(keepalive_is_the_profiles)
{
        const char *log = place_path(&cloud.place, "cloud/mosquitto.log");

        start_with_drop_in(GATEWAY, "KeepAliveSec=47");
        must_assign(&(Wish){.profile = "azure", .registration_id = "gw-alive"}, "gw-alive");
        WAIT_FOR(file_count_lines(log, "gw-alive", ", k47,") > 0);
}
END_TEST

START_TEST(cipher_may_be_chosen)
{
        start_with_drop_in(GATEWAY, "CipherList=ECDHE-ECDSA-AES256-GCM-SHA384");
        must_assign(&(Wish){.profile = "azure", .registration_id = "gw-cipher"}, "gw-cipher");
}
END_TEST

/* What is tried again and again says meanwhile what is wrong. */
static const struct {
        const char *later, *code;
} wrong[] = {
        {"Endpoint=dps.invalid", "name-resolution"},
        {"Port=1", "connect-failed"},
        {"TrustedCertificates=DIR/cloud/claim-ca.pem", "tls-trust"},
        {"CipherList=ECDHE-RSA-AES128-GCM-SHA256", "tls-failed"}, /* its key is another */
};

START_TEST(connection_that_cannot_be_made_is_named)
{
        const fleetprov_error *error;
        const char *later = wrong[_i].later, *at = strstr(later, "DIR/");
        fleetprov_job *job;
        JobId id;

        if (at)
                later = place_text(&cloud.place, "%.*s%s%s", (int) (at - later), later,
                                   cloud.place.dir, at + strlen("DIR"));
        start_with_drop_in(GATEWAY, later);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "gw-wrong"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        job = agent_job(client, id);
        error = fleetprov_job_get_error(job);
        ck_assert_ptr_nonnull(error);
        if (wrong[_i].code)
                ck_assert_msg(streq(fleetprov_error_get_name(error), wrong[_i].code), "%s: %s",
                              fleetprov_error_get_name(error), fleetprov_error_get_message(error));
        fleetprov_job_free(job);
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
        ck_assert_uint_eq(registrations(), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("azure options");
        TCase *tc = stage_shared_dps(suite, "options");

        tcase_add_loop_test(tc, payload_is_any_json, 0, ELEMENTSOF(payloads));
        tcase_add_test(tc, gateway_stands_in_for_the_host_alone);
        tcase_add_test(tc, keepalive_is_the_profiles);
        tcase_add_test(tc, cipher_may_be_chosen);
        tcase_add_loop_test(tc, connection_that_cannot_be_made_is_named, 0, ELEMENTSOF(wrong));
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Registrations with DPS by a certificate whose key is in a token. */

#include "tests/integration/daemon/azure.h"
#include "tests/integration/daemon/checkup.h"
#include "tests/integration/daemon/token-claim.h"

static const char *x509_in_token(const char *more) {
        return place_text(&d.place,
                          "RegistrationId=x509-1\nAuthentication=x509\n"
                          "Certificate=DIR/dps-device.pem\nPrivateKey=%s;object=claim\n"
                          "Pkcs11Module=%s\nPrivateKeyPassword=%s\n%s",
                          SOFT_TOKEN_URI, soft_token_module(), place_path(&d.place, "pin"), more);
}

static void begin(const char *more) {
        registered_before = cloud_count(&cloud, "dps-register", "assigning");
        daemon_configure(&d, cloud_dps_profile(&cloud, "azure", x509_in_token(more)));
        daemon_start(&d);
        client = agent_open(d.socket);
}

static bool profile_is_refused(const char *text) {
        fleetprov_status *status = agent_status(client);
        const fleetprov_error *error = fleetprov_status_get_profile_error(status, 0);
        bool is = error && strstr(fleetprov_error_get_message(error), text);

        fleetprov_status_free(status);
        return is;
}

static const char *const ciphers[] = {
        "CipherList=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256\n",
        "CipherList=TLS_AES_128_GCM_SHA256\n",
};

START_TEST(device_whose_key_is_in_a_token_is_assigned)
{
        make_token("dps-device");
        pin_file(SOFT_TOKEN_PIN "\n");
        begin(ciphers[_i]);
        must_assign(&(Wish){.profile = "azure"}, "x509-1");
        ck_assert_uint_eq(soft_token_logins(), 1);
        /* One to see that they are a pair, one in the handshake. */
        ck_assert_uint_ge(soft_token_signatures(), 2);
        ck_assert(!file_has(d.log, SOFT_TOKEN_PIN));
}
END_TEST

START_TEST(wrong_pin_costs_one_try_and_a_right_one_serves)
{
        make_token("dps-device");
        pin_file("0000");
        begin("");
        WAIT_FOR(profile_is_refused("refuses the PIN"));
        stage_restart(false);
        WAIT_FOR(profile_is_refused("refused this PIN before"));
        ck_assert_uint_eq(soft_token_logins(), 1);
        pin_file(SOFT_TOKEN_PIN);
        WAIT_FOR(!profile_is_refused(""));
        must_assign(&(Wish){.profile = "azure"}, "x509-1");
        ck_assert_uint_eq(soft_token_logins(), 2);
}
END_TEST

START_TEST(key_of_another_device_is_found_before_the_service_is_asked)
{
        fleetprov_event *event;

        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        begin("");
        WAIT_FOR(profile_is_refused("does not belong to the private key"));
        event = check("azure");
        assert_line(event, "key-match", "failed", "made together");
        fleetprov_event_free(event);
        ck_assert_uint_eq(registrations(), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon/azure-pkcs11");
        TCase *tc = stage_shared_dps(suite, "claims");

        tcase_add_loop_test(tc, device_whose_key_is_in_a_token_is_assigned, 0, ELEMENTSOF(ciphers));
        tcase_add_test(tc, wrong_pin_costs_one_try_and_a_right_one_serves);
        tcase_add_test(tc, key_of_another_device_is_found_before_the_service_is_asked);
        return stage_run(suite);
}

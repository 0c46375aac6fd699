/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a device of azure-dps shows to be let in, and what becomes of it: a second key, a clock that
 * makes tokens worthless, a certificate of another name, a claim that is replaced. */

#include "tests/integration/daemon/azure.h"
#include "tests/integration/daemon/checkup.h"

#define HOUR_SEC ((int64_t) 3600)

/* How often devices were let in so, from the cloud's start on. */
static size_t logins(const char *with) {
        return file_count_lines(place_path(&cloud.place, "journal.jsonl"), "\"event\":\"login\"",
                                place_text(&cloud.place, "\"with\":\"%s\"", with));
}

static char *cloud_file(const char *name) {
        char *text = file_read(place_path(&cloud.place, name), NULL);

        ck_assert_ptr_nonnull(text);
        return text;
}

/* A file of the test's own with the content of one of the cloud's. */
static void put(const char *name, const char *of) {
        _cleanup_free_ char *text = cloud_file(of);

        (void) place_write(&d.place, name, 0600, text);
}

static void start_with_files(const char *synchronised, const char *lines) {
        registered_before = cloud_count(&cloud, "dps-register", "assigning");
        daemon_configure(&d, cloud_dps_profile(&cloud, "azure", lines));
        set_synchronised(synchronised);
        daemon_start(&d);
        other_clock_end();
        client = agent_open(d.socket);
}

static void must_go_well(void) {
        fleetprov_result_free(
                agent_result(client, agent_submit(client, &(Wish){.profile = "azure"})));
}

/* --- keys */

START_TEST(each_job_begins_with_the_first_key_again)
{
        size_t first = logins("primary"), second = logins("secondary");

        daemon_make(&d);
        put("first.key", "dps-group.key"); /* refused */
        start_with_files("yes", place_text(&d.place,
                                           "RegistrationId=gw-keys\nSymmetricKey=%s\n"
                                           "SecondaryKey=DIR/dps-secondary.key",
                                           place_path(&d.place, "first.key")));
        must_go_well();
        ck_assert_uint_eq(logins("secondary"), second + 1);
        ck_assert_uint_eq(logins("primary"), first);
        put("first.key", "dps.key"); /* the enrolment has it again */
        while (logins("primary") == first)
                must_go_well();
}
END_TEST

START_TEST(clock_that_is_not_set_costs_no_key)
{
        size_t first, second = logins("secondary");
        const char *clock, *synchronised;
        JobId id;

        daemon_make(&d);
        clock = other_clock_make(&d.place, -2 * HOUR_SEC); /* a token lives for one */
        synchronised = place_path(&d.place, "synchronised");
        first = logins("primary");
        start_with_files(synchronised, "RegistrationId=gw-clock\nSymmetricKey=DIR/dps.key\n"
                                       "SecondaryKey=DIR/dps-secondary.key");
        id = agent_submit(client, &(Wish){.profile = "azure"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");

        (void) place_write(&d.place, "synchronised", 0600, "");
        other_clock_set(clock, 0);
        fleetprov_result_free(agent_result(client, id));
        /* They take turns while the clock is in doubt: whose turn it was is chance. */
        ck_assert_uint_eq(logins("primary") + logins("secondary"), first + second + 1);
        ck_assert_uint_eq(registrations(), 1);
}
END_TEST

/* --- certificates */

START_TEST(certificate_of_another_name_is_no_claim)
{
        fleetprov_event *event;
        fleetprov_error *error;

        start("RegistrationId=x509-2\nAuthentication=x509\nCertificate=DIR/dps-device.pem\n"
              "PrivateKey=DIR/dps-device.key");
        ck_assert_int_eq(agent_refused(client, &(Wish){.profile = "azure"}, &error),
                         FLEETPROV_NOT_INITIALIZED);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "\"CN=x509-1\""));
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "RegistrationId=x509-2"));
        fleetprov_error_free(error);
        event = check("azure");
        assert_line(event, "files", "failed", "RegistrationId=x509-2");
        fleetprov_event_free(event);
}
END_TEST

START_TEST(job_may_bring_no_other_id_than_the_certificates)
{
        fleetprov_error *error;

        start("RegistrationIds=x509-*\nAuthentication=x509\nCertificate=DIR/dps-device.pem\n"
              "PrivateKey=DIR/dps-device.key");
        ck_assert_int_eq(agent_refused(client,
                                       &(Wish){.profile = "azure", .registration_id = "x509-2"},
                                       &error),
                         FLEETPROV_BAD_PARAMETER);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "\"CN=x509-1\""));
        fleetprov_error_free(error);
        must_assign(&(Wish){.profile = "azure", .registration_id = "x509-1"}, "x509-1");
}
END_TEST

START_TEST(key_may_be_encrypted)
{
        const char *key;

        daemon_make(&d);
        key = place_path(&d.place, "encrypted.key");
        ck_assert_int_eq(
                process_run((const char *const[]){"/usr/bin/openssl", "pkcs8", "-topk8", "-in",
                                                  place_path(&cloud.place, "dps-device.key"),
                                                  "-passout", "pass:sesame", "-out", key, NULL},
                            NULL, NULL),
                0);
        ck_assert_int_eq(chmod(key, 0600), 0);
        start_with_files("yes",
                         place_text(&d.place,
                                    "RegistrationId=x509-1\nAuthentication=x509\n"
                                    "Certificate=DIR/dps-device.pem\nPrivateKey=%s\n"
                                    "PrivateKeyPassword=%s",
                                    key, place_write(&d.place, "password", 0600, "sesame\n")));
        must_go_well();
}
END_TEST

/* --- a claim that is replaced */

START_TEST(former_key_serves_while_the_new_one_is_refused)
{
        size_t second = logins("secondary");

        daemon_make(&d);
        put("a.key", "dps.key");
        start_with_files("yes", place_text(&d.place, "RegistrationId=gw-former\nSymmetricKey=%s",
                                           place_path(&d.place, "a.key")));
        must_go_well();
        put("a.key", "dps-group.key"); /* not this device's */
        while (!file_has(d.log, "the former claim serves on"))
                must_go_well();
        must_go_well();
        put("a.key", "dps-secondary.key"); /* one that is let in */
        while (logins("secondary") == second)
                must_go_well();
}
END_TEST

/* Nobody is seen to set the clock, as on a gateway whose time comes from somewhere else: that is no
 * reason to hold on to a key that is refused. */
START_TEST(former_key_serves_while_the_clock_is_in_doubt)
{
        daemon_make(&d);
        put("a.key", "dps.key");
        start_with_files(place_path(&d.place, "synchronised"),
                         place_text(&d.place, "RegistrationId=gw-doubt\nSymmetricKey=%s",
                                    place_path(&d.place, "a.key")));
        must_go_well();
        put("a.key", "dps-group.key"); /* not this device's */
        while (!file_has(d.log, "the former claim serves on"))
                must_go_well();
        must_go_well();
}
END_TEST

START_TEST(former_certificate_serves_while_the_new_one_is_another_devices)
{
        _cleanup_free_ char *key = NULL, *certificate = NULL;

        daemon_make(&d);
        put("device.pem", "dps-device.pem");
        put("device.key", "dps-device.key");
        start_with_files("yes", place_text(&d.place,
                                           "RegistrationId=x509-1\nAuthentication=x509\n"
                                           "Certificate=%s\nPrivateKey=%s",
                                           place_path(&d.place, "device.pem"),
                                           place_path(&d.place, "device.key")));
        must_go_well();
        identity_make_device(&cloud, "x509-9", &key, &certificate);
        (void) place_write(&d.place, "device.key", 0600, key);
        (void) place_write(&d.place, "device.pem", 0600, certificate);
        WAIT_FOR(file_has(d.log, "not in the name of RegistrationId=x509-1"));
        must_go_well();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("azure claim");
        TCase *tc = stage_shared_dps(suite, "claim");

        tcase_add_test(tc, each_job_begins_with_the_first_key_again);
        tcase_add_test(tc, clock_that_is_not_set_costs_no_key);
        tcase_add_test(tc, certificate_of_another_name_is_no_claim);
        tcase_add_test(tc, job_may_bring_no_other_id_than_the_certificates);
        tcase_add_test(tc, key_may_be_encrypted);
        tcase_add_test(tc, former_key_serves_while_the_new_one_is_refused);
        tcase_add_test(tc, former_key_serves_while_the_clock_is_in_doubt);
        tcase_add_test(tc, former_certificate_serves_while_the_new_one_is_another_devices);
        return stage_run(suite);
}

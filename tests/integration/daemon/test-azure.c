/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Jobs of a profile of azure-dps, from the application's request to its result: each way to show
 * who the device is, and what a job may ask. */

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/daemon/azure.h"

/* --- ways to show who it is */

START_TEST(device_with_a_key_of_its_own_is_assigned)
{
        fleetprov_result *result;
        fleetprov_status *status;

        start(KEY "\nPayload={\"modelId\":\"dtmi:%%a:b;1\"}");
        result = agent_result(client, agent_submit(client, &(Wish){.profile = "azure"}));
        assert_assigned(result, "gw-1");
        ck_assert_ptr_nonnull(
                strstr(fleetprov_result_get_registration_state(result), "dtmi:%a:b;1"));
        assert_no_secret(result); /* that of the profile is nobody's result */
        fleetprov_result_free(result);

        daemon_wait_session(&d, "azure", "offline");
        status = agent_status(client);
        ck_assert_str_eq(fleetprov_status_get_profile_provider(status, 0), "azure-dps");
        ck_assert_ptr_null(fleetprov_status_get_profile_error(status, 0));
        fleetprov_status_free(status);
}
END_TEST

START_TEST(device_with_a_certificate_is_assigned)
{
        fleetprov_status *status;

        start(DEVICE_CERTIFICATE);
        /* The claim is read by then. */
        must_assign(&(Wish){.profile = "azure"}, "x509-1");
        status = agent_status(client);
        ck_assert_ptr_nonnull(strstr(fleetprov_status_get_claim_subject(status, 0), "x509-1"));
        fleetprov_status_free(status);
}
END_TEST

START_TEST(secondary_key_serves_where_the_first_is_refused)
{
        start_synchronised("yes", "RegistrationId=gw-second\nSymmetricKey=DIR/dps-group.key\n"
                                  "SecondaryKey=DIR/dps-secondary.key");
        must_assign(&(Wish){.profile = "azure"}, "gw-second");
}
END_TEST

/* base64(HMAC-SHA256(the group's key, the registration id)), by other code than the daemon's. */
static const char *derived_key(const char *id, char **ret_group_key) {
        char *text = file_read(place_path(&cloud.place, "dps-group.key"), NULL);
        unsigned char key[128], mac[EVP_MAX_MD_SIZE];
        char base64[64];
        unsigned size;
        size_t length;
        int n;

        ck_assert_ptr_nonnull(text);
        length = strcspn(text, "\n");
        text[length] = '\0';
        n = EVP_DecodeBlock(key, (const unsigned char *) text, (int) length);
        for (; length > 0 && text[length - 1] == '='; length--)
                n--;
        ck_assert_ptr_nonnull(
                HMAC(EVP_sha256(), key, n, (const unsigned char *) id, strlen(id), mac, &size));
        (void) EVP_EncodeBlock((unsigned char *) base64, mac, (int) size);
        *ret_group_key = text;
        return place_text(&d.place, "%s", base64);
}

START_TEST(device_of_a_group_gets_its_own_key)
{
        _cleanup_free_ char *group_key = NULL, *found = NULL, *secret = NULL;
        fleetprov_result *result;
        const char *derived;
        JobId id;

        start(GROUP);
        derived = derived_key("sensor-7", &group_key);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "sensor-7"});
        result = agent_result(client, id);
        assert_assigned(result, "sensor-7");
        secret = agent_secret(result, FLEETPROV_SECRET_SYMMETRIC_KEY);
        ck_assert_str_eq(secret, derived);
        fleetprov_result_free(result);

        found = folder_find_bytes(d.state, derived, strlen(derived));
        ck_assert_msg(!found, "the key stands open in %s", found);
        found = folder_find_bytes(d.state, group_key, strlen(group_key));
        ck_assert_msg(!found, "the group's key stands in %s", found);
        ck_assert(!file_has(d.log, derived));
        ck_assert(!file_has(d.log, group_key));

        /* It lives through the daemon's death, and not through its delivery. */
        stage_restart(true);
        result = agent_fetch(client, id);
        free(secret);
        secret = agent_secret(result, FLEETPROV_SECRET_SYMMETRIC_KEY);
        ck_assert_str_eq(secret, derived);
        fleetprov_result_free(result);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        result = agent_fetch(client, id);
        assert_assigned(result, "sensor-7");
        assert_no_secret(result);
        ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 1);
        fleetprov_result_free(result);
}
END_TEST

START_TEST(directory_is_filled)
{
        _cleanup_free_ char *group_key = NULL, *found = NULL, *said = NULL, *key = NULL;
        const char *dir, *key_file, *configuration, *derived;
        static const char *const members[] = {
                "\"substatus\":\"initialAssignment\"", "\"createdDateTimeUtc\":\"20",
                "\"lastUpdatedDateTimeUtc\":\"20", "\"etag\":\"IjAwMDAwMDAxIg==\""};
        struct stat st;
        int status;

        start(GROUP);
        derived = derived_key("sensor-8", &group_key);
        dir = place_path(&d.place, "identity");
        key_file = place_text(&d.place, "%s/symmetric-key", dir);
        configuration = place_text(&d.place, "%s/configuration.json", dir);
        status = process_run(
                (const char *const[]){FLEETPROVCTL, place_text(&d.place, "--socket=%s", d.socket),
                                      "--timeout=60", "provision", "azure",
                                      "--registration-id=sensor-8", "--payload={\"line\":7}",
                                      place_text(&d.place, "--out=%s", dir), "--json=short", NULL},
                NULL, &said);
        ck_assert_msg(status == 0, "exit %d: %s", status, said);
        ck_assert_ptr_nonnull(strstr(said, "\"deviceId\":\"sensor-8\""));
        ck_assert_ptr_nonnull(strstr(said, "\"registrationState\":{"));
        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                ck_assert_msg(strstr(said, members[i]), "%s: %s", members[i], said);
        ck_assert_ptr_null(strstr(said, derived));
        key = file_read(key_file, NULL);
        ck_assert_ptr_nonnull(key);
        key[strcspn(key, "\n")] = '\0';
        ck_assert_str_eq(key, derived);
        ck_assert_int_eq(stat(key_file, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        ck_assert(file_has(configuration, "\"assignedHub\": \"hub.test.azure-devices.net\""));
        ck_assert(file_has(configuration, "\"line\": 7"));
        ck_assert(!file_has(configuration, derived));
        found = folder_find_bytes(dir, group_key, strlen(group_key));
        ck_assert_ptr_null(found);
}
END_TEST

/* --- what a job may ask */

static const struct {
        const char *profile; /* lines */
        Wish wish;
        const char *says;
} refused[] = {
        {ANY, {}, "'registration-id' is missing"},
        {ANY, {.registration_id = "no id"}, "letters, digits"},
        {GROUP, {.registration_id = "gw-1"}, "RegistrationIds=sensor-*"},
        {GROUP, {.registration_id = "my-sensor-1"}, "RegistrationIds=sensor-*"},
        {KEY, {.registration_id = "gw-2"}, "fixed by RegistrationId="},
        {KEY "\nPayload={\"a\":1}", {.payload = "{\"a\":2}"}, "fixed by Payload="},
        {KEY, {.payload = "{\"a\":"}, "Option 'payload'"},
        {KEY, {.serial = "7"}, "'parameters' goes with aws-iot"},
        {KEY, {.key_source = "cloud"}, "DPS makes no keys"},
        {KEY, {.key_type = "ec-p256"}, "ApiVersion=2019-03-31"},
        {KEY,
         {.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
         "create-keys-and-certificate"},
        {KEY,
         {.operation = FLEETPROV_OPERATION_REGISTER_THING, .token = "t", .token_size = 1},
         "register-thing"},
        {KEY, {.operation = FLEETPROV_OPERATION_ROTATE}, "rotate"},
        {KEY,
         {.operation = FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR},
         "create-certificate-from-csr"},
};

START_TEST(what_a_job_may_not_ask_is_refused_by_name)
{
        fleetprov_error *error;
        Wish wish = refused[_i].wish;

        wish.profile = "azure";
        start(refused[_i].profile);
        ck_assert_int_eq(agent_refused(client, &wish, &error), FLEETPROV_BAD_PARAMETER);
        ck_assert_msg(strstr(fleetprov_error_get_message(error), refused[_i].says), "%s",
                      fleetprov_error_get_message(error));
        fleetprov_error_free(error);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 0);
}
END_TEST

START_TEST(job_may_bring_what_the_profile_leaves_open)
{
        JobId id;

        start("RegistrationIds=GW-*\nSymmetricKey=DIR/dps.key\nDefaultPayload={\"a\":1}");
        must_assign(&(Wish){.profile = "azure", .registration_id = "gw-5", .key = "k"}, "gw-5");
        /* The same key finds it again, and stands for no other device. */
        ck_assert_int_eq(
                agent_try(client,
                          &(Wish){.profile = "azure", .registration_id = "gw-5", .key = "k"}, &id,
                          NULL),
                FLEETPROV_OK);
        ck_assert_int_eq(
                agent_refused(client,
                              &(Wish){.profile = "azure", .registration_id = "gw-6", .key = "k"},
                              NULL),
                FLEETPROV_ID_CONFLICT);
        ck_assert_uint_eq(registrations(), 1);
}
END_TEST

START_TEST(key_that_comes_late_is_taken_up)
{
        _cleanup_free_ char *key = NULL;
        const char *path;
        fleetprov_error *error;
        JobId id;

        key = file_read(place_path(&cloud.place, "dps.key"), NULL);
        registered_before = cloud_count(&cloud, "dps-register", "assigning");
        daemon_make(&d);
        path = place_path(&d.place, "late.key");
        daemon_configure(
                &d, cloud_dps_profile(
                            &cloud, "azure",
                            place_text(&d.place, "RegistrationId=gw-1\nSymmetricKey=%s", path)));
        daemon_start(&d);
        client = agent_open(d.socket);
        ck_assert_int_eq(agent_refused(client, &(Wish){.profile = "azure"}, &error),
                         FLEETPROV_NOT_INITIALIZED);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "late.key"));
        fleetprov_error_free(error);
        (void) place_write(&d.place, "late.key", 0600, "no key");
        WAIT_FOR(file_has(d.log, "SymmetricKey= "));
        (void) place_write(&d.place, "late.key", 0600, key);
        WAIT_FOR(agent_try(client, &(Wish){.profile = "azure"}, &id, NULL) == FLEETPROV_OK);
        fleetprov_result_free(agent_result(client, id));
        ck_assert_uint_eq(registrations(), 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("azure");
        TCase *tc = stage_shared_dps(suite, "azure");

        tcase_add_test(tc, device_with_a_key_of_its_own_is_assigned);
        tcase_add_test(tc, device_with_a_certificate_is_assigned);
        tcase_add_test(tc, secondary_key_serves_where_the_first_is_refused);
        tcase_add_test(tc, device_of_a_group_gets_its_own_key);
        tcase_add_test(tc, directory_is_filled);
        tcase_add_loop_test(tc, what_a_job_may_not_ask_is_refused_by_name, 0, ELEMENTSOF(refused));
        tcase_add_test(tc, job_may_bring_what_the_profile_leaves_open);
        tcase_add_test(tc, key_that_comes_late_is_taken_up);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Every operation, every kind of key, both formats: what comes out is right, and whose it is. */

#include <fcntl.h>
#include <sys/mman.h>

#include "tests/integration/lib/stage.h"

static const char *const formats[] = {"PayloadFormat=json", "PayloadFormat=cbor"};

static fleetprov_result *provision(const Wish *wish) {
        return agent_result(client, agent_submit(client, wish));
}

START_TEST(daemon_makes_the_key)
{
        static const char *const types[] = {NULL, "ec-p256", "ec-p384", "rsa-2048", "rsa-3072"};

        stage_start("", formats[_i]);
        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                const char *serial = place_text(&d.place, "own-%d-%zu", _i, i);
                fleetprov_result *result =
                        provision(&(Wish){.serial = serial, .key_type = types[i]});

                identity_assert(&cloud, result, serial, NULL, types[i] ? types[i] : "ec-p256");
                fleetprov_result_free(result);
        }
}
END_TEST

START_TEST(key_stays_with_who_brings_a_request)
{
        const char *serial = _i == 0 ? "csr-json" : "csr-cbor";
        _cleanup_free_ char *key = NULL, *csr = NULL;
        fleetprov_result *result;

        stage_start("", formats[_i]);
        identity_make_csr(&key, &csr);
        result = provision(&(Wish){.serial = serial, .csr = csr});
        identity_assert(&cloud, result, serial, key, "ec-p256");
        ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 0);
        fleetprov_result_free(result);
}
END_TEST

START_TEST(cloud_makes_the_key)
{
        const char *serial = _i == 0 ? "cloud-json" : "cloud-cbor";
        fleetprov_result *result;

        stage_start("", formats[_i]);
        result = provision(&(Wish){.serial = serial, .key_source = "cloud"});
        identity_assert(&cloud, result, serial, NULL, "rsa-2048");
        fleetprov_result_free(result);
}
END_TEST

START_TEST(profile_says_who_makes_which_key)
{
        fleetprov_result *result;

        stage_start("", _i == 0 ? "KeySource=cloud" : "KeyType=ec-p384");
        result = provision(&(Wish){.serial = _i == 0 ? "profile-0" : "profile-1"});
        identity_assert(&cloud, result, _i == 0 ? "profile-0" : "profile-1", NULL,
                        _i == 0 ? "rsa-2048" : "ec-p384");
        fleetprov_result_free(result);
}
END_TEST

/* Creates a certificate by one operation, and registers it by another. */
static void create_then_register(const Wish *create, const char *key_pem, const char *serial) {
        fleetprov_result *created = provision(create), *registered;
        const char *certificate = fleetprov_result_get_certificate_pem(created);
        _cleanup_free_ char *token = agent_secret(created, FLEETPROV_SECRET_OWNERSHIP_TOKEN);
        _cleanup_free_ char *key = NULL, *state = NULL;

        ck_assert_ptr_null(fleetprov_result_get_thing_name(created));
        if (!key_pem)
                key_pem = key = agent_secret(created, FLEETPROV_SECRET_PRIVATE_KEY);
        identity_assert_pair(certificate, key_pem, NULL);
        registered = provision(&(Wish){.operation = FLEETPROV_OPERATION_REGISTER_THING,
                                       .serial = serial,
                                       .token = token,
                                       .token_size = strlen(token)});
        ck_assert_str_eq(fleetprov_result_get_thing_name(registered),
                         place_text(&d.place, "thing-%s", serial));
        ck_assert_int_eq(fleetprov_result_has_secret(registered, FLEETPROV_SECRET_OWNERSHIP_TOKEN),
                         0);
        state = cloud_certificate_state(&cloud, fleetprov_result_get_certificate_id(created));
        ck_assert_str_eq(state, "ACTIVE");
        fleetprov_result_free(registered);
        fleetprov_result_free(created);
}

START_TEST(single_operations_do_it_step_by_step)
{
        _cleanup_free_ char *key = NULL, *csr = NULL;

        stage_start("", formats[_i]);
        identity_make_csr(&key, &csr);
        create_then_register(
                &(Wish){.operation = FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR, .csr = csr},
                key, place_text(&d.place, "step-csr-%d", _i));
        create_then_register(&(Wish){.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
                             NULL, place_text(&d.place, "step-keys-%d", _i));
}
END_TEST

START_TEST(device_configuration_is_handed_on)
{
        const char *name, *value;
        fleetprov_result *result;
        size_t n = 0;

        stage_start("", formats[_i]);
        result = provision(&(Wish){.serial = "configured"});
        while (fleetprov_result_enumerate_configuration(result, n, &name, &value) > 0) {
                ck_assert(*name && *value);
                n++;
        }
        ck_assert_uint_gt(n, 0);
        fleetprov_result_free(result);
}
END_TEST

START_TEST(templates_need_no_configuration)
{
        static const char *const templates[] = {"Template=EmptyTemplate", "Template=BareTemplate"};
        fleetprov_result *result;
        const char *name, *value;

        stage_start("", templates[_i]);
        result = provision(&(Wish){.serial = "plain"});
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-plain");
        ck_assert_int_eq(fleetprov_result_enumerate_configuration(result, 0, &name, &value), 0);
        fleetprov_result_free(result);
}
END_TEST

START_TEST(parameters_come_from_profile_and_job)
{
        fleetprov_result *result;

        stage_start("", "DefaultParameter.SerialNumber=from-profile\nParameter.Line=7");
        result = provision(&(Wish){});
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-from-profile");
        fleetprov_result_free(result);
        result = provision(&(Wish){.serial = "from-job"});
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-from-job");
        fleetprov_result_free(result);
}
END_TEST

START_TEST(history_tells_the_way_phase_by_phase)
{
        static const char *const phases[] = {"keygen", "create", "register"};
        const char *phase;
        fleetprov_job *job;
        size_t seen = 0;
        JobId id;

        stage_start("", "");
        id = agent_submit(client, &(Wish){.serial = "history", .key = "history"});
        job = agent_wait(client, id);
        for (size_t i = 0; fleetprov_job_enumerate_history(job, i, NULL, NULL, &phase, NULL); i++)
                if (seen < ELEMENTSOF(phases) && streq(phase, phases[seen]))
                        seen++;
        ck_assert_uint_eq(seen, ELEMENTSOF(phases));
        ck_assert_str_eq(fleetprov_job_get_key(job), "history");
        ck_assert_str_eq(fleetprov_job_get_profile(job), "aws");
        ck_assert_str_eq(fleetprov_job_get_operation(job), "provision");
        ck_assert_uint_eq(fleetprov_job_get_attempts(job), 1);
        ck_assert_uint_ge(fleetprov_job_get_finished(job), fleetprov_job_get_started(job));
        ck_assert_uint_ge(fleetprov_job_get_started(job), fleetprov_job_get_created(job));
        ck_assert_ptr_null(fleetprov_job_get_error(job));
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 0);
        fleetprov_job_free(job);
}
END_TEST

START_TEST(requests_that_make_no_sense_are_refused)
{
        const Wish wishes[] = {
                {.operation = FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR},
                {.operation = FLEETPROV_OPERATION_REGISTER_THING},
                {.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE, .serial = "x"},
                {.serial = "x", .token = "token", .token_size = 5},
                {.serial = "x",
                 .csr = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
                        "-----END CERTIFICATE REQUEST-----\n"},
        };

        stage_start("", "");
        for (size_t i = 0; i < ELEMENTSOF(wishes); i++) {
                fleetprov_error *error;

                ck_assert_int_eq(agent_refused(client, wishes + i, &error),
                                 FLEETPROV_BAD_PARAMETER);
                ck_assert_uint_gt(strlen(fleetprov_error_get_message(error)), 10);
                fleetprov_error_free(error);
        }
        ck_assert_int_eq(agent_refused(client, &(Wish){.profile = "none"}, NULL),
                         FLEETPROV_NOT_INITIALIZED);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: provisioning");
        TCase *tc = stage_shared(suite, "provision");

        tcase_add_loop_test(tc, daemon_makes_the_key, 0, ELEMENTSOF(formats));
        tcase_add_loop_test(tc, key_stays_with_who_brings_a_request, 0, ELEMENTSOF(formats));
        tcase_add_loop_test(tc, cloud_makes_the_key, 0, ELEMENTSOF(formats));
        tcase_add_loop_test(tc, profile_says_who_makes_which_key, 0, 2);
        tcase_add_loop_test(tc, single_operations_do_it_step_by_step, 0, ELEMENTSOF(formats));
        tcase_add_loop_test(tc, device_configuration_is_handed_on, 0, ELEMENTSOF(formats));
        tcase_add_loop_test(tc, templates_need_no_configuration, 0, 2);
        tcase_add_test(tc, parameters_come_from_profile_and_job);
        tcase_add_test(tc, history_tells_the_way_phase_by_phase);
        tcase_add_test(tc, requests_that_make_no_sense_are_refused);
        return stage_run(suite);
}

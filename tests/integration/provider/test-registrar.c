/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registrar as it is, with TLS, MQTT and tokens, against the test cloud's DPS, which checks
 * them by code of its own and notes each rule that is broken. */

#include <check.h>
#include <stdio.h>

#include "daemon/base/log.h"
#include "daemon/crypto/crypto.h"
#include "daemon/crypto/sas.h"
#include "daemon/provider/dps.h"
#include "daemon/provider/lane.h"
#include "tests/integration/lib/cloud.h"

#define PATIENCE_USEC (30 * USEC_PER_SEC)

/* A test has a process of its own, so these are the test's. */
static Cloud cloud;
static Network *network;
static sd_event *event;
static Worker *crypto;
static Profile profile;
static Registrar *registrar;
static Job *job;
static bool over;
static JobState outcome;
static Failure *failure;
static JobSecrets secrets;
static unsigned n_stores, n_returns;

static void on_session_changed(void *userdata, Registrar *r) {
}

static void on_progress(void *userdata, Job *j, JobPhase phase, const char *note) {
}

static void on_note(void *userdata, Job *j) {
        registrar_noted(registrar, 0);
}

static void on_told_to_wait(void *userdata, Job *j) {
}

static void on_store(void *userdata, Job *j, const JobSecrets *s, const char *note) {
        n_stores++;
        registrar_stored(registrar, 0);
}

static void on_put_back(void *userdata, Job *j, usec_t delay_usec, bool throttled, Failure *f,
                        const char *note) {
        n_returns++;
        failure_free(failure);
        failure = f;
}

static void on_finished(void *userdata, Job *j, JobState o, Failure *f, const JobSecrets *s,
                        const char *note) {
        failure_free(failure);
        failure = f;
        outcome = o;
        over = true;
        ck_assert_int_eq(job_secrets_copy(s, &secrets), 0);
}

static const RegistrarOps ops = {.session_changed = on_session_changed,
                                 .progress = on_progress,
                                 .note = on_note,
                                 .told_to_wait = on_told_to_wait,
                                 .store = on_store,
                                 .put_back = on_put_back,
                                 .finished = on_finished};

static bool clock_is_good(void) {
        return true;
}

static Secret *read_file(const char *name) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        text = file_read(place_path(&cloud.place, name), &size);
        ck_assert_ptr_nonnull(text);
        return secret_new(text, size);
}

static Secret *read_key(const char *name) {
        _cleanup_secret_ Secret *text = read_file(name);
        Secret *key = NULL;

        ck_assert_int_eq(sas_key_read(text, &key, NULL), 0);
        return key;
}

static void set(char **p, const char *text) {
        ck_assert_int_eq(free_and_strdup(p, text), 0);
}

static void on_idle(void *userdata) {
        crypto_trim();
}

static void setup(void) {
        log_open(LOG_ERR);
        ck_assert_int_eq(crypto_init(), 0);
        cloud_start_dps(&cloud);
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(network_new(event, &network), 0);
        ck_assert_int_eq(
                worker_new(event,
                           &(WorkerOptions){.name = "crypto", .queue_max = 4, .idle = on_idle},
                           &crypto),
                0);
        profile = (Profile){.provider = PROVIDER_AZURE_DPS,
                            .port = (uint16_t) cloud.dps_port,
                            .keep_alive_sec = 60,
                            .connect_timeout_usec = PATIENCE_USEC,
                            .response_timeout_usec = PATIENCE_USEC,
                            .key_type = KEY_TYPE_EC_P256};
        set(&profile.name, "azure");
        set(&profile.endpoint, "localhost");
        set(&profile.dps.id_scope, "0ne00TEST00");
        set(&profile.dps.api_version, "2019-03-31");
}

static void teardown(void) {
        registrar_free(registrar);
        worker_free(crypto);
        network_free(network);
        sd_event_unref(event);
        job_run_free(job);
        job_free(job);
        failure_free(failure);
        job_secrets_done(&secrets);
        free(profile.name);
        free(profile.endpoint);
        dps_settings_done(&profile.dps);
        cloud_done(&cloud);
}

/* Keys by the names of their files; NULL: none, and then the device's certificate. */
static void start(const char *id, const char *key_file, const char *secondary_file) {
        _cleanup_secret_ Secret *trusted = read_file("ca.pem");
        _cleanup_secret_ Secret *certificate = key_file ? NULL : read_file("dps-device.pem");
        _cleanup_secret_ Secret *private_key = key_file ? NULL : read_file("dps-device.key");
        _cleanup_secret_ Secret *key = key_file ? read_key(key_file) : NULL;
        _cleanup_secret_ Secret *secondary = secondary_file ? read_key(secondary_file) : NULL;
        const RegistrarOptions options = {.event = event,
                                          .network = network,
                                          .crypto = crypto,
                                          .ops = &ops,
                                          .clock_is_synchronised = clock_is_good};
        const RegistrarClaim claim = {trusted, certificate, private_key, key, secondary};

        if (!key_file)
                profile.dps.authentication = AUTHENTICATION_X509;
        set(&profile.dps.registration_id, id);
        ck_assert_int_eq(job_new(peer_new(DOOR_MAIN, 1, NULL, 0, false),
                                 job_spec_new(OPERATION_PROVISION, "azure"), 1, 1, &job),
                         0);
        ck_assert_int_eq(registrar_new(&options, &profile, &registrar), 0);
        ck_assert_int_eq(registrar_set_claim(registrar, &claim), 0);
        ck_assert_int_eq(registrar_start(registrar, job, NULL), 0);
}

/* Until the job has left the line `returns` times more, or is over. */
static void run(unsigned returns) {
        unsigned until = n_returns + returns;

        while (!over && (returns == 0 || n_returns < until))
                ck_assert_int_gt(sd_event_run(event, PATIENCE_USEC), 0);
}

static void expect_assigned(const char *device) {
        run(0);
        ck_assert_msg(outcome == JOB_SUCCEEDED, "%s", failure_message(failure));
        ck_assert_str_eq(job->result.device_id, device);
        ck_assert_str_eq(job->result.assigned_hub, "hub.test.azure-devices.net");
        ck_assert_ptr_nonnull(strstr(job->result.registration_state, "initialAssignment"));
        cloud_assert_no_breach(&cloud);
}

START_TEST(device_is_assigned)
{
        set(&profile.dps.payload, "{\"modelId\":\"dtmi:a:b;1\"}");
        start("gw-Device", "dps.key", NULL);
        expect_assigned("gw-device");
        ck_assert_ptr_nonnull(strstr(job->result.registration_state, "\"dtmi:a:b;1\""));
        ck_assert_uint_eq(n_stores, 1);
        ck_assert_uint_eq(cloud_count(&cloud, "dps-register", "assigning"), 1);
        ck_assert_uint_eq(cloud_count(&cloud, "dps-query", "assigned"), 1);
}
END_TEST

START_TEST(device_of_a_group_is_assigned)
{
        profile.dps.authentication = AUTHENTICATION_GROUP_KEY;
        start("sensor-7", "dps-group.key", NULL);
        expect_assigned("sensor-7");
        ck_assert_uint_eq(secrets.symmetric_key->size, 44);
}
END_TEST

START_TEST(device_with_a_certificate_is_assigned)
{
        start("x509-1", NULL, NULL);
        expect_assigned("x509-1");
        ck_assert(job_secrets_is_empty(&secrets));
}
END_TEST

START_TEST(secondary_key_opens_the_door)
{
        start("gw-1", "dps-group.key", "dps-secondary.key");
        expect_assigned("gw-1");
}
END_TEST

START_TEST(wrong_keys_are_told)
{
        start("gw-1", "dps-group.key", "dps-group.key");
        run(0);
        ck_assert_int_eq(outcome, JOB_FAILED);
        ck_assert_int_eq(failure_code(failure), ERROR_CREDENTIALS_REFUSED);
        cloud_assert_no_breach(&cloud);
}
END_TEST

START_TEST(certificate_is_issued_along)
{
        set(&profile.dps.api_version, _i ? "2025-07-01-preview" : "2021-11-01-preview");
        start("gw-issued", "dps.key", NULL);
        expect_assigned("gw-issued");
        ck_assert_ptr_nonnull(strstr(job->result.certificate_pem, "BEGIN CERTIFICATE"));
        ck_assert_ptr_nonnull(secrets.private_key);
}
END_TEST

static const struct {
        const char *fault, *operation;
} borne[] = {
        {"swapped", "--operation=dps-register"},
        {"retry-after=none", "--operation=dps-register"},
        {"retry-after=0", "--operation=dps-register"},
        {"retry-after=3", "--operation=dps-register"},
        {"assigning=2", "--operation=dps-register"},
        {"assigning=0", "--operation=dps-register"},
        {"double", "--operation=dps-register"},
        {"extra-fields", "--operation=dps-query"},
        {"indefinite", "--operation=dps-query"},
        {"reject=500:500001:Internal", "--operation=dps-register"},
        {"reject=503:503001:Internal", "--operation=dps-query"},
        {"reject=429:429001:Slowly", "--operation=dps-query"},
        {"foreign-first", "--operation=dps-query"},
};

START_TEST(what_can_be_borne_is_borne)
{
        cloud_add(&cloud, borne[_i].fault, borne[_i].operation);
        start("gw-1", "dps.key", NULL);
        expect_assigned("gw-1");
        ck_assert_uint_eq(n_returns, 0);
}
END_TEST

/* Lost, off the line, and back: what is on record is queried. */
static const struct {
        const char *fault, *operation;
        size_t registers; /* that were answered */
} lost[] = {
        {"cut-before", "--operation=dps-register", 1},
        {"cut-before", "--operation=dps-query", 1},
        {"cut-after", "--operation=dps-query", 1},
        {"connect-drop", NULL, 1},
        {"connack=3", NULL, 1},
};

START_TEST(losses_cost_no_second_registration)
{
        cloud_fault(&cloud, "add", lost[_i].fault, lost[_i].operation, NULL);
        start("gw-1", "dps.key", NULL);
        run(1);
        ck_assert(!over);
        ck_assert_ptr_nonnull(failure);
        ck_assert_int_eq(registrar_start(registrar, job, NULL), 0);
        expect_assigned("gw-1");
        ck_assert_uint_eq(cloud_count(&cloud, "dps-register", "assigning"), lost[_i].registers);
}
END_TEST

static const struct {
        const char *id, *fault;
        ErrorCode code;
        const char *error_code;
} refused[] = {
        {"gw-disabled", NULL, ERROR_SERVER_REFUSED, NULL},
        {"gw-failing", NULL, ERROR_SERVER_REFUSED, "400209"},
        {"gw-unassigned", NULL, ERROR_SERVER_REFUSED, NULL},
        {"gw-1", "reject=404:404201:Not found", ERROR_SERVER_REFUSED, "404201"},
        {"gw-1", "reject=401:401002:Unauthorized", ERROR_CREDENTIALS_REFUSED, "401002"},
        {"gw-1", "malformed", ERROR_BAD_RESPONSE, NULL},
        {"gw-1", "truncated", ERROR_BAD_RESPONSE, NULL},
        {"gw-1", "oversize=110000", ERROR_BAD_RESPONSE, NULL},
};

START_TEST(what_is_refused_is_told)
{
        if (refused[_i].fault)
                cloud_add(&cloud, refused[_i].fault, "--operation=dps-register");
        start(refused[_i].id, "dps.key", NULL);
        run(0);
        ck_assert_int_eq(outcome, JOB_FAILED);
        ck_assert_msg(failure_code(failure) == refused[_i].code, "%s", failure_message(failure));
        ck_assert_pstr_eq(failure->error_code, refused[_i].error_code);
        cloud_assert_no_breach(&cloud);
}
END_TEST

int main(void) {
        Suite *s = suite_create("registrar");
        TCase *c = tcase_create("registrar");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_set_timeout(c, 60);
        tcase_add_test(c, device_is_assigned);
        tcase_add_test(c, device_of_a_group_is_assigned);
        tcase_add_test(c, device_with_a_certificate_is_assigned);
        tcase_add_test(c, secondary_key_opens_the_door);
        tcase_add_test(c, wrong_keys_are_told);
        tcase_add_loop_test(c, certificate_is_issued_along, 0, 2);
        tcase_add_loop_test(c, what_can_be_borne_is_borne, 0, ELEMENTSOF(borne));
        tcase_add_loop_test(c, losses_cost_no_second_registration, 0, ELEMENTSOF(lost));
        tcase_add_loop_test(c, what_is_refused_is_told, 0, ELEMENTSOF(refused));
        suite_add_tcase(s, c);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/provider/fixture.h"

#include <stdio.h>

#include "daemon/base/log.h"
#include "daemon/crypto/crypto.h"
#include "daemon/provider/lane-internal.h"
#include "protocol/aws/topic.h"

/* Nothing in these tests takes so long; what does hangs. */
#define PATIENCE_USEC (30 * USEC_PER_SEC)

Fixture fixture;

/* --- what the lane tells ------------------------------------------------------------------------
 */

static void note(const char *word) {
        size_t size = strlen(fixture.diary);

        ck_assert_int_lt(snprintf(fixture.diary + size, sizeof(fixture.diary) - size, "%s ", word),
                         (int) (sizeof(fixture.diary) - size));
}

static void keep_failure(Failure *failure) {
        failure_free(fixture.failure);
        fixture.failure = failure;
}

static void keep_secrets(const JobSecrets *secrets) {
        job_secrets_done(&fixture.secrets);
        if (secrets)
                ck_assert_int_eq(job_secrets_copy(secrets, &fixture.secrets), 0);
}

static void on_session_changed(void *userdata, Lane *lane) {
        ck_assert_ptr_eq(userdata, &fixture);
        note(session_state_to_string(lane_state(lane)));
}

static void on_progress(void *userdata, Job *job, JobPhase phase, const char *text) {
        ck_assert_ptr_eq(job, lane_job(fixture.lane));
        note(job_phase_to_string(phase));
}

static void on_note(void *userdata, Job *job) {
        ck_assert_ptr_eq(job, lane_job(fixture.lane));
        fixture.n_notes++;
        if (fixture.notes)
                lane_noted(fixture.lane, 0);
}

static void on_store(void *userdata, Job *job, const JobSecrets *secrets, const char *text) {
        ck_assert_ptr_eq(job, lane_job(fixture.lane));
        note("store");
        keep_secrets(secrets);
        if (fixture.stores)
                lane_stored(fixture.lane, 0);
}

static void on_put_back(void *userdata, Job *job, usec_t delay_usec, bool throttled,
                        Failure *failure, const char *text) {
        ck_assert_ptr_null(lane_job(fixture.lane));
        ck_assert_ptr_nonnull(text);
        note(throttled ? "back-throttled" : delay_usec > 0 ? "back-later" : "back");
        fixture.told = job;
        fixture.outcome = JOB_QUEUED;
        fixture.delay_usec = delay_usec;
        keep_failure(failure);
}

static void on_finished(void *userdata, Job *job, JobState outcome, Failure *failure,
                        const JobSecrets *secrets, const char *text) {
        ck_assert_ptr_null(lane_job(fixture.lane));
        fixture.told = job;
        fixture.outcome = outcome;
        note(job_state_to_string(outcome));
        keep_failure(failure);
        keep_secrets(secrets);
}

static const LaneOps ops = {.session_changed = on_session_changed,
                            .progress = on_progress,
                            .note = on_note,
                            .store = on_store,
                            .put_back = on_put_back,
                            .finished = on_finished};

static void on_idle(void *userdata) {
        crypto_trim();
}

/* --- setup --------------------------------------------------------------------------------------
 */

static void set(char **p, const char *text) {
        ck_assert_int_eq(free_and_strdup(p, text), 0);
}

void fixture_setup(void) {
        log_open(LOG_ERR);
        ck_assert_int_eq(crypto_init(), 0);
        fixture = (Fixture){.notes = true, .stores = true};
        ck_assert_int_ge(sd_event_new(&fixture.event), 0);
        ck_assert_int_eq(
                worker_new(fixture.event,
                           &(WorkerOptions){.name = "crypto", .queue_max = 4, .idle = on_idle},
                           &fixture.crypto),
                0);
        fixture.profile = calloc(1, sizeof(Profile));
        set(&fixture.profile->name, "aws");
        set(&fixture.profile->endpoint, "cloud.example");
        set(&fixture.profile->template_name, FIXTURE_TEMPLATE);
        set(&fixture.profile->client_id, "gateway-7");
        fixture.profile->port = 8883;
        fixture.profile->response_timeout_usec = PATIENCE_USEC;
        fixture.profile->key_type = KEY_TYPE_EC_P256;
}

void fixture_teardown(void) {
        fixture.lane = lane_free(fixture.lane);
        fixture.crypto = worker_free(fixture.crypto);
        while (fixture.n_jobs > 0) {
                Job *job = fixture.jobs[--fixture.n_jobs];

                job_run_free(job);
                job_free(job);
        }
        profile_free(fixture.profile);
        sd_event_unref(fixture.event);
        keep_failure(NULL);
        keep_secrets(NULL);
        fake_done();
}

void fixture_set_encoding(Encoding e) {
        fixture.encoding = e;
        fixture.profile->payload_format =
                e == ENCODING_JSON ? PAYLOAD_FORMAT_JSON : PAYLOAD_FORMAT_CBOR;
}

static void make_lane(void) {
        const LaneOptions options = {.event = fixture.event,
                                     .crypto = fixture.crypto,
                                     .ops = &ops,
                                     .userdata = &fixture};

        ck_assert_int_eq(lane_new(&options, fixture.profile, &fixture.lane), 0);
}

void fixture_open(void) {
        _cleanup_secret_ Secret *trusted = secret_new("trusted", 7),
                                *certificate = secret_new("certificate", 11),
                                *private_key = secret_new("key", 3);

        if (!fixture.lane)
                make_lane();
        ck_assert_int_eq(lane_open(fixture.lane, &(LaneClaim){trusted, certificate, private_key}),
                         0);
}

void fixture_end_wait(void) {
        if (lane_state(fixture.lane) == SESSION_BACKOFF)
                lane_session_event(fixture.lane, SESSION_EVENT_TIMER, NULL);
}

void fixture_ready(void) {
        if (!fixture.lane)
                fixture_open();
        fixture_end_wait();
        fake_connected();
        fake_subscribed_all();
        ck_assert_int_eq(lane_state(fixture.lane), SESSION_READY);
        fixture.diary[0] = '\0';
}

Job *fixture_job(Operation operation) {
        JobSpec *spec = job_spec_new(operation, "aws");
        Job *job;

        ck_assert_uint_lt(fixture.n_jobs, ELEMENTSOF(fixture.jobs));
        ck_assert_int_eq(job_new(peer_new(DOOR_MAIN, 1, NULL, 0, false), spec, 1, 1, &job), 0);
        return fixture.jobs[fixture.n_jobs++] = job;
}

void fixture_start_with(Job *job, const JobSecrets *secrets) {
        ck_assert_int_eq(lane_start(fixture.lane, job, secrets), 0);
}

void fixture_start(Job *job) {
        fixture_start_with(job, NULL);
}

/* --- waiting ------------------------------------------------------------------------------------
 */

void fixture_expect(const char *diary) {
        ck_assert_str_eq(fixture.diary, diary);
        fixture.diary[0] = '\0';
}

static int on_patience(sd_event_source *s, uint64_t usec, void *userdata) {
        ck_abort_msg("nothing happens; so far: %s", fixture.diary);
        return 0;
}

static void wait_for(bool published) {
        _cleanup_(sd_event_source_disable_unrefp) sd_event_source *patience = NULL;
        size_t publishes = fake.n_publishes, told = strlen(fixture.diary);

        ck_assert_int_ge(sd_event_add_time_relative(fixture.event, &patience, CLOCK_BOOTTIME,
                                                    PATIENCE_USEC, 0, on_patience, NULL),
                         0);
        while (fake.n_publishes == publishes && (published || strlen(fixture.diary) == told))
                ck_assert_int_ge(sd_event_run(fixture.event, UINT64_MAX), 0);
}

void fixture_wait(void) {
        wait_for(false);
}

void fixture_wait_publish(void) {
        wait_for(true);
}

/* --- requests and answers -----------------------------------------------------------------------
 */

static AwsFormat format(void) {
        return fixture.profile->payload_format == PAYLOAD_FORMAT_CBOR ? AWS_FORMAT_CBOR
                                                                      : AWS_FORMAT_JSON;
}

char *fixture_topic(AwsOperation operation, const char *suffix) {
        static const char *const bases[] = {
                [AWS_OPERATION_CREATE_FROM_CSR] = "$aws/certificates/create-from-csr",
                [AWS_OPERATION_CREATE_KEYS] = "$aws/certificates/create",
                [AWS_OPERATION_REGISTER] =
                        "$aws/provisioning-templates/" FIXTURE_TEMPLATE "/provision",
        };
        char *topic;

        ck_assert_int_gt(asprintf(&topic, "%s/%s%s", bases[operation],
                                  format() == AWS_FORMAT_CBOR ? "cbor" : "json", suffix),
                         0);
        return topic;
}

void fixture_expect_request(AwsOperation operation) {
        _cleanup_free_ char *topic = fixture_topic(operation, "");

        ck_assert_str_eq(fake_last()->topic, topic);
}

static char *text_in(const AwsMap *map, const char *name) {
        const AwsField *field = aws_map_find(map, name);

        return field ? strdup(field->text) : NULL;
}

static void parse_request(AwsMap *map) {
        ck_assert_int_eq(
                aws_document_parse(format(), fake_last()->payload, fake_last()->size, map, NULL),
                0);
}

char *fixture_request_text(const char *name) {
        AwsMap map = {};
        char *text;

        parse_request(&map);
        text = text_in(&map, name);
        aws_map_done(&map);
        return text;
}

char *fixture_request_parameter(const char *name) {
        const AwsField *parameters;
        AwsMap map = {};
        char *text;

        parse_request(&map);
        parameters = aws_map_find(&map, "parameters");
        text = parameters ? text_in(&parameters->map, name) : NULL;
        aws_map_done(&map);
        return text;
}

void fixture_answer(AwsOperation operation, const char *suffix, Payload p) {
        _cleanup_free_ char *topic = fixture_topic(operation, suffix);

        fake_message(topic, &p);
        payload_done(&p);
}

void fixture_answer_created(const char *id, const char *token) {
        _cleanup_free_ char *csr = fixture_request_text("certificateSigningRequest"),
                            *certificate = cloud_sign(csr);

        fixture_answer(AWS_OPERATION_CREATE_FROM_CSR, "/accepted",
                       cloud_created(fixture.encoding, id, certificate, NULL, token));
}

void fixture_answer_registered(const char *thing) {
        fixture_answer(AWS_OPERATION_REGISTER, "/accepted",
                       cloud_registered(fixture.encoding, thing, NULL));
}

void fixture_reject(AwsOperation operation, int status, const char *code) {
        fixture_answer(operation, "/rejected",
                       cloud_rejected(fixture.encoding, status, code, "said so"));
}

ErrorCode fixture_code(void) {
        return fixture.failure ? fixture.failure->code : ERROR_NONE;
}

int fixture_main(const char *name, void (*add_tests)(TCase *c)) {
        Suite *s = suite_create(name);
        TCase *c = tcase_create(name);

        tcase_set_timeout(c, 120);
        tcase_add_checked_fixture(c, fixture_setup, fixture_teardown);
        add_tests(c);
        suite_add_tcase(s, c);
        return suite_run(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/store/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/crypto/crypto.h"
#include "daemon/model/peer.h"

/* Check forks for each test: what a test leaves here is gone with it. */
static char *directory;
static char *path;

const char *fixture_directory(void) {
        return directory;
}

void fixture_setup(void) {
        const char *base = getenv("TMPDIR");

        /* Not in /tmp, which may be a tmpfs: a flush is to be a flush. */
        ck_assert_int_ge(asprintf(&directory, "%s/fleetprovd-store-XXXXXX",
                                  base && base[0] == '/' ? base : "/var/tmp"),
                         0);
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(crypto_init(), 0);
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw) {
        return remove(name);
}

void fixture_teardown(void) {
        (void) nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(directory);
        free(path);
        directory = path = NULL;
}

const char *fixture_path(const char *name) {
        free(path);
        ck_assert_int_ge(asprintf(&path, "%s/%s", directory, name), 0);
        return path;
}

const char *fixture_job_path(const Job *j, const char *suffix) {
        free(path);
        ck_assert_int_ge(asprintf(&path, "%s/%s%s", directory, j->id, suffix), 0);
        return path;
}

static char *text(const char *s) {
        char *copy = strdup(s);

        ck_assert_ptr_nonnull(copy);
        return copy;
}

Job *fixture_plain_job(void) {
        const gid_t gids[] = {1000, 27};
        JobSpec *spec = job_spec_new(OPERATION_PROVISION, "aws");
        Peer *owner = peer_new(DOOR_MAIN, 1000, gids, ELEMENTSOF(gids), false);
        Job *j;

        ck_assert_int_eq(job_new(owner, spec, 1700000000000000, 5000000, &j), 0);
        j->serial = 1;
        return j;
}

static void fill_spec(JobSpec *spec) {
        spec->key = text("line-7:unit@42");
        ck_assert_int_eq(parameters_set(&spec->parameters, "SerialNumber", "A\"\\\n\t42"), 0);
        ck_assert_int_eq(parameters_set(&spec->parameters, "Ärger", "日本\x01"), 0);
        ck_assert_int_eq(parameters_set(&spec->parameters, "empty", ""), 0);
        spec->csr = text("-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END…");
        spec->key_type = KEY_TYPE_RSA_2048;
        spec->key_source = KEY_SOURCE_CLOUD;
        spec->payload = text("{\"modelId\":\"dtmi:example:gw;1\"}");
        spec->registration_id = text("gw-1");
        spec->deadline_usec = 90 * USEC_PER_MINUTE;
        spec->certificate = text("-----BEGIN CERTIFICATE-----\n");
}

static void fill_failure(Job *j) {
        j->failure = failure_new(ERROR_SERVER_REFUSED, "the service refused: %s", "hook");
        j->failure->phase = PHASE_REGISTER;
        j->failure->status_code = -403;
        j->failure->error_code = text("AccessDenied");
        j->failure->error_message = text("Access denied");
        j->failure->tracking_id = text("t-1");
        j->failure->retriable = true;
        failure_with_cause(j->failure, failure_new(ERROR_CONNECTION_LOST, "the connection ended"));
}

static void fill_result(JobResult *result) {
        result->thing_name = text("thing-1");
        result->certificate_id = text("c0ffee");
        result->certificate_pem = text("-----BEGIN CERTIFICATE-----\nMIIC\n");
        result->has_device_configuration = true;
        ck_assert_int_eq(parameters_set(&result->device_configuration, "FallbackUrl", "https://x/"),
                         0);
        result->operation_id = text("5.operation");
        result->device_id = text("device-1");
        result->assigned_hub = text("hub.example.net");
        result->registration_state = text("{\"etag\":1}");
        result->private_key_uri = text("pkcs11:token=x");
}

Job *fixture_full_job(void) {
        Job *j = fixture_plain_job();

        peer_free(j->owner);
        j->owner = peer_new("sensors", 4294967294U, NULL, 0, true);
        j->serial = (UINT64_C(77) << 32) + 5;
        fill_spec(j->spec);
        fill_failure(j);
        fill_result(&j->result);
        j->profile_fingerprint = text("00ff00ff");
        job_set_state(j, JOB_RUNNING, PHASE_KEYGEN, 1700000001000000, 6000000, "started");
        job_set_state(j, JOB_RUNNING, PHASE_REGISTER, 1700000002000000, 7000000, NULL);
        job_set_state(j, JOB_FAILED, PHASE_NONE, 1700000003000000, 8000000,
                      "the service \"refused\"");
        j->secrets_erased = true;
        j->acknowledged = true;
        j->had_result = true;
        j->cancel_requested = true;
        j->token_made_boot = 6500000;
        j->not_before_boot = 60000000;
        ck_assert_int_eq(job_add_left_certificate(j, "left-1"), 0);
        ck_assert_int_eq(job_add_left_certificate(j, "left-2"), 0);
        return j;
}

static Secret *secret(const char *s) {
        return secret_new(s, strlen(s));
}

void fixture_secrets(JobSecrets *ret) {
        *ret = (JobSecrets){
                .private_key = secret("-----BEGIN PRIVATE KEY-----\nTHE-KEY-ITSELF\n"),
                .ownership_token = secret("THE-OWNERSHIP-TOKEN"),
                .symmetric_key = secret("THE-SYMMETRIC-KEY"),
                .claim_key = secret("THE-CLAIM-KEY"),
        };
}

static void assert_same_parameters(const Parameters *a, const Parameters *b) {
        ck_assert_uint_eq(a->n, b->n);
        for (size_t i = 0; i < a->n; i++) {
                ck_assert_str_eq(a->items[i].name, b->items[i].name);
                ck_assert_str_eq(a->items[i].value, b->items[i].value);
        }
}

static void assert_same_owner(const Peer *a, const Peer *b) {
        ck_assert_str_eq(a->door, b->door);
        ck_assert_uint_eq(a->uid, b->uid);
        ck_assert_int_eq(a->privileged, b->privileged);
        ck_assert_uint_eq(a->n_gids, b->n_gids);
        for (size_t i = 0; i < a->n_gids; i++)
                ck_assert_uint_eq(a->gids[i], b->gids[i]);
}

static void assert_same_spec(const JobSpec *a, const JobSpec *b) {
        ck_assert_int_eq(a->operation, b->operation);
        ck_assert_str_eq(a->profile, b->profile);
        ck_assert_pstr_eq(a->key, b->key);
        assert_same_parameters(&a->parameters, &b->parameters);
        ck_assert_pstr_eq(a->csr, b->csr);
        ck_assert_int_eq(a->key_type, b->key_type);
        ck_assert_int_eq(a->key_source, b->key_source);
        ck_assert_pstr_eq(a->payload, b->payload);
        ck_assert_pstr_eq(a->registration_id, b->registration_id);
        ck_assert_uint_eq(a->deadline_usec, b->deadline_usec);
        ck_assert_pstr_eq(a->certificate, b->certificate);
}

static void assert_same_failure(const Failure *a, const Failure *b) {
        for (; a && b; a = a->cause, b = b->cause) {
                ck_assert_int_eq(a->code, b->code);
                ck_assert_int_eq(a->phase, b->phase);
                ck_assert_pstr_eq(a->message, b->message);
                ck_assert_int_eq(a->status_code, b->status_code);
                ck_assert_pstr_eq(a->error_code, b->error_code);
                ck_assert_pstr_eq(a->error_message, b->error_message);
                ck_assert_pstr_eq(a->tracking_id, b->tracking_id);
                ck_assert_int_eq(a->retriable, b->retriable);
        }
        ck_assert(!a && !b);
}

static void assert_same_result(const JobResult *a, const JobResult *b) {
        ck_assert_pstr_eq(a->thing_name, b->thing_name);
        ck_assert_pstr_eq(a->certificate_id, b->certificate_id);
        ck_assert_pstr_eq(a->certificate_pem, b->certificate_pem);
        ck_assert_int_eq(a->has_device_configuration, b->has_device_configuration);
        assert_same_parameters(&a->device_configuration, &b->device_configuration);
        ck_assert_pstr_eq(a->operation_id, b->operation_id);
        ck_assert_pstr_eq(a->device_id, b->device_id);
        ck_assert_pstr_eq(a->assigned_hub, b->assigned_hub);
        ck_assert_pstr_eq(a->registration_state, b->registration_state);
        ck_assert_pstr_eq(a->private_key_uri, b->private_key_uri);
}

static void assert_same_history(const Job *a, const Job *b) {
        ck_assert_uint_eq(a->n_history, b->n_history);
        for (size_t i = 0; i < a->n_history; i++) {
                ck_assert_uint_eq(a->history[i].time_real, b->history[i].time_real);
                ck_assert_int_eq(a->history[i].state, b->history[i].state);
                ck_assert_int_eq(a->history[i].phase, b->history[i].phase);
                ck_assert_pstr_eq(a->history[i].text, b->history[i].text);
        }
}

void fixture_assert_same(const Job *a, const Job *b) {
        ck_assert_str_eq(a->id, b->id);
        ck_assert_uint_eq(a->serial, b->serial);
        assert_same_owner(a->owner, b->owner);
        assert_same_spec(a->spec, b->spec);
        ck_assert_pstr_eq(a->profile_fingerprint, b->profile_fingerprint);
        ck_assert_int_eq(a->state, b->state);
        ck_assert_int_eq(a->phase, b->phase);
        ck_assert_uint_eq(a->attempts, b->attempts);
        ck_assert_uint_eq(a->created_real, b->created_real);
        ck_assert_uint_eq(a->started_real, b->started_real);
        ck_assert_uint_eq(a->finished_real, b->finished_real);
        assert_same_failure(a->failure, b->failure);
        assert_same_result(&a->result, &b->result);
        ck_assert_int_eq(a->secrets_stored, b->secrets_stored);
        ck_assert_int_eq(a->secrets_erased, b->secrets_erased);
        ck_assert_int_eq(a->acknowledged, b->acknowledged);
        ck_assert_int_eq(a->had_result, b->had_result);
        ck_assert_int_eq(a->cancel_requested, b->cancel_requested);
        ck_assert_uint_eq(a->n_left_certificates, b->n_left_certificates);
        for (size_t i = 0; i < a->n_left_certificates; i++)
                ck_assert_str_eq(a->left_certificates[i], b->left_certificates[i]);
        assert_same_history(a, b);
}

static void assert_same_secret(const Secret *a, const Secret *b) {
        ck_assert_int_eq(a != NULL, b != NULL);
        if (a)
                ck_assert(secret_equal(a, b));
}

void fixture_assert_same_secrets(const JobSecrets *a, const JobSecrets *b) {
        assert_same_secret(a->private_key, b->private_key);
        assert_same_secret(a->ownership_token, b->ownership_token);
        assert_same_secret(a->symmetric_key, b->symmetric_key);
        assert_same_secret(a->claim_key, b->claim_key);
}

char *fixture_read(const char *name, size_t *ret_size) {
        struct stat st;
        char *data;
        int fd;

        fd = open(name, O_RDONLY | O_CLOEXEC);
        ck_assert_msg(fd >= 0, "%s: %m", name);
        ck_assert_int_eq(fstat(fd, &st), 0);
        data = calloc(1, (size_t) st.st_size + 1);
        ck_assert_ptr_nonnull(data);
        ck_assert_int_eq(read(fd, data, (size_t) st.st_size), st.st_size);
        close(fd);
        *ret_size = (size_t) st.st_size;
        return data;
}

void fixture_write(const char *name, const void *data, size_t size) {
        int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ck_assert_msg(fd >= 0, "%s: %m", name);
        ck_assert_int_eq(write(fd, data, size), (ssize_t) size);
        ck_assert_int_eq(close(fd), 0);
}

bool fixture_exists(const char *name) {
        struct stat st;

        return lstat(name, &st) == 0;
}

unsigned fixture_count_names(const char *part) {
        DIR *dir = opendir(directory);
        const struct dirent *entry;
        unsigned n = 0;

        ck_assert_ptr_nonnull(dir);
        while ((entry = readdir(dir)))
                n += strstr(entry->d_name, part) != NULL;
        closedir(dir);
        return n;
}

int fixture_main(const char *name, FixtureAddTests add) {
        Suite *suite = suite_create(name);
        TCase *c = tcase_create(name);
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(c, fixture_setup, fixture_teardown);
        tcase_set_timeout(c, 120);
        add(c);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}

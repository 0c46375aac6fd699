/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/job.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/base/log.h"

/* Which state may follow which. Running to running is a change of phase; the way back from the
 * bad ends is a second submission under the same idempotency key. */
static const bool edges[JOB_STATE_MAX][JOB_STATE_MAX] = {
        [JOB_QUEUED] = {[JOB_RUNNING] = true,
                        [JOB_FAILED] = true,
                        [JOB_CANCELLED] = true,
                        [JOB_EXPIRED] = true},
        [JOB_RUNNING] = {[JOB_RUNNING] = true,
                         [JOB_QUEUED] = true,
                         [JOB_SUCCEEDED] = true,
                         [JOB_FAILED] = true,
                         [JOB_CANCELLED] = true,
                         [JOB_EXPIRED] = true},
        [JOB_FAILED] = {[JOB_QUEUED] = true},
        [JOB_CANCELLED] = {[JOB_QUEUED] = true},
        [JOB_EXPIRED] = {[JOB_QUEUED] = true},
};

void job_secrets_done(JobSecrets *s) {
        secret_free(s->private_key);
        secret_free(s->ownership_token);
        secret_free(s->symmetric_key);
        secret_free(s->claim_key);
        *s = (JobSecrets){};
}

static int copy_secret(const Secret *from, Secret **to) {
        if (!from)
                return 0;
        *to = secret_copy(from);
        return *to ? 0 : -ENOMEM;
}

int job_secrets_copy(const JobSecrets *from, JobSecrets *to) {
        JobSecrets copy = {};

        if (copy_secret(from->private_key, &copy.private_key) < 0 ||
            copy_secret(from->ownership_token, &copy.ownership_token) < 0 ||
            copy_secret(from->symmetric_key, &copy.symmetric_key) < 0 ||
            copy_secret(from->claim_key, &copy.claim_key) < 0) {
                job_secrets_done(&copy);
                return -ENOMEM;
        }
        *to = copy;
        return 0;
}

bool job_secrets_is_empty(const JobSecrets *s) {
        return !s->private_key && !s->ownership_token && !s->symmetric_key && !s->claim_key;
}

void job_result_done(JobResult *r) {
        free(r->thing_name);
        free(r->certificate_id);
        free(r->certificate_pem);
        parameters_done(&r->device_configuration);
        free(r->device_id);
        free(r->assigned_hub);
        free(r->operation_id);
        free(r->registration_state);
        free(r->private_key_uri);
        *r = (JobResult){};
}

static void draw_id(char id[static IPC_JOB_ID_LENGTH + 1]) {
        uint8_t bytes[IPC_JOB_ID_LENGTH / 2];

        arc4random_buf(bytes, sizeof(bytes));
        for (size_t i = 0; i < sizeof(bytes); i++)
                (void) snprintf(id + 2 * i, 3, "%02x", bytes[i]);
}

int job_new(Peer *owner, JobSpec *spec, usec_t now_real, usec_t now_boot, Job **ret) {
        _cleanup_job_ Job *j = NULL;
        int r;

        j = calloc(1, sizeof(Job));
        if (!j)
                return -ENOMEM;
        draw_id(j->id);
        j->state = JOB_QUEUED;
        j->created_real = now_real;
        j->created_boot = now_boot;
        r = job_add_history(j, now_real, JOB_QUEUED, PHASE_NONE, "accepted");
        if (r < 0)
                return r;
        j->owner = owner;
        j->spec = spec;
        *ret = TAKE_PTR(j);
        return 0;
}

Job *job_free(Job *j) {
        if (!j)
                return NULL;
        peer_free(j->owner);
        job_spec_free(j->spec);
        free(j->profile_fingerprint);
        failure_free(j->failure);
        job_result_done(&j->result);
        for (size_t i = 0; i < j->n_left_certificates; i++)
                free(j->left_certificates[i]);
        free(j->left_certificates);
        for (size_t i = 0; i < j->n_history; i++)
                free(j->history[i].text);
        free(j->history);
        free(j);
        return NULL;
}

/* A job that is tried for weeks must not grow: the oldest entries go, but for the first. */
static void forget_oldest_history(Job *j) {
        if (j->n_history < JOB_HISTORY_MAX)
                return;
        free(j->history[1].text);
        memmove(j->history + 1, j->history + 2, (j->n_history - 2) * sizeof(JobHistory));
        j->n_history--;
}

int job_add_history(Job *j, usec_t now_real, JobState state, JobPhase phase, const char *text) {
        _cleanup_free_ char *copy = NULL;
        JobHistory *history;

        if (text) {
                copy = strdup(text);
                if (!copy)
                        return -ENOMEM;
        }
        forget_oldest_history(j);
        history = reallocarray(j->history, j->n_history + 1, sizeof(JobHistory));
        if (!history)
                return -ENOMEM;
        j->history = history;
        j->history[j->n_history++] = (JobHistory){
                .time_real = now_real, .state = state, .phase = phase, .text = TAKE_PTR(copy)};
        return 0;
}

int job_add_left_certificate(Job *j, const char *certificate_id) {
        _cleanup_free_ char *copy = strdup(certificate_id);
        char **left;

        if (!copy)
                return -ENOMEM;
        left = reallocarray(j->left_certificates, j->n_left_certificates + 2, sizeof(char *));
        if (!left)
                return -ENOMEM;
        j->left_certificates = left;
        left[j->n_left_certificates++] = TAKE_PTR(copy);
        left[j->n_left_certificates] = NULL;
        return 0;
}

static bool is_left(const Job *j, const char *certificate_id) {
        for (size_t i = 0; i < j->n_left_certificates; i++)
                if (streq(j->left_certificates[i], certificate_id))
                        return true;
        return false;
}

int job_note_left_certificate(Job *j) {
        if (!j->result.certificate_id || is_left(j, j->result.certificate_id))
                return 0;
        return job_add_left_certificate(j, j->result.certificate_id);
}

void job_forget_left_certificate(Job *j) {
        size_t kept = 0;

        if (!j->result.certificate_id)
                return;
        for (size_t i = 0; i < j->n_left_certificates; i++)
                if (streq(j->left_certificates[i], j->result.certificate_id))
                        free(j->left_certificates[i]);
                else
                        j->left_certificates[kept++] = j->left_certificates[i];
        j->n_left_certificates = kept;
        if (j->left_certificates)
                j->left_certificates[kept] = NULL;
}

/* But for the history. */
static void change_state(Job *j, JobState state, JobPhase phase, usec_t now_real, usec_t now_boot) {
        assert(edges[j->state][state]);

        if (state == JOB_RUNNING && j->started_real == 0)
                j->started_real = now_real;
        if (job_state_is_final(state)) {
                j->finished_real = now_real;
                j->finished_boot = now_boot;
        } else if (job_state_is_final(j->state))
                j->finished_real = j->finished_boot = 0;
        if (j->state_counts) {
                j->state_counts[j->state]--;
                j->state_counts[state]++;
        }
        j->state = state;
        j->phase = phase;
}

static void enter_state(Job *j, JobState state, JobPhase phase, usec_t now_real, usec_t now_boot,
                        const char *text) {
        change_state(j, state, phase, now_real, now_boot);
        (void) job_add_history(j, now_real, state, phase, text);
}

void job_set_state(Job *j, JobState state, JobPhase phase, usec_t now_real, usec_t now_boot,
                   const char *text) {
        log_debug("job %s: %s/%s -> %s/%s", j->id, job_state_to_string(j->state),
                  job_phase_to_string(j->phase), job_state_to_string(state),
                  job_phase_to_string(phase));
        enter_state(j, state, phase, now_real, now_boot, text);
}

#define IMAGE_HISTORY ((size_t) 16)

int job_image_make(const Job *j, JobState state, JobPhase phase, usec_t now_real, usec_t now_boot,
                   const char *text, Job *ret) {
        size_t first = j->n_history < IMAGE_HISTORY ? 0 : j->n_history - IMAGE_HISTORY;
        Job image = *j;

        image.history = NULL;
        image.n_history = 0;
        image.state_counts = NULL;
        for (size_t i = first; i < j->n_history; i++) {
                const JobHistory *h = j->history + i;

                if (job_add_history(&image, h->time_real, h->state, h->phase, h->text) < 0) {
                        job_image_done(&image);
                        return -ENOMEM;
                }
        }
        if (state != j->state || phase != j->phase)
                enter_state(&image, state, phase, now_real, now_boot, text);
        *ret = image;
        return 0;
}

int job_image_make_ahead(const Job *j, JobState state, JobPhase phase, usec_t now_real,
                         usec_t now_boot, Job *ret) {
        int r = job_image_make(j, j->state, j->phase, now_real, now_boot, NULL, ret);

        if (r >= 0)
                change_state(ret, state, phase, now_real, now_boot);
        return r;
}

void job_image_done(Job *image) {
        for (size_t i = 0; i < image->n_history; i++)
                free(image->history[i].text);
        free(image->history);
        image->history = NULL;
        image->n_history = 0;
}

bool job_is_visible_to(const Job *j, const Peer *peer) {
        if (j->hidden)
                return false;
        return peer->privileged || peer_same_owner(j->owner, peer);
}

bool job_has_result(const Job *j) {
        return j->state == JOB_SUCCEEDED ||
               (j->state == JOB_FAILED && failure_code(j->failure) == ERROR_VERIFY_FAILED);
}

bool job_brings_secret(const Job *j) {
        switch (j->spec->operation) {
        case OPERATION_PROVISION:
                return !j->spec->csr && !j->result.private_key_uri;
        case OPERATION_ROTATE:
                return !j->result.private_key_uri;
        case OPERATION_CREATE_CERTIFICATE_FROM_CSR:
        case OPERATION_CREATE_KEYS_AND_CERTIFICATE:
                return true;
        case OPERATION_REGISTER_THING:
        case OPERATION_MAX:
        case OPERATION_INVALID:
                break;
        }
        return false;
}

bool job_has_unused_key(const Job *j) {
        return j->result.private_key_uri && job_state_is_final(j->state) && !job_has_result(j) &&
               !j->had_result;
}

bool job_may_use_key_again(const Job *j) {
        const JobResult *r = &j->result;

        return j->spec->key && j->state != JOB_CANCELLED &&
               (r->thing_name || r->operation_id || (r->certificate_id && j->secrets_stored));
}

usec_t job_deadline_left(const Job *j, usec_t now_boot) {
        /* Wrapping arithmetic: after a reboot a job was made "before" this boot's zero. */
        usec_t elapsed = now_boot - j->created_boot;

        if (j->spec->deadline_usec == 0 || j->spec->deadline_usec == USEC_INFINITY)
                return USEC_INFINITY;
        return usec_sub(j->spec->deadline_usec, elapsed);
}

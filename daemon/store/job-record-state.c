/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/job-record-parts.h"

#include <errno.h>
#include <limits.h>

#include "daemon/store/json-field.h"

/* What the machine was up from the line to the end of its boot, and in whole boots since. */
static usec_t between(const json_t *o, const JobClock *clock, usec_t at) {
        usec_t before = 0;

        if (field_get_time(o, "before", &before) < 0)
                return 0;
        return usec_sub(clock->before, usec_add(before, at));
}

/* When, on this boot's clock, was that which was `age` old at the line's own time? Where a boot
 * cannot be told from another, one whose clock has gone on is taken for the same: counting too
 * little keeps a key too long, counting too much loses it. */
static usec_t rebase(const json_t *o, const JobClock *clock, usec_t at, usec_t age) {
        const json_t *value = json_object_get(o, "boot");
        const char *boot = json_is_string(value) ? json_string_value(value) : "";
        bool same = clock->now_boot >= at;

        if (boot[0] != '\0' && clock->boot_id[0] != '\0')
                same = streq(boot, clock->boot_id);
        return same ? at - age : (usec_t) 0 - age - between(o, clock, at);
}

int job_record_get_age(const json_t *o, const char *name, const JobClock *clock, usec_t *ret) {
        usec_t at = 0, age = 0;

        if (field_get_time(o, "at", &at) < 0 || field_get_time(o, name, &age) < 0)
                return -EBADMSG;
        *ret = rebase(o, clock, at, age);
        return 0;
}

int job_record_get_state(const json_t *o, JobState *ret_state, JobPhase *ret_phase) {
        const char *state, *phase;

        if (field_get_word(o, "state", &state) < 0 || field_get_word(o, "phase", &phase) < 0)
                return -EBADMSG;
        *ret_state = job_state_from_string(state);
        *ret_phase = job_phase_from_string(phase);
        if (*ret_state == JOB_STATE_INVALID || *ret_phase == JOB_PHASE_INVALID)
                return -EBADMSG;
        return 0;
}

static int get_failure(const json_t *o, unsigned depth, Failure **ret) {
        _cleanup_failure_ Failure *f = NULL;
        const char *code, *phase;
        const json_t *status, *cause;
        int r;

        if (!json_is_object(o) || depth >= JOB_RECORD_CAUSES_MAX ||
            field_get_word(o, "code", &code) < 0 || field_get_word(o, "phase", &phase) < 0)
                return -EBADMSG;
        f = calloc(1, sizeof(Failure));
        if (!f)
                return -ENOMEM;
        f->code = error_code_from_string(code);
        f->phase = job_phase_from_string(phase);
        status = json_object_get(o, "status");
        if (f->code == ERROR_CODE_INVALID || f->phase == JOB_PHASE_INVALID ||
            !json_is_integer(status) || json_integer_value(status) < INT_MIN ||
            json_integer_value(status) > INT_MAX)
                return -EBADMSG;
        f->status_code = (int) json_integer_value(status);
        if ((r = field_get_string(o, "message", JOB_RECORD_TEXT_MAX, &f->message)) < 0 ||
            (r = field_get_string(o, "error-code", JOB_RECORD_TEXT_MAX, &f->error_code)) < 0 ||
            (r = field_get_string(o, "error-message", JOB_RECORD_TEXT_MAX, &f->error_message)) <
                    0 ||
            (r = field_get_string(o, "tracking-id", JOB_RECORD_TEXT_MAX, &f->tracking_id)) < 0 ||
            (r = field_get_flag(o, "retriable", &f->retriable)) < 0)
                return r;
        cause = json_object_get(o, "cause");
        if (cause) {
                r = get_failure(cause, depth + 1, &f->cause);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(f);
        return 0;
}

static int get_result(const json_t *o, JobResult *result) {
        int r;

        if (!o)
                return 0;
        if (!json_is_object(o))
                return -EBADMSG;
        if ((r = field_get_string(o, "thing", JOB_RECORD_TEXT_MAX, &result->thing_name)) < 0 ||
            (r = field_get_string(o, "certificate-id", JOB_RECORD_TEXT_MAX,
                                  &result->certificate_id)) < 0 ||
            (r = field_get_string(o, "certificate", JOB_RECORD_TEXT_MAX,
                                  &result->certificate_pem)) < 0 ||
            (r = field_get_string(o, "device-id", JOB_RECORD_TEXT_MAX, &result->device_id)) < 0 ||
            (r = field_get_string(o, "hub", JOB_RECORD_TEXT_MAX, &result->assigned_hub)) < 0 ||
            (r = field_get_string(o, "operation-id", JOB_RECORD_TEXT_MAX, &result->operation_id)) <
                    0 ||
            (r = field_get_string(o, "registration-state", JOB_RECORD_TEXT_MAX,
                                  &result->registration_state)) < 0 ||
            (r = field_get_string(o, "private-key-uri", JOB_RECORD_TEXT_MAX,
                                  &result->private_key_uri)) < 0)
                return r;
        return job_record_get_parameters(o, "configuration", &result->device_configuration,
                                         &result->has_device_configuration);
}

static int get_left(const json_t *list, Job *j) {
        size_t i;
        json_t *id;

        if (list && !json_is_array(list))
                return -EBADMSG;
        json_array_foreach(list, i, id) {
                if (!json_is_string(id))
                        return -EBADMSG;
                if (job_add_left_certificate(j, json_string_value(id)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Like an age, but ahead of the line's own time. */
static int get_wait(const json_t *o, const JobClock *clock, Job *j) {
        usec_t at = 0, left = 0;

        if (!json_object_get(o, "wait"))
                return 0;
        if (field_get_time(o, "at", &at) < 0 || field_get_time(o, "wait", &left) < 0 ||
            left > JOB_RECORD_WAIT_MAX)
                return -EBADMSG;
        j->not_before_boot = rebase(o, clock, at, 0) + left;
        return 0;
}

static int get_times(const json_t *o, const JobClock *clock, Job *j) {
        int r;

        if ((r = field_get_time(o, "created", &j->created_real)) < 0 ||
            (r = field_get_time(o, "started", &j->started_real)) < 0 ||
            (r = field_get_time(o, "finished", &j->finished_real)) < 0 ||
            (r = job_record_get_age(o, "age", clock, &j->created_boot)) < 0)
                return r;
        if (j->finished_real != 0 &&
            (r = job_record_get_age(o, "finished-age", clock, &j->finished_boot)) < 0)
                return r;
        if (json_object_get(o, "token-age")) {
                r = job_record_get_age(o, "token-age", clock, &j->token_made_boot);
                if (r < 0)
                        return r;
                if (j->token_made_boot == 0)
                        j->token_made_boot = 1; /* zero would say that there is none */
        }
        return get_wait(o, clock, j);
}

int job_record_read_state(const json_t *o, const JobClock *clock, Job *j) {
        uint64_t attempts = 0;
        const json_t *failure;
        int r;

        if ((r = job_record_get_state(o, &j->state, &j->phase)) < 0 ||
            (r = field_get_number(o, "attempts", UINT_MAX, &attempts)) < 0 ||
            (r = get_times(o, clock, j)) < 0 ||
            (r = field_get_flag(o, "secrets-stored", &j->secrets_stored)) < 0 ||
            (r = field_get_flag(o, "secrets-erased", &j->secrets_erased)) < 0 ||
            (r = field_get_flag(o, "acknowledged", &j->acknowledged)) < 0 ||
            (r = field_get_flag(o, "had-result", &j->had_result)) < 0 ||
            (r = field_get_flag(o, "cancel", &j->cancel_requested)) < 0)
                return r;
        j->attempts = (unsigned) attempts;
        free(TAKE_PTR(j->profile_fingerprint));
        if ((r = field_get_string(o, "fingerprint", JOB_RECORD_TEXT_MAX, &j->profile_fingerprint)) <
                    0 ||
            (r = get_result(json_object_get(o, "result"), &j->result)) < 0 ||
            (r = get_left(json_object_get(o, "left"), j)) < 0)
                return r;
        failure = json_object_get(o, "failure");
        return failure ? get_failure(failure, 0, &j->failure) : 0;
}

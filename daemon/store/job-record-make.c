/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/job-record.h"

#include <errno.h>

#include "daemon/store/json-field.h"

/* Ages stand there even when they are zero: that there is one says that it happened. */
static int put_age(json_t *o, const char *name, usec_t now, usec_t then) {
        int64_t age = (int64_t) (now - then); /* wraps rightly for what was before this boot */

        return field_put_object(o, name, json_integer(age < 0 ? 0 : age));
}

static int put_parameters(json_t *o, const char *name, const Parameters *p) {
        _cleanup_json_ json_t *list = json_object();

        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < p->n; i++)
                if (field_put_string(list, p->items[i].name, p->items[i].value) < 0)
                        return -ENOMEM;
        return field_put_object(o, name, TAKE_PTR(list));
}

static int put_owner(json_t *o, const Peer *owner) {
        _cleanup_json_ json_t *peer = json_object(), *gids = json_array();

        if (!peer || !gids)
                return -ENOMEM;
        for (size_t i = 0; i < owner->n_gids; i++)
                if (json_array_append_new(gids, json_integer(owner->gids[i])) < 0)
                        return -ENOMEM;
        if (field_put_string(peer, "door", owner->door) < 0 ||
            field_put_number(peer, "uid", owner->uid) < 0 ||
            field_put_object(peer, "gids", TAKE_PTR(gids)) < 0 ||
            field_put_flag(peer, "privileged", owner->privileged) < 0)
                return -ENOMEM;
        return field_put_object(o, "owner", TAKE_PTR(peer));
}

static int put_clock(json_t *o, const JobClock *clock) {
        if (clock->boot_id[0] != '\0' && field_put_string(o, "boot", clock->boot_id) < 0)
                return -ENOMEM;
        if (field_put_time(o, "at", clock->now_boot) < 0)
                return -ENOMEM;
        return field_put_time(o, "before", clock->before);
}

static int put_spec(json_t *o, const JobSpec *spec) {
        if (field_put_string(o, "operation", operation_to_string(spec->operation)) < 0 ||
            field_put_string(o, "profile", spec->profile) < 0 ||
            field_put_string(o, "key", spec->key) < 0 ||
            put_parameters(o, "parameters", &spec->parameters) < 0 ||
            field_put_string(o, "csr", spec->csr) < 0 ||
            field_put_string(o, "key-type", key_type_to_string(spec->key_type)) < 0 ||
            field_put_string(o, "key-source", key_source_to_string(spec->key_source)) < 0 ||
            field_put_string(o, "payload", spec->payload) < 0 ||
            field_put_string(o, "registration-id", spec->registration_id) < 0 ||
            field_put_time(o, "deadline", spec->deadline_usec) < 0 ||
            field_put_string(o, "certificate", spec->certificate) < 0)
                return -ENOMEM;
        return 0;
}

static json_t *make_request(const Job *j, const JobClock *clock) {
        _cleanup_json_ json_t *o = json_object();

        if (!o || field_put_string(o, "id", j->id) < 0 ||
            field_put_number(o, "serial", j->serial) < 0 || put_owner(o, j->owner) < 0 ||
            field_put_time(o, "created", j->created_real) < 0 || put_clock(o, clock) < 0 ||
            put_age(o, "age", clock->now_boot, j->created_boot) < 0 ||
            field_put_string(o, "fingerprint", j->profile_fingerprint) < 0 ||
            put_spec(o, j->spec) < 0)
                return NULL;
        return TAKE_PTR(o);
}

static int put_failure(json_t *o, const char *name, const Failure *f, unsigned depth) {
        _cleanup_json_ json_t *failure = NULL;

        if (!f || depth >= JOB_RECORD_CAUSES_MAX)
                return 0;
        failure = json_object();
        if (!failure)
                return -ENOMEM;
        if (field_put_string(failure, "code", error_code_to_string(f->code)) < 0 ||
            field_put_string(failure, "phase", job_phase_to_string(f->phase)) < 0 ||
            field_put_string(failure, "message", f->message) < 0 ||
            field_put_object(failure, "status", json_integer(f->status_code)) < 0 ||
            field_put_string(failure, "error-code", f->error_code) < 0 ||
            field_put_string(failure, "error-message", f->error_message) < 0 ||
            field_put_string(failure, "tracking-id", f->tracking_id) < 0 ||
            field_put_flag(failure, "retriable", f->retriable) < 0 ||
            put_failure(failure, "cause", f->cause, depth + 1) < 0)
                return -ENOMEM;
        return field_put_object(o, name, TAKE_PTR(failure));
}

static int put_result(json_t *o, const JobResult *result) {
        _cleanup_json_ json_t *r = json_object();

        if (!r || field_put_string(r, "thing", result->thing_name) < 0 ||
            field_put_string(r, "certificate-id", result->certificate_id) < 0 ||
            field_put_string(r, "certificate", result->certificate_pem) < 0 ||
            field_put_string(r, "device-id", result->device_id) < 0 ||
            field_put_string(r, "hub", result->assigned_hub) < 0 ||
            field_put_string(r, "operation-id", result->operation_id) < 0 ||
            field_put_string(r, "registration-state", result->registration_state) < 0 ||
            field_put_string(r, "private-key-uri", result->private_key_uri) < 0)
                return -ENOMEM;
        if (result->has_device_configuration &&
            put_parameters(r, "configuration", &result->device_configuration) < 0)
                return -ENOMEM;
        return json_object_size(r) == 0 ? 0 : field_put_object(o, "result", TAKE_PTR(r));
}

static int put_left(json_t *o, const Job *j) {
        _cleanup_json_ json_t *left = NULL;

        if (j->n_left_certificates == 0)
                return 0;
        left = json_array();
        for (size_t i = 0; i < j->n_left_certificates; i++)
                if (json_array_append_new(left, json_string(j->left_certificates[i])) < 0)
                        return -ENOMEM;
        return field_put_object(o, "left", TAKE_PTR(left));
}

static int put_history(json_t *o, const Job *j, size_t first) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = first; i < j->n_history; i++) {
                const JobHistory *h = j->history + i;
                _cleanup_json_ json_t *entry = json_object();

                if (!entry || field_put_time(entry, "time", h->time_real) < 0 ||
                    field_put_string(entry, "state", job_state_to_string(h->state)) < 0 ||
                    field_put_string(entry, "phase", job_phase_to_string(h->phase)) < 0 ||
                    field_put_string(entry, "text", h->text) < 0 ||
                    json_array_append_new(list, TAKE_PTR(entry)) < 0)
                        return -ENOMEM;
        }
        return field_put_object(o, "history", TAKE_PTR(list));
}

/* What is left of a wait; once it is over there is nothing to say. */
static int put_wait(json_t *o, const Job *j, const JobClock *clock) {
        int64_t left = (int64_t) (j->not_before_boot - clock->now_boot); /* as in put_age() */

        if (j->not_before_boot == 0 || left <= 0)
                return 0;
        return field_put_time(o, "wait", (usec_t) left);
}

static int put_times(json_t *o, const Job *j, const JobClock *clock) {
        if (put_clock(o, clock) < 0 || field_put_time(o, "created", j->created_real) < 0 ||
            field_put_time(o, "started", j->started_real) < 0 ||
            field_put_time(o, "finished", j->finished_real) < 0 ||
            put_age(o, "age", clock->now_boot, j->created_boot) < 0)
                return -ENOMEM;
        if (j->finished_real != 0 &&
            put_age(o, "finished-age", clock->now_boot, j->finished_boot) < 0)
                return -ENOMEM;
        if (j->token_made_boot != 0 &&
            put_age(o, "token-age", clock->now_boot, j->token_made_boot) < 0)
                return -ENOMEM;
        return put_wait(o, j, clock);
}

static int put_secrets(json_t *o, const Job *j, SecretsMark mark) {
        bool stored = false, erased = false;

        switch (mark) {
        case SECRETS_AS_JOB_SAYS:
                stored = j->secrets_stored;
                erased = j->secrets_erased;
                break;
        case SECRETS_STORED:
                stored = true;
                break;
        case SECRETS_ERASED:
                erased = true;
                break;
        case SECRETS_MARK_MAX:
                return -EINVAL;
        }
        if (field_put_flag(o, "secrets-stored", stored) < 0 ||
            field_put_flag(o, "secrets-erased", erased) < 0)
                return -ENOMEM;
        return 0;
}

static json_t *make_state(const Job *j, const JobClock *clock, SecretsMark mark, size_t first) {
        _cleanup_json_ json_t *o = json_object();

        if (!o || field_put_string(o, "state", job_state_to_string(j->state)) < 0 ||
            field_put_string(o, "phase", job_phase_to_string(j->phase)) < 0 ||
            field_put_number(o, "attempts", j->attempts) < 0 || put_times(o, j, clock) < 0 ||
            put_secrets(o, j, mark) < 0 || field_put_flag(o, "acknowledged", j->acknowledged) < 0 ||
            field_put_flag(o, "had-result", j->had_result) < 0 ||
            field_put_flag(o, "cancel", j->cancel_requested) < 0 ||
            field_put_string(o, "fingerprint", j->profile_fingerprint) < 0 ||
            put_failure(o, "failure", j->failure, 0) < 0 || put_result(o, &j->result) < 0 ||
            put_left(o, j) < 0 || put_history(o, j, first) < 0)
                return NULL;
        return TAKE_PTR(o);
}

/* Takes `what`. */
static int make_line(const char *name, json_t *what, char **ret, size_t *ret_size) {
        _cleanup_json_ json_t *line = NULL;

        if (!what)
                return -ENOMEM;
        line = json_object();
        if (!line || field_put_number(line, "v", JOB_RECORD_VERSION) < 0) {
                json_decref(what);
                return -ENOMEM;
        }
        if (field_put_object(line, name, what) < 0)
                return -ENOMEM;
        return record_line_make(line, ret, ret_size);
}

int job_record_make_state(const Job *job, const JobClock *clock, SecretsMark mark, char **ret,
                          size_t *ret_size) {
        size_t first = job->n_history > JOB_RECORD_HISTORY_TAIL
                               ? job->n_history - JOB_RECORD_HISTORY_TAIL
                               : 0;

        return make_line("state", make_state(job, clock, mark, first), ret, ret_size);
}

int job_record_make(const Job *job, const JobClock *clock, SecretsMark mark, char **ret,
                    size_t *ret_size) {
        _cleanup_free_ char *request = NULL, *state = NULL, *both = NULL;
        size_t request_size, state_size;
        int r;

        r = make_line("request", make_request(job, clock), &request, &request_size);
        if (r < 0)
                return r;
        r = make_line("state", make_state(job, clock, mark, 0), &state, &state_size);
        if (r < 0)
                return r;
        both = malloc(request_size + state_size + 1);
        if (!both)
                return -ENOMEM;
        memcpy(both, request, request_size);
        memcpy(both + request_size, state, state_size + 1);
        *ret = TAKE_PTR(both);
        *ret_size = request_size + state_size;
        return 0;
}

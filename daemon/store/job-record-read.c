/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "daemon/store/job-record.h"
#include "daemon/store/json-field.h"

/* Bounds of what only the service or we ourselves say; the line's own bound stands above all. */
#define TEXT_MAX RECORD_LINE_MAX
#define DOOR_NAME_MAX ((size_t) 255)

static int get_parameters(const json_t *o, const char *name, Parameters *ret, bool *ret_present) {
        const char *key;
        json_t *list = json_object_get(o, name), *value;

        *ret_present = list != NULL;
        if (list && !json_is_object(list))
                return -EBADMSG;
        json_object_foreach (list, key, value) {
                if (!json_is_string(value))
                        return -EBADMSG;
                if (parameters_set(ret, key, json_string_value(value)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int get_gids(const json_t *list, gid_t **ret, size_t *ret_n) {
        _cleanup_free_ gid_t *gids = NULL;
        size_t n;

        if (!json_is_array(list))
                return -EBADMSG;
        n = json_array_size(list);
        gids = calloc(n > 0 ? n : 1, sizeof(gid_t));
        if (!gids)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const json_t *gid = json_array_get(list, i);

                if (!json_is_integer(gid) || json_integer_value(gid) < 0 ||
                    json_integer_value(gid) > UINT32_MAX)
                        return -EBADMSG;
                gids[i] = (gid_t) json_integer_value(gid);
        }
        *ret = TAKE_PTR(gids);
        *ret_n = n;
        return 0;
}

static int get_owner(const json_t *o, Peer **ret) {
        _cleanup_free_ char *door = NULL;
        _cleanup_free_ gid_t *gids = NULL;
        uint64_t uid = 0;
        bool privileged;
        size_t n_gids;
        int r;

        o = json_object_get(o, "owner");
        if (!json_is_object(o))
                return -EBADMSG;
        if ((r = field_get_string(o, "door", DOOR_NAME_MAX, &door)) < 0 ||
            (r = field_get_number(o, "uid", UINT32_MAX, &uid)) < 0 ||
            (r = field_get_flag(o, "privileged", &privileged)) < 0 ||
            (r = get_gids(json_object_get(o, "gids"), &gids, &n_gids)) < 0)
                return r;
        if (!door)
                return -EBADMSG;
        *ret = peer_new(door, (uid_t) uid, gids, n_gids, privileged);
        return *ret ? 0 : -ENOMEM;
}

static int get_key_wishes(const json_t *o, JobSpec *spec) {
        const char *word;

        if (json_object_get(o, "key-type")) {
                if (field_get_word(o, "key-type", &word) < 0)
                        return -EBADMSG;
                spec->key_type = key_type_from_string(word);
                if (spec->key_type == KEY_TYPE_INVALID)
                        return -EBADMSG;
        }
        if (json_object_get(o, "key-source")) {
                if (field_get_word(o, "key-source", &word) < 0)
                        return -EBADMSG;
                spec->key_source = key_source_from_string(word);
                if (spec->key_source == KEY_SOURCE_INVALID)
                        return -EBADMSG;
        }
        return 0;
}

static int get_spec(const json_t *o, JobSpec **ret) {
        _cleanup_job_spec_ JobSpec *spec = NULL;
        const char *operation, *profile;
        Operation op;
        bool present;
        int r;

        if (field_get_word(o, "operation", &operation) < 0 ||
            field_get_word(o, "profile", &profile) < 0 || !ipc_profile_name_is_valid(profile))
                return -EBADMSG;
        op = operation_from_string(operation);
        if (op == OPERATION_INVALID)
                return -EBADMSG;
        spec = job_spec_new(op, profile);
        if (!spec)
                return -ENOMEM;
        if ((r = field_get_string(o, "key", IPC_KEY_MAX, &spec->key)) < 0 ||
            (r = get_parameters(o, "parameters", &spec->parameters, &present)) < 0 ||
            (r = field_get_string(o, "csr", TEXT_MAX, &spec->csr)) < 0 ||
            (r = get_key_wishes(o, spec)) < 0 ||
            (r = field_get_string(o, "payload", TEXT_MAX, &spec->payload)) < 0 ||
            (r = field_get_string(o, "registration-id", TEXT_MAX, &spec->registration_id)) < 0 ||
            (r = field_get_time(o, "deadline", &spec->deadline_usec)) < 0 ||
            (r = field_get_string(o, "certificate", TEXT_MAX, &spec->certificate)) < 0)
                return r;
        if (spec->key && !ipc_key_is_valid(spec->key))
                return -EBADMSG;
        *ret = TAKE_PTR(spec);
        return 0;
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
        return same ? at - age : (usec_t) 0 - age;
}

static int get_age(const json_t *o, const char *name, const JobClock *clock, usec_t *ret) {
        usec_t at = 0, age = 0;

        if (field_get_time(o, "at", &at) < 0 || field_get_time(o, name, &age) < 0)
                return -EBADMSG;
        *ret = rebase(o, clock, at, age);
        return 0;
}

static int read_request(const json_t *o, const JobClock *clock, Job **ret) {
        _cleanup_job_ Job *j = calloc(1, sizeof(Job));
        const char *id;
        int r;

        if (!j)
                return -ENOMEM;
        if (field_get_word(o, "id", &id) < 0 || !ipc_job_id_is_valid(id))
                return -EBADMSG;
        memcpy(j->id, id, sizeof(j->id));
        if ((r = field_get_number(o, "serial", JOB_RECORD_SERIAL_MAX, &j->serial)) < 0 ||
            (r = get_owner(o, &j->owner)) < 0 || (r = get_spec(o, &j->spec)) < 0 ||
            (r = field_get_time(o, "created", &j->created_real)) < 0 ||
            (r = get_age(o, "age", clock, &j->created_boot)) < 0 ||
            (r = field_get_string(o, "fingerprint", TEXT_MAX, &j->profile_fingerprint)) < 0)
                return r;
        j->state = JOB_QUEUED;
        *ret = TAKE_PTR(j);
        return 0;
}

static int get_state(const json_t *o, JobState *ret_state, JobPhase *ret_phase) {
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
        if ((r = field_get_string(o, "message", TEXT_MAX, &f->message)) < 0 ||
            (r = field_get_string(o, "error-code", TEXT_MAX, &f->error_code)) < 0 ||
            (r = field_get_string(o, "error-message", TEXT_MAX, &f->error_message)) < 0 ||
            (r = field_get_string(o, "tracking-id", TEXT_MAX, &f->tracking_id)) < 0 ||
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
        if ((r = field_get_string(o, "thing", TEXT_MAX, &result->thing_name)) < 0 ||
            (r = field_get_string(o, "certificate-id", TEXT_MAX, &result->certificate_id)) < 0 ||
            (r = field_get_string(o, "certificate", TEXT_MAX, &result->certificate_pem)) < 0 ||
            (r = field_get_string(o, "device-id", TEXT_MAX, &result->device_id)) < 0 ||
            (r = field_get_string(o, "hub", TEXT_MAX, &result->assigned_hub)) < 0 ||
            (r = field_get_string(o, "registration-state", TEXT_MAX, &result->registration_state)) <
                    0 ||
            (r = field_get_string(o, "private-key-uri", TEXT_MAX, &result->private_key_uri)) < 0)
                return r;
        return get_parameters(o, "configuration", &result->device_configuration,
                              &result->has_device_configuration);
}

static int get_left(const json_t *list, Job *j) {
        size_t i;
        json_t *id;

        if (list && !json_is_array(list))
                return -EBADMSG;
        json_array_foreach (list, i, id) {
                if (!json_is_string(id))
                        return -EBADMSG;
                if (job_add_left_certificate(j, json_string_value(id)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int get_times(const json_t *o, const JobClock *clock, Job *j) {
        int r;

        if ((r = field_get_time(o, "created", &j->created_real)) < 0 ||
            (r = field_get_time(o, "started", &j->started_real)) < 0 ||
            (r = field_get_time(o, "finished", &j->finished_real)) < 0 ||
            (r = get_age(o, "age", clock, &j->created_boot)) < 0)
                return r;
        if (j->finished_real != 0 && (r = get_age(o, "finished-age", clock, &j->finished_boot)) < 0)
                return r;
        if (json_object_get(o, "token-age")) {
                r = get_age(o, "token-age", clock, &j->token_made_boot);
                if (r < 0)
                        return r;
                if (j->token_made_boot == 0)
                        j->token_made_boot = 1; /* zero would say that there is none */
        }
        return 0;
}

/* All but the history, which is not replaced but joined: see job-history-join below. */
static int read_state(const json_t *o, const JobClock *clock, Job *j) {
        uint64_t attempts = 0;
        const json_t *failure;
        int r;

        if ((r = get_state(o, &j->state, &j->phase)) < 0 ||
            (r = field_get_number(o, "attempts", UINT_MAX, &attempts)) < 0 ||
            (r = get_times(o, clock, j)) < 0 ||
            (r = field_get_flag(o, "secrets-stored", &j->secrets_stored)) < 0 ||
            (r = field_get_flag(o, "secrets-erased", &j->secrets_erased)) < 0 ||
            (r = field_get_flag(o, "acknowledged", &j->acknowledged)) < 0 ||
            (r = field_get_flag(o, "cancel", &j->cancel_requested)) < 0)
                return r;
        j->attempts = (unsigned) attempts;
        free(TAKE_PTR(j->profile_fingerprint));
        if ((r = field_get_string(o, "fingerprint", TEXT_MAX, &j->profile_fingerprint)) < 0 ||
            (r = get_result(json_object_get(o, "result"), &j->result)) < 0 ||
            (r = get_left(json_object_get(o, "left"), j)) < 0)
                return r;
        failure = json_object_get(o, "failure");
        return failure ? get_failure(failure, 0, &j->failure) : 0;
}

static int read_entry(const json_t *o, JobHistory *ret) {
        JobHistory h = {};
        int r;

        if (!json_is_object(o))
                return -EBADMSG;
        if ((r = field_get_time(o, "time", &h.time_real)) < 0 ||
            (r = get_state(o, &h.state, &h.phase)) < 0 ||
            (r = field_get_string(o, "text", TEXT_MAX, &h.text)) < 0)
                return r;
        *ret = h;
        return 0;
}

static bool entry_equal(const JobHistory *a, const JobHistory *b) {
        return a->time_real == b->time_real && a->state == b->state && a->phase == b->phase &&
               streq_ptr(a->text, b->text);
}

/* How many of the tail's first entries are the last ones that we have. */
static size_t overlap(const Job *j, const JobHistory *tail, size_t n) {
        for (size_t m = n < j->n_history ? n : j->n_history; m > 0; m--) {
                size_t i = 0;

                while (i < m && entry_equal(j->history + j->n_history - m + i, tail + i))
                        i++;
                if (i == m)
                        return m;
        }
        return 0;
}

static int join_history(const json_t *list, Job *j) {
        JobHistory tail[JOB_HISTORY_MAX] = {};
        size_t n;
        int r = 0;

        if (!json_is_array(list) || json_array_size(list) > ELEMENTSOF(tail))
                return -EBADMSG;
        for (n = 0; n < json_array_size(list) && r >= 0; n++)
                r = read_entry(json_array_get(list, n), tail + n);
        for (size_t i = r < 0 ? n : overlap(j, tail, n); i < n && r >= 0; i++)
                r = job_add_history(j, tail[i].time_real, tail[i].state, tail[i].phase,
                                    tail[i].text);
        for (size_t i = 0; i < ELEMENTSOF(tail); i++)
                free(tail[i].text);
        return r;
}

static int open_line(const char *line, size_t size, const char *name, json_t **ret) {
        _cleanup_json_ json_t *o = NULL;
        uint64_t version;
        json_t *what;
        int r;

        r = record_line_read(line, size, &o);
        if (r < 0)
                return r;
        if (field_get_number(o, "v", INT_MAX, &version) < 0)
                return -EBADMSG;
        if (version > JOB_RECORD_VERSION)
                return -EPROTONOSUPPORT;
        what = json_object_get(o, name);
        if (version != JOB_RECORD_VERSION || !json_is_object(what))
                return -EBADMSG;
        *ret = json_incref(what);
        return 0;
}

/* Every line is checked and gives its history; only the last one gives the state. */
static int read_lines(const char *text, size_t size, const JobClock *clock, Job **ret,
                      size_t *ret_line) {
        _cleanup_job_ Job *j = NULL;
        _cleanup_json_ json_t *last = NULL;
        const char *end;
        int r;

        *ret_line = 1;
        for (; (end = memchr(text, '\n', size)); (*ret_line)++) {
                _cleanup_json_ json_t *o = NULL;
                size_t length = (size_t) (end - text);

                r = open_line(text, length, j ? "state" : "request", &o);
                if (r < 0)
                        return r;
                r = j ? join_history(json_object_get(o, "history"), j) : read_request(o, clock, &j);
                if (r < 0)
                        return r;
                if (*ret_line > 1) {
                        json_decref(last);
                        last = TAKE_PTR(o);
                }
                text += length + 1;
                size -= length + 1;
        }
        if (!j)
                return -EBADMSG;
        r = last ? read_state(last, clock, j)
                 : job_add_history(j, j->created_real, JOB_QUEUED, PHASE_NONE, "accepted");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(j);
        return 0;
}

int job_record_read(const char *text, size_t size, const JobClock *clock, Job **ret,
                    char **ret_why) {
        size_t line = 0;
        int r, n = 0;

        r = read_lines(text, size, clock, ret, &line);
        if (r == -EPROTONOSUPPORT)
                n = asprintf(ret_why, "line %zu was written by a later version of fleetprovd",
                             line);
        else if (r == -EBADMSG)
                n = asprintf(ret_why, "line %zu is not as it was written", line);
        else if (r < 0)
                n = asprintf(ret_why, "%s", strerrordesc_np(-r));
        if (n < 0)
                *ret_why = NULL;
        return r;
}

int job_record_compact(const char *text, size_t size, const JobClock *clock, char **ret,
                       size_t *ret_size) {
        _cleanup_free_ char *why = NULL;
        _cleanup_job_ Job *j = NULL;
        int r;

        r = job_record_read(text, size, clock, &j, &why);
        if (r < 0)
                return r;
        return job_record_make(j, clock, SECRETS_AS_JOB_SAYS, ret, ret_size);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/encode.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/base/log.h"

#define CAUSES_MAX 8U /* how deep a chain of failures is told; messages nest 64 deep at most */

const char *encode_job_path(const Job *job, char path[static ENCODE_JOB_PATH_SIZE]) {
        (void) snprintf(path, ENCODE_JOB_PATH_SIZE, "%s/%s", IPC_JOB_PREFIX, job->id);
        return path;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static size_t utf8_length(const uint8_t *s) {
        size_t length;
        uint32_t c;

        if (s[0] < 0x80)
                return 1;
        if (s[0] >= 0xc2 && s[0] <= 0xdf)
                length = 2, c = s[0] & 0x1fU;
        else if ((s[0] & 0xf0) == 0xe0)
                length = 3, c = s[0] & 0x0fU;
        else if (s[0] >= 0xf0 && s[0] <= 0xf4)
                length = 4, c = s[0] & 0x07U;
        else
                return 0;
        for (size_t i = 1; i < length; i++) {
                if ((s[i] & 0xc0) != 0x80) /* the terminator, too */
                        return 0;
                c = c << 6 | (s[i] & 0x3fU);
        }
        if ((length == 3 && c < 0x800) || (length == 4 && c < 0x10000) || c > 0x10ffff ||
            (c >= 0xd800 && c <= 0xdfff))
                return 0;
        return length;
}

static bool is_utf8(const char *text) {
        const uint8_t *s = (const uint8_t *) text;

        while (*s) {
                size_t length = utf8_length(s);

                if (length == 0)
                        return false;
                s += length;
        }
        return true;
}

char *encode_clean(const char *s) {
        if (!s)
                return NULL;
        return is_utf8(s) ? strdup(s) : log_escape(s);
}

int encode_text(sd_bus_message *m, const char *s) {
        _cleanup_free_ char *clean = NULL;

        if (!s || is_utf8(s))
                return sd_bus_message_append(m, "s", s ? s : "");
        clean = log_escape(s);
        return clean ? sd_bus_message_append(m, "s", clean) : -ENOMEM;
}

/* An entry "name" of a{sv}, whose value the caller appends between the two. */
static int open_entry(sd_bus_message *m, const char *name, const char *type) {
        int r;

        r = sd_bus_message_open_container(m, 'e', "sv");
        if (r >= 0)
                r = sd_bus_message_append(m, "s", name);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'v', type);
        return r;
}

static int close_entry(sd_bus_message *m) {
        int r;

        r = sd_bus_message_close_container(m);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int entry_text(sd_bus_message *m, const char *name, const char *value) {
        int r;

        if (!value)
                return 0;
        r = open_entry(m, name, "s");
        if (r >= 0)
                r = encode_text(m, value);
        return r < 0 ? r : close_entry(m);
}

static int entry_u32(sd_bus_message *m, const char *name, uint32_t value) {
        return sd_bus_message_append(m, "{sv}", name, "u", value);
}

static int entry_time(sd_bus_message *m, const char *name, usec_t value) {
        return value == 0 ? 0 : sd_bus_message_append(m, "{sv}", name, "t", value);
}

static int entry_parameters(sd_bus_message *m, const char *name, const Parameters *p) {
        int r;

        r = open_entry(m, name, "a{ss}");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "{ss}");
        for (size_t i = 0; r >= 0 && i < p->n; i++) {
                r = sd_bus_message_open_container(m, 'e', "ss");
                if (r >= 0)
                        r = encode_text(m, p->items[i].name);
                if (r >= 0)
                        r = encode_text(m, p->items[i].value);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : close_entry(m);
}

static int encode_failure_down_to(sd_bus_message *m, const Failure *f, unsigned depth);

static int entry_failure(sd_bus_message *m, const char *name, const Failure *f, unsigned depth) {
        int r;

        if (!f || depth == 0)
                return 0;
        r = open_entry(m, name, "a{sv}");
        if (r >= 0)
                r = encode_failure_down_to(m, f, depth);
        return r < 0 ? r : close_entry(m);
}

static int encode_failure_entries(sd_bus_message *m, const Failure *f, unsigned depth) {
        int r;

        r = entry_text(m, "code", error_code_to_string(f->code));
        if (r >= 0 && f->phase != PHASE_NONE)
                r = entry_text(m, "phase", job_phase_to_string(f->phase));
        if (r >= 0)
                r = entry_text(m, "message", f->message);
        if (r >= 0 && f->status_code != 0)
                r = sd_bus_message_append(m, "{sv}", "statusCode", "i", f->status_code);
        if (r >= 0)
                r = entry_text(m, "errorCode", f->error_code);
        if (r >= 0)
                r = entry_text(m, "errorMessage", f->error_message);
        if (r >= 0)
                r = entry_text(m, "trackingId", f->tracking_id);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "retriable", "b", (int) f->retriable);
        if (r >= 0)
                r = entry_failure(m, "cause", f->cause, depth - 1);
        return r;
}

static int encode_failure_down_to(sd_bus_message *m, const Failure *f, unsigned depth) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && f)
                r = encode_failure_entries(m, f, depth);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

int encode_failure(sd_bus_message *m, const Failure *f) {
        return encode_failure_down_to(m, f, CAUSES_MAX);
}

int encode_claim(sd_bus_message *m, const ProfileStatus *p) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = entry_text(m, "subject", p->claim_subject);
        if (r >= 0)
                r = entry_text(m, "fingerprint", p->claim_fingerprint);
        if (r >= 0)
                r = entry_time(m, "notAfter", p->claim_not_after_real);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int entry_left_certificates(sd_bus_message *m, const Job *job) {
        int r;

        if (job->n_left_certificates == 0)
                return 0;
        r = open_entry(m, "leftCertificates", "as");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "s");
        for (size_t i = 0; r >= 0 && i < job->n_left_certificates; i++)
                r = encode_text(m, job->left_certificates[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : close_entry(m);
}

static int entry_history(sd_bus_message *m, const Job *job) {
        int r;

        r = open_entry(m, "history", "a(tsss)");
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(tsss)");
        for (size_t i = 0; r >= 0 && i < job->n_history; i++) {
                const JobHistory *h = job->history + i;

                r = sd_bus_message_open_container(m, 'r', "tsss");
                if (r >= 0)
                        r = sd_bus_message_append(m, "tss", h->time_real,
                                                  job_state_to_string(h->state),
                                                  job_phase_to_string(h->phase));
                if (r >= 0)
                        r = encode_text(m, h->text);
                if (r >= 0)
                        r = sd_bus_message_close_container(m);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        return r < 0 ? r : close_entry(m);
}

/* What it is, and how far it came. */
static int encode_particulars(sd_bus_message *m, const Job *job) {
        int r;

        r = entry_text(m, "id", job->id);
        if (r >= 0)
                r = entry_text(m, "key", job->spec->key);
        if (r >= 0)
                r = entry_text(m, "operation", operation_to_string(job->spec->operation));
        if (r >= 0)
                r = entry_text(m, "profile", job->spec->profile);
        if (r >= 0)
                r = entry_u32(m, "owner", job->owner->uid);
        if (r >= 0)
                r = entry_text(m, "state", job_state_to_string(job->state));
        if (r >= 0 && job->phase != PHASE_NONE)
                r = entry_text(m, "phase", job_phase_to_string(job->phase));
        if (r >= 0)
                r = entry_u32(m, "attempts", job->attempts);
        return r;
}

static int encode_times(sd_bus_message *m, const Job *job, usec_t now_boot) {
        int r;

        r = entry_time(m, "created", job->created_real);
        if (r >= 0)
                r = entry_time(m, "started", job->started_real);
        if (r >= 0)
                r = entry_time(m, "finished", job->finished_real);
        if (r >= 0 && !job_state_is_final(job->state)) {
                usec_t left = job_deadline_left(job, now_boot);

                if (left != USEC_INFINITY)
                        r = sd_bus_message_append(m, "{sv}", "deadlineUsec", "t", left);
        }
        return r;
}

int encode_details(sd_bus_message *m, const Job *job, const Failure *waiting_for, usec_t now_boot) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = encode_particulars(m, job);
        if (r >= 0)
                r = encode_times(m, job, now_boot);
        if (r >= 0)
                r = entry_parameters(m, "parameters", &job->spec->parameters);
        if (r >= 0)
                r = entry_left_certificates(m, job);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "acknowledged", "b", (int) job->acknowledged);
        if (r >= 0)
                r = entry_history(m, job);
        if (r >= 0)
                r = entry_failure(m, "error", job->failure, CAUSES_MAX);
        if (r >= 0)
                r = entry_failure(m, "waitingFor", waiting_for, CAUSES_MAX);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int entry_secret(sd_bus_message *m, const char *name, const Secret *secret) {
        _cleanup_close_ int fd = -1;

        if (!secret)
                return 0;
        fd = secret_to_memfd(secret, name);
        if (fd < 0)
                return fd;
        return sd_bus_message_append(m, "{sv}", name, "h", fd); /* duplicates it */
}

static int encode_result_text(sd_bus_message *m, const JobResult *result) {
        int r;

        r = entry_text(m, "thingName", result->thing_name);
        if (r >= 0)
                r = entry_text(m, "certificateId", result->certificate_id);
        if (r >= 0)
                r = entry_text(m, "certificatePem", result->certificate_pem);
        if (r >= 0 && result->has_device_configuration)
                r = entry_parameters(m, "deviceConfiguration", &result->device_configuration);
        if (r >= 0)
                r = entry_text(m, "deviceId", result->device_id);
        if (r >= 0)
                r = entry_text(m, "assignedHub", result->assigned_hub);
        if (r >= 0)
                r = entry_text(m, "registrationState", result->registration_state);
        if (r >= 0)
                r = entry_text(m, "privateKeyUri", result->private_key_uri);
        return r;
}

int encode_result(sd_bus_message *m, const Job *job, const JobSecrets *secrets) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = encode_result_text(m, &job->result);
        if (r >= 0 && secrets)
                r = entry_secret(m, "privateKey", secrets->private_key);
        if (r >= 0 && secrets)
                r = entry_secret(m, "ownershipToken", secrets->ownership_token);
        if (r >= 0 && secrets)
                r = entry_secret(m, "symmetricKey", secrets->symmetric_key);
        if (r >= 0 && job->secrets_erased && job_brings_secret(job))
                r = sd_bus_message_append(m, "{sv}", "secretsErased", "b", 1);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Gives a directory that `provision` filled a new identity, when that is due. Until the new one is
 * whole and synced the old one stays in force; then one rename puts the new one in its place.
 *
 * The idempotency key is made of the certificate in force. So a run after a failure, a power cut or
 * a kill finds the job of the one before, and has no second identity made; once the new certificate
 * is in force, the key is another one. A run that was cut off between that and the acknowledgement
 * is told by the job that DIR holds: it is a rotation, and nobody has acknowledged it. */

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "libclient/ctl/certificate.h"
#include "libclient/ctl/complain.h"
#include "libclient/ctl/deliver.h"
#include "libclient/ctl/out-swap.h"
#include "libclient/ctl/out-write.h"
#include "libclient/ctl/print-job.h"
#include "libclient/ctl/submit.h"
#include "libclient/ctl/time-text.h"
#include "libclient/ctl/verbs.h"
#include "protocol/ipc/limits.h"

#define ROTATE fleetprov_operation_to_string(FLEETPROV_OPERATION_ROTATE)
#define KEY_PREFIX "rotate-"
#define KEY_DIGITS 40 /* of the fingerprint */

typedef struct Rotation {
        Ctl *ctl;
        Out *out;
        char *pem; /* of the certificate in force */
        Certificate certificate;
        char *key; /* idempotency */
} Rotation;

static void rotation_done(Rotation *r) {
        out_free(r->out);
        free(r->pem);
        free(r->key);
}

/* --- what DIR holds */

/* A directory that is not there is not made: there is nothing in it to be rotated. */
static ExitStatus open_directory(Rotation *r) {
        Ctl *ctl = r->ctl;
        struct stat st;

        if (stat(ctl->options.out, &st) < 0) {
                ctl_complain(ctl, "--out=%s: %s; fill it first: fleetprovctl provision --out=%s",
                             ctl->options.out, strerror(errno), ctl->options.out);
                return STATUS_FAILED;
        }
        return deliver_open(ctl, &r->out);
}

static ExitStatus read_certificate(Rotation *r) {
        Ctl *ctl = r->ctl;
        const char *dir = ctl->options.out;
        size_t size = 0;
        int k;

        if (!r->out->holds_identity) {
                ctl_complain(ctl,
                             "--out=%s: holds no identity; fill it first: fleetprovctl provision "
                             "--out=%s",
                             dir, dir);
                return STATUS_FAILED;
        }
        k = out_read(r->out, OUT_CERTIFICATE, IPC_CERTIFICATE_MAX, &r->pem, &size);
        if (k < 0) {
                ctl_complain(ctl, "%s/" OUT_CERTIFICATE ": %s", dir, strerror(-k));
                return STATUS_FAILED;
        }
        if (strlen(r->pem) != size || certificate_read(r->pem, size, &r->certificate) < 0) {
                ctl_complain(ctl, "%s/" OUT_CERTIFICATE ": is no certificate in PEM", dir);
                return STATUS_FAILED;
        }
        if (asprintf(&r->key, KEY_PREFIX "%.*s", KEY_DIGITS, r->certificate.fingerprint) < 0) {
                r->key = NULL;
                ctl_complain(ctl, "out of memory");
                return STATUS_FAILED;
        }
        return STATUS_OK;
}

/* --- is it due */

static usec_t now_real(void) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / 1000;
}

static usec_t usec_between(usec_t from, usec_t to) {
        return to > from ? to - from : 0;
}

static bool is_due(const Options *o, const Certificate *c, usec_t now) {
        bool older = o->given & OPTION_IF_OLDER_THAN, expires = o->given & OPTION_IF_EXPIRES_WITHIN;

        if (!older && !expires)
                return true;
        return (older && usec_between(c->not_before, now) > o->older_than) ||
               (expires && usec_between(now, c->not_after) <= o->expires_within);
}

static ExitStatus print_not_due_json(const Rotation *r) {
        _cleanup_free_ char *before = time_rfc3339(r->certificate.not_before);
        _cleanup_free_ char *after = time_rfc3339(r->certificate.not_after);
        json_t *o = json_object();

        json_put(o, "id", r->out->id);
        json_put(o, "profile", r->out->profile);
        json_put(o, "thingName", r->out->thing);
        json_object_set_new(o, "due", json_false());
        json_put(o, "notBefore", before);
        json_put(o, "notAfter", after);
        return json_print(r->ctl, o);
}

static ExitStatus tell_not_due(const Rotation *r, usec_t now) {
        _cleanup_free_ char *before = time_date(r->certificate.not_before);
        _cleanup_free_ char *after = time_date(r->certificate.not_after);
        _cleanup_free_ char *dir = escape_text(r->ctl->options.out, true);

        if (now < r->certificate.not_before)
                complain("%s/" OUT_CERTIFICATE ": is valid from %s on, and the clock is not there "
                         "yet; is it set?",
                         r->ctl->options.out, before ? before : "1970");
        if (r->ctl->options.json != JSON_OFF)
                return print_not_due_json(r);
        printf("Not due: the certificate in %s is from %s and valid until %s.\n", dir ? dir : "DIR",
               before ? before : "1970", after ? after : "1970");
        return STATUS_OK;
}

/* --- what a run before this one left */

static bool is_rotation(const fleetprov_job *job) {
        return streq(fleetprov_job_get_operation(job), ROTATE) &&
               fleetprov_job_get_state(job) == FLEETPROV_STATE_SUCCEEDED;
}

/* NULL: there is none of that id (any more), or it cannot be had; *ret_status says which. */
static fleetprov_job *get_rotation(Rotation *r, const char *id, ExitStatus *ret_status) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;
        uint64_t ticket = 0;
        int k;

        k = fleetprov_client_get_job(r->ctl->client, id, &ticket);
        *ret_status = ctl_ask(r->ctl, k, ticket, id, &event, &error);
        if (*ret_status != STATUS_OK || error)
                return NULL;
        job = fleetprov_event_steal_job(event, 0);
        return job && is_rotation(job) ? TAKE_PTR(job) : NULL;
}

/* True where this one has nothing more to do; then *ret_status is its end. */
static bool finish_former_run(Rotation *r, ExitStatus *ret_status) {
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;

        if (!r->out->id)
                return false;
        job = get_rotation(r, r->out->id, ret_status);
        if (*ret_status != STATUS_OK)
                return true;
        if (!job || fleetprov_job_get_acknowledged(job))
                return false;
        *ret_status = deliver_again(r->ctl, job, r->out);
        return true;
}

/* A record with a key stays until it is released, and nobody asks for that of an identity which was
 * rotated twice: without this they would be more with each rotation, up to the user's quota. Before
 * the new one is begun: a run that was killed after its acknowledgement could not be told from one
 * that is yet to be. */
static void release_overtaken(Rotation *r) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;
        _cleanup_free_ char *previous = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int k;

        if (out_read_link(r->out, "previous", &previous) < 0 || !previous ||
            !out_is_result_name(previous))
                return;
        previous[IPC_JOB_ID_LENGTH] = '\0';
        job = get_rotation(r, previous, &status);
        if (!job || !fleetprov_job_get_acknowledged(job))
                return;
        k = fleetprov_client_release(r->ctl->client, previous, &ticket);
        (void) ctl_ask(r->ctl, k, ticket, previous, &event, &error);
}

/* --- the rotation */

static int cannot_hand_in(const Rotation *r, int k) {
        ctl_complain(r->ctl, "--out=%s: cannot hand in what it holds: %s", r->ctl->options.out,
                     strerror(-k));
        return k;
}

static int set_certificate(const Rotation *r, fleetprov_request *request) {
        int k = fleetprov_request_set_certificate(request, r->pem);

        return k < 0 ? cannot_hand_in(r, k) : 0;
}

static int add_identity(const Rotation *r, fleetprov_request *request) {
        char *key = NULL;
        size_t size = 0;
        int k;

        /* A key in a token stays there; the daemon finds it by its certificate. */
        if (!out_has(r->out, OUT_PRIVATE_KEY) && out_has(r->out, OUT_PRIVATE_KEY_URI))
                return set_certificate(r, request);
        k = out_read(r->out, OUT_PRIVATE_KEY, IPC_SECRET_MAX, &key, &size);
        if (k < 0) {
                ctl_complain(r->ctl,
                             "%s/" OUT_PRIVATE_KEY ": %s; the key of the certificate in force is "
                             "needed to rotate it",
                             r->ctl->options.out, strerror(-k));
                return k;
        }
        k = fleetprov_request_set_private_key(request, key, size);
        explicit_bzero(key, size);
        free(key);
        return k < 0 ? cannot_hand_in(r, k) : set_certificate(r, request);
}

static ExitStatus rotate(Rotation *r, fleetprov_request *request, const char *profile) {
        ExitStatus status;

        status = add_identity(r, request) < 0 ? STATUS_FAILED : ctl_connect(r->ctl);
        if (status == STATUS_OK && finish_former_run(r, &status))
                return status;
        if (status == STATUS_OK)
                status = deliver_stage(r->ctl, r->out);
        if (status != STATUS_OK) {
                submit_print_refusal(r->ctl, FLEETPROV_OPERATION_ROTATE, profile, status, NULL);
                return status;
        }
        /* What DIR holds is what is to be replaced. */
        r->ctl->options.given |= OPTION_REPLACE;
        release_overtaken(r);
        return submit_run(r->ctl, request, FLEETPROV_OPERATION_ROTATE, profile, r->out);
}

ExitStatus verb_rotate(Ctl *ctl, int argc, char **argv) {
        _cleanup_(fleetprov_request_freep) fleetprov_request *request = NULL;
        _cleanup_(rotation_done) Rotation r = {.ctl = ctl};
        usec_t now = now_real();
        const char *profile;
        ExitStatus status;

        if (!ctl->options.out) {
                complain("rotate: whose identity? give --out=DIR, as of provision");
                return STATUS_USAGE;
        }
        if ((status = open_directory(&r)) != STATUS_OK ||
            (status = read_certificate(&r)) != STATUS_OK) {
                submit_print_refusal(ctl, FLEETPROV_OPERATION_ROTATE, NULL, status, NULL);
                return status;
        }
        if (!is_due(&ctl->options, &r.certificate, now))
                return tell_not_due(&r, now);
        profile = argc > 0 ? argv[0] : r.out->profile;
        ctl->options.id = r.key;
        if (submit_request(&ctl->options, FLEETPROV_OPERATION_ROTATE, profile, &request) < 0)
                status = STATUS_USAGE;
        else
                status = rotate(&r, request, profile);
        ctl->options.id = NULL;
        return status;
}

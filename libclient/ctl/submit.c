/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/submit.h"

#include <errno.h>
#include <jansson.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/deliver.h"
#include "libclient/ctl/interrupt.h"
#include "libclient/ctl/job-end.h"
#include "libclient/ctl/print-job.h"
#include "libclient/ctl/read-file.h"
#include "libclient/ctl/wait-job.h"
#include "protocol/ipc/limits.h"

static int bad_option(const char *option, const char *value, int r, const char *mend) {
        if (r >= 0)
                return 0;
        complain("--%s=%s: %s", option, value,
                 r == -ENOMEM  ? "out of memory"
                 : r == -E2BIG ? "is too long"
                               : mend);
        return r;
}

static int add_parameters(const Options *o, fleetprov_request *request) {
        for (size_t i = 0; i < o->n_parameters; i++) {
                const char *equals = strchr(o->parameters[i], '=');
                _cleanup_free_ char *name =
                        strndup(o->parameters[i], (size_t) (equals - o->parameters[i]));
                int r;

                r = name ? fleetprov_request_add_parameter(request, name, equals + 1) : -ENOMEM;
                if (r >= 0)
                        continue;
                complain("-p %s: %s", o->parameters[i],
                         r == -EEXIST  ? "this name was given before; give it once"
                         : r == -E2BIG ? "too long or too many; names to 128, values to 4096 "
                                         "bytes, 64 of them, 32 KiB in all"
                                       : strerror(-r));
                return r;
        }
        return 0;
}

static int add_csr(const Options *o, fleetprov_request *request) {
        _cleanup_free_ char *pem = NULL;
        size_t size;
        int r;

        if (!o->csr)
                return 0;
        r = read_file("csr", o->csr, IPC_CSR_MAX, &pem, &size);
        if (r < 0)
                return r;
        if (strlen(pem) != size || !strstr(pem, "-----BEGIN ")) {
                complain("--csr=%s: no PEM; give a certificate signing request in PEM, as openssl "
                         "req writes it",
                         o->csr);
                return -EINVAL;
        }
        return bad_option("csr", o->csr, fleetprov_request_set_csr(request, pem), "cannot be used");
}

static int add_payload(const Options *o, fleetprov_request *request) {
        _cleanup_free_ char *text = NULL;
        json_error_t error;
        size_t size;
        json_t *json;
        int r;

        if (!o->payload)
                return 0;
        if (*o->payload == '@') {
                r = read_file("payload", o->payload + 1, IPC_PAYLOAD_MAX, &text, &size);
                if (r < 0)
                        return r;
        } else {
                text = strdup(o->payload);
                if (!text)
                        return -ENOMEM;
                size = strlen(text);
        }
        json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        if (!json) {
                complain("--payload=%s: no JSON: line %d, column %d: %s", o->payload, error.line,
                         error.column, error.text);
                return -EINVAL;
        }
        json_decref(json);
        return bad_option("payload", o->payload, fleetprov_request_set_payload(request, text),
                          "cannot be used");
}

static int add_token(const Options *o, fleetprov_request *request) {
        size_t size;
        char *token;
        int r;

        if (!o->token_file)
                return 0;
        r = read_file("token-file", o->token_file, IPC_SECRET_MAX, &token, &size);
        if (r < 0)
                return r;
        /* An editor's or a shell's line break is no part of a token. */
        while (size > 0 && (token[size - 1] == '\n' || token[size - 1] == '\r'))
                token[--size] = '\0';
        r = fleetprov_request_set_ownership_token(request, token, size);
        explicit_bzero(token, size);
        free(token);
        return bad_option("token-file", o->token_file, r, "holds no token");
}

int submit_request(const Options *o, int operation, const char *profile, fleetprov_request **ret) {
        _cleanup_(fleetprov_request_freep) fleetprov_request *request = NULL;
        int r;

        r = fleetprov_request_new(&request, operation, profile);
        if (r < 0) {
                complain("%s: %s", profile ? profile : "request",
                         r == -EINVAL ? "no name of a profile; see fleetprovctl profiles"
                                      : strerror(-r));
                return r;
        }
        if ((r = add_parameters(o, request)) < 0 || (r = add_csr(o, request)) < 0 ||
            (r = add_payload(o, request)) < 0 || (r = add_token(o, request)) < 0)
                return r;
        if ((r = bad_option("id", o->id, fleetprov_request_set_key(request, o->id),
                            "no key; 1 to 64 of A-Z a-z 0-9 . _ : @ - and not 32 hex digits")) <
                    0 ||
            (r = bad_option("key-type", o->key_type,
                            fleetprov_request_set_key_type(request, o->key_type),
                            "unknown; say ec-p256, ec-p384, rsa-2048 or rsa-3072")) < 0 ||
            (r = bad_option("key-source", o->key_source,
                            fleetprov_request_set_key_source(request, o->key_source),
                            "unknown; say daemon or cloud")) < 0 ||
            (r = bad_option("registration-id", o->registration_id,
                            fleetprov_request_set_registration_id(request, o->registration_id),
                            "cannot be used")) < 0)
                return r;
        if (o->deadline != USEC_INFINITY)
                r = fleetprov_request_set_deadline(request, o->deadline);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(request);
        return 0;
}

static const char *code_of_status(ExitStatus status) {
        switch (status) {
        case STATUS_NO_DAEMON:
                return "connect-failed";
        case STATUS_DENIED:
                return "access-denied";
        case STATUS_TIMEOUT:
                return "timeout";
        case STATUS_BUSY:
                return "queue-full";
        case STATUS_OK:
        case STATUS_FAILED:
        case STATUS_USAGE:
        case STATUS_CANCELLED:
        case STATUS_NOT_WRITTEN:
                return "storage";
        }
        return "internal-failure";
}

void submit_print_refusal(const Ctl *ctl, int operation, const char *profile, ExitStatus status,
                          const fleetprov_error *error) {
        json_t *o, *made;

        if (ctl->options.json == JSON_OFF)
                return;
        o = json_object();
        json_put(o, "key", ctl->options.id);
        json_put(o, "operation", fleetprov_operation_to_string(operation));
        json_put(o, "profile", profile);
        if (error)
                json_object_set_new(o, "error", json_of_error(error));
        else {
                made = json_object();
                json_put(made, "code", code_of_status(status));
                json_put(made, "message", ctl->said);
                json_object_set_new(o, "error", made);
        }
        (void) json_print(ctl, o);
}

/* The job that this key stands for already; *ret_id stays NULL where there is none. */
static ExitStatus known_job(Ctl *ctl, const char *profile, char **ret_id) {
        _cleanup_(fleetprov_status_freep) fleetprov_status *s = NULL;
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        if (!profile) {
                status = ctl_get_status(ctl, &s);
                if (status != STATUS_OK)
                        return status;
                profile = ctl_default_profile(s);
        }
        if (!profile || !ctl->options.id)
                return STATUS_OK;
        r = fleetprov_client_find_job(ctl->client, profile, ctl->options.id, &ticket);
        status = ctl_ask(ctl, r, ticket, ctl->options.id, &event, &error);
        /* Any refusal here is the submit's to tell. */
        if (status == STATUS_OK && !error) {
                *ret_id = strdup(fleetprov_event_get_job_id(event));
                if (!*ret_id)
                        return STATUS_FAILED;
        }
        return status;
}

/* DIR that holds another identity is refused before anything is asked of the cloud. */
static ExitStatus guard_directory(Ctl *ctl, const char *profile, const Out *out) {
        _cleanup_free_ char *id = NULL;
        ExitStatus status;

        if (!out || !out->holds_identity || (ctl->options.given & OPTION_REPLACE))
                return STATUS_OK;
        status = known_job(ctl, profile, &id);
        if (status != STATUS_OK)
                return status;
        return deliver_may_replace(ctl, out, id) ? STATUS_OK : STATUS_FAILED;
}

static ExitStatus submit(Ctl *ctl, const fleetprov_request *request, int operation,
                         const char *profile, char **ret_id) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        r = fleetprov_client_submit(ctl->client, request, &ticket);
        status = ctl_answer(ctl, r, ticket, fleetprov_operation_to_string(operation), &event,
                            &error);
        if (status != STATUS_OK) {
                submit_print_refusal(ctl, operation, profile, status, error);
                return status;
        }
        *ret_id = strdup(fleetprov_event_get_job_id(event));
        if (*ret_id)
                return STATUS_OK;
        complain("out of memory");
        return STATUS_FAILED;
}

static ExitStatus wait_and_deliver(Ctl *ctl, const char *id, Out *out) {
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;
        ExitStatus status;

        status = wait_job(ctl, id, &job);
        if (status == STATUS_OK && fleetprov_job_get_state(job) == FLEETPROV_STATE_SUCCEEDED)
                return deliver(ctl, job, out);
        if (status == STATUS_OK)
                return job_tell_end(ctl, job);
        if (job && ctl->options.json != JSON_OFF)
                (void) json_print(ctl, print_job_object(job, NULL, NULL, NULL));
        return status;
}

ExitStatus submit_run(Ctl *ctl, const fleetprov_request *request, int operation,
                      const char *profile, Out *out) {
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;
        _cleanup_free_ char *id = NULL;
        ExitStatus status;

        status = submit(ctl, request, operation, profile, &id);
        if (status != STATUS_OK)
                return status;
        if (!(ctl->options.given & OPTION_NO_WAIT))
                return wait_and_deliver(ctl, id, out);
        status = ctl_get_job(ctl, id, &job);
        return status == STATUS_OK ? print_job(ctl, job, NULL, NULL) : status;
}

ExitStatus submit_and_deliver(Ctl *ctl, int operation, const char *profile) {
        _cleanup_(fleetprov_request_freep) fleetprov_request *request = NULL;
        _cleanup_(out_freep) Out *out = NULL;
        ExitStatus status;

        if (submit_request(&ctl->options, operation, profile, &request) < 0)
                return STATUS_USAGE;
        if ((ctl->options.given & OPTION_NO_WAIT) && ctl->options.out) {
                complain("--no-wait: nothing to write to --out= yet; fetch it later: fleetprovctl "
                         "result JOB --out=%s",
                         ctl->options.out);
                return STATUS_USAGE;
        }
        if ((status = deliver_prepare(ctl, &out)) != STATUS_OK ||
            (status = ctl_connect(ctl)) != STATUS_OK ||
            (status = guard_directory(ctl, profile, out)) != STATUS_OK) {
                submit_print_refusal(ctl, operation, profile, status, NULL);
                return status;
        }
        return submit_run(ctl, request, operation, profile, out);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/deliver.h"

#include <errno.h>
#include <stdio.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/job-end.h"
#include "libclient/ctl/out-write.h"
#include "libclient/ctl/print-job.h"

#define FILES_MAX 6U

static ExitStatus cannot_use(Ctl *ctl, int r, const char *why) {
        ctl_complain(ctl, "--out=%s: %s", ctl->options.out, why ? why : strerror(-r));
        return r == -EBUSY ? STATUS_BUSY : STATUS_FAILED;
}

ExitStatus deliver_open(Ctl *ctl, Out **ret) {
        _cleanup_free_ char *why = NULL;
        int r;

        if (!ctl->options.out)
                return STATUS_OK;
        r = out_open(ctl->options.out, ret, &why);
        return r < 0 ? cannot_use(ctl, r, why) : STATUS_OK;
}

ExitStatus deliver_stage(Ctl *ctl, Out *out) {
        int r;

        r = out_stage(out);
        return r < 0 ? cannot_use(ctl, r, out->why) : STATUS_OK;
}

ExitStatus deliver_prepare(Ctl *ctl, Out **ret) {
        _cleanup_(out_freep) Out *out = NULL;
        ExitStatus status;

        status = deliver_open(ctl, &out);
        if (status == STATUS_OK && out)
                status = deliver_stage(ctl, out);
        if (status == STATUS_OK)
                *ret = TAKE_PTR(out);
        return status;
}

bool deliver_may_replace(Ctl *ctl, const Out *out, const char *id) {
        if (!out->holds_identity || (ctl->options.given & OPTION_REPLACE) ||
            (id && streq_ptr(out->id, id)))
                return true;
        ctl_complain(
                ctl,
                "--out=%s: holds the identity of another job (%s%s%s); put it aside as previous "
                "with --replace, or choose another directory",
                ctl->options.out, out->id ? out->id : "unreadable", out->thing ? ", thing " : "",
                out->thing ? out->thing : "");
        return false;
}

/* `configuration.json`: the result object, with what an application needs to connect. */
static char *configuration(Ctl *ctl, const fleetprov_job *job, const fleetprov_result *result) {
        _cleanup_(fleetprov_status_freep) fleetprov_status *s = NULL;
        json_t *o = json_of_job(job, result);
        char *text, *line;
        int r;

        if (!o)
                return NULL;
        if (ctl_get_status(ctl, &s) == STATUS_OK)
                for (size_t i = 0; i < fleetprov_status_get_n_profiles(s); i++) {
                        if (!streq_ptr(fleetprov_status_get_profile_name(s, i),
                                       fleetprov_job_get_profile(job)))
                                continue;
                        json_put(o, "provider", fleetprov_status_get_profile_provider(s, i));
                        json_put(o, "endpoint", fleetprov_status_get_profile_endpoint(s, i));
                }
        text = json_dumps(o, JSON_INDENT(2));
        json_decref(o);
        if (!text)
                return NULL;
        r = asprintf(&line, "%s\n", text);
        free(text);
        return r < 0 ? NULL : line;
}

typedef struct Secrets {
        fleetprov_secret *s[3];
} Secrets;

static void secrets_done(Secrets *secrets) {
        for (size_t i = 0; i < ELEMENTSOF(secrets->s); i++)
                fleetprov_secret_free(secrets->s[i]);
}

static int add_secrets(const fleetprov_result *result, Secrets *secrets, OutFile *files,
                       size_t *n) {
        static const struct {
                int kind;
                const char *name;
        } table[] = {
                {FLEETPROV_SECRET_PRIVATE_KEY, OUT_PRIVATE_KEY},
                {FLEETPROV_SECRET_OWNERSHIP_TOKEN, OUT_TOKEN},
                {FLEETPROV_SECRET_SYMMETRIC_KEY, OUT_SYMMETRIC_KEY},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                int r;

                if (!fleetprov_result_has_secret(result, table[i].kind))
                        continue;
                r = fleetprov_result_read_secret(result, table[i].kind, &secrets->s[i]);
                if (r < 0)
                        return r;
                files[(*n)++] = (OutFile){
                        .name = table[i].name,
                        .data = fleetprov_secret_get_data(secrets->s[i]),
                        .size = fleetprov_secret_get_size(secrets->s[i]),
                        .secret = true,
                };
        }
        return 0;
}

static int store(Ctl *ctl, const fleetprov_job *job, const fleetprov_result *result, Out *out) {
        const char *pem = fleetprov_result_get_certificate_pem(result);
        _cleanup_(secrets_done) Secrets secrets = {0};
        const char *key_uri = fleetprov_result_get_private_key_uri(result);
        _cleanup_free_ char *json = NULL, *uri = NULL;
        OutFile files[FILES_MAX];
        size_t n = 0;
        int r;

        if (pem)
                files[n++] = (OutFile){.name = OUT_CERTIFICATE, .data = pem, .size = strlen(pem)};
        r = add_secrets(result, &secrets, files, &n);
        if (r < 0)
                return out_fail(out, r, "the result's secret cannot be read: %s", strerror(-r));
        if (key_uri) { /* a line, as a text file has them */
                if (asprintf(&uri, "%s\n", key_uri) < 0) {
                        uri = NULL;
                        return out_fail(out, -ENOMEM, "out of memory");
                }
                files[n++] =
                        (OutFile){.name = OUT_PRIVATE_KEY_URI, .data = uri, .size = strlen(uri)};
        }
        json = configuration(ctl, job, result);
        if (!json)
                return out_fail(out, -ENOMEM, "out of memory");
        files[n++] = (OutFile){.name = OUT_CONFIGURATION, .data = json, .size = strlen(json)};
        return out_store(out, fleetprov_job_get_id(job), files, n);
}

static void acknowledge(Ctl *ctl, const char *id) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        uint64_t ticket = 0;
        int r;

        /* The result is safe in any case; a failure is said, and changes nothing else: the daemon
         * keeps its copy until RetainSec= has passed. */
        r = fleetprov_client_acknowledge(ctl->client, id, &ticket);
        (void) ctl_answer(ctl, r, ticket, "acknowledge", &event, NULL);
}

/* The secrets are gone. That is no harm where DIR is the place they went to. */
static ExitStatus deliver_gone(Ctl *ctl, const fleetprov_job *job, const fleetprov_result *result,
                               Out *out, const fleetprov_error *gone) {
        const char *id = fleetprov_job_get_id(job);
        const char *pem = fleetprov_result_get_certificate_pem(result);

        if (streq_ptr(out->id, id) &&
            (!pem || out_has_content(out, OUT_CERTIFICATE, pem, strlen(pem))) &&
            (out_has(out, OUT_PRIVATE_KEY) || out_has(out, OUT_TOKEN) ||
             out_has(out, OUT_SYMMETRIC_KEY)))
                return print_job(ctl, job, result, out);
        complain("job %s: its secrets were delivered before and are erased (result-gone), and "
                 "--out=%s does not hold them; use the directory that does, or have a new identity "
                 "made: fleetprovctl release %s, then %s again",
                 id, ctl->options.out, id, fleetprov_job_get_operation(job));
        if (ctl->options.json != JSON_OFF) {
                json_t *o = print_job_object(job, result, NULL, gone);

                if (o && !gone)
                        json_object_set_new(o, "error",
                                            json_pack("{s:s,s:s}", "code", "result-gone", "message",
                                                      "the secrets were delivered and erased"));
                (void) json_print(ctl, o);
        }
        return STATUS_FAILED;
}

static ExitStatus not_written(Ctl *ctl, const fleetprov_job *job, const fleetprov_result *result) {
        if (ctl->options.json != JSON_OFF)
                (void) json_print(ctl, print_job_object(job, result, NULL, NULL));
        return STATUS_NOT_WRITTEN;
}

/* What was fetched of a job that failed is not a success because of that. */
static ExitStatus printed(Ctl *ctl, const fleetprov_job *job, const fleetprov_result *result,
                          const Out *out) {
        ExitStatus status = print_job(ctl, job, result, out);

        if (status != STATUS_OK || !job_is_unverified(job))
                return status;
        return job_complain_end(job, out != NULL);
}

static ExitStatus fetch(Ctl *ctl, const char *id, fleetprov_result **ret,
                        fleetprov_error **ret_error) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        /* The work is done: --timeout was for the waiting, not for bringing it home. */
        ctl->deadline = USEC_INFINITY;
        r = fleetprov_client_get_result(ctl->client, id, &ticket);
        status = ctl_ask(ctl, r, ticket, id, &event, ret_error);
        if (status == STATUS_OK && !*ret_error)
                *ret = fleetprov_event_steal_result(event);
        return status;
}

ExitStatus deliver_again(Ctl *ctl, const fleetprov_job *job, Out *out) {
        _cleanup_(fleetprov_result_freep) fleetprov_result *result = NULL;
        _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
        ExitStatus status;

        status = fetch(ctl, fleetprov_job_get_id(job), &result, &error);
        if (status != STATUS_OK)
                return status;
        acknowledge(ctl, fleetprov_job_get_id(job));
        return printed(ctl, job, result, out);
}

ExitStatus deliver(Ctl *ctl, const fleetprov_job *job, Out *out) {
        _cleanup_(fleetprov_result_freep) fleetprov_result *result = NULL;
        _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
        const char *id = fleetprov_job_get_id(job);
        ExitStatus status;

        status = fetch(ctl, id, &result, &error);
        if (status != STATUS_OK)
                return status;
        if (error && out && fleetprov_error_get_code(error) == FLEETPROV_RESULT_GONE)
                return deliver_gone(ctl, job, NULL, out, error);
        if (error) {
                complain_error(id, error);
                if (ctl->options.json != JSON_OFF)
                        (void) json_print(ctl, print_job_object(job, NULL, NULL, error));
                return status_of_error(error);
        }
        if (!out)
                return printed(ctl, job, result, NULL);
        if (fleetprov_result_get_secrets_erased(result))
                return deliver_gone(ctl, job, result, out, NULL);
        if (!deliver_may_replace(ctl, out, id))
                return not_written(ctl, job, result);
        if (store(ctl, job, result, out) < 0) {
                complain("--out=%s: %s; mend that, then: fleetprovctl result %s --out=%s%s",
                         ctl->options.out, out->why ? out->why : "out of memory", id,
                         ctl->options.out, ctl->options.given & OPTION_REPLACE ? " --replace" : "");
                return not_written(ctl, job, result);
        }
        /* Of an identity that is not proved the daemon keeps the key, to try it once more. */
        if (!(ctl->options.given & OPTION_KEEP) && !job_is_unverified(job))
                acknowledge(ctl, id);
        return printed(ctl, job, result, out);
}

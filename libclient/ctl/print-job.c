/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/print-job.h"

#include <pwd.h>
#include <stdio.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/out-write.h"
#include "libclient/ctl/table.h"
#include "libclient/ctl/time-text.h"

static void put_files(json_t *o, const Out *out) {
        static const struct {
                const char *member, *file;
        } names[] = {
                {"certificate", OUT_CERTIFICATE},       {"privateKey", OUT_PRIVATE_KEY},
                {"privateKeyUri", OUT_PRIVATE_KEY_URI}, {"ownershipToken", OUT_TOKEN},
                {"symmetricKey", OUT_SYMMETRIC_KEY},    {"configuration", OUT_CONFIGURATION},
        };
        json_t *files = json_object();

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = NULL;

                if (!out_has(out, names[i].file))
                        continue;
                if (asprintf(&path, "%s/%s", streq(out->path, "/") ? "" : out->path,
                             names[i].file) < 0)
                        path = NULL;
                json_put(files, names[i].member, path);
        }
        json_object_set_new(o, "files", files);
}

json_t *print_job_object(const fleetprov_job *job, const fleetprov_result *result, const Out *out,
                         const fleetprov_error *error) {
        json_t *o = json_of_job(job, result);

        if (o && out)
                put_files(o, out);
        if (o && error)
                json_object_set_new(o, "error", json_of_error(error));
        return o;
}

static void add_state(Table *t, const fleetprov_job *job) {
        const char *state = fleetprov_state_to_string(fleetprov_job_get_state(job));
        const char *phase = fleetprov_job_get_phase(job);
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s%s%s%s", state ? state : "?", *phase ? " (" : "", phase,
                     *phase ? ")" : "") < 0)
                text = NULL;
        table_add_pair(t, "State", text);
}

static void add_owner(Table *t, const fleetprov_job *job) {
        const struct passwd *pw = getpwuid((uid_t) fleetprov_job_get_owner(job));
        _cleanup_free_ char *text = NULL;

        if (pw ? asprintf(&text, "%s", pw->pw_name) < 0
               : asprintf(&text, "%u", fleetprov_job_get_owner(job)) < 0)
                text = NULL;
        table_add_pair(t, "Owner", text);
}

static void add_times(Table *t, const fleetprov_job *job) {
        uint64_t created = fleetprov_job_get_created(job);
        uint64_t finished = fleetprov_job_get_finished(job);
        uint64_t started = fleetprov_job_get_started(job);
        _cleanup_free_ char *a = time_local(created), *b = time_local(started),
                            *c = time_local(finished), *left = NULL, *attempts = NULL;

        table_add_pair(t, "Created", a);
        table_add_pair(t, "Started", b);
        table_add_pair(t, "Finished", c);
        if (fleetprov_job_get_deadline(job) != FLEETPROV_FOREVER &&
            !fleetprov_state_is_final(fleetprov_job_get_state(job))) {
                left = time_span(fleetprov_job_get_deadline(job));
                table_add_pair(t, "Deadline in", left);
        }
        if (fleetprov_job_get_attempts(job) > 1 &&
            asprintf(&attempts, "%u", fleetprov_job_get_attempts(job)) >= 0)
                table_add_pair(t, "Attempts", attempts);
}

static void add_named(Table *t, const char *label, const char *name, const char *value) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s=%s", name, value) < 0)
                text = NULL;
        table_add_pair(t, label, text);
}

static void add_error(Table *t, const char *label, const fleetprov_error *error) {
        const fleetprov_error *before = NULL;

        for (; error; before = error, error = fleetprov_error_get_cause(error), label = "because") {
                _cleanup_free_ char *said = error_service_text(error), *text = NULL;

                if (before && error_tells_cause(before)) {
                        table_add_pair(t, label, fleetprov_error_get_name(error));
                        continue;
                }
                if (asprintf(&text, "%s: %s%s%s", fleetprov_error_get_name(error),
                             fleetprov_error_get_message(error), said ? "; the service said: " : "",
                             said ? said : "") < 0)
                        text = NULL;
                table_add_pair(t, label, text);
        }
}

static void add_result(Table *t, const fleetprov_result *result, bool written) {
        const char *name, *value, *label = "Configuration";

        table_add_pair(t, "Thing", fleetprov_result_get_thing_name(result));
        table_add_pair(t, "Certificate", fleetprov_result_get_certificate_id(result));
        table_add_pair(t, "Private key", fleetprov_result_get_private_key_uri(result));
        table_add_pair(t, "Device", fleetprov_result_get_device_id(result));
        table_add_pair(t, "Hub", fleetprov_result_get_assigned_hub(result));
        for (size_t i = 0; fleetprov_result_enumerate_configuration(result, i, &name, &value) > 0;
             i++, label = "")
                add_named(t, label, name, value);
        if (written)
                return;
        if (fleetprov_result_get_secrets_erased(result))
                table_add_pair(t, "Secrets", "delivered and erased");
        else if (fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY) ||
                 fleetprov_result_has_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN) ||
                 fleetprov_result_has_secret(result, FLEETPROV_SECRET_SYMMETRIC_KEY))
                table_add_pair(t, "Secrets",
                               "with the daemon; fetch them: fleetprovctl result JOB --out=DIR");
}

static void add_files(Table *t, const Out *out) {
        const char *label = "Files";

        for (size_t i = 0; out_names[i]; i++) {
                _cleanup_free_ char *path = NULL;

                if (!out_has(out, out_names[i]))
                        continue;
                if (asprintf(&path, "%s/%s", streq(out->path, "/") ? "" : out->path, out_names[i]) <
                    0)
                        path = NULL;
                table_add_pair(t, label, path);
                label = "";
        }
}

ExitStatus print_job(const Ctl *ctl, const fleetprov_job *job, const fleetprov_result *result,
                     const Out *out) {
        _cleanup_(table_freep) Table *t = NULL;
        const char *name, *value, *label = "Parameters", *left;

        if (ctl->options.json != JSON_OFF)
                return json_print(ctl, print_job_object(job, result, out, NULL));
        t = table_new_list(ctl);
        if (!t)
                return STATUS_FAILED;
        table_add_pair(t, "Job", fleetprov_job_get_id(job));
        table_add_pair(t, "Key", fleetprov_job_get_key(job));
        table_add_pair(t, "Operation", fleetprov_job_get_operation(job));
        table_add_pair(t, "Profile", fleetprov_job_get_profile(job));
        add_owner(t, job);
        add_state(t, job);
        add_error(t, "Error", fleetprov_job_get_error(job));
        add_error(t, "Waiting for", fleetprov_job_get_waiting_for(job));
        add_times(t, job);
        for (size_t i = 0; fleetprov_job_enumerate_parameters(job, i, &name, &value) > 0;
             i++, label = "")
                add_named(t, label, name, value);
        for (size_t i = 0; (left = fleetprov_job_get_left_certificate(job, i)); i++)
                table_add_pair(t, i == 0 ? "Left behind" : "", left);
        if (result)
                add_result(t, result, out != NULL);
        if (out)
                add_files(t, out);
        return table_print(t);
}

void complain_job(const fleetprov_job *job) {
        const char *state = fleetprov_state_to_string(fleetprov_job_get_state(job));
        const fleetprov_error *error = fleetprov_job_get_error(job);
        const char *phase = fleetprov_error_get_phase(error);
        _cleanup_free_ char *what = NULL;

        if (asprintf(&what, "job %s %s%s%s", fleetprov_job_get_id(job), state ? state : "?",
                     error && phase ? " in " : "", error && phase ? phase : "") < 0)
                what = NULL;
        if (error)
                complain_error(what ? what : "job", error);
        else
                complain("%s", what ? what : "out of memory");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/json-out.h"

#include <stdio.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/time-text.h"

void json_put(json_t *object, const char *name, const char *value) {
        if (value)
                json_object_set_new(object, name, json_string(value));
}

static void put_time(json_t *object, const char *name, uint64_t usec) {
        _cleanup_free_ char *text = time_rfc3339(usec);

        json_put(object, name, text);
}

json_t *json_of_error(const fleetprov_error *error) {
        json_t *o = json_object();
        const fleetprov_error *cause = fleetprov_error_get_cause(error);

        if (!o)
                return NULL;
        json_put(o, "code", fleetprov_error_get_name(error));
        json_put(o, "phase", fleetprov_error_get_phase(error));
        json_put(o, "message", fleetprov_error_get_message(error));
        if (fleetprov_error_get_status_code(error) != 0)
                json_object_set_new(o, "statusCode",
                                    json_integer(fleetprov_error_get_status_code(error)));
        json_put(o, "errorCode", fleetprov_error_get_service_code(error));
        json_put(o, "errorMessage", fleetprov_error_get_service_message(error));
        json_put(o, "trackingId", fleetprov_error_get_tracking_id(error));
        if (fleetprov_error_has_retriable(error))
                json_object_set_new(o, "retriable",
                                    json_boolean(fleetprov_error_get_retriable(error)));
        if (cause)
                json_object_set_new(o, "cause", json_of_error(cause));
        return o;
}

static void put_result(json_t *o, const fleetprov_result *result) {
        const char *state = fleetprov_result_get_registration_state(result);
        json_t *configuration = NULL, *registration;
        const char *name, *value;

        json_put(o, "thingName", fleetprov_result_get_thing_name(result));
        json_put(o, "certificateId", fleetprov_result_get_certificate_id(result));
        json_put(o, "certificatePem", fleetprov_result_get_certificate_pem(result));
        for (size_t i = 0; fleetprov_result_enumerate_configuration(result, i, &name, &value) > 0;
             i++) {
                if (!configuration)
                        configuration = json_object();
                json_put(configuration, name, value);
        }
        if (configuration)
                json_object_set_new(o, "deviceConfiguration", configuration);
        json_put(o, "deviceId", fleetprov_result_get_device_id(result));
        json_put(o, "assignedHub", fleetprov_result_get_assigned_hub(result));
        if (state) {
                registration = json_loads(state, JSON_REJECT_DUPLICATES, NULL);
                json_object_set_new(o, "registrationState",
                                    registration ? registration : json_string(state));
        }
        json_put(o, "privateKeyUri", fleetprov_result_get_private_key_uri(result));
}

static void put_parameters(json_t *o, const fleetprov_job *job) {
        json_t *parameters = NULL;
        const char *name, *value;

        for (size_t i = 0; fleetprov_job_enumerate_parameters(job, i, &name, &value) > 0; i++) {
                if (!parameters)
                        parameters = json_object();
                json_put(parameters, name, value);
        }
        if (parameters)
                json_object_set_new(o, "parameters", parameters);
}

json_t *json_of_job(const fleetprov_job *job, const fleetprov_result *result) {
        const char *phase = fleetprov_job_get_phase(job), *left;
        const fleetprov_error *error = fleetprov_job_get_error(job);
        json_t *o = json_object(), *list;

        if (!o)
                return NULL;
        json_put(o, "id", fleetprov_job_get_id(job));
        json_put(o, "key", fleetprov_job_get_key(job));
        json_put(o, "operation", fleetprov_job_get_operation(job));
        json_put(o, "profile", fleetprov_job_get_profile(job));
        json_object_set_new(o, "owner", json_integer(fleetprov_job_get_owner(job)));
        json_put(o, "state", fleetprov_state_to_string(fleetprov_job_get_state(job)));
        json_put(o, "phase", *phase ? phase : NULL);
        json_object_set_new(o, "attempts", json_integer(fleetprov_job_get_attempts(job)));
        put_time(o, "created", fleetprov_job_get_created(job));
        put_time(o, "started", fleetprov_job_get_started(job));
        put_time(o, "finished", fleetprov_job_get_finished(job));
        put_parameters(o, job);
        if (result)
                put_result(o, result);
        if (fleetprov_job_get_left_certificate(job, 0)) {
                list = json_array();
                for (size_t i = 0; (left = fleetprov_job_get_left_certificate(job, i)); i++)
                        json_array_append_new(list, json_string(left));
                json_object_set_new(o, "leftCertificates", list);
        }
        /* A job that waits has not failed, as its state says; why it waits is an error likewise. */
        if (!error)
                error = fleetprov_job_get_waiting_for(job);
        if (error)
                json_object_set_new(o, "error", json_of_error(error));
        return o;
}

json_t *json_of_profile(const fleetprov_status *s, size_t index) {
        json_t *o = json_object(), *claim;
        const fleetprov_error *error = fleetprov_status_get_profile_error(s, index);

        if (!o)
                return NULL;
        json_put(o, "name", fleetprov_status_get_profile_name(s, index));
        json_put(o, "provider", fleetprov_status_get_profile_provider(s, index));
        json_put(o, "endpoint", fleetprov_status_get_profile_endpoint(s, index));
        json_put(o, "session", fleetprov_status_get_profile_session(s, index));
        put_time(o, "connectedSince", fleetprov_status_get_profile_connected_since(s, index));
        if (fleetprov_status_get_claim_subject(s, index) ||
            fleetprov_status_get_claim_fingerprint(s, index)) {
                claim = json_object();
                json_put(claim, "subject", fleetprov_status_get_claim_subject(s, index));
                json_put(claim, "fingerprint", fleetprov_status_get_claim_fingerprint(s, index));
                put_time(claim, "notAfter", fleetprov_status_get_claim_not_after(s, index));
                json_object_set_new(o, "claim", claim);
        }
        if (error)
                json_object_set_new(o, "lastError", json_of_error(error));
        return o;
}

json_t *json_of_status(const fleetprov_status *s) {
        json_t *o = json_object(), *profiles = json_array();

        json_put(o, "version", fleetprov_status_get_version(s));
        json_put(o, "state", fleetprov_status_get_state(s));
        json_object_set_new(o, "queued", json_integer(fleetprov_status_get_queued(s)));
        json_object_set_new(o, "running", json_integer(fleetprov_status_get_running(s)));
        json_object_set_new(o, "finished", json_integer(fleetprov_status_get_finished(s)));
        for (size_t i = 0; i < fleetprov_status_get_n_profiles(s); i++)
                json_array_append_new(profiles, json_of_profile(s, i));
        json_object_set_new(o, "profiles", profiles);
        return o;
}

ExitStatus json_print(const Ctl *ctl, json_t *value) {
        size_t flags = ctl->options.json == JSON_PRETTY ? JSON_INDENT(2) : JSON_COMPACT;
        int r;

        /* JSON escapes C0 alone; a terminal obeys C1 and direction marks, too. */
        if (ctl->terminal)
                flags |= JSON_ENSURE_ASCII;
        r = value ? json_dumpf(value, stdout, flags) : -1;
        json_decref(value);
        if (r >= 0 && putchar('\n') != EOF && fflush(stdout) == 0)
                return STATUS_OK;
        complain("standard output: cannot be written");
        return STATUS_FAILED;
}

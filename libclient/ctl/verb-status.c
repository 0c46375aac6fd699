/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "libclient/ctl/json-out.h"
#include "libclient/ctl/pager.h"
#include "libclient/ctl/table.h"
#include "libclient/ctl/time-text.h"
#include "libclient/ctl/verbs.h"

static void add_formatted(Table *t, const char *label, const char *format, const char *a,
                          const char *b) {
        _cleanup_free_ char *text = NULL;

        /* The formats are those below, each with two strings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        if (asprintf(&text, format, a, b) < 0)
                text = NULL;
#pragma GCC diagnostic pop
        table_add_pair(t, label, text);
}

/* A symmetric key has none. That it is not there is an error of the profile's. */
static const char *without_subject(const fleetprov_status *s, size_t i) {
        const fleetprov_error *error = fleetprov_status_get_profile_error(s, i);
        int code = error ? fleetprov_error_get_code(error) : FLEETPROV_OK;

        return streq(fleetprov_status_get_profile_provider(s, i), "azure-dps") &&
                               code != FLEETPROV_NOT_INITIALIZED && code != FLEETPROV_KEY_MISMATCH
                       ? "a symmetric key"
                       : "none";
}

static void add_profile(Table *t, const fleetprov_status *s, size_t i) {
        const char *name = fleetprov_status_get_profile_name(s, i);
        const char *session = fleetprov_status_get_profile_session(s, i);
        const char *subject = fleetprov_status_get_claim_subject(s, i);
        const fleetprov_error *error = fleetprov_status_get_profile_error(s, i);
        _cleanup_free_ char *since = time_local(fleetprov_status_get_profile_connected_since(s, i));
        _cleanup_free_ char *end = time_end(fleetprov_status_get_claim_not_after(s, i), time_now());

        table_add_pair(t, "", " ");
        add_formatted(t, "Profile", "%s%s", name,
                      streq(name, fleetprov_status_get_default_profile(s)) ? " (default)" : "");
        table_add_pair(t, "Provider", fleetprov_status_get_profile_provider(s, i));
        table_add_pair(t, "Endpoint", fleetprov_status_get_profile_endpoint(s, i));
        if (session && since)
                add_formatted(t, "Session", "%s since %s", session, since);
        else
                table_add_pair(t, "Session", session);
        if (subject && end)
                add_formatted(t, "Claim", "%s, %s", subject, end);
        else
                table_add_pair(t, "Claim", subject ? subject : without_subject(s, i));
        table_add_pair(t, "Fingerprint", fleetprov_status_get_claim_fingerprint(s, i));
        if (error)
                add_formatted(t, "Last error", "%s: %s", fleetprov_error_get_name(error),
                              fleetprov_error_get_message(error));
}

ExitStatus verb_status(Ctl *ctl, _unused_ int argc, _unused_ char **argv) {
        _cleanup_(fleetprov_status_freep) fleetprov_status *s = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        _cleanup_free_ char *jobs = NULL;
        ExitStatus status;

        if ((status = ctl_connect(ctl)) != STATUS_OK ||
            (status = ctl_get_status(ctl, &s)) != STATUS_OK)
                return status;
        if (ctl->options.json != JSON_OFF)
                return json_print(ctl, json_of_status(s));
        pager_open(ctl);
        t = table_new_list(ctl);
        add_formatted(t, "Daemon", "fleetprovd %s, %s", fleetprov_status_get_version(s),
                      fleetprov_status_get_state(s));
        if (asprintf(&jobs, "%u queued, %u running, %u finished", fleetprov_status_get_queued(s),
                     fleetprov_status_get_running(s), fleetprov_status_get_finished(s)) < 0)
                jobs = NULL;
        table_add_pair(t, "Jobs", jobs);
        for (size_t i = 0; i < fleetprov_status_get_n_profiles(s); i++)
                add_profile(t, s, i);
        return table_print(t);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "libclient/ctl/json-out.h"
#include "libclient/ctl/table.h"
#include "libclient/ctl/verbs.h"

typedef struct CheckRow {
        const char *check, *result, *message;
} CheckRow;

static int next_row(const fleetprov_event *event, size_t i, CheckRow *ret) {
        return fleetprov_event_enumerate_checks(event, i, &ret->check, &ret->result, &ret->message);
}

static ExitStatus print_json(Ctl *ctl, const char *profile, const fleetprov_event *event) {
        json_t *list = json_array();
        CheckRow row;

        for (size_t i = 0; next_row(event, i, &row); i++) {
                json_t *object = json_object();

                json_put(object, "profile", profile);
                json_put(object, "check", row.check);
                json_put(object, "result", row.result);
                json_put(object, "message", row.message);
                json_array_append_new(list, object);
        }
        return json_print(ctl, list);
}

/* Messages are not cut: what they say to do, and a policy to paste, is to be copied from here. */
static ExitStatus print_table(Ctl *ctl, const fleetprov_event *event) {
        static const Column columns[] = {
                {"CHECK", COLUMN_WHOLE}, {"RESULT", COLUMN_WHOLE}, {"MESSAGE", COLUMN_WHOLE}};
        _cleanup_(table_freep) Table *t = table_new(ctl, columns, ELEMENTSOF(columns));
        CheckRow row;

        for (size_t i = 0; next_row(event, i, &row); i++)
                table_add(t, (const char *const[]){row.check, row.result, row.message});
        return table_print(t);
}

static bool has_failed(const fleetprov_event *event) {
        CheckRow row;

        for (size_t i = 0; next_row(event, i, &row); i++)
                if (streq(row.result, "failed"))
                        return true;
        return false;
}

/* Which profile "" means is the daemon's to say. */
static ExitStatus choose(Ctl *ctl, fleetprov_status *s, const char **ret) {
        *ret = ctl_default_profile(s);
        if (*ret)
                return STATUS_OK;
        ctl_complain(ctl, "check: which profile? There is none, or more than one and no "
                          "DefaultProfile=; see fleetprovctl profiles");
        return STATUS_USAGE;
}

ExitStatus verb_check(Ctl *ctl, int argc, char **argv) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        _cleanup_(fleetprov_status_freep) fleetprov_status *s = NULL;
        const char *profile = argc > 0 ? argv[0] : NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        if ((status = ctl_connect(ctl)) != STATUS_OK)
                return status;
        if (!profile && ((status = ctl_get_status(ctl, &s)) != STATUS_OK ||
                         (status = choose(ctl, s, &profile)) != STATUS_OK))
                return status;
        r = fleetprov_client_check(ctl->client, profile, &ticket);
        if (r == -EINVAL) {
                ctl_complain(ctl, "check: %s: a profile's name has letters, digits, _ and - alone",
                             profile);
                return STATUS_USAGE;
        }
        ctl_be_patient(ctl);
        status = ctl_answer(ctl, r, ticket, "check", &event, NULL);
        if (status != STATUS_OK)
                return status;
        status = ctl->options.json != JSON_OFF ? print_json(ctl, profile, event)
                                               : print_table(ctl, event);
        return status == STATUS_OK && has_failed(event) ? STATUS_FAILED : status;
}

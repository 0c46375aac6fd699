/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/json-out.h"
#include "libclient/ctl/pager.h"
#include "libclient/ctl/table.h"
#include "libclient/ctl/time-text.h"
#include "libclient/ctl/verbs.h"

ExitStatus verb_profiles(Ctl *ctl, _unused_ int argc, _unused_ char **argv) {
        static const Column columns[] = {
                {"PROFILE", COLUMN_WHOLE}, {"PROVIDER", COLUMN_WHOLE},
                {"SESSION", COLUMN_WHOLE}, {"CLAIM EXPIRES", COLUMN_WHOLE},
                {"ENDPOINT", COLUMN_CUT},  {"LAST ERROR", COLUMN_CUT},
        };
        _cleanup_(fleetprov_status_freep) fleetprov_status *s = NULL;
        _cleanup_(table_freep) Table *t = NULL;
        ExitStatus status;

        if ((status = ctl_connect(ctl)) != STATUS_OK ||
            (status = ctl_get_status(ctl, &s)) != STATUS_OK)
                return status;
        if (ctl->options.json != JSON_OFF) {
                json_t *list = json_array();

                for (size_t i = 0; i < fleetprov_status_get_n_profiles(s); i++)
                        json_array_append_new(list, json_of_profile(s, i));
                return json_print(ctl, list);
        }
        pager_open(ctl);
        t = table_new(ctl, columns, ELEMENTSOF(columns));
        for (size_t i = 0; i < fleetprov_status_get_n_profiles(s); i++) {
                _cleanup_free_ char *expires =
                        time_date(fleetprov_status_get_claim_not_after(s, i));
                const fleetprov_error *error = fleetprov_status_get_profile_error(s, i);

                table_add(t, (const char *const[]){
                                     fleetprov_status_get_profile_name(s, i),
                                     fleetprov_status_get_profile_provider(s, i),
                                     fleetprov_status_get_profile_session(s, i),
                                     expires,
                                     fleetprov_status_get_profile_endpoint(s, i),
                                     error ? fleetprov_error_get_name(error) : NULL,
                             });
        }
        return table_print(t);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* JOB on the command line: an id, a key, or PROFILE/KEY. A key alone is looked for in every
 * profile, also in those that only old jobs still name; found twice, it is refused. */

#include <errno.h>
#include <stdio.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/ctl.h"

#include "protocol/ipc/limits.h"

/* *ret_id stays NULL where there is no such job. */
static ExitStatus find(Ctl *ctl, const char *profile, const char *key, char **ret_id) {
        _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        r = fleetprov_client_find_job(ctl->client, profile, key, &ticket);
        status = ctl_ask(ctl, r, ticket, key, &event, &error);
        if (status != STATUS_OK)
                return status;
        if (error) {
                if (fleetprov_error_get_code(error) == FLEETPROV_NO_SUCH_JOB ||
                    fleetprov_error_get_code(error) == FLEETPROV_NOT_INITIALIZED)
                        return STATUS_OK;
                complain_error(key, error);
                return status_of_error(error);
        }
        *ret_id = strdup(fleetprov_event_get_job_id(event));
        if (*ret_id)
                return STATUS_OK;
        complain("out of memory");
        return STATUS_FAILED;
}

/* Names of profiles; the strings belong to the status and the list. */
typedef struct Names {
        fleetprov_status *status;
        fleetprov_event *list;
        const char **names;
        size_t n;
} Names;

static void names_done(Names *names) {
        fleetprov_status_free(names->status);
        fleetprov_event_free(names->list);
        free(names->names);
}

static int names_add(Names *names, const char *name) {
        const char **grown;

        if (!name || !ipc_profile_name_is_valid(name))
                return 0;
        for (size_t i = 0; i < names->n; i++)
                if (streq(names->names[i], name))
                        return 0;
        grown = reallocarray(names->names, names->n + 1, sizeof(char *));
        if (!grown)
                return -ENOMEM;
        names->names = grown;
        names->names[names->n++] = name;
        return 0;
}

static ExitStatus names_collect(Ctl *ctl, Names *names) {
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        status = ctl_get_status(ctl, &names->status);
        if (status != STATUS_OK)
                return status;
        r = fleetprov_client_list_jobs(ctl->client, 1, &ticket);
        status = ctl_answer(ctl, r, ticket, "jobs", &names->list, NULL);
        if (status != STATUS_OK)
                return status;
        r = 0;
        for (size_t i = 0; i < fleetprov_status_get_n_profiles(names->status) && r >= 0; i++)
                r = names_add(names, fleetprov_status_get_profile_name(names->status, i));
        for (size_t i = 0; i < fleetprov_event_get_n_jobs(names->list) && r >= 0; i++)
                r = names_add(names,
                              fleetprov_job_get_profile(fleetprov_event_get_job(names->list, i)));
        if (r >= 0)
                return STATUS_OK;
        complain("out of memory");
        return STATUS_FAILED;
}

static ExitStatus find_anywhere(Ctl *ctl, const char *key, char **ret_id) {
        _cleanup_(names_done) Names names = {0};
        const char *profile = NULL;
        ExitStatus status;

        status = names_collect(ctl, &names);
        for (size_t i = 0; i < names.n && status == STATUS_OK; i++) {
                _cleanup_free_ char *id = NULL;

                status = find(ctl, names.names[i], key, &id);
                if (!id)
                        continue;
                if (*ret_id) {
                        complain("%s: a job of profile %s and one of %s; say %s/%s or %s/%s", key,
                                 profile, names.names[i], profile, key, names.names[i], key);
                        return STATUS_USAGE;
                }
                profile = names.names[i];
                *ret_id = TAKE_PTR(id);
        }
        return status;
}

static ExitStatus find_in_profile(Ctl *ctl, const char *name, const char *slash, char **ret_id) {
        _cleanup_free_ char *profile = strndup(name, (size_t) (slash - name));

        if (!profile) {
                complain("out of memory");
                return STATUS_FAILED;
        }
        if (!ipc_profile_name_is_valid(profile) || !ipc_key_is_valid(slash + 1)) {
                complain("%s: no job; name it by its id, its key, or PROFILE/KEY", name);
                return STATUS_USAGE;
        }
        return find(ctl, profile, slash + 1, ret_id);
}

ExitStatus ctl_resolve(Ctl *ctl, const char *name, char **ret_id) {
        const char *slash = strchr(name, '/');
        _cleanup_free_ char *id = NULL;
        ExitStatus status;

        if (ipc_job_id_is_valid(name)) {
                id = strdup(name);
                status = id ? STATUS_OK : STATUS_FAILED;
        } else if (slash)
                status = find_in_profile(ctl, name, slash, &id);
        else if (ipc_key_is_valid(name))
                status = find_anywhere(ctl, name, &id);
        else {
                complain("%s: no job; name it by its id, its key, or PROFILE/KEY", name);
                return STATUS_USAGE;
        }
        if (status != STATUS_OK)
                return status;
        if (!id) {
                complain("%s: no such job of yours (no-such-job); see fleetprovctl list --all",
                         name);
                return STATUS_FAILED;
        }
        *ret_id = TAKE_PTR(id);
        return STATUS_OK;
}

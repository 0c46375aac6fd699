/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The public calls: each makes a message of its arguments, and leaves the rest to call.c. */

#include "libclient/client.h"

#include <errno.h>
#include <stdio.h>

#include "libclient/request.h"
#include "protocol/ipc/limits.h"
#include "protocol/ipc/names.h"

_public_ int fleetprov_client_submit(fleetprov_client *client, const fleetprov_request *request,
                                     uint64_t *ret_ticket) {
        _cleanup_(call_freep) Call *call = NULL;
        int r;

        if (!client || !request || !ret_ticket)
                return -EINVAL;
        r = call_new(client, CALL_SUBMIT, NULL, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit",
                     &call);
        if (r < 0)
                return r;
        /* With a key, asking again finds the same job; without one it would make a second. */
        call->repeatable = request->key != NULL;
        r = request_append(request, call->draft);
        if (r < 0)
                return r;
        return call_start(&call, ret_ticket);
}

_public_ int fleetprov_client_find_job(fleetprov_client *client, const char *profile,
                                       const char *key, uint64_t *ret_ticket) {
        _cleanup_(call_freep) Call *call = NULL;
        int r;

        if (!client || !profile || !key || !ret_ticket)
                return -EINVAL;
        if (!ipc_profile_name_is_valid(profile) || !ipc_key_is_valid(key))
                return -EINVAL;
        r = call_new(client, CALL_FIND_JOB, NULL, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE,
                     "FindJob", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call->draft, "ss", profile, key);
        if (r < 0)
                return r;
        return call_start(&call, ret_ticket);
}

static int call_job(fleetprov_client *client, CallKind kind, const char *job_id, const char *member,
                    uint64_t *ret_ticket) {
        _cleanup_(call_freep) Call *call = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        if (!client || !job_id || !ret_ticket || !ipc_job_id_is_valid(job_id))
                return -EINVAL;
        if (asprintf(&path, IPC_JOB_PREFIX "/%s", job_id) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        r = call_new(client, kind, job_id, path, IPC_JOB_INTERFACE, member, &call);
        if (r < 0)
                return r;
        return call_start(&call, ret_ticket);
}

_public_ int fleetprov_client_get_job(fleetprov_client *client, const char *job_id,
                                      uint64_t *ret_ticket) {
        return call_job(client, CALL_GET_JOB, job_id, "GetDetails", ret_ticket);
}

_public_ int fleetprov_client_get_result(fleetprov_client *client, const char *job_id,
                                         uint64_t *ret_ticket) {
        return call_job(client, CALL_GET_RESULT, job_id, "GetResult", ret_ticket);
}

_public_ int fleetprov_client_acknowledge(fleetprov_client *client, const char *job_id,
                                          uint64_t *ret_ticket) {
        return call_job(client, CALL_ACKNOWLEDGE, job_id, "Acknowledge", ret_ticket);
}

_public_ int fleetprov_client_cancel(fleetprov_client *client, const char *job_id,
                                     uint64_t *ret_ticket) {
        return call_job(client, CALL_CANCEL, job_id, "Cancel", ret_ticket);
}

_public_ int fleetprov_client_release(fleetprov_client *client, const char *job_id,
                                      uint64_t *ret_ticket) {
        return call_job(client, CALL_RELEASE, job_id, "Release", ret_ticket);
}

_public_ int fleetprov_client_list_jobs(fleetprov_client *client, int all, uint64_t *ret_ticket) {
        _cleanup_(call_freep) Call *call = NULL;
        int r;

        if (!client || !ret_ticket)
                return -EINVAL;
        r = call_new(client, CALL_LIST_JOBS, NULL, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE,
                     "ListJobs", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call->draft, "b", all != 0);
        if (r < 0)
                return r;
        return call_start(&call, ret_ticket);
}

_public_ int fleetprov_client_get_status(fleetprov_client *client, uint64_t *ret_ticket) {
        _cleanup_(call_freep) Call *call = NULL;
        int r;

        if (!client || !ret_ticket)
                return -EINVAL;
        r = call_new(client, CALL_STATUS, NULL, IPC_MANAGER_PATH, "org.freedesktop.DBus.Properties",
                     "GetAll", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call->draft, "s", IPC_MANAGER_INTERFACE);
        if (r < 0)
                return r;
        return call_start(&call, ret_ticket);
}

_public_ int fleetprov_client_reload(fleetprov_client *client, uint64_t *ret_ticket) {
        _cleanup_(call_freep) Call *call = NULL;
        int r;

        if (!client || !ret_ticket)
                return -EINVAL;
        r = call_new(client, CALL_RELOAD, NULL, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Reload",
                     &call);
        if (r < 0)
                return r;
        return call_start(&call, ret_ticket);
}

_public_ int fleetprov_client_check(fleetprov_client *client, const char *profile,
                                    uint64_t *ret_ticket) {
        _cleanup_(call_freep) Call *call = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        if (!client || !profile || !ret_ticket || !ipc_profile_name_is_valid(profile))
                return -EINVAL;
        r = sd_bus_path_encode(IPC_PROFILE_PREFIX, profile, &path);
        if (r < 0)
                return r;
        r = call_new(client, CALL_CHECK, NULL, path, IPC_PROFILE_INTERFACE, "Check", &call);
        if (r < 0)
                return r;
        return call_start(&call, ret_ticket);
}

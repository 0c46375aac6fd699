/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A job below /io/fleetprov/Provisioner1/job: protocol/ipc/io.fleetprov.Provisioner1.Job.xml. For
 * anybody but its owner and the privileged it does not exist: a method of ours is answered with
 * NoSuchJob, introspection and properties as for a path where nothing is. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/front/call.h"
#include "daemon/front/encode.h"
#include "daemon/front/objects.h"

/* Children that introspection tells: whoever wants them all asks ListJobs. busctl tree introspects
 * each one (45 s for 10,000). */
#define NODES_MAX ((size_t) 64)

Job *job_object_find(Link *l, const char *path, const Peer *peer) {
        const char *id;
        Job *job;

        if (!peer || strncmp(path, IPC_JOB_PREFIX "/", strlen(IPC_JOB_PREFIX "/")) != 0)
                return NULL;
        id = path + strlen(IPC_JOB_PREFIX "/");
        if (!ipc_job_id_is_valid(id))
                return NULL;
        job = job_table_find(link_ops(l)->jobs(link_ops_userdata(l)), id);
        return job && job_is_visible_to(job, peer) ? job : NULL;
}

/* In a getter: sd-bus has asked find_object() before, for the same message. */
static const Job *job_for_property(Link *l, const char *path) {
        return job_object_find(l, path, link_peer(l, sd_bus_get_current_message(l->bus)));
}

/* A method of this interface, and not what sd-bus answers itself (Properties, Introspectable). */
static bool is_job_method(sd_bus_message *m) {
        const char *interface = sd_bus_message_get_interface(m);

        if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0)
                return false;
        return !interface || streq(interface, IPC_JOB_INTERFACE);
}

static int find_object(sd_bus *bus, const char *path, _unused_ const char *interface,
                       void *userdata, void **ret_found, sd_bus_error *error) {
        sd_bus_message *m = sd_bus_get_current_message(bus);
        Link *l = userdata;

        if (!m)
                return 0;
        if (!job_object_find(l, path, link_peer(l, m))) {
                if (!is_job_method(m))
                        return 0;
                return sd_bus_error_setf(error, error_code_to_dbus(ERROR_NO_SUCH_JOB),
                                         "there is no job of yours at %s", path);
        }
        *ret_found = userdata;
        return 1;
}

static int enumerate(sd_bus *bus, _unused_ const char *prefix, void *userdata, char ***ret_nodes,
                     _unused_ sd_bus_error *error) {
        Link *l = userdata;
        const Peer *peer = link_peer(l, sd_bus_get_current_message(bus));
        const Job *job;
        char **nodes;
        size_t n = 0;

        nodes = calloc(NODES_MAX + 1, sizeof(char *));
        if (!nodes)
                return -ENOMEM;
        job = peer ? job_table_first(link_ops(l)->jobs(link_ops_userdata(l))) : NULL;
        for (; job && n < NODES_MAX; job = job_table_next(job)) {
                char path[ENCODE_JOB_PATH_SIZE];

                if (!job_is_visible_to(job, peer))
                        continue;
                nodes[n] = strdup(encode_job_path(job, path));
                if (!nodes[n])
                        break;
                n++;
        }
        *ret_nodes = nodes;
        return 0;
}

static int method_get_details(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const Failure *waiting_for = NULL;
        Link *l = userdata;
        const Job *job = job_object_find(l, sd_bus_message_get_path(m), link_peer(l, m));
        int r;

        if (!job)
                return -ENOENT;
        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        if (job->state == JOB_QUEUED)
                waiting_for = link_ops(l)->waiting_for(link_ops_userdata(l), job);
        r = encode_details(reply, job, waiting_for, clock_boot_usec());
        if (r < 0)
                return r;
        return sd_bus_send(l->bus, reply, NULL);
}

/* The methods that the manager answers, by one shape. */
static int hand_on(sd_bus_message *m, Link *l,
                   void (*operation)(void *userdata, Job *job, FrontCall *call)) {
        Job *job = job_object_find(l, sd_bus_message_get_path(m), link_peer(l, m));
        FrontCall *call;
        int r;

        if (!job)
                return -ENOENT;
        r = front_call_new(l, m, &call);
        if (call)
                operation(link_ops_userdata(l), job, call);
        return r;
}

static int method_get_result(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        return hand_on(m, userdata, link_ops(userdata)->get_result);
}

static int method_acknowledge(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        return hand_on(m, userdata, link_ops(userdata)->acknowledge);
}

static int method_cancel(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        return hand_on(m, userdata, link_ops(userdata)->cancel);
}

static int method_release(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        return hand_on(m, userdata, link_ops(userdata)->release);
}

/* Operation, Profile, State, Phase */
static int get_text(_unused_ sd_bus *bus, const char *path, _unused_ const char *interface,
                    const char *property, sd_bus_message *reply, void *userdata,
                    _unused_ sd_bus_error *error) {
        const Job *job = job_for_property(userdata, path);

        if (!job)
                return -ENOENT;
        if (streq(property, "Operation"))
                return encode_text(reply, operation_to_string(job->spec->operation));
        if (streq(property, "Profile"))
                return encode_text(reply, job->spec->profile);
        if (streq(property, "State"))
                return encode_text(reply, job_state_to_string(job->state));
        return encode_text(reply, job_phase_to_string(job->phase));
}

static int get_owner(_unused_ sd_bus *bus, const char *path, _unused_ const char *interface,
                     _unused_ const char *property, sd_bus_message *reply, void *userdata,
                     _unused_ sd_bus_error *error) {
        const Job *job = job_for_property(userdata, path);

        return job ? sd_bus_message_append(reply, "u", job->owner->uid) : -ENOENT;
}

#define UNPRIVILEGED SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_ARGS("GetDetails", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", details),
                                method_get_details, UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("GetResult", SD_BUS_NO_ARGS, SD_BUS_RESULT("a{sv}", result),
                                method_get_result, UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("Acknowledge", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_acknowledge,
                                UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Cancel", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_cancel,
                                UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Release", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_release,
                                UNPRIVILEGED),
        SD_BUS_PROPERTY("Operation", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Profile", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Owner", "u", get_owner, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_text, 0, 0),
        SD_BUS_PROPERTY("Phase", "s", get_text, 0, 0),
        SD_BUS_VTABLE_END,
};

int job_object_add(Link *l) {
        int r;

        r = sd_bus_add_fallback_vtable(l->bus, NULL, IPC_JOB_PREFIX, IPC_JOB_INTERFACE, vtable,
                                       find_object, l);
        if (r < 0)
                return r;
        return sd_bus_add_node_enumerator(l->bus, NULL, IPC_JOB_PREFIX, enumerate, l);
}

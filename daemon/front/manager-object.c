/* SPDX-License-Identifier: GPL-2.0-or-later */

/* /io/fleetprov/Provisioner1: protocol/ipc/io.fleetprov.Provisioner1.Manager.xml. What the members
 * mean stands there. */

#include <errno.h>

#include "daemon/front/call.h"
#include "daemon/front/encode.h"
#include "daemon/front/objects.h"
#include "daemon/front/submit.h"

/* Every member's first step. On a bus the filter has seen to it that the caller is known. */
static int known_peer(Link *l, sd_bus_message *m, const Peer **ret) {
        *ret = link_peer(l, m);
        if (*ret)
                return 1;
        return call_refuse(m, failure_new(ERROR_ACCESS_DENIED, "it cannot be told who calls"));
}

static int method_submit(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        _cleanup_job_spec_ JobSpec *spec = NULL;
        Link *l = userdata;
        Failure *failure = NULL;
        FrontCall *call;
        const Peer *peer;
        int r;

        r = known_peer(l, m, &peer);
        if (!peer)
                return r;
        r = submit_parse(m, &spec, &failure);
        if (r < 0)
                return call_refuse(m, failure);
        r = front_call_new(l, m, &call);
        if (call)
                link_ops(l)->submit(link_ops_userdata(l), peer, TAKE_PTR(spec), call);
        return r;
}

/* "" is DefaultProfile=, or the only profile; NULL where it is neither. */
static const char *resolve_profile(Link *l, const char *profile) {
        const ProfileStatus *only;

        if (*profile)
                return profile;
        profile = link_ops(l)->default_profile(link_ops_userdata(l), link_door(l));
        if (profile)
                return profile;
        only = link_ops(l)->profile_at(link_ops_userdata(l), link_door(l), 0);
        if (!only || link_ops(l)->profile_at(link_ops_userdata(l), link_door(l), 1))
                return NULL;
        return only->name;
}

static int method_find_job(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *given, *profile, *key;
        char path[ENCODE_JOB_PATH_SIZE];
        Link *l = userdata;
        const Peer *peer;
        const Job *job;
        int r;

        r = known_peer(l, m, &peer);
        if (!peer)
                return r;
        r = sd_bus_message_read(m, "ss", &given, &key);
        if (r < 0)
                return r;
        profile = resolve_profile(l, given);
        if (!profile)
                return call_refuse(m, failure_new(ERROR_BAD_PARAMETER,
                                                  "there are several profiles and no "
                                                  "DefaultProfile=: name one"));
        job = job_table_find_key(link_ops(l)->jobs(link_ops_userdata(l)), peer, profile, key);
        /* Not before it is durable, nor while it is being erased. */
        if (!job || !job_is_visible_to(job, peer))
                return call_refuse(m, failure_new(ERROR_NO_SUCH_JOB,
                                                  "you have no job '%s' in profile '%s'", key,
                                                  profile));
        return sd_bus_reply_method_return(m, "o", encode_job_path(job, path));
}

static int append_row(sd_bus_message *m, const Job *job) {
        char path[ENCODE_JOB_PATH_SIZE];
        const char *code = job->failure ? error_code_to_string(job->failure->code) : NULL;

        return sd_bus_message_append(
                m, "(osssssuutttus)", encode_job_path(job, path), job->id,
                operation_to_string(job->spec->operation), job->spec->profile,
                job_state_to_string(job->state), job_phase_to_string(job->phase), job->owner->uid,
                job->attempts, job->created_real, job->started_real, job->finished_real,
                (uint32_t) job->n_left_certificates, code ? code : "");
}

static int append_rows(Link *l, sd_bus_message *m, const Peer *peer, bool all) {
        const Job *job;
        int r;

        r = sd_bus_message_open_container(m, 'a', "(osssssuutttus)");
        for (job = job_table_first(link_ops(l)->jobs(link_ops_userdata(l))); r >= 0 && job;
             job = job_table_next(job))
                if (job_is_visible_to(job, peer) &&
                    (all || !job_state_is_final(job->state) || !job->acknowledged))
                        r = append_row(m, job);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int method_list_jobs(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        Link *l = userdata;
        const Peer *peer;
        int all, r;

        r = known_peer(l, m, &peer);
        if (!peer)
                return r;
        r = sd_bus_message_read(m, "b", &all);
        if (r < 0)
                return r;
        r = sd_bus_message_new_method_return(m, &reply);
        if (r < 0)
                return r;
        r = append_rows(l, reply, peer, all);
        if (r < 0)
                return r;
        return sd_bus_send(l->bus, reply, NULL);
}

static int method_reload(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Link *l = userdata;
        FrontCall *call;
        const Peer *peer;
        int r;

        r = known_peer(l, m, &peer);
        if (!peer)
                return r;
        if (!peer->privileged)
                return call_refuse(m, failure_new(ERROR_ACCESS_DENIED, "Reload is for root alone"));
        r = front_call_new(l, m, &call);
        if (call)
                link_ops(l)->reload(link_ops_userdata(l), call);
        return r;
}

static int get_version(_unused_ sd_bus *bus, _unused_ const char *path,
                       _unused_ const char *interface, _unused_ const char *property,
                       sd_bus_message *reply, _unused_ void *userdata,
                       _unused_ sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", PROJECT_VERSION);
}

static int get_state(_unused_ sd_bus *bus, _unused_ const char *path,
                     _unused_ const char *interface, _unused_ const char *property,
                     sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        const Link *l = userdata;

        return sd_bus_message_append(reply, "s", l->context->stopping ? "stopping" : "running");
}

static int get_profiles(_unused_ sd_bus *bus, _unused_ const char *path,
                        _unused_ const char *interface, _unused_ const char *property,
                        sd_bus_message *reply, void *userdata, _unused_ sd_bus_error *error) {
        return profile_object_append_paths(userdata, reply);
}

static int get_default_profile(_unused_ sd_bus *bus, _unused_ const char *path,
                               _unused_ const char *interface, _unused_ const char *property,
                               sd_bus_message *reply, void *userdata,
                               _unused_ sd_bus_error *error) {
        const Link *l = userdata;

        return encode_text(reply, link_ops(l)->default_profile(link_ops_userdata(l), link_door(l)));
}

/* A further door shows each his own jobs alone: how busy the others are is none of his business. */
static size_t count_visible(const JobTable *jobs, const Peer *peer, JobState state) {
        const Job *job;
        size_t n = 0;

        for (job = job_table_first(jobs); job; job = job_table_next(job))
                n += job_is_visible_to(job, peer) &&
                     (state == JOB_STATE_MAX || job->state == state);
        return n;
}

static size_t count_state(const Link *l, JobState state) {
        const JobTable *jobs = link_ops(l)->jobs(link_ops_userdata(l));

        if (!streq(link_door(l), DOOR_MAIN))
                return count_visible(jobs, l->peer, state);
        return state == JOB_STATE_MAX ? job_table_size(jobs) : job_table_count_state(jobs, state);
}

/* Queued, Running, Finished */
static int get_counter(_unused_ sd_bus *bus, _unused_ const char *path,
                       _unused_ const char *interface, const char *property, sd_bus_message *reply,
                       void *userdata, _unused_ sd_bus_error *error) {
        const Link *l = userdata;
        size_t n;

        if (streq(property, "Queued"))
                n = count_state(l, JOB_QUEUED);
        else if (streq(property, "Running"))
                n = count_state(l, JOB_RUNNING);
        else
                n = count_state(l, JOB_STATE_MAX) - count_state(l, JOB_QUEUED) -
                    count_state(l, JOB_RUNNING);
        return sd_bus_message_append(reply, "u", (uint32_t) n);
}

#define UNPRIVILEGED SD_BUS_VTABLE_UNPRIVILEGED
#define SENSITIVE SD_BUS_VTABLE_SENSITIVE

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        /* A CSR and parameters are nobody else's business, and may stay in our memory no longer
         * than need be. */
        SD_BUS_METHOD_WITH_ARGS("Submit",
                                SD_BUS_ARGS("s", operation, "s", profile, "a{sv}", options),
                                SD_BUS_RESULT("o", job), method_submit, UNPRIVILEGED | SENSITIVE),
        SD_BUS_METHOD_WITH_ARGS("FindJob", SD_BUS_ARGS("s", profile, "s", key),
                                SD_BUS_RESULT("o", job), method_find_job, UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("ListJobs", SD_BUS_ARGS("b", all),
                                SD_BUS_RESULT("a(osssssuutttus)", jobs), method_list_jobs,
                                UNPRIVILEGED),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload,
                                UNPRIVILEGED),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_state, 0, 0),
        SD_BUS_PROPERTY("Profiles", "ao", get_profiles, 0, 0),
        SD_BUS_PROPERTY("DefaultProfile", "s", get_default_profile, 0, 0),
        SD_BUS_PROPERTY("Queued", "u", get_counter, 0, 0),
        SD_BUS_PROPERTY("Running", "u", get_counter, 0, 0),
        SD_BUS_PROPERTY("Finished", "u", get_counter, 0, 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobAdded", SD_BUS_ARGS("o", job), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobChanged", SD_BUS_ARGS("o", job, "s", state, "s", phase), 0),
        SD_BUS_SIGNAL_WITH_ARGS("JobRemoved", SD_BUS_ARGS("o", job), 0),
        SD_BUS_VTABLE_END,
};

int manager_object_add(Link *l) {
        return sd_bus_add_object_vtable(l->bus, NULL, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE,
                                        vtable, l);
}

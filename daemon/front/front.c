/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/front.h"

#include <errno.h>

#include "daemon/front/bus.h"
#include "daemon/front/encode.h"
#include "daemon/front/socket.h"

struct Front {
        FrontContext context;
        Sockets *sockets;
        Bus *bus; /* NULL: none is wanted */
};

int front_new(sd_event *event, const FrontOptions *options, Front **ret) {
        _cleanup_(front_freep) Front *f = calloc(1, sizeof(Front));
        int r;

        if (!f)
                return -ENOMEM;
        f->context.ops = options->ops;
        f->context.userdata = options->userdata;
        r = sockets_new(event, &f->context, options->socket, &f->sockets);
        if (r < 0)
                return r;
        if (options->bus && !streq(options->bus, "none")) {
                r = bus_new(event, &f->context, options->bus, &f->bus);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(f);
        return 0;
}

Front *front_free(Front *f) {
        if (!f)
                return NULL;
        bus_free(f->bus);
        sockets_free(f->sockets);
        free(f);
        return NULL;
}

bool front_is_closing(const Front *f) {
        return f->sockets && sockets_are_closing(f->sockets);
}

const char *front_door_at(const Front *f, size_t i) {
        return sockets_door_at(f->sockets, i);
}

void front_set_stopping(Front *f) {
        f->context.stopping = true;
}

static void tell_link(Link *l, const Job *job, const char *member) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char path[ENCODE_JOB_PATH_SIZE];
        int r;

        if (!link_hears(l, job))
                return;
        r = sd_bus_message_new_signal(l->bus, &m, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, member);
        if (r >= 0)
                r = sd_bus_message_append(m, "o", encode_job_path(job, path));
        if (r >= 0 && streq(member, "JobChanged"))
                r = sd_bus_message_append(m, "ss", job_state_to_string(job->state),
                                          job_phase_to_string(job->phase));
        if (r >= 0)
                r = sd_bus_send(l->bus, m, NULL);
        if (r < 0)
                /* Never skipped in silence: who misses one must see that it did. */
                link_close(l);
}

static void tell(Front *f, const Job *job, const char *member) {
        Link *l = f->bus ? bus_link(f->bus) : NULL;

        if (l && link_queued(l) < LINK_QUEUE_TOTAL_MAX)
                tell_link(l, job, member);
        else if (l)
                link_close(l);
        for (l = sockets_first(f->sockets); l; l = l->links_next)
                tell_link(l, job, member);
        sockets_close_slowest(f->sockets);
}

void front_job_added(Front *f, const Job *job) {
        tell(f, job, "JobAdded");
}

void front_job_changed(Front *f, const Job *job) {
        tell(f, job, "JobChanged");
}

void front_job_removed(Front *f, const Job *job) {
        tell(f, job, "JobRemoved");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How many requests of one owner are on their way to the disk at a time. The disk takes them in the
 * order of their coming: without a bound, whoever sends thousands over many connections would have
 * everybody else's request wait behind all of them. What comes beyond waits here, each owner's in
 * its order; it is bounded by the calls that a connection may have under way. */

#include <errno.h>

#include "daemon/manager/manager-internal.h"

/* As many as one round of the disk takes. */
#define ADMISSION_MAX WORKER_LOT_MAX

typedef struct Waiting Waiting;
struct Waiting {
        Peer *peer; /* with the groups that it came with */
        JobSpec *spec;
        FrontCall *call;
        LIST_LINK(Waiting, waiting);
};

struct Admission {
        Peer *owner;
        size_t n_writing;
        bool is_letting_in;
        LIST_HEAD(Waiting, waiting);
        LIST_LINK(Admission, admissions);
};

static Admission *find(const Manager *m, const Peer *owner) {
        Admission *a;

        LIST_FOREACH(admissions, a, m)
                if (peer_same_owner(a->owner, owner))
                        return a;
        return NULL;
}

static void forget(Manager *m, Admission *a) {
        LIST_REMOVE(admissions, m, a);
        peer_free(a->owner);
        free(a);
}

bool admission_hold(Manager *m, const Peer *peer, JobSpec *spec, FrontCall *call) {
        Admission *a = find(m, peer);
        Waiting *w;

        if (!a || a->is_letting_in || (a->n_writing < ADMISSION_MAX && !a->waiting_first))
                return false;
        w = calloc(1, sizeof(Waiting));
        if (w)
                w->peer = peer_copy(peer);
        if (!w || !w->peer) {
                free(w);
                return false; /* out of its turn, then */
        }
        w->spec = spec;
        w->call = call;
        LIST_APPEND(waiting, a, w);
        return true;
}

Admission *admission_enter(Manager *m, const Peer *owner) {
        Admission *a = find(m, owner);

        if (!a) {
                a = calloc(1, sizeof(Admission));
                if (!a)
                        return NULL;
                a->owner = peer_copy(owner);
                if (!a->owner) {
                        free(a);
                        return NULL;
                }
                LIST_APPEND(admissions, m, a);
        }
        a->n_writing++;
        return a;
}

/* One that is refused, or known already, is answered at once: then the next. */
static void let_in(Manager *m, Admission *a) {
        a->is_letting_in = true;
        while (a->waiting_first && a->n_writing < ADMISSION_MAX) {
                Waiting *w = a->waiting_first;

                LIST_REMOVE(waiting, a, w);
                manager_submit(m, w->peer, w->spec, w->call);
                peer_free(w->peer);
                free(w);
        }
        a->is_letting_in = false;
}

void admission_leave(Manager *m, Admission *a) {
        if (!a)
                return;
        a->n_writing--;
        if (a->is_letting_in)
                return;
        let_in(m, a);
        if (a->n_writing == 0)
                forget(m, a);
}

void admission_end(Manager *m) {
        Admission *a, *next;
        Waiting *w, *after;

        LIST_FOREACH_SAFE(admissions, a, next, m)
                LIST_FOREACH_SAFE(waiting, w, after, a) {
                        LIST_REMOVE(waiting, a, w);
                        peer_free(w->peer);
                        job_spec_free(w->spec);
                        front_call_free(w->call);
                        free(w);
                }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Requests that cannot be looked at yet: the job that has their key is being erased, or has failed
 * and is being acknowledged, or the claim of their profile is being read for the first time. They
 * are submitted anew once that is over, in the order of their coming. Bounded by the calls that a
 * connection may have under way. */

#include "daemon/manager/manager-internal.h"

void held_add(Held *h, const Peer *peer, JobSpec *spec, FrontCall *call) {
        Peer *copy = peer_copy(peer);
        HeldSubmit *more = NULL;

        if (copy)
                more = reallocarray(h->submits, h->n + 1, sizeof(HeldSubmit));
        if (!more) {
                peer_free(copy);
                job_spec_free(spec);
                front_call_fail(call, NULL);
                return;
        }
        h->submits = more;
        more[h->n++] = (HeldSubmit){.peer = copy, .spec = spec, .call = call};
}

Held held_take(Held *h) {
        Held taken = *h;

        *h = (Held){};
        return taken;
}

void held_submit(Manager *m, Held *h) {
        Held held = held_take(h); /* some of them may have to wait again */

        for (size_t i = 0; i < held.n; i++) {
                manager_submit(m, held.submits[i].peer, held.submits[i].spec, held.submits[i].call);
                peer_free(held.submits[i].peer);
        }
        free(held.submits);
}

void held_drop(Held *h) {
        for (size_t i = 0; i < h->n; i++) {
                peer_free(h->submits[i].peer);
                job_spec_free(h->submits[i].spec);
                front_call_free(h->submits[i].call);
        }
        free(h->submits);
        *h = (Held){};
}

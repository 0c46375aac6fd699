/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Device keys of a registrar's jobs, for which a certificate is issued along: made in memory, or in
 * the token of KeyStore=, where the key of an earlier try or life is found again. */

#include <errno.h>

#include "daemon/provider/dps-internal.h"
#include "daemon/provider/key-place.h"

static void tell(Registrar *r, AssignmentEventType type, Failure *failure) {
        registrar_event(r, &(RegistrarEvent){type, USEC_INFINITY, failure});
}

static bool is_in_token(const Registrar *r) {
        return r->job->run->assignment.key_in_token;
}

static void tell_failed(Registrar *r, int error, Failure *failure) {
        tell(r, key_place_may_come(error) ? ASSIGNMENT_EVENT_KEY_LATER : ASSIGNMENT_EVENT_BROKEN,
             failure);
}

void dps_key_place(Registrar *r) {
        Failure *failure = NULL;
        int k;

        k = key_place_choose(r->job, r->profile, r->key_store, &failure);
        if (k < 0)
                tell_failed(r, k, failure);
        else if (k == 0)
                tell(r, ASSIGNMENT_EVENT_STORED, NULL);
        else
                r->options.ops->store(r->options.userdata, r->job, NULL, NULL);
}

static void on_made(MadeKey *made, void *userdata) {
        Registrar *r = userdata;

        r->key_order = NULL;
        if (made->error == -ENOKEY)
                tell(r, ASSIGNMENT_EVENT_KEY_GONE, NULL);
        else if (made->error < 0 && is_in_token(r))
                tell_failed(r, made->error, key_place_failure(r->profile, made->error, made->why));
        else if (made->error < 0)
                registrar_broken(r, made->error, "Making a key", NULL);
        else {
                job_run_take_key(r->job->run, made);
                tell(r, ASSIGNMENT_EVENT_KEY_MADE, NULL);
        }
}

static int on_patience_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Registrar *r = userdata;

        r->key_order = key_order_forget(r->key_order);
        tell(r, ASSIGNMENT_EVENT_KEY_LATER, key_place_silence(r->profile));
        return 0;
}

void dps_key_make(Registrar *r) {
        const bool in_token = is_in_token(r);
        KeyWish wish = {.type = job_run_key_type(r->job, r->profile),
                        .common_name = registrar_id_of(r->profile, r->job->spec)};
        int k = 0;

        if (in_token) {
                wish.store = r->key_store;
                wish.existing = assignment_looks_for_key(&r->job->run->assignment);
                k = key_name_make(r->job->id, r->job->owner, &wish.name);
                if (k >= 0)
                        k = sd_event_add_time_relative(r->options.event, &r->timer, CLOCK_BOOTTIME,
                                                       KEY_PLACE_PATIENCE_USEC, 0,
                                                       on_patience_timer, r);
        }
        if (k >= 0)
                k = key_order_new(in_token ? r->options.tokens : r->options.crypto, &wish, on_made,
                                  r, &r->key_order);
        if (k < 0 && in_token)
                tell_failed(r, k, key_place_failure(r->profile, k, NULL));
        else if (k < 0)
                registrar_broken(r, k, "Making a key", NULL);
}

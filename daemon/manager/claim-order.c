/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A claim that is read by the crypto worker: the key may be encrypted, and its derivation counts to
 * two million where its file says so. */

#include <errno.h>

#include "daemon/manager/manager-internal.h"

struct ClaimOrder {
        Profile source; /* what claim_load() looks at, copied */
        Claim *claim;
        Failure *failure;
        Slot *slot; /* loop thread only; NULL: nobody waits for it any more */
};

static void order_free(void *p) {
        ClaimOrder *order = p;

        free(order->source.name);
        free(order->source.trusted_certificates);
        free(order->source.certificate);
        free(order->source.private_key);
        free(order->source.private_key_password);
        dps_settings_done(&order->source.dps);
        claim_free(order->claim);
        failure_free(order->failure);
        free(order);
}

static int copy_source(const Profile *from, Profile *to) {
        to->provider = from->provider;
        if (free_and_strdup(&to->name, from->name) < 0 ||
            free_and_strdup(&to->trusted_certificates, from->trusted_certificates) < 0 ||
            free_and_strdup(&to->certificate, from->certificate) < 0 ||
            free_and_strdup(&to->private_key, from->private_key) < 0 ||
            free_and_strdup(&to->private_key_password, from->private_key_password) < 0 ||
            free_and_strdup(&to->dps.symmetric_key, from->dps.symmetric_key) < 0 ||
            free_and_strdup(&to->dps.secondary_key, from->dps.secondary_key) < 0)
                return -ENOMEM;
        return 0;
}

static void on_order_run(void *p) {
        ClaimOrder *order = p;

        (void) claim_load(&order->source, &order->claim, &order->failure);
}

static void on_order_complete(void *p, void *userdata) {
        ClaimOrder *order = p;

        if (order->slot)
                slot_claim_loaded(order->slot, TAKE_PTR(order->claim), TAKE_PTR(order->failure));
}

static const WorkerTaskType order_task = {
        .run = on_order_run, .complete = on_order_complete, .destroy = order_free};

int claim_order_new(Slot *s, ClaimOrder **ret) {
        ClaimOrder *order = calloc(1, sizeof(ClaimOrder));
        int r;

        if (!order)
                return -ENOMEM;
        order->slot = s;
        r = copy_source(s->profile, &order->source);
        if (r < 0) {
                order_free(order);
                return r;
        }
        r = worker_submit(s->manager->crypto, &order_task, order, NULL);
        if (r < 0)
                return r; /* the worker destroyed it */
        *ret = order;
        return 0;
}

ClaimOrder *claim_order_forget(ClaimOrder *order) {
        if (order)
                order->slot = NULL;
        return NULL;
}

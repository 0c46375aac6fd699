/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A claim that is read by the crypto worker: the key may be encrypted, and its derivation counts to
 * two million where its file says so. */

#include <errno.h>

#include "daemon/manager/manager-internal.h"

struct ClaimOrder {
        Profile *source; /* what claim_load() looks at, copied */
        TokenPool *tokens;
        Claim *claim;
        Token *key_store;
        Failure *failure;
        Slot *slot; /* loop thread only; NULL: nobody waits for it any more */
};

static void order_free(void *p) {
        ClaimOrder *order = p;

        profile_free(order->source);
        token_pool_unref(order->tokens);
        claim_free(order->claim);
        token_unref(order->key_store);
        failure_free(order->failure);
        free(order);
}

static void on_order_run(void *p) {
        ClaimOrder *order = p;

        if (claim_load(order->source, order->tokens, &order->claim, &order->failure) >= 0)
                order->key_store = token_ref(order->claim->key_store);
        else
                /* A device that has its identity may have no claim any more; it rotates. */
                (void) claim_load_store_alone(order->source, order->tokens, &order->key_store);
}

static void on_order_complete(void *p, void *userdata) {
        ClaimOrder *order = p;

        if (order->slot)
                slot_claim_loaded(order->slot, TAKE_PTR(order->claim), TAKE_PTR(order->key_store),
                                  TAKE_PTR(order->failure));
}

static const WorkerTaskType order_task = {
        .run = on_order_run, .complete = on_order_complete, .destroy = order_free};

int claim_order_new(Slot *s, ClaimOrder **ret) {
        ClaimOrder *order = calloc(1, sizeof(ClaimOrder));
        int r;

        if (!order)
                return -ENOMEM;
        order->slot = s;
        order->tokens = token_pool_ref(s->manager->token_pool);
        order->source = calloc(1, sizeof(Profile));
        r = order->source ? profile_copy_claim_source(s->profile, order->source) : -ENOMEM;
        if (r < 0) {
                order_free(order);
                return r;
        }
        r = worker_submit(tokens_worker(s->manager, s->profile), &order_task, order, NULL);
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

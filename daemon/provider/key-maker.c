/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/key-maker.h"

#include <errno.h>

#include "daemon/crypto/csr.h"
#include "daemon/crypto/key.h"

struct KeyOrder {
        KeyWish wish;
        char *common_name;
        MadeKey made;
        /* Loop thread only. */
        void (*done)(MadeKey *made, void *userdata);
        void *userdata;
};

void made_key_done(MadeKey *made) {
        free(made->why);
        secret_free(made->key);
        token_key_unref(made->token_key);
        free(made->csr);
        free(made->spki);
        *made = (MadeKey){};
}

static int make_in_memory(KeyOrder *order) {
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        int r;

        r = crypto_key_generate(order->wish.type, &key);
        if (r < 0)
                return r;
        r = crypto_key_to_pem(key, &order->made.key);
        if (r < 0)
                return r;
        r = crypto_key_public_der(key, &order->made.spki, &order->made.spki_size);
        if (r < 0)
                return r;
        return csr_make(key, order->common_name, &order->made.csr);
}

static int make_in_token(KeyOrder *order) {
        const KeyWish *w = &order->wish;
        MadeKey *made = &order->made;
        const uint8_t *spki;
        int r;

        r = w->existing ? token_key_find_made(w->store, w->name.label, w->name.id,
                                              sizeof(w->name.id), &made->token_key, &made->why)
                        : token_key_make(w->store, w->type, w->name.label, w->name.id,
                                         sizeof(w->name.id), &made->token_key, &made->why);
        if (r >= 0)
                r = token_key_csr(made->token_key, order->common_name, &made->csr, &made->why);
        if (r < 0)
                return r;
        spki = token_key_public_der(made->token_key, &made->spki_size);
        made->spki = malloc(made->spki_size);
        if (!made->spki)
                return -ENOMEM;
        memcpy(made->spki, spki, made->spki_size);
        return 0;
}

static void order_run(void *task) {
        KeyOrder *order = task;

        order->made.error = order->wish.store ? make_in_token(order) : make_in_memory(order);
}

static void order_complete(void *task, void *userdata) {
        KeyOrder *order = task;

        if (order->done)
                order->done(&order->made, order->userdata);
}

static void order_destroy(void *task) {
        KeyOrder *order = task;

        made_key_done(&order->made);
        token_unref(order->wish.store);
        free(order->common_name);
        free(order);
}

static const WorkerTaskType key_order_type = {
        .run = order_run, .complete = order_complete, .destroy = order_destroy};

int key_order_new(Worker *worker, const KeyWish *wish, void (*done)(MadeKey *made, void *userdata),
                  void *userdata, KeyOrder **ret) {
        KeyOrder *order;
        int r;

        order = calloc(1, sizeof(KeyOrder));
        if (!order)
                return -ENOMEM;
        *order = (KeyOrder){.wish = *wish, .done = done, .userdata = userdata};
        order->wish.store = token_ref(wish->store);
        order->common_name = strdup(wish->common_name);
        order->wish.common_name = NULL; /* the caller's */
        if (!order->common_name) {
                order_destroy(order);
                return -ENOMEM;
        }
        r = worker_submit(worker, &key_order_type, order, NULL);
        if (r < 0)
                return r; /* the worker destroyed it */
        *ret = order;
        return 0;
}

KeyOrder *key_order_forget(KeyOrder *order) {
        if (order)
                order->done = NULL;
        return NULL;
}

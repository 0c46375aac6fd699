/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/key-maker.h"

#include <errno.h>

#include "daemon/crypto/csr.h"
#include "daemon/crypto/key.h"

struct KeyOrder {
        KeyType type;
        char *common_name;
        MadeKey made;
        /* Loop thread only. */
        void (*done)(MadeKey *made, void *userdata);
        void *userdata;
};

void made_key_done(MadeKey *made) {
        secret_free(made->key);
        free(made->csr);
        free(made->spki);
        *made = (MadeKey){};
}

static int make(KeyOrder *order) {
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        int r;

        r = crypto_key_generate(order->type, &key);
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

static void order_run(void *task) {
        KeyOrder *order = task;

        order->made.error = make(order);
}

static void order_complete(void *task, void *userdata) {
        KeyOrder *order = task;

        if (order->done)
                order->done(&order->made, order->userdata);
}

static void order_destroy(void *task) {
        KeyOrder *order = task;

        made_key_done(&order->made);
        free(order->common_name);
        free(order);
}

static const WorkerTaskType key_order_type = {
        .run = order_run, .complete = order_complete, .destroy = order_destroy};

int key_order_new(Worker *crypto, KeyType type, const char *common_name,
                  void (*done)(MadeKey *made, void *userdata), void *userdata, KeyOrder **ret) {
        KeyOrder *order;
        int r;

        order = calloc(1, sizeof(KeyOrder));
        if (!order)
                return -ENOMEM;
        *order = (KeyOrder){.type = type, .done = done, .userdata = userdata};
        order->common_name = strdup(common_name);
        if (!order->common_name) {
                free(order);
                return -ENOMEM;
        }
        r = worker_submit(crypto, &key_order_type, order, NULL);
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

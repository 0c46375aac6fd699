/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Makes a device key and the request for its certificate on the crypto worker. */

#include "daemon/base/secret.h"
#include "daemon/base/worker.h"
#include "protocol/ipc/vocabulary.h"

typedef struct KeyOrder KeyOrder;

typedef struct MadeKey {
        int error;     /* 0, or a negative errno and nothing else */
        Secret *key;   /* PKCS#8 PEM */
        char *csr;     /* PEM */
        uint8_t *spki; /* its public key, DER */
        size_t spki_size;
} MadeKey;

void made_key_done(MadeKey *made);

/* `done` is told on the loop; it may take what is in `made`. The common name is a label. */
int key_order_new(Worker *crypto, KeyType type, const char *common_name,
                  void (*done)(MadeKey *made, void *userdata), void *userdata, KeyOrder **ret);

/* Nobody waits for it any more; `done` will not be told. NULL is fine; gives NULL. Only before
 * `done` was told. */
KeyOrder *key_order_forget(KeyOrder *order);

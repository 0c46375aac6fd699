/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Makes a device key and the request for its certificate: in memory, on the crypto worker, or in a
 * token, on the thread of the tokens. There a key that an earlier try or life has made under the
 * same name is taken again, and no second one made. */

#include "daemon/base/secret.h"
#include "daemon/base/worker.h"
#include "daemon/crypto/token-key.h"
#include "daemon/provider/key-name.h"
#include "protocol/ipc/vocabulary.h"

typedef struct KeyOrder KeyOrder;

/* What is wanted. Copied. */
typedef struct KeyWish {
        KeyType type;
        const char *common_name; /* of the request: a label */
        Token *store;            /* made there; NULL: in memory */
        KeyName name;            /* … and called so */
        bool existing;           /* … or found there, of whatever type; and never made anew */
} KeyWish;

typedef struct MadeKey {
        int error;           /* 0, or a negative errno and nothing else but why */
        char *why;           /* for people; NULL: the errno says it all */
        Secret *key;         /* PKCS#8 PEM; or … */
        TokenKey *token_key; /* … it is in a token */
        char *csr;           /* PEM */
        uint8_t *spki;       /* its public key, DER */
        size_t spki_size;
} MadeKey;

void made_key_done(MadeKey *made);

/* `done` is told on the loop; it may take what is in `made`. The worker is the one for tokens where
 * there is a store; the errors of token_key_make() and, of an existing one, token_key_find_made().
 */
int key_order_new(Worker *worker, const KeyWish *wish, void (*done)(MadeKey *made, void *userdata),
                  void *userdata, KeyOrder **ret);

/* Nobody waits for it any more; `done` will not be told. NULL is fine; gives NULL. Only before
 * `done` was told. */
KeyOrder *key_order_forget(KeyOrder *order);

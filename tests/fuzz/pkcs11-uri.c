/* SPDX-License-Identifier: GPL-2.0-or-later */

/* PKCS#11 URIs of the configuration. The first byte says what the URI is to name, the rest is its
 * text.
 *
 *   - taken, or -EINVAL with a reason that is fit to be shown
 *   - what is taken is within its bounds, and is written as a text that is read as the same */

#include "daemon/crypto/pkcs11-uri.h"

#include <errno.h>

#include "tests/fuzz/fuzz.h"

static void check(const Pkcs11Uri *u, Pkcs11UriUse use) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *again = NULL;
        _cleanup_free_ char *text = NULL, *same = NULL;

        must(!u->token || (*u->token && strlen(u->token) <= PKCS11_LABEL_MAX));
        must(!u->serial || strlen(u->serial) <= PKCS11_MODEL_MAX);
        must(!u->object || strlen(u->object) <= PKCS11_OBJECT_MAX);
        must(!u->id == (u->id_size == 0) && u->id_size <= PKCS11_ID_MAX);
        must(!u->pin_source || strlen(u->pin_source) <= PKCS11_PIN_SOURCE_MAX);
        must(pkcs11_uri_format(u, &text) == 0 && fuzz_is_printable(text));
        if (strlen(text) > PKCS11_URI_MAX) /* what is encoded is longer */
                return;
        must(pkcs11_uri_parse(text, use, &again, NULL) == 0);
        must(pkcs11_uri_format(again, &same) == 0 && streq(text, same));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = NULL;
        _cleanup_free_ char *text = NULL;
        Pkcs11UriUse use;
        char *why = NULL;
        int r;

        if (size == 0)
                return 0;
        use = data[0] & 1 ? PKCS11_URI_STORE : PKCS11_URI_KEY;
        text = strndup((const char *) data + 1, size - 1);
        must(text);
        r = pkcs11_uri_parse(text, use, &u, &why);
        must(r == 0 || r == -EINVAL);
        must((r == 0) == (u != NULL));
        if (r < 0)
                fuzz_check_why(why, false);
        else
                check(u, use);
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* PKCS#11 URIs (RFC 7512): which token, and which object in it. Pure.
 *
 * Taken are token, manufacturer, model, serial, slot-id, object, id, type=private, and pin-source.
 * Refused by name are what would say the same in a second place (module-name, module-path: that is
 * Pkcs11Module=), a PIN that stands in the text itself (pin-value), and attributes that would not
 * be obeyed: one that is passed over in silence may name another key than the writer meant. */

#include "daemon/base/macro.h"

#define PKCS11_URI_SCHEME "pkcs11:"
#define PKCS11_URI_MAX ((size_t) 1024)
#define PKCS11_OBJECT_MAX ((size_t) 255) /* bytes of a label that we look for */
#define PKCS11_ID_MAX ((size_t) 64)
#define PKCS11_PIN_SOURCE_MAX ((size_t) 512)

/* PKCS#11 v2.40, 3.2, CK_TOKEN_INFO: the widths of its fields. */
#define PKCS11_LABEL_MAX ((size_t) 32)
#define PKCS11_MODEL_MAX ((size_t) 16)

/* What the URI is to name. */
typedef enum Pkcs11UriUse {
        PKCS11_URI_KEY,   /* a private key: a token, and object or id or both */
        PKCS11_URI_STORE, /* a token in which keys are made; no object */
} Pkcs11UriUse;

typedef struct Pkcs11Uri {
        /* As the token says them, without the blanks behind; NULL: any. */
        char *token, *manufacturer, *model, *serial;
        bool has_slot_id;
        unsigned long slot_id;
        char *object; /* CKA_LABEL; NULL: any */
        uint8_t *id;  /* CKA_ID; NULL: any */
        size_t id_size;
        char *pin_source; /* a path, or credential:NAME; NULL: not given */
} Pkcs11Uri;

bool pkcs11_uri_is_one(const char *text); /* by its scheme */

/* -EINVAL with *ret_why, which names the attribute and the mend; -ENOMEM. */
int pkcs11_uri_parse(const char *text, Pkcs11UriUse use, Pkcs11Uri **ret, char **ret_why);

/* The canonical text, the attributes in a fixed order; never the pin-source. -ENOMEM. */
int pkcs11_uri_format(const Pkcs11Uri *u, char **ret);

Pkcs11Uri *pkcs11_uri_free(Pkcs11Uri *u); /* gives NULL */
DEFINE_CLEANUP(Pkcs11Uri *, pkcs11_uri_free);
#define _cleanup_pkcs11_uri_ _cleanup_(pkcs11_uri_freep)

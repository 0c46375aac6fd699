/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who may register with DPS: enrolments, and how a device shows that it is meant. What an enrolment
 * is follows from how the registration id begins:
 *
 *   gw-…      an individual one; either of two keys, DIR/dps.key and DIR/dps-secondary.key
 *   sensor-…  a group's; the key is derived from DIR/dps-group.key
 *   x509-…    a certificate of the claims' authority with that common name
 *
 * HMAC and base64 are OpenSSL's: what the daemon signs is checked by other code than its own. */

#include <stdbool.h>

#include <openssl/x509.h>

#define DPS_ID_SCOPE "0ne00TEST00"
#define DPS_REGISTRATION_ID_MAX 128
#define DPS_KEY_MAX 64
#define DPS_KEYS_FILE "dps-keys" /* base64, a line each, in the order of DpsKeyName */

typedef enum DpsKeyName {
        DPS_KEY_PRIMARY,
        DPS_KEY_SECONDARY,
        DPS_KEY_GROUP,
        DPS_KEY_COUNT,
} DpsKeyName;

typedef struct DpsKey {
        unsigned char bytes[DPS_KEY_MAX + 2]; /* EVP_DecodeBlock() writes whole groups of three */
        size_t n;
} DpsKey;

typedef struct DpsKeys {
        DpsKey keys[DPS_KEY_COUNT];
} DpsKeys;

typedef struct DpsUser {
        char registration_id[DPS_REGISTRATION_ID_MAX + 1];
        char api_version[32];
        const char *with; /* "primary", "secondary", "group": the key; or "certificate" */
} DpsUser;

/* Reads DPS_KEYS_FILE from the working directory. Negative errno on failure. */
int dps_keys_load(DpsKeys *ret);

/* Whether this is how a device of DPS names itself; AWS's name themselves otherwise or not at all.
 */
bool dps_is_user_name(const char *user_name);

/* NULL when the device is who it says, with *ret filled; else why not (static text, for the
 * journal). password and certificate may be NULL. */
const char *dps_login(const DpsKeys *keys, const char *client_id, const char *user_name,
                      const char *password, X509 *certificate, DpsUser *ret);

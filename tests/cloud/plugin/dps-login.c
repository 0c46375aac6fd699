/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/dps-login.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "daemon/base/macro.h"
#include "tests/cloud/plugin/dps-topic.h"

#define REGISTRATIONS "/registrations/"
#define API_VERSION "/api-version="
#define TOKEN "SharedAccessSignature "
#define MAC_SIZE ((size_t) 32)
#define RESOURCE_MAX ((size_t) 512)
#define SIGNATURE_MAX ((size_t) 64)

typedef struct Mac {
        unsigned char bytes[EVP_MAX_MD_SIZE];
} Mac;

/* False: no base64, or more than fits. */
static bool decode_key(const char *text, DpsKey *ret) {
        size_t size = strlen(text);
        int n;

        if (size == 0 || size % 4 != 0 || size / 4 * 3 > sizeof(ret->bytes))
                return false;
        n = EVP_DecodeBlock(ret->bytes, (const unsigned char *) text, (int) size);
        if (n < 0)
                return false;
        ret->n = (size_t) n - (text[size - 1] == '=') - (text[size - 2] == '=');
        return true;
}

int dps_keys_load(DpsKeys *ret) {
        FILE *file = fopen(DPS_KEYS_FILE, "re");
        _cleanup_free_ char *line = NULL;
        size_t room = 0, n = 0;
        int r = 0;

        if (!file)
                return -errno;
        for (; r >= 0 && n < DPS_KEY_COUNT; n++) {
                ssize_t size = getline(&line, &room, file);

                if (size > 0 && line[size - 1] == '\n')
                        line[size - 1] = '\0';
                r = size > 0 && decode_key(line, &ret->keys[n]) ? 0 : -EBADMSG;
        }
        fclose(file);
        return r;
}

bool dps_is_user_name(const char *user_name) {
        return user_name && strstr(user_name, REGISTRATIONS);
}

/* "{scope}/registrations/{id}/api-version={version}[&…]" */
static const char *parse_user_name(const char *name, DpsUser *ret) {
        const char *id, *version;
        size_t n;

        if (strncmp(name, DPS_ID_SCOPE REGISTRATIONS, strlen(DPS_ID_SCOPE REGISTRATIONS)) != 0)
                return "unknown-scope";
        id = name + strlen(DPS_ID_SCOPE REGISTRATIONS);
        version = strstr(id, API_VERSION);
        if (!version)
                return "no-api-version";
        n = (size_t) (version - id);
        if (n == 0 || n > DPS_REGISTRATION_ID_MAX)
                return "bad-registration-id";
        memcpy(ret->registration_id, id, n);
        ret->registration_id[n] = '\0';
        version += strlen(API_VERSION);
        n = strcspn(version, "&");
        if (n < strlen("2019-03-31") || n >= sizeof(ret->api_version))
                return "bad-api-version";
        memcpy(ret->api_version, version, n);
        ret->api_version[n] = '\0';
        return NULL;
}

static Mac mac_of(const unsigned char *key, size_t n, const char *text) {
        Mac mac = {};

        HMAC(EVP_sha256(), key, (int) n, (const unsigned char *) text, strlen(text), mac.bytes,
             NULL);
        return mac;
}

/* The parameter of the token as it stands there; empty where it is missing. */
static char *token_parameter(const char *token, const char *name) {
        for (const char *p = token; *p;) {
                size_t size = strcspn(p, "&"), n = strlen(name);

                if (size > n && strncmp(p, name, n) == 0 && p[n] == '=')
                        return strndup(p + n + 1, size - n - 1);
                p += size;
                p += *p == '&';
        }
        return strdup("");
}

static bool signature_is_right(const DpsKey *key, const char *text, const char *signature) {
        Mac expected = mac_of(key->bytes, key->n, text);
        DpsKey given = {};

        return decode_key(signature, &given) && given.n == MAC_SIZE &&
               CRYPTO_memcmp(given.bytes, expected.bytes, MAC_SIZE) == 0;
}

/* By which key; NULL: by none. */
static const char *signed_with(const DpsKeys *keys, const char *id, const char *text,
                               const char *signature) {
        const DpsKey *group = &keys->keys[DPS_KEY_GROUP];
        DpsKey derived = {.n = MAC_SIZE};

        if (strncmp(id, "sensor-", strlen("sensor-")) == 0) {
                memcpy(derived.bytes, mac_of(group->bytes, group->n, id).bytes, MAC_SIZE);
                return signature_is_right(&derived, text, signature) ? "group" : NULL;
        }
        if (signature_is_right(&keys->keys[DPS_KEY_PRIMARY], text, signature))
                return "primary";
        return signature_is_right(&keys->keys[DPS_KEY_SECONDARY], text, signature) ? "secondary"
                                                                                   : NULL;
}

static const char *check_token(const DpsKeys *keys, DpsUser *user, const char *password) {
        _cleanup_free_ char *resource = NULL, *signature = NULL, *expiry = NULL, *policy = NULL;
        _cleanup_free_ char *text = NULL;
        char expected[RESOURCE_MAX], plain[RESOURCE_MAX], decoded[SIGNATURE_MAX];

        if (!password || strncmp(password, TOKEN, strlen(TOKEN)) != 0)
                return "no-token";
        password += strlen(TOKEN);
        resource = token_parameter(password, "sr");
        signature = token_parameter(password, "sig");
        expiry = token_parameter(password, "se");
        policy = token_parameter(password, "skn");
        if (!resource || !signature || !expiry || !policy ||
            asprintf(&text, "%s\n%s", resource, expiry) < 0)
                return "no-memory";
        (void) snprintf(expected, sizeof(expected), DPS_ID_SCOPE REGISTRATIONS "%s",
                        user->registration_id);
        if (!dps_url_decode(resource, strlen(resource), plain, sizeof(plain)) ||
            strcmp(plain, expected) != 0)
                return "token-of-another";
        if (policy[0] && strcmp(policy, "registration") != 0)
                return "unknown-policy";
        if (dps_url_decode(signature, strlen(signature), decoded, sizeof(decoded)))
                user->with = signed_with(keys, user->registration_id, text, decoded);
        if (!user->with)
                return "wrong-signature";
        return strtoll(expiry, NULL, 10) > (long long) time(NULL) ? NULL : "token-expired";
}

static const char *check_certificate(DpsUser *user, X509 *certificate) {
        char name[DPS_REGISTRATION_ID_MAX + 1];

        if (!certificate)
                return "no-certificate";
        if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name,
                                      sizeof(name)) < 0 ||
            strcmp(name, user->registration_id) != 0)
                return "certificate-of-another";
        user->with = "certificate";
        return NULL;
}

const char *dps_login(const DpsKeys *keys, const char *client_id, const char *user_name,
                      const char *password, X509 *certificate, DpsUser *ret) {
        DpsUser user = {};
        const char *why = parse_user_name(user_name, &user);

        if (why)
                return why;
        if (strcmp(client_id, user.registration_id) != 0)
                return "client-id-of-another";
        if (strncmp(client_id, "x509-", strlen("x509-")) == 0)
                why = check_certificate(&user, certificate);
        else if (strncmp(client_id, "gw-", strlen("gw-")) == 0 ||
                 strncmp(client_id, "sensor-", strlen("sensor-")) == 0)
                why = check_token(keys, &user, password);
        else
                why = "not-enrolled";
        if (!why)
                *ret = user;
        return why;
}

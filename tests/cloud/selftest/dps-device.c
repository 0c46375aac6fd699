/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/selftest/dps-device.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "daemon/base/macro.h"

#define TEXT_MAX ((size_t) 512)
#define MAC_SIZE 32

static size_t read_key(const CloudProcess *cloud, const char *name, unsigned char *ret) {
        _cleanup_free_ char *path = cloud_path(cloud, name);
        char text[TEXT_MAX];
        FILE *file = fopen(path, "r");
        size_t n;

        ck_assert_ptr_nonnull(file);
        n = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
        text[n] = '\0';
        text[strcspn(text, "\n")] = '\0';
        n = strlen(text);
        ck_assert_int_gt(EVP_DecodeBlock(ret, (unsigned char *) text, (int) n), 0);
        return n / 4 * 3 - (text[n - 1] == '=') - (text[n - 2] == '=');
}

/* All but letters and digits, percent-encoded. */
static void encode(const char *s, char ret[static TEXT_MAX]) {
        for (; *s; s++)
                if ((*s >= '0' && *s <= '9') || ((*s | 32) >= 'a' && (*s | 32) <= 'z'))
                        *ret++ = *s;
                else
                        ret += sprintf(ret, "%%%02X", (unsigned char) *s);
        *ret = '\0';
}

static char *make_token(const CloudProcess *cloud, const char *id, const DpsToken *token) {
        unsigned char key[TEXT_MAX], mac[EVP_MAX_MD_SIZE], digits[TEXT_MAX];
        char plain[TEXT_MAX], resource[TEXT_MAX], text[2 * TEXT_MAX], signature[TEXT_MAX];
        int64_t expiry = (int64_t) time(NULL) + token->lifetime_sec;
        size_t n = read_key(cloud, token->key_file, key);
        char *made;

        if (token->derived) {
                HMAC(EVP_sha256(), key, (int) n, (const unsigned char *) id, strlen(id), mac, NULL);
                memcpy(key, mac, MAC_SIZE);
                n = MAC_SIZE;
        }
        (void) snprintf(plain, sizeof(plain), DPS_SCOPE "/registrations/%s",
                        token->resource ? token->resource : id);
        encode(plain, resource);
        (void) snprintf(text, sizeof(text), "%s\n%" PRId64, resource, expiry);
        HMAC(EVP_sha256(), key, (int) n, (const unsigned char *) text, strlen(text), mac, NULL);
        mac[0] ^= token->spoiled;
        EVP_EncodeBlock(digits, mac, MAC_SIZE);
        encode((const char *) digits, signature);
        ck_assert_int_ge(asprintf(&made,
                                  "SharedAccessSignature sr=%s&sig=%s&se=%" PRId64
                                  "&skn=registration",
                                  resource, signature, expiry),
                         0);
        return made;
}

int dps_connect(Client *client, const CloudProcess *cloud, const char *id, const DpsToken *token,
                const char *version) {
        _cleanup_free_ char *password = token ? make_token(cloud, id, token) : NULL;
        _cleanup_free_ char *user = NULL;

        ck_assert_int_ge(asprintf(&user,
                                  DPS_SCOPE "/registrations/%s/api-version=%s&ClientVersion=x", id,
                                  version ? version : "2019-03-31"),
                         0);
        return client_connect_dps(client, cloud, token ? NULL : "dps-device", id, user, password);
}

void dps_device(Client *client, const CloudProcess *cloud, const char *id) {
        DpsToken token = {.key_file = "dps.key", .lifetime_sec = 60};

        ck_assert_int_eq(dps_connect(client, cloud, id, &token, NULL), 0);
        ck_assert_int_ge(client_subscribe(client, "$dps/registrations/res/#", 0), 0);
}

void dps_register(Client *client, const char *rid, json_t *body) {
        _cleanup_free_ char *topic = NULL, *text = json_dumps(body, 0);

        ck_assert_int_ge(asprintf(&topic, "$dps/registrations/PUT/iotdps-register/?$rid=%s", rid),
                         0);
        client_publish(client, topic, text, strlen(text), 1, false);
        json_decref(body);
}

void dps_query(Client *client, const char *rid, const char *operation_id) {
        _cleanup_free_ char *topic = NULL;
        char encoded[TEXT_MAX];

        encode(operation_id, encoded);
        ck_assert_int_ge(
                asprintf(
                        &topic,
                        "$dps/registrations/GET/iotdps-get-operationstatus/?operationId=%s&$rid=%s",
                        encoded, rid),
                0);
        client_publish(client, topic, " ", 1, 1, false);
}

DpsAnswer dps_receive(Client *client) {
        DpsAnswer answer = {.retry_after = -1};
        const char *p;
        Message message;

        ck_assert(client_receive(client, &message));
        ck_assert_int_eq(sscanf(message.topic, "$dps/registrations/res/%d/?", &answer.status), 1);
        p = strstr(message.topic, "$rid=");
        ck_assert_ptr_nonnull(p);
        ck_assert_int_eq(sscanf(p, "$rid=%64[^&]", answer.rid), 1);
        p = strstr(message.topic, "retry-after=");
        if (p)
                ck_assert_int_eq(sscanf(p, "retry-after=%d", &answer.retry_after), 1);
        answer.body = json_loadb(message.payload, message.n, 0, NULL);
        message_clear(&message);
        return answer;
}

void dps_answer_clear(DpsAnswer *answer) {
        json_decref(answer->body);
        *answer = (DpsAnswer){};
}

const char *dps_text(const DpsAnswer *answer, const char *way) {
        const json_t *value = answer->body;

        while (*way) {
                _cleanup_free_ char *name = strndup(way, strcspn(way, "."));

                value = json_object_get(value, name);
                way += strlen(name);
                way += *way == '.';
        }
        return json_is_string(value) ? json_string_value(value) : "";
}

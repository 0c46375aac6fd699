/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-setting.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/config/config-access.h"
#include "daemon/config/config-profile.h"
#include "daemon/config/config-value.h"
#include "daemon/config/secret-path.h"
#include "daemon/crypto/pkcs11-uri.h"
#include "daemon/model/tls-ciphers.h"

static int set_string(char **field, const char *value) {
        return free_and_strdup(field, value);
}

int setting_provider(ProfileLoader *l, const ConfigEntry *e) {
        Provider provider = provider_from_string(e->value);

        if (provider == PROVIDER_INVALID)
                return config_refuse(l->ret_why, e,
                                     "'%s' is no provider; write aws-iot or azure-dps", e->value);
        l->profile->provider = provider;
        return 0;
}

int setting_set_host(ProfileLoader *l, const ConfigEntry *e, char **field) {
        const char *mend = "write the host alone, such as "
                           "example-ats.iot.eu-west-1.amazonaws.com";

        if (strstr(e->value, "://"))
                mend = "write the host alone, without scheme and path";
        else if (e->value[0] == '[')
                mend = "write an IPv6 address without brackets";
        else if (strchr(e->value, ':'))
                mend = "write the host alone; the port has its key, Port=";
        else if (e->value[strlen(e->value) - 1] == '.')
                mend = "write it without the final dot";
        if (!config_host_is_valid(e->value))
                return config_refuse(l->ret_why, e, "'%s' is no host: %s", e->value, mend);
        return set_string(field, e->value);
}

int setting_endpoint(ProfileLoader *l, const ConfigEntry *e) {
        return setting_set_host(l, e, &l->profile->endpoint);
}

int setting_port(ProfileLoader *l, const ConfigEntry *e) {
        if (config_parse_port(e->value, &l->profile->port) < 0)
                return config_refuse(l->ret_why, e,
                                     "'%s' is no port; write a number from 1 to 65535", e->value);
        return 0;
}

int setting_transport(ProfileLoader *l, const ConfigEntry *e) {
        l->websocket = streq(e->value, "websocket");
        if (l->websocket || streq(e->value, "mqtt"))
                return 0;
        return config_refuse(l->ret_why, e, "'%s' is no transport; write mqtt or websocket",
                             e->value);
}

int setting_parse_path(const ConfigEntry *e, char **ret, char **ret_why) {
        const char *name = e->value + strlen(CONFIG_CREDENTIAL_PREFIX);

        if (strncmp(e->value, CONFIG_CREDENTIAL_PREFIX, strlen(CONFIG_CREDENTIAL_PREFIX)) == 0) {
                if (!config_credential_name_is_valid(name))
                        return config_refuse(ret_why, e,
                                             "'%s' is no name of a credential; write "
                                             "credential:NAME, as in LoadCredential=NAME:…",
                                             name);
        } else if (e->value[0] != '/') {
                return config_refuse(ret_why, e,
                                     "'%s' is neither an absolute path nor credential:NAME",
                                     e->value);
        } else if (strlen(e->value) > CONFIG_PATH_MAX) {
                return config_refuse(ret_why, e, "a path of more than %zu bytes", CONFIG_PATH_MAX);
        }
        return secret_path_resolve(e->value, ret);
}

int setting_set_path(ProfileLoader *l, const ConfigEntry *e, char **field) {
        char *path;
        int r;

        r = setting_parse_path(e, &path, l->ret_why);
        if (r < 0)
                return r;
        free(*field);
        *field = path;
        return 0;
}

int setting_trusted_certificates(ProfileLoader *l, const ConfigEntry *e) {
        if (streq(e->value, "system"))
                return set_string(&l->profile->trusted_certificates, e->value);
        return setting_set_path(l, e, &l->profile->trusted_certificates);
}

int setting_certificate(ProfileLoader *l, const ConfigEntry *e) {
        return setting_set_path(l, e, &l->profile->certificate);
}

int setting_private_key(ProfileLoader *l, const ConfigEntry *e) {
        if (pkcs11_uri_is_one(e->value))
                return setting_set_key_uri(l, e, &l->profile->private_key);
        return setting_set_path(l, e, &l->profile->private_key);
}

int setting_private_key_password(ProfileLoader *l, const ConfigEntry *e) {
        return setting_set_path(l, e, &l->profile->private_key_password);
}

static int set_template(ProfileLoader *l, const ConfigEntry *e, char **field) {
        if (!config_template_name_is_valid(e->value))
                return config_refuse(l->ret_why, e,
                                     "'%s' is no name of a template: 1 to %zu letters, digits, '_' "
                                     "and '-'",
                                     e->value, CONFIG_TEMPLATE_NAME_MAX);
        return set_string(field, e->value);
}

int setting_template(ProfileLoader *l, const ConfigEntry *e) {
        return set_template(l, e, &l->profile->template_name);
}

int setting_rotation_template(ProfileLoader *l, const ConfigEntry *e) {
        return set_template(l, e, &l->profile->rotation_template);
}

int setting_payload_format(ProfileLoader *l, const ConfigEntry *e) {
        PayloadFormat format = payload_format_from_string(e->value);

        if (format == PAYLOAD_FORMAT_INVALID)
                return config_refuse(l->ret_why, e, "'%s' is no format; write json or cbor",
                                     e->value);
        l->profile->payload_format = format;
        return 0;
}

int setting_key_type(ProfileLoader *l, const ConfigEntry *e) {
        KeyType type = key_type_from_string(e->value);

        if (type == KEY_TYPE_INVALID)
                return config_refuse(l->ret_why, e,
                                     "'%s' is no type of key; write ec-p256, ec-p384, rsa-2048 or "
                                     "rsa-3072",
                                     e->value);
        l->profile->key_type = type;
        return 0;
}

int setting_key_source(ProfileLoader *l, const ConfigEntry *e) {
        /* A third source, the caller's own CSR, is chosen by bringing one and has no name. */
        if (streq(e->value, "daemon"))
                l->profile->key_source = KEY_SOURCE_DAEMON;
        else if (streq(e->value, "cloud"))
                l->profile->key_source = KEY_SOURCE_CLOUD;
        else
                return config_refuse(l->ret_why, e, "'%s' makes no keys; write daemon or cloud",
                                     e->value);
        return 0;
}

int setting_verify_certificate(ProfileLoader *l, const ConfigEntry *e) {
        if (config_parse_boolean(e->value, &l->profile->verify_certificate) < 0)
                return config_refuse(l->ret_why, e, "'%s' is no boolean; write yes or no",
                                     e->value);
        return 0;
}

static int set_client_id(ProfileLoader *l, const ConfigEntry *e, const char *id, char **field) {
        if (!config_client_id_is_valid(id))
                return config_refuse(l->ret_why, e,
                                     "'%s' is no client id: 1 to %zu bytes, no '$' at the "
                                     "beginning, no '#' and no '+'",
                                     id, CONFIG_CLIENT_ID_MAX);
        return set_string(field, id);
}

int setting_verify_client_id(ProfileLoader *l, const ConfigEntry *e) {
        return set_client_id(l, e, e->value, &l->profile->verify_client_id);
}

int setting_client_id(ProfileLoader *l, const ConfigEntry *e) {
        _cleanup_free_ char *id = NULL, *why = NULL;
        int r;

        r = specifiers_expand(l->specifiers, e->value, &id, &why);
        if (r == -EINVAL && why)
                return config_refuse(l->ret_why, e, "%s", why);
        if (r < 0)
                return r;
        return set_client_id(l, e, id, &l->profile->client_id);
}

static int out_of_bounds(const ConfigEntry *e, usec_t min, usec_t max, bool or_infinity,
                         char **ret_why) {
        bool in_seconds = min % USEC_PER_SEC == 0;

        return config_refuse(
                ret_why, e, "'%s' is out of bounds; write %" PRIu64 "%s to %" PRIu64 "s%s",
                e->value, min / (in_seconds ? USEC_PER_SEC : USEC_PER_MSEC),
                in_seconds ? "s" : "ms", max / USEC_PER_SEC, or_infinity ? ", or infinity" : "");
}

int setting_parse_span(const ConfigEntry *e, usec_t min, usec_t max, bool or_infinity, usec_t *ret,
                       char **ret_why) {
        usec_t span;
        int r;

        r = config_parse_usec(e->value, &span);
        if (r == -EINVAL)
                return config_refuse(ret_why, e,
                                     "'%s' is no time span; write one as in 30, 90s or 1min 30s",
                                     e->value);
        if (r == -ERANGE)
                return out_of_bounds(e, min, max, or_infinity, ret_why);
        if (!(or_infinity && span == USEC_INFINITY) && (span < min || span > max))
                return out_of_bounds(e, min, max, or_infinity, ret_why);
        *ret = span;
        return 0;
}

int setting_keep_alive(ProfileLoader *l, const ConfigEntry *e) {
        usec_t span;
        int r;

        r = setting_parse_span(e, CONFIG_KEEP_ALIVE_MIN, CONFIG_KEEP_ALIVE_MAX, false, &span,
                               l->ret_why);
        if (r < 0)
                return r;
        if (span % USEC_PER_SEC != 0)
                return config_refuse(l->ret_why, e, "'%s': MQTT counts whole seconds", e->value);
        l->profile->keep_alive_sec = (unsigned) (span / USEC_PER_SEC);
        return 0;
}

int setting_connect_timeout(ProfileLoader *l, const ConfigEntry *e) {
        return setting_parse_span(e, CONFIG_TIMEOUT_MIN, CONFIG_TIMEOUT_MAX, false,
                                  &l->profile->connect_timeout_usec, l->ret_why);
}

int setting_response_timeout(ProfileLoader *l, const ConfigEntry *e) {
        return setting_parse_span(e, CONFIG_TIMEOUT_MIN, CONFIG_TIMEOUT_MAX, false,
                                  &l->profile->response_timeout_usec, l->ret_why);
}

int setting_deadline(ProfileLoader *l, const ConfigEntry *e) {
        return setting_parse_span(e, CONFIG_DEADLINE_MIN, CONFIG_DEADLINE_MAX, true,
                                  &l->profile->deadline_usec, l->ret_why);
}

int setting_cipher_list(ProfileLoader *l, const ConfigEntry *e) {
        _cleanup_failure_ Failure *failure = NULL;
        TlsCiphers ciphers;

        if (strlen(e->value) > CONFIG_CIPHER_LIST_MAX)
                return config_refuse(l->ret_why, e, "a list of more than %zu bytes",
                                     CONFIG_CIPHER_LIST_MAX);
        if (!tls_ciphers_parse(e->value, &ciphers, &failure))
                return config_refuse(l->ret_why, e, "%s", failure_message(failure));
        return set_string(&l->profile->cipher_list, e->value);
}

int setting_allow_users(ProfileLoader *l, const ConfigEntry *e) {
        return config_access_set_users(&l->profile->access, e, l->ret_why);
}

int setting_allow_groups(ProfileLoader *l, const ConfigEntry *e) {
        return config_access_set_groups(&l->profile->access, e, l->ret_why);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/profile.h"

#include <errno.h>

static const char *const provider_table[PROVIDER_MAX] = {
        [PROVIDER_AWS_IOT] = "aws-iot",
        [PROVIDER_AZURE_DPS] = "azure-dps",
};
DEFINE_STRING_TABLE(provider, Provider, PROVIDER_INVALID);

static const char *const payload_format_table[PAYLOAD_FORMAT_MAX] = {
        [PAYLOAD_FORMAT_JSON] = "json",
        [PAYLOAD_FORMAT_CBOR] = "cbor",
};
DEFINE_STRING_TABLE(payload_format, PayloadFormat, PAYLOAD_FORMAT_INVALID);

static const char *const authentication_table[AUTHENTICATION_MAX] = {
        [AUTHENTICATION_SYMMETRIC_KEY] = "symmetric-key",
        [AUTHENTICATION_GROUP_KEY] = "group-key",
        [AUTHENTICATION_X509] = "x509",
};
DEFINE_STRING_TABLE(authentication, Authentication, AUTHENTICATION_INVALID);

void dps_settings_done(DpsSettings *s) {
        free(s->id_scope);
        free(s->registration_id);
        free(s->registration_ids);
        free(s->symmetric_key);
        free(s->secondary_key);
        free(s->gateway_hostname);
        free(s->payload);
        free(s->default_payload);
        free(s->api_version);
        *s = (DpsSettings){};
}

Profile *profile_free(Profile *p) {
        if (!p)
                return NULL;
        free(p->name);
        free(p->endpoint);
        free(p->alpn);
        free(p->websocket_path);
        proxy_done(&p->proxy);
        free(p->trusted_certificates);
        free(p->certificate);
        free(p->private_key);
        free(p->private_key_password);
        free(p->pkcs11_module);
        free(p->private_key_pin);
        free(p->key_store);
        free(p->key_store_pin);
        free(p->template_name);
        free(p->rotation_template);
        parameters_done(&p->fixed_parameters);
        parameters_done(&p->default_parameters);
        free(p->client_id);
        free(p->verify_client_id);
        free(p->cipher_list);
        access_rule_done(&p->access);
        dps_settings_done(&p->dps);
        free(p->fingerprint);
        free(p);
        return NULL;
}

const char *profile_host(const Profile *p) {
        return p->dps.gateway_hostname ? p->dps.gateway_hostname : p->endpoint;
}

bool profile_uses_token(const Profile *p) {
        return p->pkcs11_module &&
               (p->key_store ||
                (p->private_key && strncmp(p->private_key, "pkcs11:", strlen("pkcs11:")) == 0));
}

int profile_copy_claim_source(const Profile *from, Profile *to) {
        to->provider = from->provider;
        if (free_and_strdup(&to->name, from->name) < 0 ||
            free_and_strdup(&to->trusted_certificates, from->trusted_certificates) < 0 ||
            free_and_strdup(&to->certificate, from->certificate) < 0 ||
            free_and_strdup(&to->private_key, from->private_key) < 0 ||
            free_and_strdup(&to->private_key_password, from->private_key_password) < 0 ||
            free_and_strdup(&to->dps.registration_id, from->dps.registration_id) < 0 ||
            free_and_strdup(&to->pkcs11_module, from->pkcs11_module) < 0 ||
            free_and_strdup(&to->private_key_pin, from->private_key_pin) < 0 ||
            free_and_strdup(&to->key_store, from->key_store) < 0 ||
            free_and_strdup(&to->key_store_pin, from->key_store_pin) < 0 ||
            free_and_strdup(&to->dps.symmetric_key, from->dps.symmetric_key) < 0 ||
            free_and_strdup(&to->dps.secondary_key, from->dps.secondary_key) < 0)
                return -ENOMEM;
        return proxy_copy(&from->proxy, &to->proxy);
}

/* All but what a single registration brings. */
static bool same_login(const DpsSettings *a, const DpsSettings *b) {
        return streq_ptr(a->id_scope, b->id_scope) &&
               streq_ptr(a->registration_id, b->registration_id) &&
               streq_ptr(a->registration_ids, b->registration_ids) &&
               a->authentication == b->authentication &&
               streq_ptr(a->symmetric_key, b->symmetric_key) &&
               streq_ptr(a->secondary_key, b->secondary_key) &&
               streq_ptr(a->gateway_hostname, b->gateway_hostname) &&
               streq_ptr(a->api_version, b->api_version);
}

bool profile_same_connection(const Profile *a, const Profile *b) {
        /* Template and payload format are part of it: the topics that a session has subscribed to
         * carry both. What a single job is given (parameters, key type, deadlines, access) is not.
         */
        return a->provider == b->provider && streq_ptr(a->endpoint, b->endpoint) &&
               a->port == b->port && streq_ptr(a->alpn, b->alpn) &&
               streq_ptr(a->websocket_path, b->websocket_path) &&
               proxy_equal(&a->proxy, &b->proxy) &&
               streq_ptr(a->trusted_certificates, b->trusted_certificates) &&
               streq_ptr(a->certificate, b->certificate) &&
               streq_ptr(a->private_key, b->private_key) &&
               streq_ptr(a->private_key_password, b->private_key_password) &&
               streq_ptr(a->pkcs11_module, b->pkcs11_module) &&
               streq_ptr(a->private_key_pin, b->private_key_pin) &&
               streq_ptr(a->key_store, b->key_store) &&
               streq_ptr(a->key_store_pin, b->key_store_pin) &&
               streq_ptr(a->template_name, b->template_name) &&
               a->payload_format == b->payload_format && streq_ptr(a->client_id, b->client_id) &&
               a->keep_alive_sec == b->keep_alive_sec &&
               a->connect_timeout_usec == b->connect_timeout_usec &&
               streq_ptr(a->cipher_list, b->cipher_list) && same_login(&a->dps, &b->dps);
}

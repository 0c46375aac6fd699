/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-profile.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <systemd/sd-id128.h>

#include "daemon/base/log.h"
#include "daemon/config/config-setting.h"
#include "daemon/crypto/digest.h"
#include "protocol/ipc/limits.h"

/* What the machine id is hashed with for the client id: an id of this program, made once
 * (machine-id(5): the id itself is not to be shown on a network). */
#define CLIENT_ID_APPLICATION \
        SD_ID128_MAKE(7d, 3e, 0b, 64, 52, c1, 4e, 0f, 9a, 35, d8, 6e, 21, fb, 70, 9c)

/* Every key of [Profile NAME]. */
static const struct ProfileKey {
        const char *name; /* with a '.' at the end: the beginning of a name */
        ProfileSetter set;
        Provider only; /* the only one that has it; PROVIDER_MAX: any */
} keys[] = {
        {"Provider", setting_provider, PROVIDER_MAX},
        {"Endpoint", setting_endpoint, PROVIDER_MAX},
        {"Port", setting_port, PROVIDER_MAX},
        {"Transport", setting_transport, PROVIDER_MAX},
        {"TrustedCertificates", setting_trusted_certificates, PROVIDER_MAX},
        {"Certificate", setting_certificate, PROVIDER_MAX},
        {"PrivateKey", setting_private_key, PROVIDER_MAX},
        {"PrivateKeyPassword", setting_private_key_password, PROVIDER_MAX},
        {"Pkcs11Module", setting_pkcs11_module, PROVIDER_MAX},
        {"Template", setting_template, PROVIDER_AWS_IOT},
        {"RotationTemplate", setting_rotation_template, PROVIDER_AWS_IOT},
        {"PayloadFormat", setting_payload_format, PROVIDER_AWS_IOT},
        {"Parameter.", setting_parameter, PROVIDER_AWS_IOT},
        {"DefaultParameter.", setting_default_parameter, PROVIDER_AWS_IOT},
        {"KeyType", setting_key_type, PROVIDER_MAX},
        {"KeySource", setting_key_source, PROVIDER_MAX},
        {"KeyStore", setting_key_store, PROVIDER_MAX},
        {"VerifyCertificate", setting_verify_certificate, PROVIDER_AWS_IOT},
        {"VerifyClientId", setting_verify_client_id, PROVIDER_AWS_IOT},
        {"ClientId", setting_client_id, PROVIDER_AWS_IOT},
        {"KeepAliveSec", setting_keep_alive, PROVIDER_MAX},
        {"ConnectTimeoutSec", setting_connect_timeout, PROVIDER_MAX},
        {"ResponseTimeoutSec", setting_response_timeout, PROVIDER_MAX},
        {"DeadlineSec", setting_deadline, PROVIDER_MAX},
        {"Proxy", setting_proxy, PROVIDER_MAX},
        {"ProxyCredentials", setting_proxy_credentials, PROVIDER_MAX},
        {"CipherList", setting_cipher_list, PROVIDER_MAX},
        {"AllowUsers", setting_allow_users, PROVIDER_MAX},
        {"AllowGroups", setting_allow_groups, PROVIDER_MAX},
        {"IdScope", setting_id_scope, PROVIDER_AZURE_DPS},
        {"RegistrationId", setting_registration_id, PROVIDER_AZURE_DPS},
        {"RegistrationIds", setting_registration_ids, PROVIDER_AZURE_DPS},
        {"Authentication", setting_authentication, PROVIDER_AZURE_DPS},
        {"SymmetricKey", setting_symmetric_key, PROVIDER_AZURE_DPS},
        {"SecondaryKey", setting_secondary_key, PROVIDER_AZURE_DPS},
        {"GatewayHostname", setting_gateway_hostname, PROVIDER_AZURE_DPS},
        {"Payload", setting_payload, PROVIDER_AZURE_DPS},
        {"DefaultPayload", setting_default_payload, PROVIDER_AZURE_DPS},
        {"ApiVersion", setting_api_version, PROVIDER_AZURE_DPS},
};

static bool is_prefix(const struct ProfileKey *key) {
        return key->name[strlen(key->name) - 1] == '.';
}

static const struct ProfileKey *find_key(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (is_prefix(keys + i) ? strncmp(name, keys[i].name, strlen(keys[i].name)) == 0
                                        : streq(name, keys[i].name))
                        return keys + i;
        return NULL;
}

static int refuse_unknown(const ConfigEntry *e, char **ret_why) {
        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (strncasecmp(e->key, keys[i].name,
                                is_prefix(keys + i) ? strlen(keys[i].name) : SIZE_MAX) == 0)
                        return config_refuse(ret_why, e, "no such key; it is written %s%s",
                                             keys[i].name, is_prefix(keys + i) ? "NAME=" : "=");
        return config_refuse(ret_why, e,
                             "no such key in this section; fleetprovd.conf(5) lists them");
}

static int apply(ProfileLoader *l, const ConfigEntry *e) {
        const struct ProfileKey *key = find_key(e->key);

        if (!key)
                return refuse_unknown(e, l->ret_why);
        /* "Key=" goes back to the default. An empty text is something for a parameter alone. */
        if (!e->value || (e->value[0] == '\0' && !is_prefix(key)))
                return 0;
        if (key->only != PROVIDER_MAX && l->profile->provider != PROVIDER_INVALID &&
            l->profile->provider != key->only)
                return config_refuse(l->ret_why, e,
                                     "belongs to Provider=%s, and this profile is of %s; take the "
                                     "key out",
                                     provider_to_string(key->only),
                                     provider_to_string(l->profile->provider));
        return key->set(l, e);
}

static int apply_all(ProfileLoader *l, const ConfigTree *t, const char *section) {
        const ConfigEntry *provider = config_tree_find(t, section, "Provider");
        int r;

        /* The provider first: it says which keys the section may have. */
        r = provider ? apply(l, provider) : 0;
        for (size_t i = 0; r >= 0 && i < t->n_entries; i++)
                if (streq(t->entries[i].section, section))
                        r = apply(l, t->entries + i);
        return r;
}

static Profile *profile_with_defaults(const char *name) {
        _cleanup_profile_ Profile *p = calloc(1, sizeof(Profile));

        if (!p || free_and_strdup(&p->name, name) < 0)
                return NULL;
        p->provider = PROVIDER_INVALID;
        p->payload_format = PAYLOAD_FORMAT_JSON;
        p->key_type = KEY_TYPE_EC_P256;
        p->key_source = KEY_SOURCE_DAEMON;
        p->keep_alive_sec = (unsigned) (CONFIG_KEEP_ALIVE_DEFAULT / USEC_PER_SEC);
        p->connect_timeout_usec = CONFIG_TIMEOUT_DEFAULT;
        p->response_timeout_usec = CONFIG_TIMEOUT_DEFAULT;
        p->deadline_usec = USEC_INFINITY;
        /* AllowUsers=root */
        p->access.uids = calloc(1, sizeof(uid_t));
        if (!p->access.uids)
                return NULL;
        p->access.n_uids = 1;
        return TAKE_PTR(p);
}

static int check_required(const Profile *p, const ConfigSection *section, char **ret_why) {
        const char *missing = p->provider == PROVIDER_INVALID ? "Provider=aws-iot"
                              : !p->endpoint                  ? "Endpoint=HOST"
                                                              : NULL;

        /* A device without a key or certificate of its own is told by setting_complete_azure(). */
        if (!missing && p->provider == PROVIDER_AWS_IOT)
                missing = !p->certificate   ? "Certificate=FILE (of the claim)"
                          : !p->private_key ? "PrivateKey=FILE (of the claim)"
                                            : NULL;
        if (!missing)
                return 0;
        return config_refuse_at(ret_why, section->place, section->name, "%.*s= is missing; add %s",
                                (int) strcspn(missing, "="), missing, missing);
}

/* A parameter that is fixed has no default. */
static void drop_hidden_defaults(Profile *p) {
        Parameters *d = &p->default_parameters;
        size_t kept = 0;

        for (size_t i = 0; i < d->n; i++) {
                if (parameters_get(&p->fixed_parameters, d->items[i].name)) {
                        free(d->items[i].name);
                        free(d->items[i].value);
                        continue;
                }
                d->items[kept++] = d->items[i];
        }
        d->n = kept;
}

static int default_client_id(Profile *p) {
        char id[SD_ID128_STRING_MAX];
        sd_id128_t machine;
        int r;

        r = sd_id128_get_machine_app_specific(CLIENT_ID_APPLICATION, &machine);
        if (r < 0) {
                /* Two gateways with one client id throw each other off for ever: a random one is
                 * better than one of the host name, of which a fleet may have many. */
                log_warning("Profile %s: this machine has no id (%s), so its client id is random; "
                            "run systemd-machine-id-setup, or set ClientId=",
                            p->name, strerrordesc_np(-r));
                r = sd_id128_randomize(&machine);
                if (r < 0)
                        return r;
        }
        sd_id128_to_string(machine, id);
        if (asprintf(&p->client_id, "fleetprovd-%s-%s", id, p->name) < 0) {
                p->client_id = NULL;
                return -ENOMEM;
        }
        return 0;
}

/* Over name, provider, endpoint, port and template or scope, with a line's end behind each: none of
 * them can have one. */
static int make_fingerprint(Profile *p) {
        _cleanup_free_ char *text = NULL;
        _cleanup_free_ char *fingerprint = NULL;
        const char *place = p->provider == PROVIDER_AZURE_DPS ? p->dps.id_scope : p->template_name;
        int r;

        if (asprintf(&text, "%s\n%s\n%s\n%u\n%s\n", p->name, provider_to_string(p->provider),
                     p->endpoint, p->port, place ? place : "") < 0) {
                text = NULL;
                return -ENOMEM;
        }
        fingerprint = malloc(DIGEST_SHA256_HEX + 1);
        if (!fingerprint)
                return -ENOMEM;
        r = digest_sha256_hex(text, strlen(text), fingerprint);
        if (r < 0)
                return r;
        p->fingerprint = TAKE_PTR(fingerprint);
        return 0;
}

static int finish_transport(Profile *p, bool websocket) {
        const bool aws = p->provider == PROVIDER_AWS_IOT;

        if (p->port == 0)
                p->port = websocket ? CONFIG_PORT_HTTPS : CONFIG_PORT_DEFAULT;
        if (websocket)
                return free_and_strdup(&p->websocket_path, aws ? CONFIG_WEBSOCKET_PATH_AWS
                                                               : CONFIG_WEBSOCKET_PATH_AZURE);
        if (aws && p->port == CONFIG_PORT_HTTPS)
                return free_and_strdup(&p->alpn, CONFIG_ALPN_MQTT);
        return 0;
}

static int finish(Profile *p, bool websocket) {
        int r;

        drop_hidden_defaults(p);
        r = finish_transport(p, websocket);
        if (r < 0)
                return r;
        r = p->client_id ? 0 : default_client_id(p);
        return r < 0 ? r : make_fingerprint(p);
}

int config_profile_load(const ConfigTree *t, const ConfigSection *section,
                        const Specifiers *specifiers, Profile **ret, char **ret_why) {
        const char *name = section->name + strlen(CONFIG_PROFILE_SECTION);
        _cleanup_profile_ Profile *p = NULL;
        ProfileLoader l = {.specifiers = specifiers, .ret_why = ret_why};
        int r;

        if (!ipc_profile_name_is_valid(name))
                return config_refuse_at(ret_why, section->place, section->name,
                                        "'%s' is no name of a profile: 1 to %zu letters, digits, "
                                        "'_' and '-'",
                                        name, IPC_PROFILE_NAME_MAX);
        p = l.profile = profile_with_defaults(name);
        if (!p)
                return -ENOMEM;
        r = apply_all(&l, t, section->name);
        if (r < 0)
                return r;
        r = check_required(p, section, ret_why);
        if (r < 0)
                return r;
        r = setting_complete_proxy(&l, t, section);
        if (r >= 0 && p->provider == PROVIDER_AZURE_DPS)
                r = setting_complete_azure(&l, t, section);
        if (r >= 0)
                r = setting_complete_tokens(&l, t, section);
        if (r < 0)
                return r;
        r = finish(p, l.websocket);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

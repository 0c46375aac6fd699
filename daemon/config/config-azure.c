/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The keys that a profile of Provider=azure-dps has beside the rest, and what they must be
 * together: who the device is (a registration id, fixed or brought by the job), and how it shows
 * that (a symmetric key, a group's key, or a certificate), each of them once. */

#include "daemon/config/config-setting.h"

#include <errno.h>

#include "protocol/dps/name.h"
#include "protocol/dps/request.h"
#include "protocol/ipc/limits.h"

#define GLOB_MAX ((size_t) 256)
#define GLOB_CHARACTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._:*?[]!"

/* Puts the specifiers in. */
static int expand(ProfileLoader *l, const ConfigEntry *e, char **ret) {
        _cleanup_free_ char *why = NULL;
        int r;

        r = specifiers_expand(l->specifiers, e->value, ret, &why);
        if (r == -EINVAL && why)
                return config_refuse(l->ret_why, e, "%s", why);
        return r;
}

int setting_id_scope(ProfileLoader *l, const ConfigEntry *e) {
        if (!dps_id_scope_is_valid(e->value))
                return config_refuse(l->ret_why, e,
                                     "'%s' is no ID scope: copy it from the overview of the "
                                     "provisioning service, as in 0ne00000000",
                                     e->value);
        return free_and_strdup(&l->profile->dps.id_scope, e->value);
}

int setting_registration_id(ProfileLoader *l, const ConfigEntry *e) {
        _cleanup_free_ char *id = NULL;
        int r;

        r = expand(l, e, &id);
        if (r < 0)
                return r;
        if (!dps_registration_id_is_valid(id))
                return config_refuse(l->ret_why, e,
                                     "'%s' is no registration id: 1 to %zu letters, digits, '-', "
                                     "'.', '_' and ':', and at the end a letter, a digit or '-'",
                                     id, DPS_REGISTRATION_ID_MAX);
        return free_and_strdup(&l->profile->dps.registration_id, id);
}

int setting_registration_ids(ProfileLoader *l, const ConfigEntry *e) {
        if (strlen(e->value) > GLOB_MAX || e->value[strspn(e->value, GLOB_CHARACTERS)] != '\0')
                return config_refuse(l->ret_why, e,
                                     "'%s' is no pattern of registration ids: up to %zu of their "
                                     "characters, and '*', '?' and '[…]', as in sensor-*",
                                     e->value, GLOB_MAX);
        return free_and_strdup(&l->profile->dps.registration_ids, e->value);
}

int setting_authentication(ProfileLoader *l, const ConfigEntry *e) {
        Authentication a = authentication_from_string(e->value);

        if (a == AUTHENTICATION_INVALID)
                return config_refuse(l->ret_why, e,
                                     "'%s' shows nobody who it is; write symmetric-key, group-key "
                                     "or x509",
                                     e->value);
        l->profile->dps.authentication = a;
        return 0;
}

int setting_symmetric_key(ProfileLoader *l, const ConfigEntry *e) {
        return setting_set_path(l, e, &l->profile->dps.symmetric_key);
}

int setting_secondary_key(ProfileLoader *l, const ConfigEntry *e) {
        return setting_set_path(l, e, &l->profile->dps.secondary_key);
}

int setting_gateway_hostname(ProfileLoader *l, const ConfigEntry *e) {
        return setting_set_host(l, e, &l->profile->dps.gateway_hostname);
}

static int set_payload(ProfileLoader *l, const ConfigEntry *e, char **field) {
        _cleanup_free_ char *payload = NULL, *why = NULL;
        int r;

        r = expand(l, e, &payload);
        if (r < 0)
                return r;
        if (strlen(payload) > IPC_PAYLOAD_MAX)
                return config_refuse(l->ret_why, e, "a payload of more than %zu bytes",
                                     IPC_PAYLOAD_MAX);
        r = dps_payload_check(payload, &why);
        if (r == -EINVAL && why)
                return config_refuse(l->ret_why, e, "%s", why);
        if (r < 0)
                return r;
        return free_and_strdup(field, payload);
}

int setting_payload(ProfileLoader *l, const ConfigEntry *e) {
        return set_payload(l, e, &l->profile->dps.payload);
}

int setting_default_payload(ProfileLoader *l, const ConfigEntry *e) {
        return set_payload(l, e, &l->profile->dps.default_payload);
}

int setting_api_version(ProfileLoader *l, const ConfigEntry *e) {
        if (!dps_api_version_is_valid(e->value))
                return config_refuse(l->ret_why, e,
                                     "'%s' is no version; write one such as %s or "
                                     "2025-07-01-preview",
                                     e->value, DPS_API_VERSION_DEFAULT);
        return free_and_strdup(&l->profile->dps.api_version, e->value);
}

/* What is missing, as "Key=EXAMPLE"; NULL: nothing. */
static const char *find_missing(const Profile *p) {
        const DpsSettings *s = &p->dps;

        if (!s->id_scope)
                return "IdScope=0ne00000000";
        if (!s->registration_id && !s->registration_ids)
                return "RegistrationId=ID, or RegistrationIds=GLOB for jobs to bring one";
        if (s->authentication != AUTHENTICATION_X509)
                return s->symmetric_key ? NULL : "SymmetricKey=FILE";
        if (!p->certificate)
                return "Certificate=FILE (of the device)";
        return p->private_key ? NULL : "PrivateKey=FILE (of the device)";
}

/* A key that another one makes pointless is more likely a mistake than meant. */
static int refuse_pointless(ProfileLoader *l, const ConfigTree *t, const char *section,
                            const char *key, const char *because) {
        return config_refuse(l->ret_why, config_tree_find(t, section, key),
                             "does not go with %s; take one of them out", because);
}

int setting_complete_azure(ProfileLoader *l, const ConfigTree *t, const ConfigSection *section) {
        Profile *p = l->profile;
        const char *missing = find_missing(p);
        bool x509 = p->dps.authentication == AUTHENTICATION_X509;

        if (missing)
                return config_refuse_at(l->ret_why, section->place, section->name,
                                        "%.*s= is missing; add %s", (int) strcspn(missing, "="),
                                        missing, missing);
        if (p->dps.registration_id && p->dps.registration_ids)
                return refuse_pointless(l, t, section->name, "RegistrationIds", "RegistrationId=");
        if (p->key_source == KEY_SOURCE_CLOUD)
                return config_refuse(l->ret_why, config_tree_find(t, section->name, "KeySource"),
                                     "DPS makes no keys; write daemon, or take the key out");
        if (p->dps.payload && p->dps.default_payload)
                return refuse_pointless(l, t, section->name, "DefaultPayload", "Payload=");
        if (x509 && p->dps.symmetric_key)
                return refuse_pointless(l, t, section->name, "SymmetricKey", "Authentication=x509");
        if (x509 && p->dps.secondary_key)
                return refuse_pointless(l, t, section->name, "SecondaryKey", "Authentication=x509");
        if (!x509 && p->certificate)
                return refuse_pointless(l, t, section->name, "Certificate",
                                        "a symmetric key (Authentication=x509 is for it)");
        if (!x509 && p->private_key)
                return refuse_pointless(l, t, section->name, "PrivateKey",
                                        "a symmetric key (Authentication=x509 is for it)");
        if (p->dps.api_version)
                return 0;
        return free_and_strdup(&p->dps.api_version, DPS_API_VERSION_DEFAULT);
}

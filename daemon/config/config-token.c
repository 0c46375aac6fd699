/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The keys of a profile that are about PKCS#11 tokens.
 *
 * A PIN is read from a file or a credential: the one that pin-source in the URI names, or else that
 * of PrivateKeyPassword=. The latter suffices where one token has all; a second token, or a claim
 * whose file is encrypted beside a key store, wants pin-source. */

#include <errno.h>

#include "daemon/config/config-profile.h"
#include "daemon/config/config-setting.h"
#include "daemon/config/config-value.h"
#include "daemon/config/secret-path.h"
#include "daemon/crypto/pkcs11-uri.h"
#include "protocol/dps/name.h"

static int set_uri(ProfileLoader *l, const ConfigEntry *e, Pkcs11UriUse use, char **field) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = NULL;
        _cleanup_free_ char *why = NULL;
        int r;

        r = pkcs11_uri_parse(e->value, use, &u, &why);
        if (r == -EINVAL)
                return config_refuse(l->ret_why, e, "%s", why ? why : "no PKCS#11 URI");
        if (r < 0)
                return r;
        return free_and_strdup(field, e->value);
}

int setting_set_key_uri(ProfileLoader *l, const ConfigEntry *e, char **field) {
        return set_uri(l, e, PKCS11_URI_KEY, field);
}

int setting_pkcs11_module(ProfileLoader *l, const ConfigEntry *e) {
        if (e->value[0] != '/' || strlen(e->value) > CONFIG_PATH_MAX)
                return config_refuse(l->ret_why, e,
                                     "'%s' is no absolute path; write one such as "
                                     "/usr/lib/softhsm/libsofthsm2.so",
                                     e->value);
        return free_and_strdup(&l->profile->pkcs11_module, e->value);
}

int setting_key_store(ProfileLoader *l, const ConfigEntry *e) {
        return set_uri(l, e, PKCS11_URI_STORE, &l->profile->key_store);
}

/* Where the PIN of this URI is: *ret is NULL where nothing says so. */
static int find_pin(ProfileLoader *l, const ConfigEntry *e, Pkcs11UriUse use, char **ret) {
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = NULL;
        ConfigEntry source = *e;
        int r;

        r = pkcs11_uri_parse(e->value, use, &u, NULL);
        if (r < 0)
                return r;
        if (!u->pin_source)
                return free_and_strdup(ret, l->profile->private_key_password);
        source.value = u->pin_source;
        return setting_set_path(l, &source, ret);
}

static int refuse(ProfileLoader *l, const ConfigTree *t, const ConfigSection *section,
                  const char *key, const char *text) {
        return config_refuse(l->ret_why, config_tree_find(t, section->name, key), "%s", text);
}

int setting_complete_tokens(ProfileLoader *l, const ConfigTree *t, const ConfigSection *section) {
        Profile *p = l->profile;
        const bool key = p->private_key && pkcs11_uri_is_one(p->private_key);
        int r = 0;

        if ((key || p->key_store) && !p->pkcs11_module)
                return refuse(l, t, section, key ? "PrivateKey" : "KeyStore",
                              "a token is reached through a module; name it with Pkcs11Module=");
        if (p->key_store && p->key_source == KEY_SOURCE_CLOUD)
                return refuse(l, t, section, "KeyStore",
                              "does not go with KeySource=cloud: a key that the cloud made cannot "
                              "be made in a token; take one of them out");
        if (p->key_store && p->provider == PROVIDER_AZURE_DPS &&
            dps_issuance_of_version(p->dps.api_version) == DPS_ISSUANCE_NONE)
                return refuse(l, t, section, "KeyStore",
                              "goes with a certificate, and this profile has none issued; set "
                              "ApiVersion= to a version that does, or take it out");
        if (key)
                r = find_pin(l, config_tree_find(t, section->name, "PrivateKey"), PKCS11_URI_KEY,
                             &p->private_key_pin);
        if (r >= 0 && p->key_store)
                r = find_pin(l, config_tree_find(t, section->name, "KeyStore"), PKCS11_URI_STORE,
                             &p->key_store_pin);
        return r;
}

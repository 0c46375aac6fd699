/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How a job's device names itself to DPS, and the token that shows it holds the key. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/crypto/sas.h"
#include "daemon/provider/dps-internal.h"
#include "protocol/base/wipe.h"
#include "protocol/dps/login.h"

#define CLIENT_VERSION "fleetprovd/" PROJECT_VERSION

static const char *id_of(const Registrar *r) {
        return registrar_id_of(r->profile, r->job->spec);
}

/* The registration's own key: the profile's, or what comes of the group's. */
static int own_key(const Registrar *r, Secret **ret) {
        const Secret *key = r->job->run->assignment.secondary ? r->secondary_key : r->symmetric_key;
        Secret *copy;

        if (!key)
                return -ENOKEY;
        if (r->profile->dps.authentication == AUTHENTICATION_GROUP_KEY)
                return sas_key_derive(key, id_of(r), ret);
        copy = secret_copy(key);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

int dps_login_own_key(const Registrar *r, Secret **ret) {
        _cleanup_secret_ Secret *key = NULL;
        int k;

        if (r->profile->dps.authentication != AUTHENTICATION_GROUP_KEY) {
                *ret = NULL;
                return 0;
        }
        k = own_key(r, &key);
        return k < 0 ? k : sas_key_write(key, ret);
}

static int make_token(const Registrar *r, Secret **ret) {
        uint64_t expiry = clock_real_usec() / USEC_PER_SEC + DPS_TOKEN_LIFETIME_SEC;
        _cleanup_secret_ Secret *key = NULL, *signature = NULL;
        _cleanup_free_ char *resource = NULL, *text = NULL;
        char *token;
        Secret *secret;
        int k;

        k = dps_sas_resource(r->profile->dps.id_scope, id_of(r), &resource);
        if (k >= 0)
                k = dps_sas_text(resource, expiry, &text);
        if (k >= 0)
                k = own_key(r, &key);
        if (k >= 0)
                k = sas_sign(key, text, &signature);
        if (k >= 0)
                k = dps_sas_token(resource, expiry, secret_text(signature), &token);
        if (k < 0)
                return k;
        secret = secret_new(token, strlen(token));
        protocol_wipe_free(token);
        if (!secret)
                return -ENOMEM;
        *ret = secret;
        return 0;
}

int dps_login_make(const Registrar *r, char **ret_user_name, Secret **ret_password) {
        const DpsSettings *s = &r->profile->dps;
        _cleanup_secret_ Secret *password = NULL;
        int k;

        if (s->authentication != AUTHENTICATION_X509) {
                k = make_token(r, &password);
                if (k < 0)
                        return k;
        }
        k = dps_user_name(s->id_scope, id_of(r), s->api_version, CLIENT_VERSION, ret_user_name);
        if (k < 0)
                return k;
        *ret_password = TAKE_PTR(password);
        return 0;
}

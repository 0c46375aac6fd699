/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dps/login.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/scope.h"
#include "protocol/base/wipe.h"
#include "protocol/dps/name.h"
#include "protocol/dps/url.h"

/* The name of the policy by which a device registers. */
#define POLICY "registration"

static void wipe_freep(char **p) {
        protocol_wipe_free(*p);
}

int dps_user_name(const char *id_scope, const char *registration_id, const char *api_version,
                  const char *client_version, char **ret) {
        _cleanup_(protocol_freep) char *encoded = NULL;
        char *name;
        int n;

        if (!dps_id_scope_is_valid(id_scope) || !dps_registration_id_is_valid(registration_id) ||
            !dps_api_version_is_valid(api_version))
                return -EINVAL;
        if (client_version) {
                if (strlen(client_version) > DPS_CLIENT_VERSION_MAX)
                        return -EINVAL;
                encoded = dps_url_encode(client_version);
                if (!encoded)
                        return -ENOMEM;
        }
        n = asprintf(&name, "%s/registrations/%s/api-version=%s%s%s", id_scope, registration_id,
                     api_version, encoded ? "&ClientVersion=" : "", encoded ? encoded : "");
        if (n < 0)
                return -ENOMEM;
        *ret = name;
        return 0;
}

int dps_sas_resource(const char *id_scope, const char *registration_id, char **ret) {
        _cleanup_(protocol_freep) char *plain = NULL;
        char *encoded;

        if (!dps_id_scope_is_valid(id_scope) || !dps_registration_id_is_valid(registration_id))
                return -EINVAL;
        if (asprintf(&plain, "%s/registrations/%s", id_scope, registration_id) < 0) {
                plain = NULL;
                return -ENOMEM;
        }
        encoded = dps_url_encode(plain);
        if (!encoded)
                return -ENOMEM;
        *ret = encoded;
        return 0;
}

int dps_sas_text(const char *resource, uint64_t expiry, char **ret) {
        char *text;

        if (asprintf(&text, "%s\n%" PRIu64, resource, expiry) < 0)
                return -ENOMEM;
        *ret = text;
        return 0;
}

int dps_sas_token(const char *resource, uint64_t expiry, const char *signature, char **ret) {
        static const char form[] = "SharedAccessSignature sr=%s&sig=%s&se=%" PRIu64 "&skn=" POLICY;
        _cleanup_(wipe_freep) char *encoded = NULL;
        size_t size;
        char *token;

        if (signature[0] == '\0' || strlen(signature) > DPS_SIGNATURE_MAX)
                return -EINVAL;
        encoded = dps_url_encode(signature);
        if (!encoded)
                return -ENOMEM;
        /* Not by asprintf(): its buffer grows, and leaves copies behind. */
        size = sizeof(form) + strlen(resource) + strlen(encoded) + sizeof("18446744073709551615");
        token = malloc(size);
        if (!token)
                return -ENOMEM;
        (void) snprintf(token, size, form, resource, encoded, expiry);
        *ret = token;
        return 0;
}

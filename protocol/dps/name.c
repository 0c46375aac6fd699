/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dps/name.h"

#include <string.h>
#include <strings.h>

/* Not isalnum(): what a name is must not depend on the locale. */
#define ALPHANUMERICS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char *const dps_issuance_table[DPS_ISSUANCE_MAX] = {
        [DPS_ISSUANCE_NONE] = "none",
        [DPS_ISSUANCE_CERTIFICATE] = "certificate",
        [DPS_ISSUANCE_CHAIN] = "chain",
};
DEFINE_STRING_TABLE(dps_issuance, DpsIssuance, DPS_ISSUANCE_INVALID);

bool dps_registration_id_is_valid(const char *id) {
        size_t n;

        if (!id)
                return false;
        n = strspn(id, ALPHANUMERICS "-._:");
        return n > 0 && n <= DPS_REGISTRATION_ID_MAX && id[n] == '\0' &&
               strchr(ALPHANUMERICS "-", id[n - 1]);
}

bool dps_registration_id_equal(const char *a, const char *b) {
        return a && b && strcasecmp(a, b) == 0;
}

bool dps_id_scope_is_valid(const char *scope) {
        size_t n;

        if (!scope)
                return false;
        n = strspn(scope, ALPHANUMERICS "._-");
        return n > 0 && n <= DPS_ID_SCOPE_MAX && scope[n] == '\0';
}

bool dps_api_version_is_valid(const char *version) {
        static const char form[] = "dddd-dd-dd";

        if (!version)
                return false;
        for (size_t i = 0; i < sizeof(form) - 1; i++)
                if (form[i] == 'd' ? version[i] < '0' || version[i] > '9' : version[i] != form[i])
                        return false;
        version += sizeof(form) - 1;
        return version[0] == '\0' || strcmp(version, "-preview") == 0;
}

DpsIssuance dps_issuance_of_version(const char *version) {
        if (version && strcmp(version, "2021-11-01-preview") == 0)
                return DPS_ISSUANCE_CERTIFICATE;
        if (version && strcmp(version, "2025-07-01-preview") == 0)
                return DPS_ISSUANCE_CHAIN;
        return DPS_ISSUANCE_NONE;
}

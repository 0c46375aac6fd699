/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The names by which a device is known to the Azure Device Provisioning Service, and the versions
 * of its protocol. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "protocol/ipc/limits.h"
#include "protocol/ipc/string-table.h"

#define DPS_REGISTRATION_ID_MAX IPC_REGISTRATION_ID_MAX
/* "0ne" and eight hex digits at Azure; its form is published nowhere. */
#define DPS_ID_SCOPE_MAX ((size_t) 64)
#define DPS_API_VERSION_MAX ((size_t) 32)

/* What Azure's own SDK for Python asks for, and the reference of the MQTT interface has. */
#define DPS_API_VERSION_DEFAULT "2019-03-31"

/* 1 to 128 of [0-9A-Za-z._:-], the last a letter, a digit or '-' ("IoT Hub Device Provisioning
 * Service terminology", registration ID). Case does not count to the service. Both are false for
 * NULL. */
bool dps_registration_id_is_valid(const char *id);
bool dps_registration_id_equal(const char *a, const char *b);

/* 1 to 64 of [0-9A-Za-z._-]. False for NULL. */
bool dps_id_scope_is_valid(const char *scope);

/* A date, or a date and "-preview", as "2019-03-31". False for NULL. */
bool dps_api_version_is_valid(const char *version);

/* How certificates are issued along with a registration; two previews, two ways. */
typedef enum DpsIssuance {
        DPS_ISSUANCE_NONE,
        DPS_ISSUANCE_CERTIFICATE, /* 2021-11-01-preview: one PEM text each way */
        DPS_ISSUANCE_CHAIN,       /* 2025-07-01-preview: base64 of DER each way, a list back */
        DPS_ISSUANCE_MAX,
        DPS_ISSUANCE_INVALID = -EINVAL,
} DpsIssuance;
DECLARE_STRING_TABLE(dps_issuance, DpsIssuance); /* "none", "certificate", "chain" */

/* DPS_ISSUANCE_NONE for all other versions; NULL is DPS_API_VERSION_DEFAULT. */
DpsIssuance dps_issuance_of_version(const char *version);

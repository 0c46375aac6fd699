/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How a device names itself to DPS, and shows that it holds a key: user name and shared access
 * signature. Pure text: who computes HMACs is not known here ("Control access to DPS with shared
 * access signatures"; the device's own form is in "Symmetric key attestation"). */

#include <stddef.h>
#include <stdint.h>

#define DPS_CLIENT_VERSION_MAX ((size_t) 256)
#define DPS_SIGNATURE_MAX ((size_t) 128) /* base64 of HMAC-SHA-256 has 44 */

/* All of these: -EINVAL: a name is out of its rules (name.h) or bounds; -ENOMEM. free() it. */

/* "{scope}/registrations/{id}/api-version={version}&ClientVersion={encoded}". `client_version` may
 * be NULL: it is left out. */
int dps_user_name(const char *id_scope, const char *registration_id, const char *api_version,
                  const char *client_version, char **ret);

/* What the token is for, "{scope}/registrations/{id}", percent-encoded. */
int dps_sas_resource(const char *id_scope, const char *registration_id, char **ret);

/* The bytes that HMAC-SHA-256 is computed over: exactly the encoded resource that the token will
 * hold, a newline, and the expiry in seconds of the Unix epoch. */
int dps_sas_text(const char *resource, uint64_t expiry, char **ret);

/* The token: the MQTT password. `signature` is the HMAC in base64. Wipe it with
 * protocol_wipe_free(): until its expiry it opens the door. */
int dps_sas_token(const char *resource, uint64_t expiry, const char *signature, char **ret);

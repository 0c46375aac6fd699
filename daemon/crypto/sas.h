/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Symmetric keys of Azure DPS: how they are written, derived and signed with. HMAC is that of RFC
 * 2104 with SHA-256; base64 that of RFC 4648, section 4, with padding. The text that is signed is
 * made in protocol/dps/login.h. */

#include "daemon/base/macro.h"
#include "daemon/base/secret.h"

/* Of a key before base64 (azure-iot-device, create_from_symmetric_key). */
#define SAS_KEY_MIN ((size_t) 16)
#define SAS_KEY_MAX ((size_t) 64)
/* Of its text: base64 of the longest key, and room for a line's end and some space. */
#define SAS_KEY_TEXT_MAX ((size_t) 128)

/* base64, as the portal shows it, to the key's bytes. White space around it is left out. -EINVAL:
 * it is no base64, or of too few or too many bytes, and `*ret_why` (see crypto.h) says which and
 * how to mend it. -ENOMEM. */
int sas_key_read(const Secret *text, Secret **ret, char **ret_why);

/* The key's bytes to base64, without a newline. -EIO, -ENOMEM. */
int sas_key_write(const Secret *key, Secret **ret);

/* The key of one registration in a group's enrolment: HMAC over the registration id, 32 bytes. Case
 * of the id counts here: it is used as it is given. -EIO where wolfSSL refuses, -ENOMEM. */
int sas_key_derive(const Secret *group_key, const char *registration_id, Secret **ret);

/* The signature over the text, in base64. -EIO, -ENOMEM. */
int sas_sign(const Secret *key, const char *text, Secret **ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The values of configuration keys, from text. Pure: no file, no clock, no look-up. Numbers are
 * read in the C locale's digits whatever the locale is. All parsers: -EINVAL where the text is no
 * such thing, -ERANGE where it is one that does not fit; *ret is filled on success alone. */

#include "daemon/base/macro.h"

#define CONFIG_HOST_MAX ((size_t) 253)         /* RFC 1035, 2.3.4, without the final dot */
#define CONFIG_HOST_LABEL_MAX ((size_t) 63)    /* likewise */
#define CONFIG_TEMPLATE_NAME_MAX ((size_t) 36) /* AWS IoT: CreateProvisioningTemplate */
#define CONFIG_CLIENT_ID_MAX ((size_t) 128)    /* bytes; AWS IoT quotas, and MQTT servers alike */
#define CONFIG_CIPHER_LIST_MAX ((size_t) 2048)
#define CONFIG_CREDENTIAL_NAME_MAX ((size_t) 255) /* it is a file's name */
#define CONFIG_CREDENTIAL_PREFIX "credential:"

/* 1, yes, y, true, t, on; 0, no, n, false, f, off; in any case of letters (systemd.syntax(7)). */
int config_parse_boolean(const char *s, bool *ret);

/* A time span as systemd.time(7) has it: "90", "1min 30s", "1.5h", "infinity". A number without a
 * unit counts seconds. */
int config_parse_usec(const char *s, usec_t *ret);

/* A count or a size: digits, then nothing or one of K, M, G, T (to the base of 1024). */
int config_parse_size(const char *s, uint64_t *ret);

/* 1 to 65535. */
int config_parse_port(const char *s, uint16_t *ret);

/* Digits alone, at most `max`. */
int config_parse_number(const char *s, uint64_t max, uint64_t *ret);

/* A host name (letters, digits, '-', '_' in labels) or an IPv4 or IPv6 address, without brackets,
 * scheme or port. */
bool config_host_is_valid(const char *s);

/* [0-9A-Za-z_-]{1,36} */
bool config_template_name_is_valid(const char *s);

/* 1 to 128 bytes of printable text; no leading '$' (AWS IoT keeps those), no wildcard: client ids
 * stand in topics of policies. */
bool config_client_id_is_valid(const char *s);

/* The name of a credential, as LoadCredential= takes it (systemd.exec(5)): a file's name in the
 * credentials directory, of printable ASCII without ':'. */
bool config_credential_name_is_valid(const char *s);

/* "system", "session", "none" or an address that begins with "unix:" or "tcp:". */
bool config_bus_is_valid(const char *s);

/* RFC 3629, without NUL and control characters, tab excepted. The place of the first bad byte, or
 * `size` where all is well. */
size_t config_text_check(const char *text, size_t size);

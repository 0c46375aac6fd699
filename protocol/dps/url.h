/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Percent-encoding (RFC 3986, section 2.1), as it stands in topics, user names and tokens. */

#include <stdbool.h>
#include <stddef.h>

/* Encodes all but RFC 3986's unreserved characters, with capital digits, as Azure's SDKs do: '+'
 * and '#' must not stand in a topic name (MQTT 3.1.1, 4.7.1). NULL where memory is short; free()
 * it. */
char *dps_url_encode(const char *text);

/* Decodes `size` bytes into `ret`, which has room for `room` bytes, terminator included. '+' stands
 * for itself. False: something else than two hex digits behind a '%', a NUL, or no room. */
bool dps_url_decode(const char *text, size_t size, char *ret, size_t room);

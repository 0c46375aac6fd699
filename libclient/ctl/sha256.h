/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SHA-256 (FIPS 180-4), for the fingerprint of a certificate and nothing that is secret: it is not
 * wiped. The library and its tool link no cryptography. */

#include "libclient/macro.h"

#define SHA256_HEX ((size_t) 64)

/* Lower case, with a terminator. */
void sha256_hex(const void *data, size_t size, char ret[static SHA256_HEX + 1]);

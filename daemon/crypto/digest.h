/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* SHA-256, in the lower-case hex digits that fingerprints are written in. */

#include <stddef.h>

#define DIGEST_SHA256_HEX 64U /* digits, without the terminator */

/* -EIO where wolfSSL refuses, -ENOMEM. `ret` is filled on success only, terminator included. */
int digest_sha256_hex(const void *data, size_t size, char ret[DIGEST_SHA256_HEX + 1]);

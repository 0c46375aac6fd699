/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a rotation must know of the certificate in force: its dates, and a name that no other one
 * has. Nothing here decides whom to trust, and no cryptography is linked for it. */

#include "libclient/ctl/sha256.h"
#include "libclient/macro.h"

typedef struct Certificate {
        usec_t not_before, not_after; /* since 1970; 0 for that year and before */
        char fingerprint[SHA256_HEX + 1];
} Certificate;

/* The first certificate of a PEM text (RFC 7468). -EINVAL: there is none that can be read. */
int certificate_read(const char *pem, size_t size, Certificate *ret);

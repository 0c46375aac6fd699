/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private: certificates as DPS sends them, base64 of DER or PEM, into one PEM text, and a request
 * the other way. Only the form is looked at; whether a certificate is one, and carries the right
 * key, is for the caller to check. */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* RFC 4648, section 4, with padding, not empty, no white space. */
bool dps_base64_is_valid(const char *text, size_t size);

/* PEM as it is kept: blocks in the order of their coming. */
typedef struct DpsPem {
        char *text; /* NULL: none yet; free() it */
        size_t size;
        size_t n; /* certificates */
} DpsPem;

/* Frees; takes a zeroed one. Fit for a cleanup attribute. */
void dps_pem_done(DpsPem *pem);

/* Adds what stands in `text`: either base64 of one certificate, or PEM of one or more. `name` is
 * the field's, for the sentence. -EBADMSG: it is neither, or over DPS_CERTIFICATES_MAX or
 * DPS_CERTIFICATES_SIZE_MAX (answer.h); -ENOMEM. */
int dps_pem_add(DpsPem *pem, const char *name, const char *text, char **ret_why);

/* PEM of a request (RFC 7468, section 7) to base64 without armour. -EINVAL: it is none. free() it.
 */
int dps_csr_to_base64(const char *pem, char **ret, char **ret_why);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A token's keys as an application uses them, which has the URI of one from the daemon: by the
 * PKCS#11 interface of SoftHSM itself, in this process. What goes wrong here fails the test. */

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/macro.h"

/* Private keys in the token of soft_token_make() with this CKA_ID (hex; NULL: any). */
size_t token_user_count(const char *id);

/* The key with this CKA_ID was made in the token, and cannot leave it. */
void token_user_expect_guarded(const char *id);

/* Signs a SHA-256 digest: ECDSA, both numbers one behind the other; RSA by PKCS#1 v1.5. The size.
 */
size_t token_user_sign(const char *id, bool rsa, const uint8_t digest[32], uint8_t signature[512]);

/* Removes the key's private half, as somebody with the token's own tools. */
void token_user_remove(const char *id);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An input of the targets that read PEM: a text as it is, or DER, which is put into a block of that
 * label first, since whoever changes base64 at random changes little but its length. */

#include "daemon/crypto/der.h"
#include "daemon/crypto/pem.h"

/* Never NULL. */
Secret *crypto_input(const uint8_t *data, size_t size, const char *label);

/* Walks through all elements, as deep as they go: each lies within the one around it, in front of
 * the next, and its tag and length make up the rest of it. */
void crypto_input_walk(const uint8_t *data, size_t size);

/* Each block of a text that decodes comes out of its own encoding again. */
void crypto_input_check_pem(const Secret *text);

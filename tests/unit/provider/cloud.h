/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The service's part: certificates by OpenSSL, an implementation that is not ours, and its answers
 * in each encoding. */

#include "tests/unit/protocol-aws/payload.h"

/* A certificate for the key of this request. free() it. */
char *cloud_sign(const char *csr);

/* A fresh P-256 key, PKCS#8, and a request for it. free() both; `ret_csr` may be NULL. */
char *cloud_make_key(char **ret_csr);

/* A certificate for a key that nobody has. free() it. */
char *cloud_sign_for_nobody(void);

/* Answers; payload_done() them. `key` NULL: none in it. */
Payload cloud_created(Encoding e, const char *id, const char *certificate, const char *key,
                      const char *token);
/* `configuration` is a JSON object, or NULL. */
Payload cloud_registered(Encoding e, const char *thing, const char *configuration);
Payload cloud_rejected(Encoding e, int status, const char *code, const char *message);

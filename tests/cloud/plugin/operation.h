/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The work of the three operations. Each fills the outcome, with a rejection where the request is
 * not one that the service would serve. request is the decoded payload: any JSON value, or NULL
 * where it could not be decoded. */

#include "tests/cloud/plugin/cloud.h"
#include "tests/cloud/plugin/outcome.h"

void operation_create_csr(Cloud *cloud, const Connection *connection, const json_t *request,
                          const Strike *strike, Outcome *ret);

/* key is one of the pool's. */
void operation_create_keys(Cloud *cloud, const Connection *connection, EVP_PKEY *key,
                           const Strike *strike, Outcome *ret);

void operation_register(Cloud *cloud, const Connection *connection, const char *template_name,
                        const json_t *request, const Strike *strike, Outcome *ret);

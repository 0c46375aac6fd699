/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* OpenSSL's word on what the daemon hands out: other code than the daemon's own. */

#include "tests/integration/lib/agent.h"
#include "tests/integration/lib/cloud.h"

/* A fresh P-256 key and a request for it, both PEM, the caller's to free. */
void identity_make_csr(char **ret_key, char **ret_csr);

/* The same; the request is in that name. */
void identity_make_csr_for(const char *common_name, char **ret_key, char **ret_csr);

/* A device that shows a certificate of that name to DPS, by the authority of the cloud's claims. */
void identity_make_device(Cloud *c, const char *common_name, char **ret_key,
                          char **ret_certificate);

/* The certificate's key is that key, which is of that type ("ec-p384", "rsa-2048"…; NULL: any). */
void identity_assert_pair(const char *certificate_pem, const char *key_pem, const char *key_type);

/* Everything about a provisioned identity: certificate and key are a pair, the thing is
 * thing-SERIAL, and the cloud has made the certificate active. `key_pem`: NULL where the result
 * itself must bring it. */
void identity_assert(Cloud *c, const fleetprov_result *result, const char *serial,
                     const char *key_pem, const char *key_type);

/* The middle of the PEM's base64: what must be found nowhere. 48 bytes and a terminator. */
typedef struct Trace {
        char text[49];
} Trace;
Trace identity_trace(const char *secret);

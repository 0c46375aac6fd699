/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Whether a bundle of trusted certificates is what its owner thinks it is. wolfSSL takes a bundle
 * with a broken certificate in it, and a leaf as an anchor; we take neither, and name the one. */

#include "daemon/base/secret.h"
#include "daemon/model/failure.h"

/* The system's bundle has some 150. */
#define TLS_TRUST_CERTIFICATES_MAX 1000U

/* NIST SP 800-131A: shorter keys are disallowed. */
#define TLS_TRUST_RSA_BITS_MIN 2048
#define TLS_TRUST_ECC_BITS_MIN 256

/* True: at least one certificate, each parses, each is an authority's and has a key
 * that is long enough; whatever its dates. False: *ret_failure
 * (tls-trust) names number and line. Text between the PEM blocks is nobody's business. */
bool tls_trust_check(const Secret *bundle, Failure **ret_failure);

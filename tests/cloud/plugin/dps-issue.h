/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Certificates that DPS issues along with a registration, in the two ways of its two previews. */

#include <jansson.h>

#include "tests/cloud/plugin/authority.h"

/* Fills *ret with what the registration's state is to have; NULL where nothing was asked for, or
 * this version issues none. Why not (static text) where the request cannot be served. */
const char *dps_issue(Authority *authority, const char *api_version, const char *registration_id,
                      const json_t *body, json_t **ret);

/* The same spoiled, as the fault `issued=HOW` wants it: none, empty, one-text (no list), number,
 * no-base64, no-certificate, torn, other-key, chain (a second certificate), too-many, or unknown
 * (with fields that nobody knows). A new reference; NULL: nothing is issued. */
json_t *dps_issue_spoiled(Authority *authority, const json_t *issued, const char *how);

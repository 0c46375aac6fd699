/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets travel as sealed memory files, in both directions, and are bytes in memory only where
 * the caller asks for them. */

#include "libclient/fleetprov-client.h"
#include "libclient/macro.h"

#define SECRET_KINDS 3

DEFINE_CLEANUP(fleetprov_secret *, fleetprov_secret_free);

/* A memfd with these bytes, sealed against writing, growing, shrinking and unsealing;
 * close-on-exec. -EINVAL: empty; -E2BIG: over IPC_SECRET_MAX. */
int secret_seal(const void *data, size_t size);

/* -EBADMSG where the descriptor is no memory file sealed as above, or too large. */
int secret_check_sealed(int fd);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a caller may send: the daemon enforces it, the client says it before it asks. Sizes are
 * bytes without a terminator unless said otherwise. */

#include <stdbool.h>
#include <stddef.h>

#define IPC_MESSAGE_MAX ((size_t) 256 * 1024)
#define IPC_MESSAGE_FDS_MAX 4U
#define IPC_MESSAGE_COMPLETE_USEC \
        (10ULL * 1000 * 1000) /* from a message's first byte to its last */

#define IPC_KEY_MAX ((size_t) 64) /* idempotency key */
#define IPC_PROFILE_NAME_MAX ((size_t) 64)
#define IPC_JOB_ID_LENGTH ((size_t) 32)
#define IPC_PARAMETERS_MAX ((size_t) 64)
#define IPC_PARAMETER_NAME_MAX ((size_t) 128)
#define IPC_PARAMETER_VALUE_MAX ((size_t) 4096)
#define IPC_PARAMETERS_TOTAL_MAX ((size_t) 32 * 1024) /* names and values of one job together */
#define IPC_CSR_MAX ((size_t) 8 * 1024)
#define IPC_CERTIFICATE_MAX ((size_t) 64 * 1024)
#define IPC_PAYLOAD_MAX ((size_t) 64 * 1024)
#define IPC_SECRET_MAX ((size_t) 64 * 1024) /* a sealed memfd */
#define IPC_REGISTRATION_ID_MAX ((size_t) 128)

/* [A-Za-z0-9._:@-]{1,64}, and not of a job id's form. */
bool ipc_key_is_valid(const char *key);

/* [A-Za-z0-9_-]{1,64} */
bool ipc_profile_name_is_valid(const char *name);

/* 32 lower-case hex digits */
bool ipc_job_id_is_valid(const char *id);

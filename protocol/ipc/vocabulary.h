/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The words of the interface: operations, states, phases, key types and sources. */

#include <errno.h>
#include <stdbool.h>

#include "protocol/ipc/string-table.h"

typedef enum Operation {
        OPERATION_PROVISION,
        OPERATION_CREATE_CERTIFICATE_FROM_CSR,
        OPERATION_CREATE_KEYS_AND_CERTIFICATE,
        OPERATION_REGISTER_THING,
        OPERATION_ROTATE,
        OPERATION_MAX,
        OPERATION_INVALID = -EINVAL,
} Operation;
DECLARE_STRING_TABLE(operation, Operation);

typedef enum JobState {
        JOB_QUEUED,
        JOB_RUNNING,
        JOB_SUCCEEDED,
        JOB_FAILED,
        JOB_CANCELLED,
        JOB_EXPIRED, /* its deadline passed */
        JOB_STATE_MAX,
        JOB_STATE_INVALID = -EINVAL,
} JobState;
DECLARE_STRING_TABLE(job_state, JobState);

bool job_state_is_final(JobState state);

/* What a running job is at; PHASE_NONE ("") while it waits or has ended. */
typedef enum JobPhase {
        PHASE_NONE,
        PHASE_KEYGEN,
        PHASE_CREATE,
        PHASE_REGISTER,
        PHASE_POLL,
        PHASE_VERIFY,
        PHASE_BACKOFF, /* between tries */
        JOB_PHASE_MAX,
        JOB_PHASE_INVALID = -EINVAL,
} JobPhase;
DECLARE_STRING_TABLE(job_phase, JobPhase);

typedef enum SessionState {
        SESSION_OFFLINE,
        SESSION_CONNECTING,
        SESSION_SUBSCRIBING,
        SESSION_READY,
        SESSION_BACKOFF,
        SESSION_STATE_MAX,
        SESSION_STATE_INVALID = -EINVAL,
} SessionState;
DECLARE_STRING_TABLE(session_state, SessionState);

typedef enum KeyType {
        KEY_TYPE_EC_P256,
        KEY_TYPE_EC_P384,
        KEY_TYPE_RSA_2048,
        KEY_TYPE_RSA_3072,
        KEY_TYPE_MAX,
        KEY_TYPE_INVALID = -EINVAL,
} KeyType;
DECLARE_STRING_TABLE(key_type, KeyType);

typedef enum KeySource {
        KEY_SOURCE_DAEMON,
        KEY_SOURCE_CLOUD,
        KEY_SOURCE_CALLER, /* the caller brought a CSR; never asked for by name */
        KEY_SOURCE_MAX,
        KEY_SOURCE_INVALID = -EINVAL,
} KeySource;
DECLARE_STRING_TABLE(key_source, KeySource);

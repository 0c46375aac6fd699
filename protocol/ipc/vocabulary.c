/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ipc/vocabulary.h"

static const char *const operation_table[OPERATION_MAX] = {
        [OPERATION_PROVISION] = "provision",
        [OPERATION_CREATE_CERTIFICATE_FROM_CSR] = "create-certificate-from-csr",
        [OPERATION_CREATE_KEYS_AND_CERTIFICATE] = "create-keys-and-certificate",
        [OPERATION_REGISTER_THING] = "register-thing",
        [OPERATION_ROTATE] = "rotate",
};
DEFINE_STRING_TABLE(operation, Operation, OPERATION_INVALID);

static const char *const job_state_table[JOB_STATE_MAX] = {
        [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running",     [JOB_SUCCEEDED] = "succeeded",
        [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled", [JOB_EXPIRED] = "expired",
};
DEFINE_STRING_TABLE(job_state, JobState, JOB_STATE_INVALID);

bool job_state_is_final(JobState state) {
        return state == JOB_SUCCEEDED || state == JOB_FAILED || state == JOB_CANCELLED ||
               state == JOB_EXPIRED;
}

static const char *const job_phase_table[JOB_PHASE_MAX] = {
        [PHASE_NONE] = "",           [PHASE_KEYGEN] = "keygen",
        [PHASE_CREATE] = "create",   [PHASE_REGISTER] = "register",
        [PHASE_POLL] = "poll",       [PHASE_VERIFY] = "verify",
        [PHASE_BACKOFF] = "backoff",
};
DEFINE_STRING_TABLE(job_phase, JobPhase, JOB_PHASE_INVALID);

static const char *const session_state_table[SESSION_STATE_MAX] = {
        [SESSION_OFFLINE] = "offline",         [SESSION_CONNECTING] = "connecting",
        [SESSION_SUBSCRIBING] = "subscribing", [SESSION_READY] = "ready",
        [SESSION_BACKOFF] = "backoff",
};
DEFINE_STRING_TABLE(session_state, SessionState, SESSION_STATE_INVALID);

static const char *const key_type_table[KEY_TYPE_MAX] = {
        [KEY_TYPE_EC_P256] = "ec-p256",
        [KEY_TYPE_EC_P384] = "ec-p384",
        [KEY_TYPE_RSA_2048] = "rsa-2048",
        [KEY_TYPE_RSA_3072] = "rsa-3072",
};
DEFINE_STRING_TABLE(key_type, KeyType, KEY_TYPE_INVALID);

static const char *const key_source_table[KEY_SOURCE_MAX] = {
        [KEY_SOURCE_DAEMON] = "daemon",
        [KEY_SOURCE_CLOUD] = "cloud",
        [KEY_SOURCE_CALLER] = "caller",
};
DEFINE_STRING_TABLE(key_source, KeySource, KEY_SOURCE_INVALID);

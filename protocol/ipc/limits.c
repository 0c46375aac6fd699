/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/ipc/limits.h"

#include <string.h>

/* Not isalnum(): what a key is must not depend on the locale. */
#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool has_only(const char *s, size_t max, const char *allowed) {
        size_t n;

        if (!s)
                return false;
        n = strspn(s, allowed);
        return n > 0 && n <= max && s[n] == '\0';
}

bool ipc_job_id_is_valid(const char *id) {
        return has_only(id, IPC_JOB_ID_LENGTH, DIGITS "abcdef") && strlen(id) == IPC_JOB_ID_LENGTH;
}

bool ipc_key_is_valid(const char *key) {
        /* Hex in either case: a key that a person could take for a job id helps nobody. */
        if (has_only(key, IPC_JOB_ID_LENGTH, DIGITS "abcdefABCDEF") &&
            strlen(key) == IPC_JOB_ID_LENGTH)
                return false;
        return has_only(key, IPC_KEY_MAX, DIGITS LETTERS "._:@-");
}

bool ipc_profile_name_is_valid(const char *name) {
        return has_only(name, IPC_PROFILE_NAME_MAX, DIGITS LETTERS "_-");
}

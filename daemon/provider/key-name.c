/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/key-name.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/digest.h"

static int hash_owner(const Peer *owner, char ret[DIGEST_SHA256_HEX + 1]) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text, "%s/%u", owner->door, (unsigned) owner->uid) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return digest_sha256_hex(text, strlen(text), ret);
}

static int nibble(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -EINVAL;
}

static int read_id(const char *job_id, uint8_t ret[KEY_NAME_ID_SIZE]) {
        if (strlen(job_id) != IPC_JOB_ID_LENGTH)
                return -EINVAL;
        for (size_t i = 0; i < KEY_NAME_ID_SIZE; i++) {
                int high = nibble(job_id[2 * i]), low = nibble(job_id[2 * i + 1]);

                if (high < 0 || low < 0)
                        return -EINVAL;
                ret[i] = (uint8_t) (high << 4 | low);
        }
        return 0;
}

int key_name_make(const char *job_id, const Peer *owner, KeyName *ret) {
        char hash[DIGEST_SHA256_HEX + 1];
        KeyName name;
        int r;

        r = read_id(job_id, name.id);
        if (r >= 0)
                r = hash_owner(owner, hash);
        if (r < 0)
                return r;
        (void) snprintf(name.label, sizeof(name.label), KEY_NAME_PREFIX "%.*s-%s",
                        (int) KEY_NAME_OWNER_LENGTH, hash, job_id);
        *ret = name;
        return 0;
}

int key_name_prefix(const Peer *owner, char **ret) {
        char hash[DIGEST_SHA256_HEX + 1];
        char *prefix;
        int r;

        r = hash_owner(owner, hash);
        if (r < 0)
                return r;
        if (asprintf(&prefix, KEY_NAME_PREFIX "%.*s%s",
                     owner->privileged ? 0 : (int) KEY_NAME_OWNER_LENGTH, hash,
                     owner->privileged ? "" : "-") < 0)
                return -ENOMEM;
        *ret = prefix;
        return 0;
}

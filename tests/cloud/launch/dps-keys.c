/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/launch/dps-keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "daemon/base/macro.h"

#define KEY_SIZE 64
#define TEXT_SIZE 88 /* in base64 */

/* In the order that the plugin reads them. */
static const char *const names[] = {"dps.key", "dps-secondary.key", "dps-group.key"};

static int make_key(unsigned char ret[static TEXT_SIZE + 1]) {
        unsigned char key[KEY_SIZE];

        if (RAND_bytes(key, sizeof(key)) != 1)
                return -EIO;
        return EVP_EncodeBlock(ret, key, sizeof(key)) == TEXT_SIZE ? 0 : -EIO;
}

/* The key in that file, which is made where it is missing; with a line's end. */
static int provide(const Place *place, const char *name, unsigned char ret[static TEXT_SIZE + 1]) {
        _cleanup_close_ int fd = openat(place->dir_fd, name, O_RDONLY | O_CLOEXEC);
        int r;

        if (fd >= 0 && read(fd, ret, TEXT_SIZE + 1) == TEXT_SIZE + 1)
                return 0;
        r = make_key(ret);
        if (r < 0)
                return r;
        ret[TEXT_SIZE] = '\n';
        return place_write(place->dir_fd, name, 0600, ret, TEXT_SIZE + 1);
}

int dps_keys_make(const Place *place) {
        unsigned char all[ELEMENTSOF(names) * (TEXT_SIZE + 1)];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++)
                r = provide(place, names[i], all + i * (TEXT_SIZE + 1));
        if (r < 0)
                return r;
        return place_write(place->cloud_fd, "dps-keys", 0600, all, sizeof(all));
}

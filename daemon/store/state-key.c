/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/state-key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/crypto/why.h"
#include "daemon/store/file-name.h"

#define CREDENTIAL_PREFIX "credential:"
#define CREDENTIAL_NAME_MAX ((size_t) 255)

void state_keys_done(StateKeys *k) {
        for (size_t i = 0; i < k->n; i++)
                seal_key_free(k->keys[i]);
        *k = (StateKeys){};
}

/* A credential's group bits may be an ACL mask, which systemd sets for a service's own user
 * (systemd.exec(5), credentials): reading is allowed to the group there, and to nobody in our own
 * directory. */
static int check_access(int fd, const char *path, mode_t forbidden, char **ret_why) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return why(ret_why, -EPERM, "%s is not a regular file: put the state key there",
                           path);
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return why(ret_why, -EPERM, "%s belongs to uid %u: chown it to uid %u", path,
                           st.st_uid, geteuid());
        if ((st.st_mode & forbidden) != 0)
                return why(ret_why, -EPERM,
                           "%s has mode %04o, so that others can use it: chmod it to 0600", path,
                           st.st_mode & 07777);
        return 0;
}

static int read_key(int dir_fd, const char *path, mode_t forbidden, SealKey **ret, char **ret_why) {
        _cleanup_secret_ Secret *secret = NULL;
        _cleanup_close_ int fd = -1;
        ssize_t n;
        int r;

        fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return why(ret_why, -errno, "cannot open %s: %s", path, strerrordesc_np(errno));
        r = check_access(fd, path, forbidden, ret_why);
        if (r < 0)
                return r;
        secret = secret_new(NULL, STATE_KEY_FILE_MAX + 1);
        if (!secret)
                return -ENOMEM;
        n = read(fd, secret->data, secret->size);
        if (n < 0)
                return why(ret_why, -errno, "cannot read %s: %s", path, strerrordesc_np(errno));
        if ((size_t) n > STATE_KEY_FILE_MAX)
                return why(ret_why, -EINVAL, "%s is no key: it is longer than %zu bytes", path,
                           STATE_KEY_FILE_MAX);
        secret->size = (size_t) n;
        r = seal_key_from_secret(secret, ret);
        secret->size = STATE_KEY_FILE_MAX + 1; /* all of it is wiped */
        if (r == -EINVAL)
                return why(ret_why, r,
                           "%s is no key: it has %zd bytes, and %zu random ones are wanted", path,
                           n, SEAL_KEY_SIZE);
        return r;
}

static int make_key(const Disk *d, SealKey **ret, char **ret_why) {
        _cleanup_seal_key_ SealKey *key = NULL;
        _cleanup_secret_ Secret *bytes = NULL;
        int r;

        r = seal_key_generate(&key);
        if (r < 0)
                return r;
        r = seal_key_to_secret(key, &bytes);
        if (r < 0)
                return r;
        r = disk_replace(d, FILE_STATE_KEY, bytes->data, bytes->size);
        if (r < 0)
                return why(ret_why, r, "cannot write " FILE_STATE_KEY ": %s", strerrordesc_np(-r));
        *ret = TAKE_PTR(key);
        return 0;
}

static int load_own(const Disk *d, bool sealed, SealKey **ret, char **ret_why) {
        struct stat st;

        if (fstatat(d->fd, FILE_STATE_KEY, &st, AT_SYMLINK_NOFOLLOW) >= 0) {
                /* Shorter than a whole key, HKDF would stretch it: a torn copy must not pass. */
                if (S_ISREG(st.st_mode) && (size_t) st.st_size != SEAL_KEY_SIZE)
                        return why(ret_why, -EINVAL,
                                   FILE_STATE_KEY " is no key: it has %lld bytes and not %zu; put "
                                                  "it back from a backup",
                                   (long long) st.st_size, SEAL_KEY_SIZE);
                return read_key(d->fd, FILE_STATE_KEY, 0077, ret, ret_why);
        }
        if (errno != ENOENT)
                return why(ret_why, -errno, "cannot look at " FILE_STATE_KEY ": %s",
                           strerrordesc_np(errno));
        if (sealed)
                return why(ret_why, -ENOKEY,
                           FILE_STATE_KEY " is gone, and there are secrets sealed with it: put it "
                                          "back from a backup, or remove *.secret to give them up");
        return make_key(d, ret, ret_why);
}

static int load_credential(const char *name, SealKey **ret, char **ret_why) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *path = NULL;

        if (name[0] == '\0' || strchr(name, '/') || streq(name, ".") || streq(name, "..") ||
            strlen(name) > CREDENTIAL_NAME_MAX)
                return why(ret_why, -EINVAL, "StateKey: \"%s\" is no name of a credential", name);
        if (!directory || directory[0] != '/')
                return why(ret_why, -ENOKEY,
                           "StateKey: there is no credential \"%s\", since $CREDENTIALS_DIRECTORY "
                           "is not set: the unit wants LoadCredential=%s:PATH",
                           name, name);
        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return read_key(AT_FDCWD, path, 0027, ret, ret_why);
}

int state_keys_load(const Disk *d, const char *source, bool sealed, StateKeys *ret,
                    char **ret_why) {
        _cleanup_(state_keys_done) StateKeys keys = {};
        SealKey *key;
        int r;

        if (!source || source[0] == '\0')
                r = load_own(d, sealed, &key, ret_why);
        else if (strncmp(source, CREDENTIAL_PREFIX, strlen(CREDENTIAL_PREFIX)) == 0)
                r = load_credential(source + strlen(CREDENTIAL_PREFIX), &key, ret_why);
        else if (source[0] == '/')
                r = read_key(AT_FDCWD, source, 0027, &key, ret_why);
        else
                r = why(ret_why, -EINVAL,
                        "StateKey: \"%s\" is neither credential:NAME nor a full path", source);
        if (r < 0)
                return r;
        keys.keys[keys.n++] = key;

        if (source && source[0] != '\0' && faccessat(d->fd, FILE_STATE_KEY, F_OK, 0) == 0) {
                r = load_own(d, sealed, &key, ret_why);
                if (r < 0)
                        return r;
                keys.keys[keys.n++] = key;
        }
        *ret = keys;
        keys = (StateKeys){};
        return 0;
}

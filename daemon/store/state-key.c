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

/* Shorter than a whole key, HKDF would stretch it: a torn copy must not pass. */
static int read_own(const Disk *d, const char *name, SealKey **ret, char **ret_why) {
        struct stat st;

        if (fstatat(d->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? -ENOENT
                                       : why(ret_why, -errno, "cannot look at %s: %s", name,
                                             strerrordesc_np(errno));
        if (S_ISREG(st.st_mode) && (size_t) st.st_size != SEAL_KEY_SIZE)
                return why(ret_why, -EINVAL,
                           "%s is no key: it has %lld bytes and not %zu; put it back from a backup",
                           name, (long long) st.st_size, SEAL_KEY_SIZE);
        return read_key(d->fd, name, 0077, ret, ret_why);
}

/* `replaced`: there is a former key, so that a new one hides nothing. */
static int load_own(const Disk *d, bool sealed, bool replaced, SealKey **ret, char **ret_why) {
        int r;

        r = read_own(d, FILE_STATE_KEY, ret, ret_why);
        if (r != -ENOENT)
                return r;
        if (sealed && !replaced)
                return why(ret_why, -ENOKEY,
                           FILE_STATE_KEY " is gone, and there are secrets sealed with it: put it "
                                          "back from a backup, name the key that sealed them with "
                                          "StateKey= or FormerStateKey=, or remove *.secret to "
                                          "give them up");
        return make_key(d, ret, ret_why);
}

static int load_credential(const char *key, const char *name, SealKey **ret, char **ret_why) {
        const char *directory = getenv("CREDENTIALS_DIRECTORY");
        _cleanup_free_ char *path = NULL;

        if (name[0] == '\0' || strchr(name, '/') || streq(name, ".") || streq(name, "..") ||
            strlen(name) > CREDENTIAL_NAME_MAX)
                return why(ret_why, -EINVAL, "%s: \"%s\" is no name of a credential", key, name);
        if (!directory || directory[0] != '/')
                return why(ret_why, -ENOKEY,
                           "%s: there is no credential \"%s\", since $CREDENTIALS_DIRECTORY "
                           "is not set: the unit wants LoadCredential=%s:PATH",
                           key, name, name);
        if (asprintf(&path, "%s/%s", directory, name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        return read_key(AT_FDCWD, path, 0027, ret, ret_why);
}

static int load_named(const char *key, const char *source, SealKey **ret, char **ret_why) {
        if (strncmp(source, CREDENTIAL_PREFIX, strlen(CREDENTIAL_PREFIX)) == 0)
                return load_credential(key, source + strlen(CREDENTIAL_PREFIX), ret, ret_why);
        if (source[0] == '/')
                return read_key(AT_FDCWD, source, 0027, ret, ret_why);
        return why(ret_why, -EINVAL, "%s: \"%s\" is neither credential:NAME nor a full path", key,
                   source);
}

/* Takes the key. One that is there already is not kept twice. */
static void add(StateKeys *k, SealKey *key, const char *name) {
        for (size_t i = 0; i < k->n; i++)
                if (streq(k->keys[i]->id, key->id)) {
                        seal_key_free(key);
                        return;
                }
        k->names[k->n] = name;
        k->keys[k->n++] = key;
}

/* Those of the directory that are there and only open. */
static int add_own(const Disk *d, const char *name, StateKeys *keys, char **ret_why) {
        SealKey *key;
        int r;

        r = read_own(d, name, &key, ret_why);
        if (r >= 0)
                add(keys, key, name);
        return r == -ENOENT ? 0 : r;
}

int state_keys_load(const Disk *d, const char *source, const char *former, bool sealed,
                    StateKeys *ret, char **ret_why) {
        const bool named = source && source[0] != '\0', has_former = former && former[0] != '\0';
        _cleanup_(state_keys_done) StateKeys keys = {};
        SealKey *key;
        int r;

        if (named)
                r = load_named("StateKey", source, &key, ret_why);
        else
                r = load_own(d, sealed,
                             has_former || faccessat(d->fd, FILE_STATE_KEY_FORMER, F_OK, 0) == 0,
                             &key, ret_why);
        if (r < 0)
                return r;
        add(&keys, key, named ? "StateKey=" : FILE_STATE_KEY);
        if (has_former) {
                r = load_named("FormerStateKey", former, &key, ret_why);
                if (r < 0)
                        return r;
                add(&keys, key, "FormerStateKey=");
        }
        if (named)
                r = add_own(d, FILE_STATE_KEY, &keys, ret_why);
        if (r >= 0)
                r = add_own(d, FILE_STATE_KEY_FORMER, &keys, ret_why);
        if (r < 0)
                return r;
        *ret = keys;
        keys = (StateKeys){};
        return 0;
}

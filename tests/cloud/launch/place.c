/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/launch/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "daemon/base/macro.h"

#define CLOUD_DIR "cloud"

/* Debian's mosquitto package makes the first; the second is everywhere. */
static const char *const broker_users[] = {"mosquitto", "nobody"};

static int complain(const char *what) {
        int r = -errno;

        fprintf(stderr, "%s: %s\n", what, strerror(-r));
        return r;
}

static int choose_user(Place *place) {
        const struct passwd *user;

        place->uid = geteuid();
        place->gid = getegid();
        if (place->uid != 0)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(broker_users); i++) {
                user = getpwnam(broker_users[i]);
                if (user) {
                        place->uid = user->pw_uid;
                        place->gid = user->pw_gid;
                        return 0;
                }
        }
        fputs("root needs a user mosquitto or nobody to run the broker as\n", stderr);
        return -ENOENT;
}

static int open_directory(int at, const char *name, mode_t mode) {
        int fd;

        if (mkdirat(at, name, mode) < 0 && errno != EEXIST)
                return complain(name);
        fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? complain(name) : fd;
}

/* The broker writes these; whoever looks below DIR finds them there. */
static int link_records(const Place *place) {
        static const char *const names[] = {"journal.jsonl", "breaches"};
        _cleanup_free_ char *target = NULL;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                free(TAKE_PTR(target));
                if (asprintf(&target, CLOUD_DIR "/%s", names[i]) < 0)
                        return -ENOMEM;
                if (symlinkat(target, place->dir_fd, names[i]) < 0 && errno != EEXIST)
                        return complain(names[i]);
        }
        return 0;
}

int place_open(const char *dir, Place *ret) {
        Place place = {.dir_fd = -1, .cloud_fd = -1};
        int r;

        r = choose_user(&place);
        if (r < 0)
                return r;
        r = place.dir_fd = open_directory(AT_FDCWD, dir, 0755);
        if (r >= 0)
                r = place.cloud_fd = open_directory(place.dir_fd, CLOUD_DIR, 0755);
        if (r >= 0)
                r = link_records(&place);
        if (r >= 0) {
                place.dir = realpath(dir, NULL);
                if (!place.dir)
                        r = complain(dir);
        }
        if (r < 0) {
                place_close(&place);
                return r;
        }
        *ret = place;
        return 0;
}

void place_close(Place *place) {
        place->dir_fd = close_fd(place->dir_fd);
        place->cloud_fd = close_fd(place->cloud_fd);
        free(place->dir);
        place->dir = NULL;
}

/* A new file beside the one of that name, which replaces it when it is whole. */
static int open_new(int dir_fd, const char *name, mode_t mode, char **ret_temporary) {
        _cleanup_free_ char *temporary = NULL;
        int fd;

        if (asprintf(&temporary, ".%s.new", name) < 0)
                return -ENOMEM;
        (void) unlinkat(dir_fd, temporary, 0);
        fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (fd < 0)
                return complain(name);
        *ret_temporary = TAKE_PTR(temporary);
        return fd;
}

int place_write(int dir_fd, const char *name, mode_t mode, const void *bytes, size_t n) {
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int fd = open_new(dir_fd, name, mode, &temporary);

        if (fd < 0)
                return fd;
        if (fchmod(fd, mode) < 0 || write(fd, bytes, n) != (ssize_t) n ||
            renameat(dir_fd, temporary, dir_fd, name) < 0)
                return complain(name);
        return 0;
}

int place_write_profile(const Place *place, int port) {
        _cleanup_free_ char *text = NULL;
        int n;

        n = asprintf(&text,
                     "# The test cloud, as a drop-in for fleetprovd.conf.d.\n"
                     "[Profile aws]\n"
                     "Provider=aws-iot\n"
                     "Endpoint=localhost\n"
                     "Port=%d\n"
                     "TrustedCertificates=%s/ca.pem\n"
                     "Certificate=%s/claim.pem\n"
                     "PrivateKey=%s/claim.key\n"
                     "Template=FleetTemplate\n"
                     "PayloadFormat=cbor\n",
                     port, place->dir, place->dir, place->dir);
        if (n < 0)
                return -ENOMEM;
        return place_write(place->dir_fd, "profile.conf", 0644, text, (size_t) n);
}

int place_write_dps_profile(const Place *place, int port) {
        _cleanup_free_ char *text = NULL;
        int n;

        n = asprintf(&text,
                     "# The test cloud's DPS, as a drop-in for fleetprovd.conf.d.\n"
                     "[Profile azure]\n"
                     "Provider=azure-dps\n"
                     "Endpoint=localhost\n"
                     "Port=%d\n"
                     "TrustedCertificates=%s/ca.pem\n"
                     "IdScope=0ne00TEST00\n"
                     "RegistrationIds=sensor-*\n"
                     "Authentication=group-key\n"
                     "SymmetricKey=%s/dps-group.key\n",
                     port, place->dir, place->dir);
        if (n < 0)
                return -ENOMEM;
        return place_write(place->dir_fd, "azure.conf", 0644, text, (size_t) n);
}

int place_copy(const Place *place, const char *from, const char *name, mode_t mode) {
        _cleanup_free_ char *temporary = NULL;
        _cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC);
        _cleanup_close_ int out = -1;
        struct stat st;

        if (in < 0 || fstat(in, &st) < 0)
                return complain(from);
        out = open_new(place->cloud_fd, name, mode, &temporary);
        if (out < 0)
                return out;
        for (off_t at = 0; at < st.st_size;)
                if (sendfile(out, in, &at, (size_t) (st.st_size - at)) <= 0)
                        return complain(name);
        if (fchmod(out, mode) < 0 ||
            renameat(place->cloud_fd, temporary, place->cloud_fd, name) < 0)
                return complain(name);
        return 0;
}

int place_hand_over(const Place *place) {
        const struct dirent *entry;
        DIR *dir;
        int fd, r = 0;

        if (geteuid() != 0)
                return 0;
        fd = openat(place->cloud_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                r = complain(CLOUD_DIR);
                close_fd(fd);
                return r;
        }
        while (r >= 0 && (entry = readdir(dir)))
                if (!streq(entry->d_name, "..") &&
                    fchownat(fd, entry->d_name, place->uid, place->gid, AT_SYMLINK_NOFOLLOW) < 0)
                        r = complain(entry->d_name);
        closedir(dir);
        return r;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/disk-image.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "tests/integration/lib/own-mounts.h"
#include "tests/integration/lib/process.h"

#define MKFS "/sbin/mkfs.ext4"
#define SKIPPED 77

/* In no header of the system: fs/ext4/ext4.h. */
#define SHUTDOWN_EXT4 _IOR('X', 125, uint32_t)
#define SHUTDOWN_WITHOUT_LOG_FLUSH 2U

const char *disk_image_missing(void) {
        if (geteuid() != 0)
                return "only root may mount";
        if (access("/dev/loop-control", R_OK | W_OK) < 0)
                return "there is no /dev/loop-control here";
        if (access(MKFS, X_OK) < 0)
                return "there is no " MKFS " here (package e2fsprogs)";
        return NULL;
}

void disk_image_or_skip(const char *program) {
        const char *missing = disk_image_missing();

        if (!missing)
                return;
        fprintf(stderr,
                "%s: SKIPPED, nothing of it was tried: it needs a disk of its own, and %s\n",
                program, missing);
        exit(SKIPPED);
}

/* A free loop device that shows the file, until its last user has closed it. */
static int attach(const char *file, char ret_name[static sizeof("/dev/loop2147483647")]) {
        _cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        _cleanup_close_ int backing = open(file, O_RDWR | O_CLOEXEC);
        const struct loop_config config = {.fd = (uint32_t) backing,
                                           .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};

        ck_assert_int_ge(control, 0);
        ck_assert_int_ge(backing, 0);
        for (unsigned tries = 0;;) {
                _cleanup_close_ int device = -1;
                int n = ioctl(control, LOOP_CTL_GET_FREE);

                ck_assert_msg(n >= 0, "no loop device: %s", strerrordesc_np(errno));
                (void) sprintf(ret_name, "/dev/loop%d", n);
                device = open(ret_name, O_RDWR | O_CLOEXEC);
                if (device >= 0 && ioctl(device, LOOP_CONFIGURE, &config) >= 0)
                        return TAKE_FD(device);
                /* Somebody else was quicker, or udev has not made the node yet. */
                ck_assert_msg(process_pause(&tries), "%s: %s", ret_name, strerrordesc_np(errno));
        }
}

void disk_image_mount(DiskImage *i) {
        char name[sizeof("/dev/loop2147483647")];
        _cleanup_close_ int device = attach(i->file, name);

        i->name = place_text(&i->place, "%s", strrchr(name, '/') + 1);
        ck_assert_msg(mount(name, i->mount, "ext4", MS_NOATIME, "errors=remount-ro") >= 0,
                      "cannot mount: %s", strerrordesc_np(errno));
}

static void hide_mounts(void) {
        int r = own_mounts(0);

        ck_assert_msg(r >= 0, "no mount namespace: %s", strerrordesc_np(-r));
}

static void make_at_place(DiskImage *i, size_t mebibytes) {
        _cleanup_free_ char *output = NULL;
        _cleanup_close_ int fd = -1;

        i->file = place_path(&i->place, "disk");
        i->mount = place_path(&i->place, "mount");
        fd = open(i->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(ftruncate(fd, (off_t) (mebibytes << 20)), 0);
        ck_assert_int_eq(mkdir(i->mount, 0755), 0);
        /* Nothing is left to a thread of the kernel that would write later. */
        const char *const argv[] = {MKFS, "-q", "-E",    "lazy_itable_init=0,lazy_journal_init=0",
                                    "-m", "0",  i->file, NULL};
        ck_assert_msg(process_run(argv, NULL, &output) == 0, "%s", output);
        disk_image_mount(i);
}

void disk_image_make(DiskImage *i, size_t mebibytes) {
        place_make(&i->place);
        hide_mounts();
        make_at_place(i, mebibytes);
}

static bool try_unmount(const DiskImage *i) {
        if (umount2(i->mount, 0) >= 0)
                return true;
        ck_assert_msg(errno == EBUSY, "cannot unmount: %s", strerrordesc_np(errno));
        return false;
}

void disk_image_unmount(DiskImage *i) {
        WAIT_FOR(try_unmount(i));
}

bool disk_image_break(DiskImage *i) {
        const char *path = place_text(&i->place, "/sys/fs/ext4/%s/trigger_fs_error", i->name);
        static const char text[] = "a test breaks it\n";
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t) strlen(text);
}

static void mount_small(DiskImage *i, const char *where, size_t kibibytes) {
        hide_mounts();
        ck_assert_int_eq(mount("none", where, "tmpfs", 0,
                               place_text(&i->place, "size=%zuk,mode=0755", kibibytes)),
                         0);
        i->ballast = place_text(&i->place, "%s/ballast", where);
}

void disk_image_make_small(DiskImage *i, size_t kibibytes) {
        place_make(&i->place);
        i->mount = place_path(&i->place, "mount");
        ck_assert_int_eq(mkdir(i->mount, 0755), 0);
        mount_small(i, i->mount, kibibytes);
}

void disk_image_make_thin(DiskImage *i, size_t mebibytes, size_t kibibytes) {
        place_make(&i->place);
        mount_small(i, i->place.dir, kibibytes);
        make_at_place(i, mebibytes);
}

void disk_image_fill(DiskImage *i, size_t pages_left) {
        static const char page[4096];
        _cleanup_close_ int fd = open(i->ballast, O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0600);
        off_t size = 0;

        ck_assert_int_ge(fd, 0);
        while (write(fd, page, sizeof(page)) == sizeof(page))
                size += (off_t) sizeof(page);
        ck_assert_int_eq(errno, ENOSPC);
        ck_assert_int_ge(size, (off_t) (pages_left * sizeof(page)));
        ck_assert_int_eq(ftruncate(fd, size - (off_t) (pages_left * sizeof(page))), 0);
}

void disk_image_make_room(DiskImage *i) {
        ck_assert_int_eq(unlink(i->ballast), 0);
}

void disk_image_cut_power(DiskImage *i) {
        _cleanup_close_ int fd = open(i->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        uint32_t how = SHUTDOWN_WITHOUT_LOG_FLUSH;

        ck_assert_int_ge(fd, 0);
        ck_assert_msg(ioctl(fd, SHUTDOWN_EXT4, &how) >= 0, "cannot cut the power: %s",
                      strerrordesc_np(errno));
}

bool disk_image_has(const DiskImage *i, const void *bytes, size_t size) {
        _cleanup_close_ int fd = open(i->file, O_RDONLY | O_CLOEXEC);
        struct stat st;
        char *all;
        bool has = false;

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fstat(fd, &st), 0);
        all = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        ck_assert(all != MAP_FAILED);
        /* Most of it was never written, and is a hole of the file. */
        for (off_t from = 0, to; !has && (from = lseek(fd, from, SEEK_DATA)) >= 0; from = to) {
                to = lseek(fd, from, SEEK_HOLE);
                ck_assert_int_gt(to, from);
                has = memmem(all + from, (size_t) (to - from), bytes, size) != NULL;
        }
        (void) munmap(all, (size_t) st.st_size);
        return has;
}

void disk_image_done(DiskImage *i) {
        if (!i->place.dir)
                return;
        (void) umount2(i->mount, MNT_DETACH);
        (void) umount2(i->place.dir, MNT_DETACH);
        place_remove(&i->place);
}

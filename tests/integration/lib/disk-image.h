/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A disk of a test's own: an ext4 file system in a file, mounted through a loop device, whose power
 * can be cut and every byte of which can be read. What goes wrong here fails the test.
 *
 * It is mounted in a mount namespace of the test's process (Check's fork), which programs that are
 * started later share: nobody else sees it, and it is gone with them. */

#include "tests/integration/lib/place.h"

typedef struct DiskImage {
        Place place;
        const char *file;  /* the disk */
        const char *mount; /* where its root is */
        const char *name;  /* of the loop device: "loop3" */
        const char *ballast;
} DiskImage;

/* NULL where such a disk can be had; else why not, for people. Static. */
const char *disk_image_missing(void);

/* For main() of a test program: where no disk can be had says so, loudly, and ends the program with
 * the status that meson takes for "skipped". */
void disk_image_or_skip(const char *program);

void disk_image_make(DiskImage *i, size_t mebibytes); /* and mounts it */
void disk_image_mount(DiskImage *i);
void disk_image_unmount(DiskImage *i); /* patient: those who had it may still be ending */
void disk_image_done(DiskImage *i);

/* From now on not a block more reaches the disk, and what its journal holds in memory is lost
 * (EXT4_IOC_SHUTDOWN without a flush of the log). All that can be done with it then is to unmount
 * it, and to mount it again. */
void disk_image_cut_power(DiskImage *i);

/* The kernel finds the file system damaged, and makes it read-only from now on, as is usual
 * (errors=remount-ro). False: this kernel has no way to play that. */
bool disk_image_break(DiskImage *i);

/* A disk so small that it can be filled to the last page: no image, but a tmpfs. The same calls
 * unmount and end it. */
void disk_image_make_small(DiskImage *i, size_t kibibytes);

/* An image that has no room of its own for what was never written, but only for `kibibytes` of it:
 * when that is filled, writing goes well, and the flush fails, as on a disk that is ill or thinly
 * provisioned. */
void disk_image_make_thin(DiskImage *i, size_t mebibytes, size_t kibibytes);

/* Fills either of these, but for so many pages. */
void disk_image_fill(DiskImage *i, size_t pages_left);
void disk_image_make_room(DiskImage *i); /* takes that back */

/* Whether these bytes stand anywhere on the disk, in free blocks, too. Unmounted. */
bool disk_image_has(const DiskImage *i, const void *bytes, size_t size);

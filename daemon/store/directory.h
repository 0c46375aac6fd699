/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The state directory as a whole: one daemon at a time has it, it is of a layout that we know, and
 * nobody else can look into it. */

#include "daemon/store/disk.h"

#define DIRECTORY_VERSION 1U
#define DIRECTORY_MODE 0700

typedef struct Directory {
        Disk disk;
        int lock_fd;
        unsigned starts; /* this is the n-th start here; never the same twice */
        bool has_secrets, has_set_aside;
} Directory;

void directory_init(Directory *d);
void directory_done(Directory *d);

/* Opens the directory (and makes it, where its parent is there), takes the lock and holds it,
 * checks version, owner and mode, and removes what a crash left half-written. Blocks. *ret_why says
 * for people what is wrong and the mend. -EBUSY: another daemon has it; -EPROTONOSUPPORT: a later
 * version's; -EPERM: others may write into it. */
int directory_open(const char *path, DiskHook hook, void *hook_userdata, Directory *d,
                   char **ret_why);

/* Calls back for each name in it. The callback may rename and unlink. -errno, or what the callback
 * gave when negative. */
int directory_each(const Directory *d, int (*on_name)(const char *name, void *userdata),
                   void *userdata);

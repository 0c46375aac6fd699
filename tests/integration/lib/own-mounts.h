/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Puts this process into a mount namespace of its own, from which no mount reaches any other:
 * unshare(2) with CLONE_NEWNS and `more_flags`. Needs root, and one thread. 0 or -errno.
 *
 * It works in a chroot whose root is no mount point, too (there mount(2) cannot name the mount that
 * it is in, and says EINVAL): joining the namespace that one is already in leads to that
 * namespace's root, where all mounts are made private, and from there back (setns(2), chroot(2)).
 * Wants /proc. */
int own_mounts(int more_flags);

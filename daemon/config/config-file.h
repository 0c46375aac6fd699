/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Which configuration files there are, and what stands in them.
 *
 * By default: fleetprovd/fleetprovd.conf, the first one found below /etc, /run and /usr/lib, then
 * fleetprovd/fleetprovd.conf.d/NAME.conf of all three, in the order of their names; of two with the
 * same name the one in the earlier folder counts. An empty file, or a link to /dev/null, masks one
 * of its name in a later folder (the UAPI group's Configuration Files Specification). A named file
 * X is read with X.d/NAME.conf, and nothing else is. */

#include "daemon/config/config-tree.h"

#define CONFIG_DROP_INS_MAX ((size_t) 256)

/* One file, into the tree, over what is there. -ENOENT is told without *ret_why. */
int config_file_read(const char *path, ConfigTree *t, char **ret_why);

/* `path`: the named file, or NULL for the default ones. `root` stands before the default folders:
 * "", but in tests. -EINVAL with *ret_why; -ENOMEM. */
int config_files_read(const char *root, const char *path, ConfigTree **ret, char **ret_why);

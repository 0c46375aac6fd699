/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The filter of system calls that a list of tests/confine/expand describes. */

#include "tests/confine/watcher.h"

/* Installs it for this process and what it becomes, for good; with it goes the right to gain
 * privileges. The watcher is told of every breach. -EBADMSG: the list has a line that makes no
 * sense, which was said; else -errno. */
int filter_install(const char *list, Watcher *watcher);

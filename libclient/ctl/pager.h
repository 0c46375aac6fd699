/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Long tables on a terminal go through a pager, in systemd's way: $SYSTEMD_PAGER, $PAGER, less;
 * none for an empty one or "cat". */

#include "libclient/ctl/ctl.h"

/* From here on standard output is the pager, unless there is a reason against it. */
void pager_open(Ctl *ctl);

/* Waits until the reader has left it. Does nothing without one. */
void pager_close(Ctl *ctl);

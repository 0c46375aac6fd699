/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Two clocks. `boot` counts while the machine is up, sleep included, and never jumps: deadlines and
 * retention use it. `real` is what people read: it is written down and shown, and decides nothing.
 */

#include "daemon/base/macro.h"

usec_t clock_boot_usec(void);
usec_t clock_real_usec(void);

/* Whether somebody is seen to keep the real clock right: a machine without a battery begins in the
 * past, and then what depends on the time is wrong. The kernel knows (adjtimex(2), STA_UNSYNC), but
 * ProtectClock= forbids even to ask; then it is systemd-timesyncd's word alone that counts, and
 * false may mean that another time service does it. */
bool clock_is_synchronised(void);

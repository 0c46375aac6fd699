/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Two clocks. `boot` counts while the machine is up, sleep included, and never jumps: deadlines and
 * retention use it. `real` is what people read: it is written down and shown, and decides nothing.
 */

#include "daemon/base/macro.h"

usec_t clock_boot_usec(void);
usec_t clock_real_usec(void);

/* Whether somebody keeps the real clock right, as the kernel knows it (adjtimex(2), STA_UNSYNC): a
 * machine without a battery begins in the past, and then what depends on the time is wrong. */
bool clock_is_synchronised(void);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* For how long the machine has been up since this state directory was made, all boots together:
 * what deadlines and RetainSec= count by. The boot clock begins anew with each boot, and the real
 * one is set by anybody; so the file "uptime" says what had passed when this boot began, and how
 * far it had come when that was noted last.
 *
 * A power cut takes with it what was not noted yet: that time counts for nothing. A file that is
 * damaged or missing costs the time of the boots before, never a job: a key that is kept too long
 * is better than one that goes too soon. */

#include "daemon/base/worker.h"
#include "daemon/store/disk.h"
#include "daemon/store/job-record.h"

/* Noted anew at a start where more than this has passed since the last time. */
#define UPTIME_STALE_USEC USEC_PER_MINUTE

#define UPTIME_TEXT_MAX ((size_t) 256)

/* Fills in clock->before, by what the file says and by what stands in `clock` already; and notes
 * where this boot is, when that is not known yet or long ago. Blocks. */
void uptime_begin(const Disk *disk, JobClock *clock);

/* Notes it on the disk's thread; `disk` must outlive that. A failure is logged. */
void uptime_note(Worker *worker, const Disk *disk, const JobClock *clock);

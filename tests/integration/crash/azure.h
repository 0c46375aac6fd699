/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The crash matrix's part for Azure DPS. What is promised, for a kill at any point:
 *
 *   - the job ends succeeded, and its application gets one identity, the same whenever it asks;
 *   - the device is registered once, and once more where the daemon died before it had kept the
 *     operation's id. Once that is on disk it is queried, after the start too, and nothing is
 *     registered again: a registration is billed, and may make a certificate;
 *   - nothing is asked for before the service allowed it, whoever died in between;
 *   - where a certificate is issued along and the device was registered twice, the job's history
 *     says that one may have been made; and says so only where one had been asked for. */

#include "tests/integration/crash/life.h"

/* How registration ids of such devices begin; "" for AWS. */
const char *azure_prefix(Device device);

/* The section of a profile for the device of that registration id. */
const char *azure_profile(Daemon *daemon, const Ask *ask, const char *id);

/* What came of it. */
void azure_check(Daemon *daemon, const Application *a, const char *point, const Record *record);

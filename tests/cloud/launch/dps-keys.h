/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The symmetric keys of DPS's enrolments: dps.key, dps-secondary.key and dps-group.key in DIR, made
 * where they are missing, and all of them in one file by which the plugin knows them. */

#include "tests/cloud/launch/place.h"

/* Negative errno on failure. */
int dps_keys_make(const Place *place);

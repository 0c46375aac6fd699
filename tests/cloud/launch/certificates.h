/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The certificates of one cloud: a CA for the server, one for the claims, one for the devices.
 * Those that are there from an earlier run stay, so that a client's configuration outlives a
 * restart. */

#include "tests/cloud/launch/options.h"
#include "tests/cloud/launch/place.h"

/* Negative errno, and a message on standard error. */
int certificates_make(const Place *place, const Options *options);

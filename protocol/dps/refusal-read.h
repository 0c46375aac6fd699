/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private: the refusal that stands in an object, of an error or of a registration's state. */

#include <jansson.h>

#include "protocol/dps/refusal.h"

/* Adds what can be read to `r`, which may be half-filled after a failure. -ENOMEM. */
int dps_refusal_read(const json_t *object, DpsRefusal *r);

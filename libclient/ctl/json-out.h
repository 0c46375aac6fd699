/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The objects that --json prints. What does not apply is left out. Each returns NULL where memory
 * is short; strings that are not UTF-8 (the interface has none) are left out. */

#include <jansson.h>

#include "libclient/ctl/ctl.h"

json_t *json_of_error(const fleetprov_error *error);

/* `result` may be NULL. */
json_t *json_of_job(const fleetprov_job *job, const fleetprov_result *result);

json_t *json_of_profile(const fleetprov_status *status, size_t index);
json_t *json_of_status(const fleetprov_status *status);

/* Sets a string; NULL: leaves it out. */
void json_put(json_t *object, const char *name, const char *value);

/* On standard output, as --json says, and flushed; takes the value. */
ExitStatus json_print(const Ctl *ctl, json_t *value);

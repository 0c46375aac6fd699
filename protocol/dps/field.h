/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private: fields of the service's JSON. */

#include <jansson.h>
#include <stddef.h>

/* "a text", "null" */
const char *dps_kind_name(const json_t *value);

/* A text for people, cut to `max` bytes; NULL in `*ret` where there is none, or it is empty or no
 * text: nothing hangs on it. -ENOMEM. */
int dps_field_text(const json_t *object, const char *name, size_t max, char **ret);

/* A name: a text of 1 to `max` bytes without control characters. Missing or null: NULL in `*ret`.
 * -EBADMSG with a sentence for all else, or -ENOMEM. */
int dps_field_name(const json_t *object, const char *name, size_t max, char **ret, char **ret_why);

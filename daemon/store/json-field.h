/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Members of JSON objects with a type and a bound. A member that has its zero value (NULL, 0,
 * false) is left out, and an absent one reads as it. Reading: 0 or -EBADMSG, -ENOMEM. Writing: 0 or
 * -ENOMEM. */

#include <jansson.h>

#include "daemon/base/macro.h"

/* Bytes that are no UTF-8 are written escaped: what a cloud said must not make a job unstorable. */
int field_put_string(json_t *object, const char *name, const char *value);
int field_put_number(json_t *object, const char *name, uint64_t value); /* up to INT64_MAX */
int field_put_time(json_t *object, const char *name, usec_t value);     /* or "infinity" */
int field_put_flag(json_t *object, const char *name, bool value);
int field_put_object(json_t *object, const char *name, json_t *value); /* takes it; not NULL */

int field_get_string(const json_t *object, const char *name, size_t max, char **ret);
int field_get_number(const json_t *object, const char *name, uint64_t max, uint64_t *ret);
int field_get_time(const json_t *object, const char *name, usec_t *ret);
int field_get_flag(const json_t *object, const char *name, bool *ret);

/* A word of an enumeration, as it stands in its table. -EBADMSG where it is none. */
int field_get_word(const json_t *object, const char *name, const char **ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One line of a job file: a JSON object that ends in ,"crc":"xxxxxxxx"} and a line feed. The sum is
 * CRC-32 (IEEE 802.3) over all bytes before its comma: JSON alone does not notice a flipped bit
 * within a string, and a certificate or a state read wrong is worse than a file set aside. It is no
 * protection against somebody who writes here; the sealing of the secrets is. */

#include <jansson.h>

#include "daemon/base/macro.h"

#define RECORD_LINE_MAX ((size_t) 2 * 1024 * 1024) /* with the line feed */

/* -EMSGSIZE: the object does not fit a line. The text is the caller's. */
int record_line_make(const json_t *object, char **ret, size_t *ret_size);

/* `size` without the line feed. -EBADMSG: damaged. */
int record_line_read(const char *line, size_t size, json_t **ret);

/* Scope exit for jansson's objects. */
static inline void json_unrefp(json_t **p) {
        json_decref(*p);
}
#define _cleanup_json_ _cleanup_(json_unrefp)

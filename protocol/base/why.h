/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The sentence that goes with a refusal. */

#include <stddef.h>

/* Puts the text into `*ret_why` (where it is not NULL; NULL is put there where memory is short) and
 * gives r back. Never pass a value that the other side sent: it may be a key. */
int protocol_why(char **ret_why, int r, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* A name that the other side made up, fit to be shown: at most PROTOCOL_SHOWN_NAME_MAX characters,
 * whatever is not printable ASCII as '?'. */
#define PROTOCOL_SHOWN_NAME_MAX ((size_t) 64)
typedef struct ProtocolShownName {
        char text[PROTOCOL_SHOWN_NAME_MAX + sizeof("...")];
} ProtocolShownName;
ProtocolShownName protocol_show_name(const char *name, size_t size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private: the sentence that goes with a refusal. */

#include <stddef.h>

/* Puts the text into `*ret_why` (where it is not NULL; NULL is put there where memory is short) and
 * gives r back. Never pass a value that the other side sent: it may be a key. */
int aws_why(char **ret_why, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A name that the other side made up, fit to be shown: at most AWS_SHOWN_NAME_MAX characters,
 * whatever is not printable ASCII as '?'. */
#define AWS_SHOWN_NAME_MAX ((size_t) 64)
typedef struct AwsShownName {
        char text[AWS_SHOWN_NAME_MAX + sizeof("...")];
} AwsShownName;
AwsShownName aws_show_name(const char *name, size_t size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */

#include <stdbool.h>
#include <stddef.h>

bool protocol_utf8_is_valid(const char *s, size_t size);

/* The greatest length up to `max` that cuts no character of this valid text in two. */
size_t protocol_utf8_cut(const char *s, size_t size, size_t max);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/base/macro.h"

/* Bytes of the UTF-8 character (RFC 3629) at the start of text; 0 where there is none: nothing
 * left, cut off, longer than need be, a surrogate, beyond U+10FFFF. */
size_t utf8_character(const uint8_t *text, size_t size);

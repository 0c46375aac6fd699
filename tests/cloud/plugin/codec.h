/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Payloads in either format to and from one kind of value; and the ways in which a fault spoils an
 * answer. */

#include <jansson.h>

#include "tests/cloud/plugin/fault.h"

/* NULL, with *ret_why (static text), for what is no document. A new reference. */
json_t *codec_decode(Format format, const void *payload, size_t n, const char **ret_why);

/* The answer as the strike has it: whole, or spoiled. The caller frees; NULL when memory is out. */
void *codec_encode(Format format, const json_t *body, const Strike *strike, size_t *ret_n);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* CBOR (RFC 8949) to and from jansson values, written for the test cloud alone: what the daemon
 * reads is thereby made by other code than what it reads it with. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* The document in bytes, or NULL with *ret_why (static text) when it is not one well-formed value
 * that has a JSON counterpart, with text keys, none of them twice. Both lengths of maps, arrays and
 * strings are read, definite and indefinite. */
json_t *cbor_to_json(const uint8_t *bytes, size_t n, const char **ret_why);

/* The value as CBOR; with indefinite=true in maps, arrays and strings of indefinite length. The
 * caller frees; NULL when memory is out. */
uint8_t *cbor_from_json(const json_t *value, bool indefinite, size_t *ret_n);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* JSON (RFC 8259) by jansson, in and out, as both clouds' payloads need it. Its own error texts are
 * not used: they quote the input, and the input may be a private key. For the copies that its
 * parser makes see protocol_json_harden(). */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Parses exactly one JSON object of UTF-8 without NUL, no name in it twice, to `*ret`: let it go
 * with protocol_json_wipep(). The size is the caller's to bound; the depth is jansson's, 2048.
 * -EBADMSG: it is none, and `*ret_why` says what is wrong and where, without a value of it; free()
 * it (NULL where memory was short). `ret_why` may be NULL and is left alone on success. -ENOMEM. */
int protocol_json_parse_object(const void *data, size_t size, json_t **ret, char **ret_why);

/* The same for any JSON value, with the errors of the function above. */
int protocol_json_parse_value(const void *data, size_t size, json_t **ret, char **ret_why);

/* Writes it compactly into a buffer of its own, with a terminator behind the last byte that is not
 * counted: let it go with protocol_wipe_free(). json_dumpb() writes into a buffer of ours: the
 * other ways of jansson to write leave copies behind, in buffers that grew. -E2BIG: over `max`, or
 * -ENOMEM. */
int protocol_json_write(const json_t *json, size_t max, char **ret, size_t *ret_size);

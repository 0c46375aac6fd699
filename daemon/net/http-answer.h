/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The head of an HTTP/1.1 answer (RFC 9112, 2 to 5): what a proxy says to CONNECT, and a server to
 * the wish for a WebSocket. It is fed byte by byte, so that what stands behind it is left to whom
 * it belongs. Bounded, and ended at the first byte that can be no HTTP. PURE. */

#include "daemon/base/macro.h"

/* Interim answers (1xx) and all. Proxies' heads have some hundred bytes. */
#define HTTP_ANSWER_MAX ((size_t) 4096)

/* Of the reason phrase in messages. */
#define HTTP_REASON_SHOWN_MAX 64

typedef struct HttpAnswer {
        size_t size, before; /* of this head; of interim ones before it */
        char head[HTTP_ANSWER_MAX];
} HttpAnswer;

/* 0: go on. 1: the head is whole; nothing may be fed any more. -EBADMSG: that is no HTTP, or has
 * control characters or folded lines. -EMSGSIZE: longer than HTTP_ANSWER_MAX. An interim answer but
 * 101 is skipped. */
int http_answer_feed(HttpAnswer *a, uint8_t byte);

/* The rest: of a whole head. */
int http_answer_status(const HttpAnswer *a); /* 100 to 999 */

/* The reason phrase for people: printable ASCII, HTTP_REASON_SHOWN_MAX bytes at most; not
 * terminated; may be empty. */
const char *http_answer_reason(const HttpAnswer *a, int *ret_size);

/* Whether there is a header of this name with this token in its list of values, in any case of
 * letters. */
bool http_answer_has_token(const HttpAnswer *a, const char *name, const char *token);

/* The value, without blanks around it, not terminated; NULL: no header of this name, or more than
 * one. */
const char *http_answer_header(const HttpAnswer *a, const char *name, size_t *ret_size);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The service's answers carry nothing that says which request they belong to. A broker that doubles
 * or delays one could so give one job's answer to another. What was answered before on a connection
 * is remembered here (a hash each, the last ones), so that an old answer is known when it comes
 * again. Pure. */

#include "daemon/base/macro.h"

#define ANSWERS_SEEN_MAX ((size_t) 128)

typedef struct AnswersSeen {
        struct {
                uint64_t request;
                uint64_t answer;
        } entries[ANSWERS_SEEN_MAX];
        size_t next, n;
} AnswersSeen;

void answers_seen_reset(AnswersSeen *a);

/* FNV-1a, 64 bits; `before` chains several pieces, ANSWERS_HASH_START begins. */
#define ANSWERS_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t answers_hash(uint64_t before, const void *data, size_t size);

/* Whether this very answer was given before, and to another request than this one. Two requests
 * with the same content may well get the same answer. */
bool answers_seen_elsewhere(const AnswersSeen *a, uint64_t request, uint64_t answer);

/* Whether it was given before, to whomever. */
bool answers_seen(const AnswersSeen *a, uint64_t answer);

void answers_seen_add(AnswersSeen *a, uint64_t request, uint64_t answer);

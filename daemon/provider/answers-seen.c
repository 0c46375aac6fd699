/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/answers-seen.h"

void answers_seen_reset(AnswersSeen *a) {
        *a = (AnswersSeen){};
}

uint64_t answers_hash(uint64_t before, const void *data, size_t size) {
        const uint8_t *bytes = data;
        uint64_t hash = before;

        for (size_t i = 0; i < size; i++) {
                hash ^= bytes[i];
                hash *= UINT64_C(0x100000001b3);
        }
        return hash;
}

bool answers_seen_elsewhere(const AnswersSeen *a, uint64_t request, uint64_t answer) {
        for (size_t i = 0; i < a->n; i++)
                if (a->entries[i].answer == answer && a->entries[i].request != request)
                        return true;
        return false;
}

bool answers_seen(const AnswersSeen *a, uint64_t answer) {
        for (size_t i = 0; i < a->n; i++)
                if (a->entries[i].answer == answer)
                        return true;
        return false;
}

void answers_seen_add(AnswersSeen *a, uint64_t request, uint64_t answer) {
        a->entries[a->next].request = request;
        a->entries[a->next].answer = answer;
        a->next = (a->next + 1) % ANSWERS_SEEN_MAX;
        if (a->n < ANSWERS_SEEN_MAX)
                a->n++;
}

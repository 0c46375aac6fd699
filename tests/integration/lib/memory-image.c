/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/memory-image.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/base/macro.h"

#define PAGE 4096U
#define PAGES_MAX (UINT64_C(1) << 20)     /* larger are the shadows of AddressSanitizer: no data */
#define PAGE_IS_THERE (UINT64_C(3) << 62) /* present, or in the swap: proc_pid_pagemap(5) */
#define HEADS (1U << 16)

typedef struct Search {
        int memory, pagemap;
        const Pieces *pieces;
        uint32_t *first, *next; /* pieces that begin with the same two bytes; counted from 1 */
        uint8_t window[PIECE_BYTES - 1 + PAGE];
        size_t kept; /* bytes of the page before that may begin a piece */
} Search;

static int open_of(pid_t pid, const char *name) {
        _cleanup_free_ char *path = NULL;

        ck_assert_int_ge(asprintf(&path, "/proc/%d/%s", pid, name), 0);
        return open(path, O_RDONLY | O_CLOEXEC);
}

bool memory_can_be_read(pid_t pid) {
        _cleanup_close_ int fd = open_of(pid, "mem");

        return fd >= 0;
}

static unsigned head_of(const uint8_t *bytes) {
        return (unsigned) bytes[0] << 8 | bytes[1];
}

static void index_pieces(Search *s) {
        s->first = calloc(HEADS, sizeof(uint32_t));
        s->next = calloc(s->pieces->n + 1, sizeof(uint32_t));
        ck_assert_ptr_nonnull(s->first);
        ck_assert_ptr_nonnull(s->next);
        for (size_t i = 0; i < s->pieces->n; i++) {
                uint32_t *first = s->first + head_of(s->pieces->list[i].bytes);

                s->next[i + 1] = *first;
                *first = (uint32_t) i + 1;
        }
}

static const Piece *find_in(const Search *s, size_t size, size_t *ret_at) {
        for (size_t at = 0; at + PIECE_BYTES <= size; at++)
                for (uint32_t i = s->first[head_of(s->window + at)]; i; i = s->next[i])
                        if (memcmp(s->pieces->list[i - 1].bytes, s->window + at, PIECE_BYTES) ==
                            0) {
                                *ret_at = at;
                                return s->pieces->list + i - 1;
                        }
        return NULL;
}

/* The page, behind what the one before left. */
static const Piece *find_in_page(Search *s, uint64_t address, uint64_t *ret_address) {
        const Piece *found;
        size_t size, at;

        if (pread(s->memory, s->window + s->kept, PAGE, (off_t) address) != (ssize_t) PAGE) {
                s->kept = 0;
                return NULL;
        }
        size = s->kept + PAGE;
        found = find_in(s, size, &at);
        if (found)
                *ret_address = address - s->kept + at;
        s->kept = PIECE_BYTES - 1;
        memmove(s->window, s->window + size - s->kept, s->kept);
        return found;
}

static const Piece *find_in_mapping(Search *s, uint64_t from, uint64_t to, uint64_t *ret_address) {
        const size_t n = (size_t) ((to - from) / PAGE);
        _cleanup_free_ uint64_t *pages = calloc(n, sizeof(uint64_t));
        const Piece *found = NULL;

        ck_assert_ptr_nonnull(pages);
        /* Where it ends early (vsyscall), nothing is there. */
        if (pread(s->pagemap, pages, n * sizeof(uint64_t),
                  (off_t) (from / PAGE * sizeof(uint64_t))) < 0)
                return NULL;
        s->kept = 0;
        for (size_t i = 0; i < n && !found; i++)
                if (pages[i] & PAGE_IS_THERE)
                        found = find_in_page(s, from + i * PAGE, ret_address);
                else
                        s->kept = 0;
        return found;
}

char *memory_find(pid_t pid, const Pieces *pieces) {
        Search s = {.memory = open_of(pid, "mem"),
                    .pagemap = open_of(pid, "pagemap"),
                    .pieces = pieces};
        FILE *maps = fdopen(open_of(pid, "maps"), "r");
        _cleanup_free_ char *line = NULL;
        char *where = NULL;
        size_t size = 0;

        ck_assert_ptr_nonnull(maps);
        ck_assert_int_ge(s.memory, 0);
        ck_assert_int_ge(s.pagemap, 0);
        index_pieces(&s);
        while (!where && getline(&line, &size, maps) > 0) {
                uint64_t from, to, at = 0;
                const Piece *found;
                char may_read;

                ck_assert_int_eq(sscanf(line, "%" SCNx64 "-%" SCNx64 " %c", &from, &to, &may_read),
                                 3);
                if (may_read != 'r' || (to - from) / PAGE > PAGES_MAX)
                        continue;
                found = find_in_mapping(&s, from, to, &at);
                if (found)
                        ck_assert_int_ge(asprintf(&where, "%s, at %#" PRIx64 ", in %s", found->form,
                                                  at, line),
                                         0);
        }
        (void) fclose(maps);
        free(s.first);
        free(s.next);
        (void) close_fd(s.memory);
        (void) close_fd(s.pagemap);
        return where;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput() in it: it gives
 * foreign bytes to a parser, and holds against it what must be true of the answer. Built by clang
 * with -Dfuzz=true it is driven by libFuzzer; else by replay.c, which feeds it the corpus. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Optional, for formats with sums or lengths in them that chance would never get right. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's */

/* Ends the program with a word, in any build: that is what a finding is. */
#define must(condition)                                                        \
        do {                                                                   \
                if (!(condition))                                              \
                        fuzz_broken(__FILE__, __LINE__, __func__, #condition); \
        } while (0)

_Noreturn void fuzz_broken(const char *file, int line, const char *function, const char *what);

/* A reason told to people: there (unless `may_lack`), of printable UTF-8 and tabs. Freed. */
void fuzz_check_why(char *why, bool may_lack);

bool fuzz_is_text(const char *s);                  /* UTF-8 */
bool fuzz_is_printable(const char *s);             /* and without control characters */
bool fuzz_same_text(const char *a, const char *b); /* both may be NULL */

/* The most memory that was in use at once between the two calls, by what was allocated there; 0
 * without AddressSanitizer, whose hooks do the counting. */
void fuzz_heap_begin(void);
size_t fuzz_heap_end(void);

/* A fresh directory for files that a parser reads by name; removed at the end of the program. */
const char *fuzz_directory(void);
void fuzz_write_file(const char *path, const void *data, size_t size);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* In the place of malloc() and its like, by the linker's --wrap (see meson.build): an allocation
 * that fails on request, and a look at all that is freed. */

#include <stdbool.h>
#include <stddef.h>

/* Lets the n-th allocation from now on fail, with errno; 1 is the next one. */
void heap_fail_at(long n);

/* No more failures. Whether there was one. */
bool heap_end(void);

/* Counts the blocks that are freed with this text in them, until heap_leaks() tells how many. */
void heap_watch(const char *mark);
unsigned heap_leaks(void);

/* For json_set_alloc_funcs(): what lies in another library is not wrapped. */
void *__wrap_malloc(size_t size);
void __wrap_free(void *p);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The stack of a thread that comes and goes. glibc keeps the stacks of ended threads for the next
 * ones, and with them what libraries keep for a thread, which lives at the stack's end: some 60 KB
 * each with wolfSSL's. A mapping of our own goes back to the kernel. */

#include <pthread.h>

#include "daemon/base/macro.h"

/* wolfSSL's RSA and the resolver's modules need some 100 KB; what is not touched costs nothing. */
#define WORKER_STACK_BYTES ((size_t) 2 * 1024 * 1024)

/* NULL, and errno. The lowest page may not be touched: who runs over the end, falls. */
void *worker_stack_new(void);

/* Once its thread has been joined. NULL is taken; gives NULL. */
void *worker_stack_free(void *stack);

/* pthread_create() on the stack. 0 or -errno. */
int worker_stack_run(void *stack, void *(*run)(void *userdata), void *userdata, pthread_t *ret);

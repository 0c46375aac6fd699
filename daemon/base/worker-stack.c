/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/worker-stack.h"

#include <errno.h>
#include <sys/mman.h>

void *worker_stack_new(void) {
        void *stack = mmap(NULL, WORKER_STACK_BYTES, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

        if (stack == MAP_FAILED)
                return NULL;
        /* pthread_attr_setguardsize() is ignored for stacks that are given. */
        if (mprotect(stack, (size_t) sysconf(_SC_PAGESIZE), PROT_NONE) < 0)
                return worker_stack_free(stack);
        return stack;
}

void *worker_stack_free(void *stack) {
        int error = errno;

        if (stack)
                (void) munmap(stack, WORKER_STACK_BYTES);
        errno = error;
        return NULL;
}

int worker_stack_run(void *stack, void *(*run)(void *userdata), void *userdata, pthread_t *ret) {
        pthread_attr_t attributes;
        int r;

        r = pthread_attr_init(&attributes);
        if (r > 0)
                return -r;
        r = pthread_attr_setstack(&attributes, stack, WORKER_STACK_BYTES);
        if (r == 0)
                r = pthread_create(ret, &attributes, run, userdata);
        (void) pthread_attr_destroy(&attributes);
        return -r;
}

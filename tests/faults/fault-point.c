/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/faults/fault-point.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The longest is before-answer-create-from-csr-accepted. */
#define NAME_SIZE 64

/* Enough for an exchange with the test cloud. */
#define SLOW_NSEC 100000000L

/* Set before main() and constant from then on, but for the count. */
static struct {
        char name[NAME_SIZE];
        atomic_int left; /* until the one that counts */
        int list_fd;
} fault = {.list_fd = -1};

__attribute__((constructor)) static void read_environment(void) {
        const char *name = getenv("FLEETPROV_FAULT"), *list = getenv("FLEETPROV_FAULT_LIST");
        const char *colon = name ? strchr(name, ':') : NULL;

        if (name)
                (void) snprintf(fault.name, sizeof(fault.name), "%.*s",
                                (int) (colon ? colon - name : (long) strlen(name)), name);
        atomic_store(&fault.left, colon ? atoi(colon + 1) : 1);
        if (list)
                fault.list_fd = open(list, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* Nothing is flushed, closed or said: as the kernel's out-of-memory killer does it. tgkill(2),
 * since that one the unit allows (abort(3) wants it). */
static void die(void) {
        (void) tgkill(getpid(), gettid(), SIGKILL);
        for (;;)
                (void) pause();
}

static void pass(FaultWhen when, const char *what, const char *detail, long delay_nsec) {
        const struct timespec delay = {.tv_nsec = delay_nsec};
        char line[NAME_SIZE];
        int n;

        n = snprintf(line, sizeof(line), "%s-%s%s%s\n", when == FAULT_BEFORE ? "before" : "after",
                     what, detail ? "-" : "", detail ? detail : "");
        if (n <= 0 || n >= (int) sizeof(line))
                abort(); /* a name that is cut off could stand for another */
        if (fault.list_fd >= 0 && write(fault.list_fd, line, (size_t) n) != n)
                abort();
        line[n - 1] = '\0';
        if (strcmp(line, fault.name) != 0 || atomic_fetch_sub(&fault.left, 1) != 1)
                return;
        if (delay_nsec > 0)
                (void) nanosleep(&delay, NULL);
        die();
}

void fault_point(FaultWhen when, const char *what, const char *detail) {
        pass(when, what, detail, 0);
}

void fault_point_slow(FaultWhen when, const char *what, const char *detail) {
        pass(when, what, detail, SLOW_NSEC);
}

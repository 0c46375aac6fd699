/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/figures.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

double figures_now_ms(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int compare(const void *a, const void *b) {
        const double x = *(const double *) a, y = *(const double *) b;

        return x < y ? -1 : x > y;
}

void figures_print(double *values_ms, size_t n, double total_ms) {
        qsort(values_ms, n, sizeof(double), compare);
        printf(" count=%zu per_second=%.0f p50_ms=%.3f p99_ms=%.3f\n", n,
               (double) n / total_ms * 1e3, values_ms[n / 2], values_ms[n * 99 / 100]);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Times and their medians, as the programs of this folder print them: one line of NAME=VALUE words,
 * read by tests/bench/run. */

#include <stddef.h>

double figures_now_ms(void); /* monotonic */

/* Sorts the values. Prints " count=N per_second=X p50_ms=X p99_ms=X" behind what stands already. */
void figures_print(double *values_ms, size_t n, double total_ms);

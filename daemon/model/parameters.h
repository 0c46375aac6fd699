/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Names and values, both strings, in the order in which they came; a name stands once. A template's
 * parameters and a device configuration are such lists. */

#include "daemon/base/macro.h"

typedef struct Parameter {
        char *name;
        char *value;
} Parameter;

typedef struct Parameters {
        Parameter *items;
        size_t n;
} Parameters;

void parameters_done(Parameters *p);

/* Replaces the value of a name that is there. -ENOMEM. */
int parameters_set(Parameters *p, const char *name, const char *value);
const char *parameters_get(const Parameters *p, const char *name); /* NULL: not there */

/* Sets every entry of `from` in `to`. */
int parameters_merge(Parameters *to, const Parameters *from);

/* The same names with the same values, in any order. */
bool parameters_equal(const Parameters *a, const Parameters *b);

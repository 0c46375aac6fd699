/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Enumerations that have names on the wire: one table, two functions. `X_to_string` gives NULL for
 * a value outside the table, `X_from_string` gives X's _INVALID (-EINVAL) for an unknown name. */

#include <stddef.h>
#include <string.h>

#define DECLARE_STRING_TABLE(name, Type)          \
        const char *name##_to_string(Type value); \
        Type name##_from_string(const char *s)

#define DEFINE_STRING_TABLE(name, Type, invalid)                                            \
        const char *name##_to_string(Type value) {                                          \
                if ((int) value < 0 ||                                                      \
                    (size_t) value >= sizeof(name##_table) / sizeof(name##_table[0]))       \
                        return NULL;                                                        \
                return name##_table[value];                                                 \
        }                                                                                   \
        Type name##_from_string(const char *s) {                                            \
                if (!s)                                                                     \
                        return invalid;                                                     \
                for (size_t i = 0; i < sizeof(name##_table) / sizeof(name##_table[0]); i++) \
                        if (name##_table[i] && strcmp(name##_table[i], s) == 0)             \
                                return (Type) i;                                            \
                return invalid;                                                             \
        }                                                                                   \
        typedef int name##_table_needs_a_semicolon

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Tables for people, by libsmartcols: as wide as the terminal, in full into a pipe. Control
 * characters are escaped. */

#include "libclient/ctl/ctl.h"

typedef struct Column {
        const char *name;
        enum {
                COLUMN_WHOLE, /* ids, names: never cut */
                COLUMN_CUT,   /* cut on a narrow terminal */
                COLUMN_WRAP,  /* broken into lines */
                COLUMN_RIGHT, /* numbers */
                COLUMN_LABEL, /* of the row, to the right, with a colon */
        } kind;
} Column;

typedef struct Table Table;

/* Complains where memory is short; the other functions take NULL, and table_print() then fails. */
Table *table_new(const Ctl *ctl, const Column *columns, size_t n_columns);
Table *table_free(Table *t);
DEFINE_CLEANUP(Table *, table_free);

/* One string for each column; NULL: "-". Copies. */
void table_add(Table *t, const char *const *cells);

/* A table of two columns, without headings: label and value. A NULL value is left out. */
Table *table_new_list(const Ctl *ctl);
void table_add_pair(Table *t, const char *label, const char *value);

ExitStatus table_print(Table *t);

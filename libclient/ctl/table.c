/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/table.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdio.h>

#include "libclient/ctl/complain.h"

struct Table {
        struct libscols_table *scols;
        size_t n_columns;
        const Column *columns;
        bool list;
        bool failed;
};

Table *table_free(Table *t) {
        if (!t)
                return NULL;
        scols_unref_table(t->scols);
        free(t);
        return NULL;
}

static int column_flags(const Column *c) {
        switch (c->kind) {
        case COLUMN_WHOLE:
                return 0;
        case COLUMN_CUT:
                return SCOLS_FL_TRUNC;
        case COLUMN_WRAP:
                return SCOLS_FL_WRAP;
        case COLUMN_RIGHT:
        case COLUMN_LABEL:
                return SCOLS_FL_RIGHT;
        }
        return 0;
}

Table *table_new(const Ctl *ctl, const Column *columns, size_t n_columns) {
        _cleanup_(table_freep) Table *t = calloc(1, sizeof(Table));

        scols_init_debug(0);
        if (t)
                t->scols = scols_new_table();
        if (!t || !t->scols) {
                complain("out of memory");
                return NULL;
        }
        t->columns = columns;
        t->n_columns = n_columns;
        /* escape_text() has done it, without tearing letters that a plain locale does not know. */
        scols_table_enable_noencoding(t->scols, 1);
        scols_table_enable_noheadings(t->scols, ctl->options.no_legend);
        /* The terminal's width also where a pager stands before it. */
        scols_table_set_termforce(t->scols,
                                  ctl->terminal ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
        if (ctl->terminal)
                scols_table_set_termwidth(t->scols, ctl->columns);
        for (size_t i = 0; i < n_columns; i++)
                if (!scols_table_new_column(t->scols, columns[i].name,
                                            columns[i].kind == COLUMN_CUT ? 0.1 : 1.0,
                                            column_flags(&columns[i])))
                        t->failed = true;
        return TAKE_PTR(t);
}

Table *table_new_list(const Ctl *ctl) {
        static const Column columns[] = {{"NAME", COLUMN_LABEL}, {"VALUE", COLUMN_WRAP}};
        Table *t = table_new(ctl, columns, ELEMENTSOF(columns));

        if (t) {
                t->list = true;
                scols_table_enable_noheadings(t->scols, 1);
        }
        return t;
}

void table_add(Table *t, const char *const *cells) {
        struct libscols_line *line;

        if (!t)
                return;
        line = scols_table_new_line(t->scols, NULL);
        for (size_t i = 0; line && i < t->n_columns; i++) {
                _cleanup_free_ char *safe =
                        escape_text(cells[i] && *cells[i] ? cells[i] : "-", true);

                if (!safe || scols_line_set_data(line, i, safe) < 0)
                        t->failed = true;
        }
        if (!line)
                t->failed = true;
}

void table_add_pair(Table *t, const char *label, const char *value) {
        _cleanup_free_ char *with_colon = NULL;

        if (!t || !value)
                return;
        if (asprintf(&with_colon, "%s%s", label, *label ? ":" : "") < 0) {
                with_colon = NULL;
                t->failed = true;
                return;
        }
        /* An empty label would read "-". */
        table_add(t, (const char *const[]){*label ? with_colon : " ", value});
}

/* Without the blanks that fill the last column up. */
static int print_trimmed(struct libscols_table *scols) {
        _cleanup_free_ char *text = NULL;
        char *state = NULL;
        int r;

        r = scols_print_table_to_string(scols, &text);
        if (r != 0 || !text)
                return r;
        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                size_t n = strlen(line);

                while (n > 0 && line[n - 1] == ' ')
                        n--;
                if (printf("%.*s\n", (int) n, line) < 0)
                        return -errno;
        }
        return fflush(stdout) == 0 ? 0 : -errno;
}

ExitStatus table_print(Table *t) {
        errno = 0;
        if (t && !t->failed && print_trimmed(t->scols) == 0)
                return STATUS_OK;
        /* Told of only where a pager stands before us: the reader has seen enough. */
        if (errno == EPIPE)
                return STATUS_OK;
        complain("standard output: cannot be written");
        return STATUS_FAILED;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/parameters.h"

#include <errno.h>

void parameters_done(Parameters *p) {
        for (size_t i = 0; i < p->n; i++) {
                free(p->items[i].name);
                free(p->items[i].value);
        }
        free(p->items);
        *p = (Parameters){};
}

static Parameter *find(const Parameters *p, const char *name) {
        for (size_t i = 0; i < p->n; i++)
                if (streq(p->items[i].name, name))
                        return p->items + i;
        return NULL;
}

int parameters_set(Parameters *p, const char *name, const char *value) {
        _cleanup_free_ char *name_copy = NULL, *value_copy = NULL;
        Parameter *items, *present;

        present = find(p, name);
        if (present)
                return free_and_strdup(&present->value, value);
        name_copy = strdup(name);
        value_copy = strdup(value);
        if (!name_copy || !value_copy)
                return -ENOMEM;
        items = reallocarray(p->items, p->n + 1, sizeof(Parameter));
        if (!items)
                return -ENOMEM;
        p->items = items;
        p->items[p->n++] = (Parameter){TAKE_PTR(name_copy), TAKE_PTR(value_copy)};
        return 0;
}

const char *parameters_get(const Parameters *p, const char *name) {
        const Parameter *present = find(p, name);

        return present ? present->value : NULL;
}

int parameters_merge(Parameters *to, const Parameters *from) {
        for (size_t i = 0; i < from->n; i++) {
                int r = parameters_set(to, from->items[i].name, from->items[i].value);

                if (r < 0)
                        return r;
        }
        return 0;
}

bool parameters_equal(const Parameters *a, const Parameters *b) {
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (!streq_ptr(parameters_get(b, a->items[i].name), a->items[i].value))
                        return false;
        return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/base/wipe.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void protocol_wipe_free(void *p) {
        if (!p)
                return;
        explicit_bzero(p, malloc_usable_size(p));
        free(p);
}

static void wipe_texts(json_t *json) {
        const char *name;
        json_t *value;
        size_t i;

        if (json_is_string(json)) {
                /* jansson hands its text out as const; it is ours alone, and about to be freed. */
                char *text = (char *) (uintptr_t) json_string_value(json);

                explicit_bzero(text, json_string_length(json));
        }
        json_object_foreach(json, name, value)
                wipe_texts(value);
        json_array_foreach(json, i, value)
                wipe_texts(value);
}

void protocol_json_wipep(json_t **json) {
        if (!*json)
                return;
        wipe_texts(*json);
        json_decref(*json);
}

static void *malloc_or_end(size_t size) {
        void *p = malloc(size);

        if (!p)
                abort();
        return p;
}

void protocol_json_harden(void) {
        json_set_alloc_funcs(malloc_or_end, protocol_wipe_free);
}

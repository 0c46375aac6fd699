/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reads D-Bus dictionaries (a{sv}) into structs, by a table of names. Entries that are not in the
 * table are skipped, so that a newer daemon may say more; a known entry of another type than the
 * interface's is -EBADMSG. Where a name comes twice, the later value stays. */

#include <systemd/sd-bus.h>

#include "libclient/macro.h"

typedef struct StringPair {
        char *name;
        char *value;
} StringPair;

typedef struct StringMap {
        StringPair *pairs;
        size_t n;
} StringMap;

void string_map_done(StringMap *map);
int string_map_add(StringMap *map, const char *name, const char *value);
const char *string_map_get(const StringMap *map, const char *name); /* NULL: not there */

/* For `enumerate` functions: 1 and the pair, or 0 beyond the last; each out parameter may be NULL.
 */
int string_map_enumerate(const StringMap *map, size_t index, const char **ret_name,
                         const char **ret_value);

typedef struct StringList {
        char **strings;
        size_t n;
} StringList;

void string_list_done(StringList *list);

/* Reads one variant into what `to` points to. `depth` counts dictionaries within dictionaries. */
typedef int (*DictReader)(sd_bus_message *m, void *to, unsigned depth);

typedef struct DictField {
        const char *name;
        DictReader read;
        size_t offset; /* in the struct, of what `read` fills */
} DictField;

/* Reads an a{sv} at the message's current place. */
int dict_read(sd_bus_message *m, const DictField *fields, size_t n_fields, void *object,
              unsigned depth);

int dict_read_string(sd_bus_message *m, void *to, unsigned depth);     /* s or o into char * */
int dict_read_u32(sd_bus_message *m, void *to, unsigned depth);        /* u into uint32_t */
int dict_read_i32(sd_bus_message *m, void *to, unsigned depth);        /* i into int32_t */
int dict_read_u64(sd_bus_message *m, void *to, unsigned depth);        /* t into uint64_t */
int dict_read_bool(sd_bus_message *m, void *to, unsigned depth);       /* b into int */
int dict_read_string_map(sd_bus_message *m, void *to, unsigned depth); /* a{ss} into StringMap */
int dict_read_strings(sd_bus_message *m, void *to, unsigned depth);    /* as, ao into StringList */
int dict_read_fd(sd_bus_message *m, void *to, unsigned depth);         /* h into int, a duplicate */

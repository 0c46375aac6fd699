/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/dict.h"

#include <errno.h>
#include <fcntl.h>

void string_map_done(StringMap *map) {
        for (size_t i = 0; i < map->n; i++) {
                free(map->pairs[i].name);
                free(map->pairs[i].value);
        }
        free(map->pairs);
        *map = (StringMap){0};
}

int string_map_add(StringMap *map, const char *name, const char *value) {
        _cleanup_free_ char *n = strdup(name), *v = strdup(value);
        StringPair *pairs;

        if (!n || !v)
                return -ENOMEM;
        pairs = reallocarray(map->pairs, map->n + 1, sizeof(StringPair));
        if (!pairs)
                return -ENOMEM;
        map->pairs = pairs;
        map->pairs[map->n++] = (StringPair){.name = TAKE_PTR(n), .value = TAKE_PTR(v)};
        return 0;
}

const char *string_map_get(const StringMap *map, const char *name) {
        for (size_t i = 0; i < map->n; i++)
                if (streq(map->pairs[i].name, name))
                        return map->pairs[i].value;
        return NULL;
}

int string_map_enumerate(const StringMap *map, size_t index, const char **ret_name,
                         const char **ret_value) {
        if (index >= map->n)
                return 0;
        if (ret_name)
                *ret_name = map->pairs[index].name;
        if (ret_value)
                *ret_value = map->pairs[index].value;
        return 1;
}

void string_list_done(StringList *list) {
        for (size_t i = 0; i < list->n; i++)
                free(list->strings[i]);
        free(list->strings);
        *list = (StringList){0};
}

/* sd-bus says -ENXIO where the type is another one: for us that is a bad message. */
static int read_failed(int r) {
        return r == -ENXIO ? -EBADMSG : r;
}

static int read_entry(sd_bus_message *m, const DictField *fields, size_t n_fields, void *object,
                      unsigned depth) {
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_fields; i++) {
                if (!streq(fields[i].name, name))
                        continue;
                r = fields[i].read(m, (char *) object + fields[i].offset, depth);
                return read_failed(r);
        }
        return sd_bus_message_skip(m, "v");
}

int dict_read(sd_bus_message *m, const DictField *fields, size_t n_fields, void *object,
              unsigned depth) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return read_failed(r);
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_entry(m, fields, n_fields, object, depth);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        return sd_bus_message_exit_container(m);
}

static int replace_string(char **to, const char *s) {
        char *copy = strdup(s);

        if (!copy)
                return -ENOMEM;
        free(*to);
        *to = copy;
        return 0;
}

int dict_read_string(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        const char *s;
        int r;

        r = sd_bus_message_read(m, "v", "s", &s);
        return r < 0 ? r : replace_string(to, s);
}

int dict_read_u32(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        return sd_bus_message_read(m, "v", "u", to);
}

int dict_read_i32(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        return sd_bus_message_read(m, "v", "i", to);
}

int dict_read_u64(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        return sd_bus_message_read(m, "v", "t", to);
}

int dict_read_bool(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        return sd_bus_message_read(m, "v", "b", to);
}

int dict_read_string_map(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        StringMap *map = to;
        const char *name, *value;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "a{ss}");
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', "{ss}");
        if (r < 0)
                return r;
        string_map_done(map);
        while ((r = sd_bus_message_read(m, "{ss}", &name, &value)) > 0) {
                r = string_map_add(map, name, value);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int dict_read_strings(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        StringList *list = to;
        const char *contents, *element;
        char type;
        int r;

        r = sd_bus_message_peek_type(m, &type, &contents);
        if (r < 0)
                return r;
        if (type != 'v' || (!streq(contents, "as") && !streq(contents, "ao")))
                return -EBADMSG;
        element = contents + 1;
        r = sd_bus_message_enter_container(m, 'v', contents);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(m, 'a', element);
        if (r < 0)
                return r;
        string_list_done(list);
        for (;;) {
                const char *s;
                char **strings;

                r = sd_bus_message_read_basic(m, *element, &s);
                if (r <= 0)
                        break;
                strings = reallocarray(list->strings, list->n + 1, sizeof(char *));
                if (!strings)
                        return -ENOMEM;
                list->strings = strings;
                list->strings[list->n] = strdup(s);
                if (!list->strings[list->n])
                        return -ENOMEM;
                list->n++;
        }
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int dict_read_fd(sd_bus_message *m, void *to, _unused_ unsigned depth) {
        int *ret = to, fd, r;

        r = sd_bus_message_read(m, "v", "h", &fd);
        if (r < 0)
                return r;
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (fd < 0)
                return -errno;
        if (*ret >= 0)
                close(*ret);
        *ret = fd;
        return 0;
}

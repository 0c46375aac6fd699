/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Parameter.NAME= and DefaultParameter.NAME=: a text with specifiers, or @FILE or credential:NAME,
 * whose content is taken as it stands but for one line end behind it. A parameter goes to the cloud
 * and is shown to whoever may see the job, so none of this is kept as a secret. */

#include "daemon/config/config-setting.h"

#include <errno.h>

#include "daemon/config/config-value.h"
#include "daemon/config/secret-path.h"
#include "protocol/ipc/limits.h"

/* What jobs' parameters are held to, so that a profile cannot fix what no job could ask for. */
#define VALUE_MAX IPC_PARAMETER_VALUE_MAX

static const char *name_of(const ConfigEntry *e) {
        return strchr(e->key, '.') + 1;
}

/* Takes one "\n" or "\r\n" off the end; gives the size without it. */
static size_t without_line_end(const char *text, size_t size) {
        if (size > 0 && text[size - 1] == '\n')
                size--;
        if (size > 0 && text[size - 1] == '\r')
                size--;
        return size;
}

static int value_from_file(ProfileLoader *l, const ConfigEntry *e, const char *path, char **ret) {
        _cleanup_secret_ Secret *content = NULL;
        _cleanup_free_ char *why = NULL;
        size_t size;
        int r;

        /* Two bytes more than a value may have: its line end. */
        r = path_read(path, "its value from", VALUE_MAX + 2, &content, &why);
        if (r < 0 && why)
                return config_refuse(l->ret_why, e, "%s", why);
        if (r < 0)
                return r;
        size = without_line_end(secret_text(content), content->size);
        if (config_text_check(secret_text(content), size) != size)
                return config_refuse(l->ret_why, e,
                                     "%s holds more than a line of UTF-8 text without control "
                                     "characters",
                                     path);
        *ret = strndup(secret_text(content), size);
        return *ret ? 0 : -ENOMEM;
}

static int value_from_path(ProfileLoader *l, const ConfigEntry *e, char **ret) {
        _cleanup_free_ char *path = NULL;
        ConfigEntry named = *e;
        int r;

        if (e->value[0] == '@') {
                named.value = e->value + 1;
                if (named.value[0] != '/')
                        return config_refuse(l->ret_why, e,
                                             "'@' reads a file by its absolute path, as in "
                                             "@/etc/serial; a text that begins with '@' can stand "
                                             "in such a file");
        }
        r = setting_parse_path(&named, &path, l->ret_why);
        if (r < 0)
                return r;
        return value_from_file(l, e, path, ret);
}

static int value_of(ProfileLoader *l, const ConfigEntry *e, char **ret) {
        _cleanup_free_ char *why = NULL;
        int r;

        if (e->value[0] == '@' ||
            strncmp(e->value, CONFIG_CREDENTIAL_PREFIX, strlen(CONFIG_CREDENTIAL_PREFIX)) == 0)
                return value_from_path(l, e, ret);
        r = specifiers_expand(l->specifiers, e->value, ret, &why);
        if (r == -EINVAL && why)
                return config_refuse(l->ret_why, e, "%s", why);
        return r;
}

static int set_parameter(ProfileLoader *l, const ConfigEntry *e, Parameters *parameters) {
        _cleanup_free_ char *value = NULL;
        const char *name = name_of(e);
        int r;

        if (*name == '\0' || strlen(name) > IPC_PARAMETER_NAME_MAX)
                return config_refuse(l->ret_why, e,
                                     "the name of the parameter, behind the '.', has 1 to %zu "
                                     "bytes",
                                     IPC_PARAMETER_NAME_MAX);
        r = value_of(l, e, &value);
        if (r < 0)
                return r;
        if (strlen(value) > VALUE_MAX)
                return config_refuse(l->ret_why, e, "a value of more than %zu bytes", VALUE_MAX);
        l->parameters_size += strlen(name) + strlen(value);
        if (l->parameters_size > IPC_PARAMETERS_TOTAL_MAX || parameters->n >= IPC_PARAMETERS_MAX)
                return config_refuse(l->ret_why, e,
                                     "too much: a profile has at most %zu parameters of %zu bytes "
                                     "together",
                                     IPC_PARAMETERS_MAX, IPC_PARAMETERS_TOTAL_MAX);
        return parameters_set(parameters, name, value);
}

int setting_parameter(ProfileLoader *l, const ConfigEntry *e) {
        return set_parameter(l, e, &l->profile->fixed_parameters);
}

int setting_default_parameter(ProfileLoader *l, const ConfigEntry *e) {
        return set_parameter(l, e, &l->profile->default_parameters);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/template.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/macro.h"

#define SERIAL_NUMBER "SerialNumber"
#define REFUSED_PREFIX "refuse"
#define THING_PREFIX "thing-"

/* Of a thing's name. */
#define THING_NAME_MAX 128

static json_t *full_configuration(const Template *template, const json_t *parameters) {
        return json_pack("{s:s, s:s, s:s, s:O}", "LocationUrl", "https://example.com/devices",
                         "Template", template->name, "ReportSeconds", "60", SERIAL_NUMBER,
                         json_object_get(parameters, SERIAL_NUMBER));
}

static json_t *empty_configuration(_unused_ const Template *template,
                                   _unused_ const json_t *parameters) {
        return json_object();
}

static json_t *no_configuration(_unused_ const Template *template,
                                _unused_ const json_t *parameters) {
        return NULL;
}

static const Template templates[] = {
        {"FleetTemplate", SERIAL_NUMBER, false, true, full_configuration},
        {"FleetRotation", SERIAL_NUMBER, true, true, full_configuration},
        {"HookTemplate", SERIAL_NUMBER, false, true, full_configuration},
        {"EmptyTemplate", SERIAL_NUMBER, false, false, empty_configuration},
        {"BareTemplate", SERIAL_NUMBER, false, false, no_configuration},
};

const Template *template_find(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(templates); i++)
                if (streq(templates[i].name, name))
                        return &templates[i];
        return NULL;
}

bool template_allows(const char *name, bool device) {
        const Template *template = template_find(name);

        return !template || template->rotates == device;
}

static const char *serial_number(const Template *template, const json_t *parameters) {
        return json_string_value(json_object_get(parameters, template->required));
}

bool template_hook_allows(const Template *template, const json_t *parameters) {
        return !template->hooked || strncmp(serial_number(template, parameters), REFUSED_PREFIX,
                                            strlen(REFUSED_PREFIX)) != 0;
}

char *template_thing_name(const Template *template, const json_t *parameters) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_:-";
        const char *serial = serial_number(template, parameters);
        size_t n = strlen(serial);
        char *name;

        if (n == 0 || n + strlen(THING_PREFIX) > THING_NAME_MAX || serial[strspn(serial, allowed)])
                return NULL;
        return asprintf(&name, THING_PREFIX "%s", serial) < 0 ? NULL : name;
}

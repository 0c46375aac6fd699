/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The provisioning templates that the cloud knows, each with the parameters it requires, a
 * pre-provisioning hook, and the device configuration it gives. */

#include <stdbool.h>

#include <jansson.h>

typedef struct Template {
        const char *name;
        const char *required; /* the one parameter that must be there */
        bool rotates;         /* for active certificates alone, and the others for claims alone */
        bool hooked;          /* the hook refuses serial numbers that begin with "refuse" */
        json_t *(*configuration)(const struct Template *template, const json_t *parameters);
} Template;

/* NULL: there is none of that name. */
const Template *template_find(const char *name);

/* What the policies of claims, and of the devices' certificates, say. One that is not there may be
 * asked for by anybody: the answer is that there is none. */
bool template_allows(const char *name, bool device);

/* What the hook says; it is asked for templates that have one. */
bool template_hook_allows(const Template *template, const json_t *parameters);

/* "thing-SERIAL"; NULL when the service would not have it as a thing's name. The caller frees. */
char *template_thing_name(const Template *template, const json_t *parameters);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/topic.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/macro.h"

#define PREFIX_CREATE_CSR "$aws/certificates/create-from-csr/"
#define PREFIX_CREATE_KEYS "$aws/certificates/create/"
#define PREFIX_TEMPLATES "$aws/provisioning-templates/"
#define PROVISION "/provision/"

static const char *const operation_table[OPERATION_MAX] = {
        [OPERATION_CREATE_CSR] = "create-csr", [OPERATION_CREATE_KEYS] = "create-keys",
        [OPERATION_REGISTER] = "register",     [OPERATION_DPS_REGISTER] = "dps-register",
        [OPERATION_DPS_QUERY] = "dps-query",
};

static const char *const format_table[FORMAT_MAX] = {
        [FORMAT_JSON] = "json",
        [FORMAT_CBOR] = "cbor",
};

const char *operation_to_string(Operation operation) {
        return operation_table[operation];
}

const char *format_to_string(Format format) {
        return format_table[format];
}

/* The rest of s behind the prefix, or NULL. */
static const char *skip_prefix(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

static const char *skip_template(const char *s, char ret_name[TEMPLATE_NAME_MAX + 1]) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_-";
        size_t n = strspn(s, allowed);

        if (n == 0 || n > TEMPLATE_NAME_MAX)
                return NULL;
        memcpy(ret_name, s, n);
        ret_name[n] = '\0';
        return skip_prefix(s + n, PROVISION);
}

static bool parse_format_and_part(const char *s, Topic *topic) {
        const char *rest;

        if ((rest = skip_prefix(s, "json")))
                topic->format = FORMAT_JSON;
        else if ((rest = skip_prefix(s, "cbor")))
                topic->format = FORMAT_CBOR;
        else
                return false;

        if (streq(rest, ""))
                topic->part = TOPIC_REQUEST;
        else if (streq(rest, "/accepted"))
                topic->part = TOPIC_ACCEPTED;
        else if (streq(rest, "/rejected"))
                topic->part = TOPIC_REJECTED;
        else
                return false;
        return true;
}

bool topic_parse(const char *name, Topic *ret) {
        Topic topic = {};
        const char *rest;

        if ((rest = skip_prefix(name, PREFIX_CREATE_CSR)))
                topic.operation = OPERATION_CREATE_CSR;
        else if ((rest = skip_prefix(name, PREFIX_CREATE_KEYS)))
                topic.operation = OPERATION_CREATE_KEYS;
        else if ((rest = skip_prefix(name, PREFIX_TEMPLATES)) &&
                 (rest = skip_template(rest, topic.template_name)))
                topic.operation = OPERATION_REGISTER;
        else
                return false;

        if (!parse_format_and_part(rest, &topic))
                return false;
        *ret = topic;
        return true;
}

char *topic_answer(const Topic *request, bool accepted) {
        const char *format = format_to_string(request->format);
        const char *part = accepted ? "accepted" : "rejected";
        char *name = NULL;
        int r = -1;

        switch (request->operation) {
        case OPERATION_CREATE_CSR:
                r = asprintf(&name, PREFIX_CREATE_CSR "%s/%s", format, part);
                break;
        case OPERATION_CREATE_KEYS:
                r = asprintf(&name, PREFIX_CREATE_KEYS "%s/%s", format, part);
                break;
        case OPERATION_REGISTER:
                r = asprintf(&name, PREFIX_TEMPLATES "%s" PROVISION "%s/%s", request->template_name,
                             format, part);
                break;
        case OPERATION_DPS_REGISTER:
        case OPERATION_DPS_QUERY:
        case OPERATION_MAX:
                break;
        }
        return r < 0 ? NULL : name;
}

bool topic_filter_allowed(const char *filter) {
        Topic topic;

        if (strpbrk(filter, "+#"))
                return skip_prefix(filter, PREFIX_CREATE_CSR) ||
                       skip_prefix(filter, PREFIX_CREATE_KEYS) ||
                       skip_prefix(filter, PREFIX_TEMPLATES);
        return topic_parse(filter, &topic) && topic.part != TOPIC_REQUEST;
}

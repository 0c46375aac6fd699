/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/dps-topic.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/macro.h"

#define REGISTER "$dps/registrations/PUT/iotdps-register/?"
#define QUERY "$dps/registrations/GET/iotdps-get-operationstatus/?"
#define ANSWER "$dps/registrations/res/"

bool dps_url_decode(const char *s, size_t n, char *ret, size_t room) {
        size_t out = 0;

        for (size_t i = 0; i < n; i++) {
                unsigned value = (unsigned char) s[i];
                char digits[3] = "";

                if (s[i] == '%') {
                        if (n - i < 3)
                                return false;
                        memcpy(digits, s + i + 1, 2);
                        if (strspn(digits, "0123456789abcdefABCDEF") != 2)
                                return false;
                        value = (unsigned) strtoul(digits, NULL, 16);
                        i += 2;
                }
                if (value == 0 || out + 1 >= room)
                        return false;
                ret[out++] = (char) value;
        }
        ret[out] = '\0';
        return true;
}

/* The parameter's value, decoded; false when it is not there. */
static bool find_parameter(const char *query, const char *name, char *ret, size_t room) {
        size_t n = strlen(name);

        for (const char *p = query; *p;) {
                size_t size = strcspn(p, "&");

                if (size > n && strncmp(p, name, n) == 0 && p[n] == '=')
                        return dps_url_decode(p + n + 1, size - n - 1, ret, room) && ret[0];
                p += size;
                p += *p == '&';
        }
        return false;
}

bool dps_topic_parse(const char *name, DpsRequest *ret) {
        DpsRequest request = {};
        const char *query;

        if (strncmp(name, REGISTER, strlen(REGISTER)) == 0) {
                request.operation = OPERATION_DPS_REGISTER;
                query = name + strlen(REGISTER);
        } else if (strncmp(name, QUERY, strlen(QUERY)) == 0) {
                request.operation = OPERATION_DPS_QUERY;
                query = name + strlen(QUERY);
                if (!find_parameter(query, "operationId", request.operation_id,
                                    sizeof(request.operation_id)))
                        return false;
        } else
                return false;
        if (!find_parameter(query, "$rid", request.rid, sizeof(request.rid)))
                return false;
        *ret = request;
        return true;
}

static char *encode(const char *s) {
        char *encoded = calloc(strlen(s) + 1, 3), *out = encoded;

        for (; encoded && *s; s++)
                if (strchr("$/?&=#+% ", *s) || *s < ' ' || *s > '~')
                        out += sprintf(out, "%%%02X", (unsigned char) *s);
                else
                        *out++ = *s;
        return encoded;
}

char *dps_topic_answer(const char *rid, int status, const char *retry_after, bool swapped) {
        _cleanup_free_ char *encoded = encode(rid);
        char *name = NULL;
        int r;

        if (!encoded)
                return NULL;
        if (swapped)
                r = asprintf(&name, ANSWER "%d/?retry-after=%s&new=1&$rid=%s", status,
                             retry_after ? retry_after : "1", encoded);
        else
                r = asprintf(&name, ANSWER "%d/?$rid=%s%s%s", status, encoded,
                             retry_after ? "&retry-after=" : "", retry_after ? retry_after : "");
        return r < 0 ? NULL : name;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/fault-kind.h"

#include <ctype.h>
#include <string.h>

#define STATUS_MIN 100
#define STATUS_MAX 999

static const FaultInfo info_table[FAULT_MAX] = {
        [FAULT_DROP] = {"drop", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_DROP_ANSWER] = {"drop-answer", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_DELAY] = {"delay", SCOPE_REQUEST, VALUE_NUMBER},
        [FAULT_LATE] = {"late", SCOPE_REQUEST, VALUE_NUMBER},
        [FAULT_DOUBLE] = {"double", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_REPLAY] = {"replay", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_MALFORMED] = {"malformed", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_WRONG_TYPES] = {"wrong-types", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_TRUNCATED] = {"truncated", SCOPE_REQUEST, VALUE_NUMBER_OR_NONE},
        [FAULT_OVERSIZE] = {"oversize", SCOPE_REQUEST, VALUE_NUMBER},
        [FAULT_EXTRA_FIELDS] = {"extra-fields", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_INDEFINITE] = {"indefinite", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_TOPIC] = {"topic", SCOPE_REQUEST, VALUE_TEXT},
        [FAULT_WIRE] = {"wire", SCOPE_REQUEST, VALUE_HEX},
        [FAULT_REJECT] = {"reject", SCOPE_REQUEST, VALUE_REJECTION},
        [FAULT_THROTTLE] = {"throttle", SCOPE_REQUEST, VALUE_NUMBER},
        [FAULT_CUT_BEFORE] = {"cut-before", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_CUT_AFTER] = {"cut-after", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_FOREIGN] = {"foreign", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_FOREIGN_FIRST] = {"foreign-first", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_TOKEN_TTL] = {"token-ttl", SCOPE_REQUEST, VALUE_NUMBER},
        [FAULT_CONFIGURATION] = {"configuration", SCOPE_REQUEST, VALUE_CONFIGURATION},
        [FAULT_INACTIVE] = {"inactive", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_ACTIVATION_DELAY] = {"activation-delay", SCOPE_REQUEST, VALUE_NUMBER},
        [FAULT_ASSIGNING] = {"assigning", SCOPE_REQUEST, VALUE_NUMBER},
        [FAULT_RETRY_AFTER] = {"retry-after", SCOPE_REQUEST, VALUE_TEXT},
        [FAULT_STATUS] = {"status", SCOPE_REQUEST, VALUE_TEXT},
        [FAULT_SWAPPED] = {"swapped", SCOPE_REQUEST, VALUE_NONE},
        [FAULT_ISSUED] = {"issued", SCOPE_REQUEST, VALUE_TEXT},
        [FAULT_CONNACK] = {"connack", SCOPE_CONNECT, VALUE_NUMBER},
        [FAULT_CONNECT_DROP] = {"connect-drop", SCOPE_CONNECT, VALUE_NONE},
        [FAULT_SUBACK_REFUSE] = {"suback-refuse", SCOPE_SUBSCRIBE, VALUE_TEXT_OR_NONE},
        [FAULT_DENY_SUBSCRIBE] = {"deny-subscribe", SCOPE_SUBSCRIBE, VALUE_TEXT_OR_NONE},
        [FAULT_DENY_PUBLISH] = {"deny-publish", SCOPE_PUBLISH, VALUE_TEXT_OR_NONE},
};

const FaultInfo *fault_info(FaultKind kind) {
        return &info_table[kind];
}

const char *fault_kind_to_string(FaultKind kind) {
        return info_table[kind].name;
}

FaultKind fault_kind_from_string(const char *name) {
        FaultKind kind = 0;

        while (kind < FAULT_MAX && !streq(info_table[kind].name, name))
                kind++;
        return kind;
}

static bool parse_number(const char *s, uint64_t *ret) {
        char *end;

        if (!isdigit((unsigned char) *s))
                return false;
        *ret = strtoull(s, &end, 10);
        return *end == '\0' && *ret <= FAULT_NUMBER_MAX;
}

/* STATUS:CODE:MESSAGE; the message may have colons, and code and message may be left out. */
static const char *parse_rejection(Fault *fault) {
        char *code = strchr(fault->value, ':');
        char *message = code ? strchr(code + 1, ':') : NULL;

        if (code)
                *code++ = '\0';
        if (message)
                *message++ = '\0';
        if (!parse_number(fault->value, &fault->number) || fault->number < STATUS_MIN ||
            fault->number > STATUS_MAX)
                return "wants STATUS:CODE:MESSAGE with a status of 100 to 999";
        fault->status = (int) fault->number;
        fault->code = code ? code : "";
        fault->message = message ? message : "";
        return NULL;
}

static const char *parse_configuration(Fault *fault) {
        static const char large[] = "large=";

        if (strncmp(fault->value, large, strlen(large)) == 0)
                return parse_number(fault->value + strlen(large), &fault->number)
                               ? NULL
                               : "wants large=BYTES with a number";
        if (streq(fault->value, "missing") || streq(fault->value, "empty") ||
            streq(fault->value, "null"))
                return NULL;
        return "wants missing, empty, null or large=BYTES";
}

static const char *parse_hex(const char *s) {
        size_t n = strlen(s);

        return n > 0 && n % 2 == 0 && strspn(s, "0123456789abcdefABCDEF") == n
                       ? NULL
                       : "wants bytes in hex, two digits each";
}

const char *fault_parse_value(Fault *fault) {
        FaultValue wanted = info_table[fault->kind].value;

        if (wanted == VALUE_NONE)
                return fault->value ? "takes no value" : NULL;
        if (!fault->value)
                return wanted == VALUE_NUMBER_OR_NONE || wanted == VALUE_TEXT_OR_NONE
                               ? NULL
                               : "wants a value";
        switch (wanted) {
        case VALUE_NONE:
        case VALUE_TEXT:
        case VALUE_TEXT_OR_NONE:
                return fault->value[0] ? NULL : "wants a value that is not empty";
        case VALUE_NUMBER:
        case VALUE_NUMBER_OR_NONE:
                return parse_number(fault->value, &fault->number)
                               ? NULL
                               : "wants a number, at most 100000000";
        case VALUE_REJECTION:
                return parse_rejection(fault);
        case VALUE_CONFIGURATION:
                return parse_configuration(fault);
        case VALUE_HEX:
                return parse_hex(fault->value);
        }
        return NULL;
}

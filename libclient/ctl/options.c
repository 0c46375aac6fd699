/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/time-span.h"

enum {
        LONG_SOCKET = 0x1000,
        LONG_BUS,
        LONG_JSON,
        LONG_NO_LEGEND,
        LONG_NO_PAGER,
        LONG_TIMEOUT,
        LONG_VERSION,
        LONG_VERB_OPTION, /* plus the number of the bit */
};

#define BIT_NUMBER(bit) (LONG_VERB_OPTION + __builtin_ctz(bit))

static const struct option long_options[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, LONG_VERSION},
        {"socket", required_argument, NULL, LONG_SOCKET},
        {"bus", required_argument, NULL, LONG_BUS},
        {"json", required_argument, NULL, LONG_JSON},
        {"no-legend", no_argument, NULL, LONG_NO_LEGEND},
        {"no-pager", no_argument, NULL, LONG_NO_PAGER},
        {"timeout", required_argument, NULL, LONG_TIMEOUT},
        {"parameter", required_argument, NULL, 'p'},
        {"csr", required_argument, NULL, BIT_NUMBER(OPTION_CSR)},
        {"key-type", required_argument, NULL, BIT_NUMBER(OPTION_KEY_TYPE)},
        {"key-source", required_argument, NULL, BIT_NUMBER(OPTION_KEY_SOURCE)},
        {"payload", required_argument, NULL, BIT_NUMBER(OPTION_PAYLOAD)},
        {"registration-id", required_argument, NULL, BIT_NUMBER(OPTION_REGISTRATION_ID)},
        {"id", required_argument, NULL, BIT_NUMBER(OPTION_ID)},
        {"deadline", required_argument, NULL, BIT_NUMBER(OPTION_DEADLINE)},
        {"out", required_argument, NULL, BIT_NUMBER(OPTION_OUT)},
        {"replace", no_argument, NULL, BIT_NUMBER(OPTION_REPLACE)},
        {"keep", no_argument, NULL, BIT_NUMBER(OPTION_KEEP)},
        {"no-wait", no_argument, NULL, BIT_NUMBER(OPTION_NO_WAIT)},
        {"token-file", required_argument, NULL, BIT_NUMBER(OPTION_TOKEN_FILE)},
        {"all", no_argument, NULL, BIT_NUMBER(OPTION_ALL)},
        {"if-older-than", required_argument, NULL, BIT_NUMBER(OPTION_IF_OLDER_THAN)},
        {"if-expires-within", required_argument, NULL, BIT_NUMBER(OPTION_IF_EXPIRES_WITHIN)},
        {0},
};

const char *option_name(unsigned bit) {
        if (bit == OPTION_PARAMETER)
                return "parameter";
        for (size_t i = 0; i + 1 < ELEMENTSOF(long_options); i++)
                if (long_options[i].val == BIT_NUMBER(bit))
                        return long_options[i].name;
        return "?";
}

int parse_seconds(const char *s, usec_t *ret) {
        static const struct {
                const char *unit;
                double seconds;
        } units[] = {
                {"", 1},     {"s", 1},    {"sec", 1},   {"ms", 0.001},
                {"min", 60}, {"h", 3600}, {"d", 86400},
        };
        double value;
        char *end;

        if (streq(s, "infinity")) {
                *ret = USEC_INFINITY;
                return 0;
        }
        /* Not what strtod() takes besides: signs, blanks, hex, "inf", "nan". */
        if (strspn(s, "0123456789.") == 0)
                return -EINVAL;
        if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
                return -EINVAL;
        value = strtod(s, &end);
        if (end == s)
                return -EINVAL;
        for (size_t i = 0; i < ELEMENTSOF(units); i++) {
                if (!streq(end, units[i].unit))
                        continue;
                value *= units[i].seconds;
                if (!isfinite(value) || value > 1e12)
                        return -ERANGE;
                *ret = (usec_t) (value * (double) USEC_PER_SEC);
                return 0;
        }
        return -EINVAL;
}

static int bad_value(const char *option, const char *value, const char *mend) {
        complain("--%s=%s: %s", option, value, mend);
        return -EINVAL;
}

static int set_string(const char **to, const char *option, const char *value) {
        if (*to)
                return bad_value(option, value, "given twice; give it once");
        if (!*value)
                return bad_value(option, value, "is empty; give it a value or leave it out");
        *to = value;
        return 0;
}

static int set_socket(Options *o, const char *path) {
        _cleanup_free_ char *cwd = NULL;

        if (o->address)
                return bad_value("socket", path, "a second way to the daemon; give one alone");
        if (!*path)
                return bad_value("socket", path, "is empty; name a socket");
        if (*path == '/') {
                o->address = strdup(path);
                return o->address ? 0 : -ENOMEM;
        }
        cwd = getcwd(NULL, 0);
        if (!cwd || asprintf(&o->address, "%s/%s", cwd, path) < 0) {
                o->address = NULL;
                return bad_value("socket", path, "the working directory is gone; give a full path");
        }
        return 0;
}

static int set_bus(Options *o, const char *address) {
        if (o->address)
                return bad_value("bus", address, "a second way to the daemon; give one alone");
        if (!streq(address, "system") && !streq(address, "session") && !strchr(address, ':'))
                return bad_value("bus", address,
                                 "no bus; say system, session or a D-Bus address like unix:path=…");
        o->address = strdup(address);
        return o->address ? 0 : -ENOMEM;
}

static int set_json(Options *o, const char *value) {
        if (streq(value, "short"))
                o->json = JSON_SHORT;
        else if (streq(value, "pretty"))
                o->json = JSON_PRETTY;
        else if (streq(value, "off"))
                o->json = JSON_OFF;
        else
                return bad_value("json", value, "unknown; say short, pretty or off");
        return 0;
}

static int set_time(usec_t *to, const char *option, const char *value) {
        if (parse_seconds(value, to) < 0 || *to == 0)
                return bad_value(
                        option, value,
                        "no time; give seconds above 0, or a number with ms, s, min, h, d");
        return 0;
}

static int set_span(usec_t *to, const char *option, const char *value) {
        int r;

        r = time_span_parse(value, to);
        if (r == -ERANGE)
                return bad_value(option, value, "longer than anything lasts; give a shorter span");
        if (r < 0)
                return bad_value(option, value,
                                 "no time span; write one as in 30d, 12h or 1month 2w");
        return 0;
}

static int add_parameter(Options *o, const char *value) {
        const char **p, *equals = strchr(value, '=');

        if (!equals || equals == value) {
                complain("-p %s: no parameter; write -p NAME=VALUE", value);
                return -EINVAL;
        }
        p = reallocarray(o->parameters, o->n_parameters + 1, sizeof(char *));
        if (!p)
                return -ENOMEM;
        o->parameters = p;
        p[o->n_parameters++] = value;
        o->given |= OPTION_PARAMETER;
        return 0;
}

static int set_verb_option(Options *o, unsigned bit, const char *value) {
        const char *name = option_name(bit);

        o->given |= bit;
        switch ((VerbOption) bit) {
        case OPTION_CSR:
                return set_string(&o->csr, name, value);
        case OPTION_KEY_TYPE:
                return set_string(&o->key_type, name, value);
        case OPTION_KEY_SOURCE:
                return set_string(&o->key_source, name, value);
        case OPTION_PAYLOAD:
                return set_string(&o->payload, name, value);
        case OPTION_REGISTRATION_ID:
                return set_string(&o->registration_id, name, value);
        case OPTION_ID:
                return set_string(&o->id, name, value);
        case OPTION_OUT:
                return set_string(&o->out, name, value);
        case OPTION_TOKEN_FILE:
                return set_string(&o->token_file, name, value);
        case OPTION_DEADLINE:
                return set_time(&o->deadline, name, value);
        case OPTION_IF_OLDER_THAN:
                return set_span(&o->older_than, name, value);
        case OPTION_IF_EXPIRES_WITHIN:
                return set_span(&o->expires_within, name, value);
        case OPTION_PARAMETER:
        case OPTION_REPLACE:
        case OPTION_KEEP:
        case OPTION_NO_WAIT:
        case OPTION_ALL:
                return 0;
        }
        return -EINVAL;
}

static int set_option(Options *o, int c, const char *value) {
        switch (c) {
        case 'h':
                o->help = true;
                return 0;
        case 'p':
                return add_parameter(o, value);
        case LONG_VERSION:
                o->version = true;
                return 0;
        case LONG_SOCKET:
                return set_socket(o, value);
        case LONG_BUS:
                return set_bus(o, value);
        case LONG_JSON:
                return set_json(o, value);
        case LONG_NO_LEGEND:
                o->no_legend = true;
                return 0;
        case LONG_NO_PAGER:
                o->no_pager = true;
                return 0;
        case LONG_TIMEOUT:
                return set_time(&o->timeout, "timeout", value);
        default:
                return set_verb_option(o, 1U << (c - LONG_VERB_OPTION), value);
        }
}

int options_parse(Options *o, int argc, char **argv, int *ret_first) {
        int c, r;

        *o = (Options){.timeout = USEC_INFINITY, .deadline = USEC_INFINITY};
        opterr = 0;
        optind = 0; /* glibc: begin anew, also in a second call */
        while ((c = getopt_long(argc, argv, ":hp:", long_options, NULL)) >= 0) {
                if (c == '?' && optopt != 0 && optopt < LONG_SOCKET) {
                        complain("-%c: no such option; see fleetprovctl --help", optopt);
                        return -EINVAL;
                }
                if (c == '?') {
                        complain("%s: %s; see fleetprovctl --help", argv[optind - 1],
                                 optopt ? "takes no value"
                                        : "no such option, or short for several");
                        return -EINVAL;
                }
                if (c == ':') {
                        complain("%s: a value is missing; see fleetprovctl --help",
                                 argv[optind - 1]);
                        return -EINVAL;
                }
                r = set_option(o, c, optarg);
                if (r < 0)
                        return r;
        }
        *ret_first = optind;
        return 0;
}

void options_done(Options *o) {
        free(o->address);
        free(o->parameters);
        *o = (Options){0};
}

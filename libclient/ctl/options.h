/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The command line. Options may stand anywhere, as in busctl; which verb takes which one is said in
 * the table of verbs. */

#include "libclient/macro.h"

typedef enum JsonMode {
        JSON_OFF,
        JSON_SHORT, /* one line */
        JSON_PRETTY,
} JsonMode;

/* Bits of Verb.takes and Options.given. */
typedef enum VerbOption {
        OPTION_PARAMETER = 1 << 0,
        OPTION_CSR = 1 << 1,
        OPTION_KEY_TYPE = 1 << 2,
        OPTION_KEY_SOURCE = 1 << 3,
        OPTION_PAYLOAD = 1 << 4,
        OPTION_REGISTRATION_ID = 1 << 5,
        OPTION_ID = 1 << 6,
        OPTION_DEADLINE = 1 << 7,
        OPTION_OUT = 1 << 8,
        OPTION_REPLACE = 1 << 9,
        OPTION_KEEP = 1 << 10,
        OPTION_NO_WAIT = 1 << 11,
        OPTION_TOKEN_FILE = 1 << 12,
        OPTION_ALL = 1 << 13,
        OPTION_IF_OLDER_THAN = 1 << 14,
        OPTION_IF_EXPIRES_WITHIN = 1 << 15,
} VerbOption;

typedef struct Options {
        char *address; /* NULL: the library's default */
        JsonMode json;
        bool no_legend;
        bool no_pager;
        usec_t timeout; /* USEC_INFINITY: none */

        unsigned given; /* VerbOption bits */
        const char **parameters;
        size_t n_parameters;
        const char *csr;
        const char *key_type;
        const char *key_source;
        const char *payload;
        const char *registration_id;
        const char *id;
        usec_t deadline;
        const char *out;
        const char *token_file;
        usec_t older_than;
        usec_t expires_within;

        bool help;
        bool version;
} Options;

void options_done(Options *o);

/* Reads the options and moves the other arguments to the end of argv; *ret_first is the index of
 * the first of them. Strings stay those of argv. Complains and returns -EINVAL. */
int options_parse(Options *o, int argc, char **argv, int *ret_first);

/* "--csr", for a complaint. */
const char *option_name(unsigned bit);

/* Seconds, with a fraction or a unit (ms, s, min, h, d), or "infinity". -EINVAL; -ERANGE. */
int parse_seconds(const char *s, usec_t *ret);

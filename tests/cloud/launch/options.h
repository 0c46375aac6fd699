/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the command line asks for. */

#include <stdbool.h>

#define NAMES_MAX 16
#define CLAIMS_MAX 64

typedef struct Options {
        const char *dir;
        int port;                     /* 0: any that is free */
        int dps_port;                 /* likewise; -1: none */
        const char *bind;             /* NULL: 127.0.0.1, and ::1 where there is one */
        const char *names[NAMES_MAX]; /* of the server, beside localhost and its addresses */
        unsigned n_names;
        unsigned n_claims;
        unsigned token_ttl_sec;
        bool server_key_is_rsa;
        bool die_with_parent;
} Options;

typedef enum OptionsResult {
        OPTIONS_RUN,
        OPTIONS_HELP,
        OPTIONS_BAD, /* what is wrong was told on standard error */
} OptionsResult;

/* The strings stay the command line's. */
OptionsResult options_parse(int argc, char **argv, Options *ret);

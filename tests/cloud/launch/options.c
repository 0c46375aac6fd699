/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/launch/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>

#include "daemon/base/macro.h"

#define PORT_MAX 65535

static const char help[] =
        "tests/cloud/run --dir=DIR --port=PORT [OPTION]…\n"
        "Plays AWS IoT fleet provisioning over mutual TLS, and Azure DPS, until SIGTERM.\n\n"
        "  --dir=DIR             where ca.pem, claim.pem, claim.key, profile.conf, journal.jsonl "
        "and\n"
        "                        breaches go; one that was used before keeps its certificates\n"
        "  --port=PORT           0 for any; \"ready PORT\" is printed when it takes connections\n"
        "  --dps-port=PORT       Azure DPS listens there, 0 for any; \"ready PORT DPS-PORT\" then\n"
        "  --build=DIR           the build directory (else $FLEETPROV_BUILD, else build)\n"
        "  --bind=ADDRESS        listen there (else on the loopback addresses)\n"
        "  --server-name=NAME    a further DNS name or address for the server's certificate\n"
        "  --server-key=TYPE     ecdsa (P-256) or rsa (2048 bits)\n"
        "  --claims=N            makes claim-2.pem … claim-N.pem too\n"
        "  --token-ttl=SEC       lifetime of ownership tokens (3600)\n"
        "  --die-with-parent     ends when the process that started it does\n"
        "  --help\n\n"
        "Templates: FleetTemplate, FleetRotation, HookTemplate (parameter SerialNumber; a serial\n"
        "number that begins with \"refuse\" is refused by the hook), EmptyTemplate (an empty\n"
        "configuration, no hook), BareTemplate (no configuration, no hook).\n"
        "DPS: ID scope 0ne00TEST00; enrolled are gw-* (dps.key or dps-secondary.key), sensor-*\n"
        "(a group, dps-group.key) and x509-* (a certificate of that common name, such as\n"
        "dps-device.pem for x509-1); \"disabled\", \"failing\" or \"unassigned\" in an id is its "
        "fate.\n"
        "Faults: tests/cloud/fault --help.\n";

enum {
        OPTION_DIR = 256,
        OPTION_PORT,
        OPTION_DPS_PORT,
        OPTION_BIND,
        OPTION_SERVER_NAME,
        OPTION_SERVER_KEY,
        OPTION_CLAIMS,
        OPTION_TOKEN_TTL,
        OPTION_DIE_WITH_PARENT,
        OPTION_HELP,
};

static const struct option long_options[] = {
        {"dir", required_argument, NULL, OPTION_DIR},
        {"port", required_argument, NULL, OPTION_PORT},
        {"dps-port", required_argument, NULL, OPTION_DPS_PORT},
        {"bind", required_argument, NULL, OPTION_BIND},
        {"server-name", required_argument, NULL, OPTION_SERVER_NAME},
        {"server-key", required_argument, NULL, OPTION_SERVER_KEY},
        {"claims", required_argument, NULL, OPTION_CLAIMS},
        {"token-ttl", required_argument, NULL, OPTION_TOKEN_TTL},
        {"die-with-parent", no_argument, NULL, OPTION_DIE_WITH_PARENT},
        {"help", no_argument, NULL, OPTION_HELP},
        {},
};

static bool parse_number(const char *name, unsigned long min, unsigned long max, unsigned *ret) {
        unsigned long value;
        char *end;

        errno = 0;
        value = strtoul(optarg, &end, 10);
        if (errno != 0 || end == optarg || *end || optarg[0] == '-' || value < min || value > max) {
                fprintf(stderr, "--%s=%s: wants a number from %lu to %lu\n", name, optarg, min,
                        max);
                return false;
        }
        *ret = (unsigned) value;
        return true;
}

static bool parse_server_key(Options *options) {
        options->server_key_is_rsa = streq(optarg, "rsa");
        if (options->server_key_is_rsa || streq(optarg, "ecdsa"))
                return true;
        fprintf(stderr, "--server-key=%s: wants ecdsa or rsa\n", optarg);
        return false;
}

static bool add_name(Options *options) {
        if (options->n_names >= NAMES_MAX) {
                fprintf(stderr, "--server-name=%s: at most %d of them\n", optarg, NAMES_MAX);
                return false;
        }
        options->names[options->n_names++] = optarg;
        return true;
}

static bool parse_one(int option, Options *options) {
        unsigned port = 0;

        switch (option) {
        case OPTION_DIR:
                options->dir = optarg;
                return true;
        case OPTION_PORT:
                if (!parse_number("port", 0, PORT_MAX, &port))
                        return false;
                options->port = (int) port;
                return true;
        case OPTION_DPS_PORT:
                if (!parse_number("dps-port", 0, PORT_MAX, &port))
                        return false;
                options->dps_port = (int) port;
                return true;
        case OPTION_BIND:
                options->bind = optarg;
                return true;
        case OPTION_SERVER_NAME:
                return add_name(options);
        case OPTION_SERVER_KEY:
                return parse_server_key(options);
        case OPTION_CLAIMS:
                return parse_number("claims", 1, CLAIMS_MAX, &options->n_claims);
        case OPTION_TOKEN_TTL:
                return parse_number("token-ttl", 0, INT_MAX, &options->token_ttl_sec);
        case OPTION_DIE_WITH_PARENT:
                options->die_with_parent = true;
                return true;
        default:
                fputs("See --help.\n", stderr);
                return false;
        }
}

OptionsResult options_parse(int argc, char **argv, Options *ret) {
        Options options = {.port = -1, .dps_port = -1, .n_claims = 1, .token_ttl_sec = 3600};
        int option;

        while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
                if (option == OPTION_HELP) {
                        fputs(help, stdout);
                        return OPTIONS_HELP;
                }
                if (!parse_one(option, &options))
                        return OPTIONS_BAD;
        }
        if (optind < argc) {
                fprintf(stderr, "%s: no such argument; see --help\n", argv[optind]);
                return OPTIONS_BAD;
        }
        if (!options.dir || options.port < 0) {
                fputs("--dir=DIR and --port=PORT are wanted; see --help\n", stderr);
                return OPTIONS_BAD;
        }
        *ret = options;
        return OPTIONS_RUN;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/cloud/fault's program: one command to a running test cloud, one answer. */

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <jansson.h>

#include "daemon/base/macro.h"
#include "tests/cloud/plugin/control.h"

#define ANSWER_TIMEOUT_MSEC 10000
#define CLOUD_DIR "cloud"

#define EXIT_USAGE 2
#define EXIT_NO_CLOUD 3

static const char help[] =
        "tests/cloud/fault --dir=DIR add KIND[=VALUE] [OPTION]…   prints the fault's id\n"
        "tests/cloud/fault --dir=DIR clear [ID]                   one, or all\n"
        "tests/cloud/fault --dir=DIR list                         with what is left, and the hits\n"
        "tests/cloud/fault --dir=DIR status                       counters, breaches among them\n"
        "tests/cloud/fault --dir=DIR kick [CLIENT]                closes one connection, or all\n"
        "tests/cloud/fault --dir=DIR certificate ID [active|inactive]\n"
        "DIR is that of tests/cloud/run. It has taken effect when the command returns.\n"
        "list and status print JSON. Exit: 0 done, 1 refused, 2 usage, 3 no cloud there.\n\n"
        "Options of add:\n"
        "  --operation=OP   create-csr, create-keys, register, dps-register, dps-query\n"
        "                   or any (any)\n"
        "  --count=N        strikes N times (1)\n"
        "  --always         strikes until it is cleared\n"
        "  --after=M        lets the first M go\n"
        "  --client=ID      that client id alone\n\n"
        "Answers:\n"
        "  drop                   the request is lost: nothing is done, nothing answered\n"
        "  drop-answer            it is done, and the answer lost\n"
        "  delay=MSEC, late=SEC   the answer comes later; never on another connection\n"
        "  double                 it comes twice\n"
        "  replay                 the connection's answer before comes first, again\n"
        "  foreign-first          an answer for a key of nobody comes first\n"
        "  malformed              neither JSON nor CBOR\n"
        "  truncated[=BYTES]      cut to that length, or to half\n"
        "  wrong-types            numbers for strings, strings for numbers, arrays for objects\n"
        "  oversize=BYTES         a field of that size beside the others\n"
        "  extra-fields           unknown fields beside the others: valid\n"
        "  indefinite             CBOR of indefinite lengths, JSON in other dress: valid\n"
        "  topic=TOPIC            on another topic\n"
        "  wire=HEX               these bytes in place of the MQTT packet\n"
        "Work:\n"
        "  reject=STATUS:CODE:MESSAGE\n"
        "  throttle=N             above N a second: 429 ThrottlingException (until cleared)\n"
        "  cut-before, cut-after  the connection is cut before, or after, it is done\n"
        "  foreign                a certificate for another key; register: another thing\n"
        "  token-ttl=SEC          of the token that a create makes\n"
        "  configuration=missing|empty|null|large=BYTES   register's deviceConfiguration\n"
        "  inactive               register leaves the certificate INACTIVE\n"
        "  activation-delay=MSEC  it becomes ACTIVE later\n"
        "DPS:\n"
        "  assigning=N            N queries are answered \"assigning\"; 0: the registration is\n"
        "                         answered with the outcome\n"
        "  retry-after=TEXT       in place of 1; none: without\n"
        "  status=WORD            in place of \"assigned\"\n"
        "  swapped                the topic's parameters in another order, and one more\n"
        "  issued=HOW             the certificate: none, empty, one-text, number, no-base64, "
        "torn,\n"
        "                         no-certificate, other-key, chain, too-many, unknown\n"
        "  foreign, foreign-first the answer has the request id of nobody, or one with it comes "
        "before\n"
        "Sessions:\n"
        "  connack=CODE           CONNECT is refused with that code\n"
        "  connect-drop           … without a word\n"
        "  suback-refuse[=GLOB]   0x80 for the topics that match\n"
        "  deny-subscribe[=GLOB]  subscribing to them drops the connection, as the service does\n"
        "  deny-publish[=GLOB]    publishing on them does\n";

static const struct option long_options[] = {
        {"dir", required_argument, NULL, 'd'},   {"operation", required_argument, NULL, 'o'},
        {"count", required_argument, NULL, 'n'}, {"always", no_argument, NULL, 'a'},
        {"after", required_argument, NULL, 'm'}, {"client", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},        {},
};

static int usage(const char *what, const char *why) {
        fprintf(stderr, "%s: %s; see --help\n", what, why);
        return -EINVAL;
}

static int set_number(json_t *request, const char *field) {
        long long value;
        char *end;

        errno = 0;
        value = strtoll(optarg, &end, 10);
        if (errno != 0 || end == optarg || *end)
                return usage(optarg, "is no number");
        json_object_set_new(request, field, json_integer(value));
        return 0;
}

/* Fills the request with what the options say. 1: help was shown. */
static int parse_options(int argc, char **argv, json_t *request, const char **ret_dir) {
        int option, r = 0;

        while (r == 0 && (option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
                switch (option) {
                case 'd':
                        *ret_dir = optarg;
                        break;
                case 'o':
                        json_object_set_new(request, "operation", json_string(optarg));
                        break;
                case 'n':
                        r = set_number(request, "count");
                        break;
                case 'a':
                        json_object_set_new(request, "always", json_true());
                        break;
                case 'm':
                        r = set_number(request, "after");
                        break;
                case 'c':
                        json_object_set_new(request, "client", json_string(optarg));
                        break;
                case 'h':
                        fputs(help, stdout);
                        return 1;
                default:
                        return usage("fault", "no such option");
                }
        return r;
}

/* KIND=VALUE */
static int set_kind(json_t *request, char *argument) {
        char *value = argument ? strchr(argument, '=') : NULL;

        if (!argument)
                return usage("add", "wants a fault");
        if (value)
                *value++ = '\0';
        json_object_set_new(request, "kind", json_string(argument));
        if (value)
                json_object_set_new(request, "value", json_string(value));
        return 0;
}

static int set_id(json_t *request, const char *argument) {
        char *end;
        long id = argument ? strtol(argument, &end, 10) : 0;

        if (argument && (*end || end == argument || id < 1))
                return usage(argument, "is no id of a fault");
        json_object_set_new(request, "id", json_integer(id));
        return 0;
}

/* The command and its arguments. */
static int parse_command(char **arguments, json_t *request) {
        const char *command = arguments[0];
        int taken = 1, r = 0;

        if (!command)
                return usage("fault", "wants a command");
        json_object_set_new(request, "command", json_string(command));
        if (streq(command, "add")) {
                r = set_kind(request, arguments[taken]);
                taken = 2;
        } else if (streq(command, "clear")) {
                r = set_id(request, arguments[taken]);
                taken += arguments[taken] ? 1 : 0;
        } else if (streq(command, "kick") && arguments[taken])
                json_object_set_new(request, "client", json_string(arguments[taken++]));
        else if (streq(command, "certificate")) {
                if (!arguments[taken])
                        return usage(command, "wants the id of one");
                json_object_set_new(request, "id", json_string(arguments[taken++]));
                if (arguments[taken])
                        json_object_set_new(request, "state", json_string(arguments[taken++]));
        }
        if (r < 0)
                return r;
        return arguments[taken] ? usage(arguments[taken], "no such argument") : 0;
}

static int open_control(const char *dir) {
        static const struct sockaddr_un control = {AF_UNIX, CONTROL_SOCKET};
        static const struct sockaddr_un own = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        /* Binding to the family alone gives a name to answer to (unix(7), autobind). */
        if (fd < 0 || bind(fd, (const struct sockaddr *) &own, sizeof(sa_family_t)) < 0 ||
            chdir(dir) < 0 || chdir(CLOUD_DIR) < 0 ||
            connect(fd, (const struct sockaddr *) &control, sizeof(control)) < 0) {
                fprintf(stderr, "%s: no test cloud runs there: %s\n", dir, strerror(errno));
                return -errno;
        }
        return TAKE_FD(fd);
}

static json_t *ask(const char *dir, const json_t *request) {
        _cleanup_free_ char *text = json_dumps(request, JSON_COMPACT);
        _cleanup_free_ char *answer = malloc(CONTROL_MESSAGE_MAX);
        _cleanup_close_ int fd = open_control(dir);
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        json_t *result;
        ssize_t n;

        if (fd < 0 || !text || !answer)
                return NULL;
        if (send(fd, text, strlen(text), 0) < 0 || poll(&poll_fd, 1, ANSWER_TIMEOUT_MSEC) <= 0) {
                fprintf(stderr, "%s: the test cloud does not answer\n", dir);
                return NULL;
        }
        n = recv(fd, answer, CONTROL_MESSAGE_MAX, 0);
        result = n < 0 ? NULL : json_loadb(answer, (size_t) n, 0, NULL);
        if (!result)
                fprintf(stderr, "%s: the test cloud's answer cannot be read\n", dir);
        return result;
}

static void print_json(const json_t *value) {
        json_dumpf(value, stdout, JSON_INDENT(2));
        putchar('\n');
}

static int show(const char *command, json_t *answer) {
        const char *error = json_string_value(json_object_get(answer, "error"));

        if (!json_is_true(json_object_get(answer, "ok"))) {
                fprintf(stderr, "%s\n", error ? error : "refused");
                return EXIT_FAILURE;
        }
        if (streq(command, "add"))
                printf("%" JSON_INTEGER_FORMAT "\n",
                       json_integer_value(json_object_get(answer, "id")));
        else if (streq(command, "list"))
                print_json(json_object_get(answer, "faults"));
        else if (streq(command, "status"))
                print_json(json_object_get(answer, "status"));
        else if (streq(command, "certificate") && json_object_get(answer, "state"))
                printf("%s\n", json_string_value(json_object_get(answer, "state")));
        return EXIT_SUCCESS;
}

static int run(int argc, char **argv, json_t *request) {
        const char *dir = NULL;
        json_t *answer;
        int r;

        r = parse_options(argc, argv, request, &dir);
        if (r != 0)
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
        if (parse_command(argv + optind, request) < 0)
                return EXIT_USAGE;
        if (!dir) {
                usage("fault", "wants --dir=DIR");
                return EXIT_USAGE;
        }
        answer = ask(dir, request);
        if (!answer)
                return EXIT_NO_CLOUD;
        r = show(argv[optind], answer);
        json_decref(answer);
        return r;
}

int main(int argc, char **argv) {
        json_t *request = json_object();
        int r = run(argc, argv, request);

        json_decref(request);
        return r;
}

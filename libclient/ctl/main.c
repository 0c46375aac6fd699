/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/pager.h"
#include "libclient/ctl/verbs.h"

static const char help_options[] =
        "Options:\n"
        "  -h --help                 Show this help\n"
        "     --version              Show the version\n"
        "     --socket=PATH          Ask the daemon at this socket\n"
        "     --bus=BUS              Ask on a bus: system, session or an address\n"
        "     --json=MODE            short, pretty or off\n"
        "     --no-legend            No headings\n"
        "     --no-pager             No pager\n"
        "     --timeout=SEC          Wait no longer; the job goes on\n"
        "\n"
        "Options of provision, create-certificate, create-keys, register-thing:\n"
        "  -p NAME=VALUE             A parameter of the template\n"
        "     --csr=FILE             Have this request signed and keep the key\n"
        "     --key-type=TYPE        ec-p256, ec-p384, rsa-2048, rsa-3072\n"
        "     --key-source=SOURCE    Who makes the key: daemon or cloud\n"
        "     --payload=JSON|@FILE   For the cloud's allocation (Azure)\n"
        "     --registration-id=ID   (Azure)\n"
        "     --token-file=FILE      Ownership token of the certificate to register\n"
        "     --id=KEY               The same key finds the same job again\n"
        "     --deadline=SEC         The daemon gives up after this time\n"
        "     --out=DIR              Write the result there, and acknowledge it\n"
        "     --replace              Though DIR holds another identity\n"
        "     --keep                 Do not acknowledge: the daemon keeps the secrets\n"
        "     --no-wait              Only submit\n"
        "\n"
        "Options of list:\n"
        "     --all                  Also jobs whose result was delivered\n"
        "\n"
        "A FILE of - is standard input. A JOB is named by its id, its key, or PROFILE/KEY.\n"
        "Exit status: 0 succeeded, 1 failed, 2 usage, 3 no daemon, 4 deadline or timeout,\n"
        "5 access denied, 6 cancelled, 7 busy, 8 succeeded but DIR could not be written.\n"
        "\n"
        "See fleetprovctl(1).\n";

static ExitStatus print_help(Ctl *ctl) {
        pager_open(ctl);
        printf("fleetprovctl [OPTIONS...] VERB [ARGUMENTS...]\n\n"
               "Get device identities from the fleet provisioning daemon.\n\n"
               "Commands:\n");
        for (const Verb *v = verbs; v->name; v++) {
                char left[40];

                snprintf(left, sizeof(left), "%s%s%s", v->name, *v->arguments ? " " : "",
                         v->arguments);
                printf("  %-29s %s\n", left, v->summary);
        }
        printf("\n%s", help_options);
        return fflush(stdout) == 0 ? STATUS_OK : STATUS_FAILED;
}

static ExitStatus check_usage(const Verb *verb, const Options *o, int argc) {
        unsigned foreign = o->given & ~verb->takes;

        if (foreign) {
                complain("%s: takes no --%s; see fleetprovctl --help", verb->name,
                         option_name(foreign & -foreign));
                return STATUS_USAGE;
        }
        if (argc < verb->min_arguments) {
                complain("%s: which job is missing; see fleetprovctl list", verb->name);
                return STATUS_USAGE;
        }
        if (verb->max_arguments >= 0 && argc > verb->max_arguments) {
                complain("%s: too many arguments; it takes %s", verb->name,
                         *verb->arguments ? verb->arguments : "none");
                return STATUS_USAGE;
        }
        if ((o->given & (OPTION_REPLACE | OPTION_KEEP)) && !o->out) {
                complain("--%s: means nothing without --out=DIR; give it, too",
                         o->given & OPTION_REPLACE ? "replace" : "keep");
                return STATUS_USAGE;
        }
        return STATUS_OK;
}

static ExitStatus run(Ctl *ctl, int argc, char **argv) {
        ExitStatus status;
        const Verb *verb;
        int first;

        if (options_parse(&ctl->options, argc, argv, &first) < 0)
                return STATUS_USAGE;
        if (ctl->options.help)
                return print_help(ctl);
        if (ctl->options.version) {
                puts("fleetprovctl " PROJECT_VERSION);
                return STATUS_OK;
        }
        if (first >= argc) {
                complain("a verb is missing; see fleetprovctl --help");
                return STATUS_USAGE;
        }
        verb = verb_find(argv[first]);
        if (!verb) {
                complain("%s: no such verb; see fleetprovctl --help", argv[first]);
                return STATUS_USAGE;
        }
        status = check_usage(verb, &ctl->options, argc - first - 1);
        if (status != STATUS_OK)
                return status;
        if (ctl->options.timeout != USEC_INFINITY)
                ctl->deadline = usec_add(ctl_now(), ctl->options.timeout);
        return verb->run(ctl, argc - first - 1, argv + first + 1);
}

int main(int argc, char **argv) {
        Ctl ctl = {.deadline = USEC_INFINITY, .columns = 80};
        struct winsize size;
        ExitStatus status;

        setlocale(LC_ALL, "");
        ctl.terminal = isatty(STDOUT_FILENO);
        if (ctl.terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) >= 0 && size.ws_col >= 20)
                ctl.columns = size.ws_col;
        status = run(&ctl, argc, argv);
        fleetprov_client_free(ctl.client);
        pager_close(&ctl);
        free(ctl.said);
        options_done(&ctl.options);
        return (int) status;
}

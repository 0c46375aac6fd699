/* SPDX-License-Identifier: GPL-2.0-or-later */

/* fleetprovd(8): options, signals, and what systemd is told. */

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/watchdog.h"
#include "daemon/config/config-value.h"
#include "daemon/config/config.h"
#include "daemon/manager/manager.h"
#include "protocol/base/wipe.h"
#include "protocol/ipc/names.h"

#define EXIT_USAGE 2
#define DESCRIPTORS_WANTED ((rlim_t) 8192)
#define DEFAULT_STATE_DIRECTORY "/var/lib/fleetprovd"

typedef struct Options {
        ManagerOptions manager;
        int log_level;
        bool check_config;
} Options;

static void print_help(void) {
        puts("fleetprovd [OPTIONS...]\n"
             "\n"
             "Gets device identities from a cloud's provisioning service for local applications.\n"
             "\n"
             "     --config=FILE           read FILE and FILE.d/*.conf, and nothing else\n"
             "     --state-directory=DIR   where jobs are kept (default: $STATE_DIRECTORY, or\n"
             "                             " DEFAULT_STATE_DIRECTORY ")\n"
             "     --socket=PATH           listen here, unless systemd passed sockets\n"
             "                             (default: " IPC_DEFAULT_SOCKET ")\n"
             "     --bus=system|session|none|ADDRESS\n"
             "                             the bus to be on (default: Bus= of the configuration)\n"
             "     --log-level=LEVEL       emerg to debug, or 0 to 7 (default: info)\n"
             "     --check-config          read the configuration, say what is wrong, and exit\n"
             "     --version               print the version and exit\n"
             "  -h --help                  print this and exit\n"
             "\n"
             "See fleetprovd(8), fleetprovd.conf(5) and fleetprovctl(1).");
}

/* 1: go on; 0: all is done; -EINVAL: wrong usage, which was said. */
static int parse_options(int argc, char **argv, Options *o) {
        enum {
                CONFIG = 256,
                STATE_DIRECTORY,
                SOCKET,
                BUS,
                LOG_LEVEL,
                CHECK_CONFIG,
                VERSION
        };
        static const struct option options[] = {
                {"config", required_argument, NULL, CONFIG},
                {"state-directory", required_argument, NULL, STATE_DIRECTORY},
                {"socket", required_argument, NULL, SOCKET},
                {"bus", required_argument, NULL, BUS},
                {"log-level", required_argument, NULL, LOG_LEVEL},
                {"check-config", no_argument, NULL, CHECK_CONFIG},
                {"version", no_argument, NULL, VERSION},
                {"help", no_argument, NULL, 'h'},
                {},
        };
        int c, which = 0;

        while ((c = getopt_long(argc, argv, "h", options, &which)) >= 0) {
                if (c != 'h' && optarg && *optarg == '\0') {
                        fprintf(stderr, "fleetprovd: --%s= needs a value\n", options[which].name);
                        return -EINVAL;
                }
                switch (c) {
                case CONFIG:
                        o->manager.config = optarg;
                        break;
                case STATE_DIRECTORY:
                        o->manager.state_directory = optarg;
                        break;
                case SOCKET:
                        o->manager.socket = optarg;
                        break;
                case BUS:
                        if (!config_bus_is_valid(optarg)) {
                                fprintf(stderr,
                                        "fleetprovd: --bus=%s: system, session, none, or an "
                                        "address like unix:path=...\n",
                                        optarg);
                                return -EINVAL;
                        }
                        o->manager.bus = optarg;
                        break;
                case LOG_LEVEL:
                        o->log_level = log_level_from_string(optarg);
                        if (o->log_level < 0) {
                                fprintf(stderr,
                                        "fleetprovd: --log-level=%s: emerg, alert, crit, err, "
                                        "warning, notice, info, debug, or 0 to 7\n",
                                        optarg);
                                return -EINVAL;
                        }
                        break;
                case CHECK_CONFIG:
                        o->check_config = true;
                        break;
                case VERSION:
                        puts("fleetprovd " PROJECT_VERSION);
                        return 0;
                case 'h':
                        print_help();
                        return 0;
                default:
                        fputs("Try 'fleetprovd --help'.\n", stderr);
                        return -EINVAL;
                }
        }
        if (optind < argc) {
                fprintf(stderr, "fleetprovd: '%s': no arguments are taken, only options\n",
                        argv[optind]);
                return -EINVAL;
        }
        return 1;
}

static int check_config(const Options *o) {
        _cleanup_config_ Config *config = NULL;
        _cleanup_free_ char *why = NULL, *safe = NULL;
        int r;

        r = config_load(o->manager.config, &config, &why);
        if (r < 0) {
                safe = why ? log_escape(why) : NULL; /* a file's name may hold anything */
                fprintf(stderr, "fleetprovd: %s\n", safe ? safe : strerrordesc_np(-r));
                return MANAGER_EXIT_CONFIG;
        }
        return EXIT_SUCCESS;
}

/* --- the loop */

static int on_hangup_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        (void) sd_notify(false, "RELOADING=1");
        manager_reload(userdata);
        (void) sd_notify(false, "READY=1");
        return 0;
}

static int on_end_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        log_debug("Stopping on signal %s.", sigabbrev_np((int) si->ssi_signo));
        return sd_event_exit(sd_event_source_get_event(s), 0);
}

/* While the loop still stands: what is under way is brought to its end with it, and afterwards no
 * event source can be made any more. */
static int on_exit_event(sd_event_source *s, void *userdata) {
        Manager **m = userdata;

        (void) sd_notify(false, "STOPPING=1");
        *m = manager_free(*m);
        return 0;
}

/* Keys pass through this memory: no core dump ever, and nobody of the same user may look in. */
static int hide_memory(void) {
        const struct rlimit none = {};

        if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
                return -errno;
        return 0;
}

/* Each connection to the socket has four descriptors, and may have some of messages and results on
 * the way. With the usual 1024, three users could leave none for the disk and the cloud. Nothing
 * here uses select(2), which is why that is so low (systemd.exec(5), LimitNOFILE=). */
static int allow_descriptors(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        if (limit.rlim_cur >= DESCRIPTORS_WANTED || limit.rlim_cur == limit.rlim_max)
                return 0;
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
        return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

/* Blocked before the first thread is made, so that every thread leaves them to the loop. */
static int block_signals(void) {
        sigset_t set;

        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
                return -errno;
        return 0;
}

static int add_signals(sd_event *event, Manager *m) {
        int r;

        r = sd_event_add_signal(event, NULL, SIGTERM, on_end_signal, m);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGINT, on_end_signal, m);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGHUP, on_hangup_signal, m);
        return r;
}

static int run(const Options *o) {
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(manager_freep) Manager *m = NULL;
        _cleanup_(watchdog_freep) Watchdog *watchdog = NULL;
        int r, status;

        r = allow_descriptors();
        if (r < 0)
                log_warning_errno(r, "Cannot raise the limit of descriptors");
        r = hide_memory();
        if (r >= 0)
                r = block_signals();
        if (r >= 0)
                r = sd_event_default(&event);
        if (r < 0) {
                log_error_errno(r, "Cannot set up the loop");
                return EXIT_FAILURE;
        }
        r = manager_new(event, &o->manager, &m, &status);
        if (r < 0)
                return status;
        r = add_signals(event, m);
        if (r >= 0)
                r = sd_event_add_exit(event, NULL, on_exit_event, &m);
        if (r >= 0)
                r = watchdog_new(event, manager_busy_since, m, &watchdog);
        if (r < 0) {
                log_error_errno(r, "Cannot set up the loop");
                return EXIT_FAILURE;
        }
        (void) sd_notify(false, "READY=1");
        r = sd_event_loop(event);
        if (r < 0) {
                log_error_errno(r, "The loop failed");
                return EXIT_FAILURE;
        }
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        const char *state_directory = getenv("STATE_DIRECTORY");
        Options o = {
                .manager = {.state_directory =
                                    state_directory ? state_directory : DEFAULT_STATE_DIRECTORY,
                            .socket = IPC_DEFAULT_SOCKET},
                .log_level = LOG_INFO,
        };
        int r;

        /* One heap: an arena for each thread would cost more than the threads save. */
        (void) mallopt(M_ARENA_MAX, 1);
        protocol_json_harden();
        r = parse_options(argc, argv, &o);
        if (r <= 0)
                return r < 0 ? EXIT_USAGE : EXIT_SUCCESS;
        log_open(o.log_level);
        return o.check_config ? check_config(&o) : run(&o);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The soak: rounds in which 20 clients work and trouble strikes, and at the end of each, with all
 * well again and every job released, a look at what was promised and at what the daemon holds. Two
 * rounds warm up; no later one may leave more memory, descriptors or threads behind.
 *
 * usage: soak MINUTES [MINUTES OF A ROUND]     prints a row a round */

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/soak/audit.h"
#include "tests/bench/soak/client.h"
#include "tests/bench/soak/gauge.h"
#include "tests/bench/soak/trouble.h"
#include "tests/integration/lib/identity.h"
#include "tests/integration/lib/process.h"

#define USERS 5U
#define FIRST_UID 12001U
#define STRIKE_MSEC 700
#define STOP_SEC 90   /* a client ends its call first */
#define DRAIN_SEC 900 /* tries are up to five minutes apart */
#define SETTLE_SEC 8  /* caches are given back, connections closed */

#define WARM_UP 2U /* rounds: the heap finds its size */

/* What a round may leave behind in anonymous memory, beyond those: heaps are never laid out twice
 * alike. A leak of 32 bytes a job is more, in an hour of some 40,000 jobs. */
#define ANONYMOUS_SLACK_KB 1024U

typedef struct Soak {
        Cloud cloud;
        Daemon daemon;
        Trouble trouble;
        Ledger *ledger;
        SoakClient clients[CLIENTS];
        pid_t pids[CLIENTS];
        char *csr;
        Gauge warm;      /* after the first round; memory: the most in the warm-up */
        unsigned rounds; /* done */
} Soak;

/* Check's tests take no arguments. */
static unsigned minutes, round_minutes;

static uint64_t now_sec(void) {
        struct timespec ts;

        ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
        return (uint64_t) ts.tv_sec;
}

static void pause_msec(long msec) {
        (void) nanosleep(
                &(struct timespec){.tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000L}, NULL);
}

static void start_client(Soak *s, size_t i) {
        uid_t uid = FIRST_UID + (uid_t) (i % USERS);

        s->pids[i] = process_fork_as(uid, uid, NULL, 0, soak_client_run, s->clients + i);
}

static void check_client_end(const Soak *s, size_t i, int status) {
        ck_assert_msg(*s->ledger->broken == '\0', "%s", s->ledger->broken);
        ck_assert_msg(WIFEXITED(status) && (WEXITSTATUS(status) == SOAK_CLIENT_DIED ||
                                            WEXITSTATUS(status) == EXIT_SUCCESS),
                      "client %zu ended with wait status %#x", i, (unsigned) status);
}

/* Those that died come back, until the round is over. How many are left. */
static size_t look_after_clients(Soak *s) {
        size_t n = 0;

        for (size_t i = 0; i < CLIENTS; i++) {
                int status;

                if (s->pids[i] > 0 && waitpid(s->pids[i], &status, WNOHANG) == s->pids[i]) {
                        s->pids[i] = 0;
                        check_client_end(s, i, status);
                        if (!s->ledger->pause)
                                start_client(s, i);
                }
                n += s->pids[i] > 0;
        }
        return n;
}

static void check_daemon_lives(const Soak *s) {
        ck_assert_msg(waitpid(s->daemon.pid, NULL, WNOHANG) == 0, "the daemon is gone, see %s",
                      s->daemon.log);
}

static void stop_clients(Soak *s) {
        uint64_t end = now_sec() + STOP_SEC;

        s->ledger->pause = true;
        while (look_after_clients(s) > 0) {
                ck_assert_msg(now_sec() < end, "a client does not come to an end");
                pause_msec(50);
        }
}

static void drain(Soak *s) {
        uint64_t end = now_sec() + DRAIN_SEC;

        for (;;) {
                fleetprov_status *status = agent_status(s->trouble.client);
                unsigned left =
                        fleetprov_status_get_queued(status) + fleetprov_status_get_running(status);

                fleetprov_status_free(status);
                if (left == 0)
                        return;
                ck_assert_msg(now_sec() < end, "%u jobs do not come to an end", left);
                pause_msec(200);
        }
}

static void print_head(void) {
        printf("| minute | jobs done | succeeded | cancelled, expired | failed, by code | anon KB "
               "| "
               "PSS KB | fds | threads |\n|---|---|---|---|---|---|---|---|---|\n");
        fflush(stdout);
}

static void print_codes(const Audit *audit) {
        const char *comma = "";

        printf(" %zu", audit->failed);
        for (int i = 0; i < (int) AUDIT_CODES_MAX; i++)
                if (audit->codes[i] > 0) {
                        printf("%s %s %zu", *comma ? comma : ":", fleetprov_code_to_string(i),
                               audit->codes[i]);
                        comma = ",";
                }
        printf(" |");
}

static void print_row(uint64_t elapsed_sec, const Audit *audit, const Gauge *g) {
        printf("| %.1f | %zu | %zu | %zu |", (double) elapsed_sec / 60,
               audit->jobs + audit->released, audit->succeeded, audit->others);
        print_codes(audit);
        printf(" %zu | %zu | %zu | %zu |\n", g->anonymous_kb, g->pss_kb, g->fds, g->threads);
        fflush(stdout);
}

static void check_gauge(Soak *s, const Gauge *g) {
        if (s->rounds == 0)
                s->warm = *g;
        if (s->rounds < WARM_UP && g->anonymous_kb > s->warm.anonymous_kb)
                s->warm.anonymous_kb = g->anonymous_kb;
        ck_assert_msg(g->fds == s->warm.fds, "%zu descriptors, %zu in the warm-up", g->fds,
                      s->warm.fds);
        ck_assert_msg(g->threads <= s->warm.threads, "%zu threads, %zu in the warm-up", g->threads,
                      s->warm.threads);
        ck_assert_msg(g->anonymous_kb <= s->warm.anonymous_kb + ANONYMOUS_SLACK_KB,
                      "%zu KB of anonymous memory, %zu in the warm-up", g->anonymous_kb,
                      s->warm.anonymous_kb);
}

/* A token belongs to the claim that it was given to, lives as long as a fault says, and is spent by
 * an answer that a fault has spoilt: a job whose second request meets that is refused and begins
 * anew. Other rules hold in all trouble. */
static void check_breaches(Soak *s) {
        const char *path = place_path(&s->cloud.place, "breaches");
        size_t n = file_count_lines(path, "", NULL);
        size_t n_of_tokens = file_count_lines(path, "\"breach\":\"token-", NULL);

        ck_assert_msg(n == n_of_tokens, "%zu breaches beside those of tokens, see %s",
                      n - n_of_tokens, path);
        cloud_forget_breaches(&s->cloud);
}

/* Logs grow by some MB a minute. */
static void check_logs(Soak *s) {
        daemon_assert_log_is_sane(&s->daemon);
        check_breaches(s);
        ck_assert_int_eq(truncate(s->daemon.log, 0), 0);
}

/* What it takes to come to an end counts for nothing: waits between tries grow to minutes. */
static void run_round(Soak *s, uint64_t begun) {
        uint64_t end = now_sec() + round_minutes * 60;
        Audit audit;
        Gauge gauge;

        ledger_begin_round(s->ledger);
        for (size_t i = 0; i < CLIENTS; i++)
                start_client(s, i);
        while (now_sec() < end) {
                pause_msec(STRIKE_MSEC);
                trouble_strike(&s->trouble);
                (void) look_after_clients(s);
                check_daemon_lives(s);
        }
        cloud_clear(&s->cloud);
        stop_clients(s);
        trouble_end(&s->trouble);
        drain(s);
        audit_run(s->trouble.client, s->ledger, &audit);
        ck_assert_msg(audit.succeeded > 0, "not a job succeeded");
        pause_msec(SETTLE_SEC * 1000);
        gauge = gauge_read(s->daemon.pid);
        print_row(now_sec() - begun, &audit, &gauge);
        check_logs(s);
        check_gauge(s, &gauge);
        s->rounds++;
}

static void prepare(Soak *s) {
        _cleanup_free_ char *key = NULL;

        identity_make_csr(&key, &s->csr);
        cloud_start(&s->cloud);
        trouble_start(&s->trouble, &s->cloud, &s->daemon);
        s->ledger = ledger_new();
        for (unsigned i = 0; i < CLIENTS; i++)
                s->clients[i] = (SoakClient){.ledger = s->ledger,
                                             .number = i,
                                             .socket = s->daemon.socket,
                                             .csr = s->csr};
}

static unsigned deaths(const Soak *s) {
        unsigned n = 0;

        for (size_t i = 0; i < CLIENTS; i++)
                n += s->ledger->accounts[i].deaths;
        return n;
}

START_TEST(nothing_is_lost_and_nothing_leaks)
{
        uint64_t begun;
        Soak s = {};

        prepare(&s);
        begun = now_sec();
        print_head();
        for (unsigned at = round_minutes; at <= minutes; at += round_minutes)
                run_round(&s, begun);
        printf("\n%u faults, %u claims replaced, %u reloads, %u deaths of clients; nothing lost, "
               "nothing leaked\n",
               s.trouble.faults, s.trouble.claims, s.trouble.reloads, deaths(&s));
        fflush(stdout);
        fleetprov_client_free(s.trouble.client);
        daemon_done(&s.daemon);
        cloud_done(&s.cloud);
        ledger_free(s.ledger);
        free(s.csr);
}
END_TEST

int main(int argc, char **argv) {
        Suite *suite = suite_create("soak");
        TCase *tc = tcase_create("soak");
        SRunner *runner = srunner_create(suite);
        int failed;

        minutes = argc > 1 ? (unsigned) strtoul(argv[1], NULL, 10) : 0;
        round_minutes = argc > 2 ? (unsigned) strtoul(argv[2], NULL, 10) : 5;
        if (minutes == 0 || round_minutes == 0 || round_minutes > minutes) {
                fprintf(stderr, "usage: soak MINUTES [MINUTES OF A ROUND]\n");
                return 2;
        }
        tcase_add_test(tc, nothing_is_lost_and_nothing_leaks);
        tcase_set_timeout(tc, 0);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}

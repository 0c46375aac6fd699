/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A descriptor that hangs whoever closes it also hangs the process that ends: no signal lets it go,
 * and systemd gives up on it after TimeoutStopSec=. So nothing that the next daemon needs may be
 * with it. */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "tests/integration/lib/raw.h"
#include "tests/integration/lib/silent-file.h"
#include "tests/integration/lib/stage.h"

/* Makes the file, says who serves it, and sends it; whoever has it open cannot start a program,
 * which would close it and hang. The library, too, closes what it has sent: the sender goes on when
 * the server has ended, and cleans up. */
static void send_as_token(void *userdata) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const int *say = userdata;
        SilentFile file = {};
        sd_bus *bus;

        if (!silent_file_make(&file)) {
                fputs("skipped: FUSE is not to be had here\n", stderr);
                return;
        }
        ck_assert_int_eq(write(*say, &file.server, sizeof(file.server)), sizeof(file.server));
        bus = raw_open(place_text(&d.place, "unix:path=%s", d.socket), false);
        ck_assert_int_ge(sd_bus_message_new_method_call(bus, &m, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                                        IPC_MANAGER_INTERFACE, "Submit"),
                         0);
        ck_assert_int_ge(sd_bus_message_append(m, "ssa{sv}", "register-thing", "aws", 1,
                                               "ownership-token", "h", file.fd),
                         0);
        ck_assert_int_ge(sd_bus_send(bus, m, NULL), 0);
        ck_assert_int_ge(sd_bus_flush(bus), 0);
        sd_bus_unref(bus);
        (void) waitid(P_PID, (id_t) file.server, &(siginfo_t){}, WEXITED | WNOWAIT);
        silent_file_end(&file);
}

/* No program is started to find out: what it inherits it closes, and would hang, too. */
static bool has_thread(pid_t pid, const char *wanted) {
        const char *path = place_text(&d.place, "/proc/%d/task", pid);
        const struct dirent *thread;
        DIR *threads = opendir(path);
        bool found = false;

        ck_assert_ptr_nonnull(threads);
        while (!found && (thread = readdir(threads))) {
                _cleanup_free_ char *comm =
                        file_read(place_text(&d.place, "%s/%s/comm", path, thread->d_name), NULL);

                found = comm && strncmp(comm, wanted, strlen(wanted)) == 0;
        }
        closedir(threads);
        return found;
}

/* All that it did itself is done: only the kernel's part is left. */
static bool has_ended(pid_t pid) {
        _cleanup_free_ char *stat = file_read(place_text(&d.place, "/proc/%d/stat", pid), NULL);
        const char *behind = stat ? strrchr(stat, ')') : NULL;

        return behind && strncmp(behind, ") Z", 3) == 0;
}

START_TEST(close_that_hangs_keeps_nothing_from_the_next_daemon)
{
        pid_t sender, server = 0, former;
        int say[2];
        JobId job;

        if (geteuid() != 0) {
                fputs("skipped: a mount wants root\n", stderr);
                return;
        }
        /* To look for leaks every thread is stopped, and one does not. */
        ck_assert_int_eq(setenv("ASAN_OPTIONS", "detect_leaks=0", 1), 0);
        stage_start("", "");
        job = agent_submit(client, &(Wish){.key = "kept", .serial = "kept"});
        agent_wait_end(client, job, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_int_eq(pipe2(say, O_CLOEXEC), 0);
        sender = process_fork_as(0, 0, NULL, 0, send_as_token, &say[1]);
        close(say[1]);
        if (read(say[0], &server, sizeof(server)) != sizeof(server)) {
                process_join(sender); /* there is no such file here */
                return;
        }
        WAIT_FOR(has_thread(d.pid, "closer"));
        /* The main thread ends as ever, and says so with the status that it always has. */
        former = d.pid;
        ck_assert_int_eq(kill(former, SIGTERM), 0);
        WAIT_FOR(has_ended(former));
        ck_assert_int_eq(waitpid(former, NULL, WNOHANG), 0);
        ck_assert(has_thread(former, "closer"));
        d.pid = 0;
        fleetprov_client_free(client);
        daemon_start(&d);
        client = agent_open(d.socket);
        agent_wait_end(client, agent_submit(client, &(Wish){.key = "kept", .serial = "kept"}),
                       FLEETPROV_STATE_SUCCEEDED);
        agent_wait_end(client, agent_submit(client, &(Wish){.key = "next", .serial = "next"}),
                       FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(stage_certificates(), 2);
        ck_assert_int_eq(waitpid(former, NULL, WNOHANG), 0);
        ck_assert_int_eq(kill(server, SIGKILL), 0);
        ck_assert_int_eq(process_wait(former), 0);
        process_join(sender);
        close(say[0]);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon/stop");
        TCase *tc = stage_shared(suite, "stop");

        tcase_add_test(tc, close_that_hangs_keeps_nothing_from_the_next_daemon);
        return stage_run(suite);
}

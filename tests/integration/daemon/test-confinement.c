/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What stands between the daemon and the system in the integration tests holds: without this, that
 * they pass would prove nothing. */

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tests/integration/lib/stage.h"

#define PROBE "--probe"

/* Each is done by this program itself, started anew under the filter. */
static long map(int protection) {
        void *p = mmap(NULL, 1, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return p == MAP_FAILED ? -1 : 0;
}

static long protect_for_execution(void) {
        return mprotect(mmap(NULL, 1, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 1,
                        PROT_READ | PROT_EXEC);
}

static long map_for_writing_and_execution(void) {
        return map(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static long map_for_writing(void) {
        return map(PROT_READ | PROT_WRITE);
}

static long make_packet_socket(void) {
        return socket(AF_PACKET, SOCK_RAW, 0);
}

static long make_bluetooth_socket(void) {
        return socket(AF_BLUETOOTH, SOCK_STREAM, 0);
}

static long make_unix_socket(void) {
        return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long make_namespace(void) {
        return unshare(CLONE_NEWUSER);
}

static long mount_something(void) {
        return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static long change_user(void) {
        return setuid(0);
}

static long change_owner(void) {
        return chown("/dev/null", 0, 0);
}

static long make_link(void) {
        return symlink("a", "/nonexistent/b");
}

static long read_other_memory(void) {
        return syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0);
}

static long add_key(void) {
        return syscall(SYS_add_key, "user", "x", "y", 1, 0);
}

static long load_program(void) {
        return syscall(SYS_bpf, 0, NULL, 0);
}

static long set_up_ring(void) {
        return syscall(SYS_io_uring_setup, 1, NULL);
}

static const struct {
        const char *name; /* as it is told; NULL: it is allowed */
        long (*function)(void);
} probes[] = {
        {NULL, map_for_writing},
        {NULL, make_unix_socket},
        {"mmap(", map_for_writing_and_execution},
        {"mprotect(", protect_for_execution},
        {"socket(", make_packet_socket},
        {"socket(", make_bluetooth_socket},
        {"unshare(", make_namespace},
        {"mount(", mount_something},
        {"setuid(", change_user},
        {"chown(", change_owner},
        {"symlink(", make_link},
        {"process_vm_readv(", read_other_memory},
        {"add_key(", add_key},
        {"bpf(", load_program},
        {"io_uring_setup(", set_up_ring},
};

static int probe(int which, char **ret_output) {
        _cleanup_free_ char *self = realpath("/proc/self/exe", NULL), *number = NULL;
        const char *argv[] = {CONFINE, CONFINEMENT, self, PROBE, NULL, NULL};

        ck_assert_ptr_nonnull(self);
        ck_assert_int_ge(asprintf(&number, "%d", which), 0);
        argv[ELEMENTSOF(argv) - 2] = number;
        return process_run(argv, NULL, ret_output);
}

START_TEST(what_the_unit_does_not_allow_is_the_end_and_is_named)
{
        _cleanup_free_ char *output = NULL;
        int status = probe(_i, &output);

        if (!probes[_i].name) {
                ck_assert_msg(status == 0, "%s", output);
                return;
        }
        ck_assert_msg(status > 128, "%s went well: %s", probes[_i].name, output);
        /* Where another asks the kernel for the same, it kills without a word. */
        if (status == 128 + SIGKILL)
                ck_assert_msg(strstr(output, probes[_i].name) != NULL, "%s", output);
}
END_TEST

START_TEST(refusal_is_eperm_and_is_named)
{
        _cleanup_free_ char *output = NULL;
        int status;

        ck_assert_int_eq(setenv("FLEETPROV_CONFINE", "refuse", 1), 0);
        status = probe(_i, &output);
        ck_assert_int_eq(unsetenv("FLEETPROV_CONFINE"), 0);
        if (status == 128 + SIGSYS)
                return; /* nobody can be asked here */
        ck_assert_int_eq(status, probes[_i].name ? 1 : 0);
        ck_assert(!probes[_i].name || strstr(output, probes[_i].name));
}
END_TEST

/* Where nobody can be asked, the kernel kills, and by another signal. */
static void must_be_breach(int status, const char *log, const char *call) {
        ck_assert_msg(WIFSIGNALED(status), "ended with wait status %#x", (unsigned) status);
        if (WTERMSIG(status) == SIGKILL)
                ck_assert_msg(file_has(log, place_text(&d.place, "BREACH: %s(", call)), "%s", call);
        else
                ck_assert_int_eq(WTERMSIG(status), SIGSYS);
}

/* The daemon under a list that lacks what it needs: so it would look in the whole suite. */
START_TEST(call_that_is_taken_off_the_list_is_missed)
{
        static const char *const calls[] = {"timerfd_create", "flock", "signalfd4", "listen"};
        _cleanup_free_ char *list = file_read(CONFINEMENT, NULL);
        char *line;
        int status;

        daemon_make(&d);
        daemon_configure(&d, "");
        line = strstr(list, place_text(&d.place, "\ncall %s\n", calls[_i]));
        ck_assert_ptr_nonnull(line);
        memmove(line + 1, strchr(line + 1, '\n') + 1, strlen(strchr(line + 1, '\n')));
        d.confinement = place_write(&d.place, "list", 0600, list);
        daemon_start_unheard(&d);
        status = process_wait(d.pid);
        d.pid = 0;
        must_be_breach(status, d.log, calls[_i]);
}
END_TEST

int main(int argc, char **argv) {
        Suite *suite;
        TCase *tc;

        if (argc == 3 && streq(argv[1], PROBE))
                _exit(probes[(size_t) atoi(argv[2]) % ELEMENTSOF(probes)].function() < 0);
        if (streq_ptr(getenv("FLEETPROV_CONFINE"), "no")) {
                fputs("daemon-confinement: SKIPPED, nothing of it was tried: "
                      "FLEETPROV_CONFINE=no\n",
                      stderr);
                return 77;
        }
        suite = suite_create("daemon: confinement");
        tc = stage_shared(suite, "confinement");
        tcase_add_loop_test(tc, what_the_unit_does_not_allow_is_the_end_and_is_named, 0,
                            ELEMENTSOF(probes));
        tcase_add_loop_test(tc, refusal_is_eperm_and_is_named, 0, ELEMENTSOF(probes));
        tcase_add_loop_test(tc, call_that_is_taken_off_the_list_is_missed, 0, 4);
        return stage_run(suite);
}

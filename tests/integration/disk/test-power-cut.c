/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The power is cut under load, at random moments: what the daemon has told to anybody by then is so
 * when it is started again. Nothing that was accepted is lost, nothing that was announced, fetched,
 * acknowledged or released is undone, and each cut costs one certificate at most.
 *
 * Nobody hears anything in a power cut. The daemon is stopped at the same moment, in the midst of
 * whatever it does, since the kernel is not to be believed about a flush that was under way when
 * its file system was shut down: jbd2_complete_transaction() takes a transaction that is not
 * running any more for a committed one, and fdatasync() gives 0 for an aborted one (6 of 120
 * shutdowns under a bare loop of append and fdatasync, Linux 6.18). Each other time it is let
 * finish that flush, and lives on for a while after the cut on a disk that fails: what it tells
 * then must hold, too.
 *
 * FLEETPROV_POWER_CUTS says how many; tests/power-cut does many. Without root and loop devices
 * nothing of this can be tried, and the program says so and ends as "skipped". */

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/integration/disk/customer.h"
#include "tests/integration/disk/ledger.h"
#include "tests/integration/lib/disk-image.h"
#include "tests/integration/lib/stage.h"

#define CUTS 3UL /* where nobody says how many */
#define CUTS_MAX 10000UL
#define CUSTOMERS 6U
#define DISK_MEBIBYTES 64U
#define LOAD_MSEC_MAX 1200U /* from the start until the power goes */
#define DARK_MSEC_MAX 60U   /* from then until everybody is dead, where that is not at once */
#define CUT_TIMEOUT_SEC 30U /* of each cut, with all that belongs to it */

static DiskImage disk;
static Ledger ledger;

static unsigned long cuts(void) {
        const char *text = getenv("FLEETPROV_POWER_CUTS");
        unsigned long n = text ? strtoul(text, NULL, 10) : CUTS;

        return n < 1 ? 1 : n > CUTS_MAX ? CUTS_MAX : n;
}

/* Another moment each time: that is the point of it. */
static unsigned pause_at_most(unsigned msec) {
        unsigned n = arc4random_uniform(msec);
        const struct timespec pause = {.tv_sec = n / 1000, .tv_nsec = (n % 1000) * 1000000L};

        (void) nanosleep(&pause, NULL);
        return n;
}

static void start(void) {
        disk_image_make(&disk, DISK_MEBIBYTES);
        daemon_make(&d);
        d.state = place_path(&disk.place, "mount/state");
        daemon_configure(&d,
                         place_text(&d.place, "[Daemon]\nMaxJobs=100000\nMaxJobsPerUser=100000\n%s",
                                    cloud_profile(&cloud, "aws", "")));
        ledger.path = place_path(&d.place, "ledger");
        fclose(fopen(ledger.path, "we"));
}

/* True once all of its threads have left the kernel. */
static bool has_stopped(pid_t pid) {
        siginfo_t info = {};

        ck_assert_int_eq(waitid(P_PID, (id_t) pid, &info, WSTOPPED | WNOHANG | WNOWAIT), 0);
        return info.si_pid == pid;
}

/* How long it lived on. */
static unsigned cut_power(bool lives_on) {
        unsigned dark = 0;

        ck_assert_int_eq(kill(d.pid, SIGSTOP), 0);
        if (lives_on)
                WAIT_FOR(has_stopped(d.pid));
        disk_image_cut_power(&disk);
        if (lives_on) {
                ck_assert_int_eq(kill(d.pid, SIGCONT), 0);
                dark = pause_at_most(DARK_MSEC_MAX);
        }
        return dark;
}

static void kill_all(const pid_t customers[]) {
        for (unsigned i = 0; i < CUSTOMERS; i++)
                (void) process_end(customers[i], SIGKILL);
        daemon_kill(&d);
}

static bool all_have_ended(void) {
        fleetprov_status *status = agent_status(client);
        bool all = fleetprov_status_get_queued(status) == 0 &&
                   fleetprov_status_get_running(status) == 0;

        fleetprov_status_free(status);
        return all;
}

/* One cut. Returns with the daemon on again. */
static void cut(unsigned long n) {
        pid_t customers[CUSTOMERS];
        unsigned load, dark;

        /* Most in the midst of work, some while the session comes up and all is queued. */
        client = agent_open(d.socket);
        if (n % 4 != 3) {
                WAIT_FOR(all_have_ended());
                daemon_wait_session(&d, "aws", "ready");
        }
        client = fleetprov_client_free(client);
        for (unsigned i = 0; i < CUSTOMERS; i++)
                customers[i] = customer_start(d.socket, ledger.path,
                                              place_text(&d.place, "cut-%lu-%u", n, i));
        load = pause_at_most(LOAD_MSEC_MAX);
        dark = cut_power(n % 2 == 1);
        kill_all(customers);
        disk_image_unmount(&disk);
        disk_image_mount(&disk);
        daemon_start(&d);
        client = agent_open(d.socket);
        ledger_read(&ledger);
        printf("cut %lu, %u ms into the load, lived on for %u ms: ", n + 1, load, dark);
        ledger_print(&ledger);
        ledger_check(&ledger, client, d.state, false);
        client = fleetprov_client_free(client);
}

START_TEST(nothing_that_was_told_is_undone_by_a_power_cut)
{
        unsigned long n = cuts();
        size_t jobs;

        start();
        daemon_start(&d);
        for (unsigned long i = 0; i < n; i++)
                cut(i);
        client = agent_open(d.socket);
        WAIT_FOR(all_have_ended());
        for (size_t i = 0; i < ledger.n; i++)
                ledger.promises[i].succeeded = true;
        ledger_check(&ledger, client, d.state, true);
        ck_assert_uint_eq(folder_count(d.state, ".new"), 0);
        ck_assert(!file_has(d.log, "set aside"));
        /* Submitted without an answer: such jobs may be there, too. */
        jobs = agent_count_jobs(client, 1);
        for (size_t i = 0; i < ledger.n; i++)
                jobs += ledger.promises[i].releasing;
        ck_assert_uint_gt(ledger.n, 0);
        ck_assert_uint_ge(jobs, ledger.n);
        ck_assert_uint_le(cloud_count_certificates(&cloud), jobs + n);
        /* A thing that was registered right before the cut is registered again with its token,
         * since nobody can know: the cloud takes that for a breach, and the job starts over. */
        cloud_allow_breach(&cloud, "token-spent", n);
        daemon_stop(&d);
        disk_image_unmount(&disk);
}
END_TEST

static void clean_up(void) {
        ledger_done(&ledger);
        disk_image_done(&disk);
}

int main(void) {
        Suite *suite = suite_create("disk: power cut");
        TCase *tc;

        disk_image_or_skip("disk-power-cut");
        tc = stage_shared(suite, "power cut");
        tcase_set_timeout(tc, (double) (cuts() * CUT_TIMEOUT_SEC + 2 * PATIENCE_SEC));
        tcase_add_checked_fixture(tc, NULL, clean_up);
        tcase_add_test(tc, nothing_that_was_told_is_undone_by_a_power_cut);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Deadlines and RetainSec= count the time that the machine was up, over restarts and reboots. A
 * boot is a time namespace here, in which the boot clock stands where the test wants it, with a
 * boot id of its own: hours pass at once. Needs root and a kernel with time namespaces (5.6). */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <time.h>

#include "tests/integration/lib/own-mounts.h"
#include "tests/integration/lib/stage.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define HOUR USEC_PER_HOUR
#define MINUTE USEC_PER_MINUTE
#define SEC USEC_PER_SEC

static const char *boot_id; /* the file */
static bool by_environment; /* the file shows nothing, as under ProcSubset=pid */

static void write_at(const char *path, const char *content) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

        ck_assert_msg(fd >= 0, "%s: %s", path, strerrordesc_np(errno));
        ck_assert_msg(write(fd, content, strlen(content)) == (ssize_t) strlen(content), "%s: %s",
                      path, strerrordesc_np(errno));
}

/* True: this machine has what these tests stand on. */
static bool own_boots(void) {
        if (geteuid() != 0 || own_mounts(CLONE_NEWTIME) < 0) {
                fputs("skipped: time namespaces need root and Linux 5.6\n", stderr);
                return false;
        }
        daemon_make(&d);
        boot_id = place_write(&d.place, "boot-id", 0644, "\n");
        ck_assert_int_eq(mount(boot_id, BOOT_ID_FILE, NULL, MS_BIND, NULL), 0);
        return true;
}

/* Programs that are started from now on see the n-th boot, whose clock stands there now. */
static void enter_boot(unsigned n, usec_t clock) {
        struct timespec now;
        int64_t sec, nsec;
        const char *id;

        ck_assert_int_eq(unshare(CLONE_NEWTIME), 0);
        ck_assert_int_eq(clock_gettime(CLOCK_BOOTTIME, &now), 0);
        sec = (int64_t) (clock / SEC) - (int64_t) now.tv_sec;
        nsec = (int64_t) (clock % SEC) * 1000 - (int64_t) now.tv_nsec;
        if (nsec < 0) {
                nsec += INT64_C(1000000000);
                sec--;
        }
        write_at("/proc/self/timens_offsets",
                 place_text(&d.place, "boottime %" PRId64 " %" PRId64 "\n", sec, nsec));
        id = place_text(&d.place, "%08x-0000-4000-8000-000000000000", n);
        write_at(boot_id, by_environment ? "\n" : id);
        ck_assert_int_eq(setenv("FLEETPROVD_BOOT_ID", by_environment ? id : "", 1), 0);
}

static void start_on(unsigned n, usec_t clock) {
        enter_boot(n, clock);
        daemon_start(&d);
        client = agent_open(d.socket);
}

static void leave(bool power_cut) {
        fleetprov_client_free(client);
        client = NULL;
        if (power_cut)
                daemon_kill(&d);
        else
                daemon_stop(&d);
}

static void configure(const char *daemon) {
        daemon_configure(&d, place_text(&d.place, "[Daemon]\n%s\n%s", daemon,
                                        cloud_profile(&cloud, "aws", "")));
}

static usec_t left_of(JobId id) {
        fleetprov_job *job = agent_job(client, id);
        usec_t left = fleetprov_job_get_deadline(job);

        fleetprov_job_free(job);
        return left;
}

/* What the test itself takes, here or there, is short against what passes in it. */
static void assert_left(JobId id, usec_t left) {
        usec_t is = left_of(id);

        ck_assert_msg(is < left + MINUTE && is + 3 * MINUTE > left,
                      "%" PRIu64 " s are left of the deadline, not %" PRIu64, is / SEC, left / SEC);
}

static JobId submit_with_deadline(const char *serial, usec_t deadline) {
        return agent_submit(client,
                            &(Wish){.serial = serial, .key = serial, .deadline_usec = deadline});
}

static bool ends_soon(JobId id) {
        const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
        bool over = false;

        for (unsigned i = 0; i < 30 && !over; i++) {
                fleetprov_job *job = agent_job(client, id);

                over = fleetprov_state_is_final(fleetprov_job_get_state(job));
                fleetprov_job_free(job);
                (void) nanosleep(&pause, NULL);
        }
        return over;
}

/* --- deadlines; the cloud is away */

START_TEST(time_without_the_daemon_counts)
{
        JobId id;

        if (!own_boots())
                return;
        cloud_stop(&cloud);
        configure("");
        start_on(1, 1 * HOUR);
        id = submit_with_deadline("away", 10 * HOUR);
        assert_left(id, 10 * HOUR);
        leave(_i);
        start_on(1, 4 * HOUR);
        assert_left(id, 7 * HOUR);
        leave(_i);
        start_on(1, 12 * HOUR); /* 11 hours are over */
        agent_wait_end(client, id, FLEETPROV_STATE_EXPIRED);
        cloud_again(&cloud);
}
END_TEST

static void assert_says(JobId id, const char *text, const char *not_that) {
        fleetprov_job *job = agent_job(client, id);

        ck_assert(agent_history_has(job, text));
        ck_assert(!not_that || !agent_history_has(job, not_that));
        fleetprov_job_free(job);
}

START_TEST(boots_add_up)
{
        const bool power_cut = _i % 2;
        JobId id;

        by_environment = _i / 2;
        if (!own_boots())
                return;
        cloud_stop(&cloud);
        configure("");
        start_on(1, 1 * HOUR);
        id = submit_with_deadline("boots", 10 * HOUR);
        leave(power_cut);
        /* The daemon sees three hours more of that boot, and then the power goes. */
        start_on(1, 4 * HOUR);
        assert_says(id, "the daemon was restarted", "the machine was restarted");
        leave(power_cut);
        start_on(2, 30 * SEC);
        /* What it was about to do was noted without a flush: a power cut may have taken that. */
        assert_says(id, "the machine was restarted", NULL);
        assert_left(id, 7 * HOUR);
        leave(power_cut);
        start_on(2, 5 * HOUR);
        assert_left(id, 2 * HOUR);
        leave(power_cut);
        start_on(3, 1 * HOUR);
        assert_left(id, 1 * HOUR);
        leave(power_cut);
        start_on(4, 2 * HOUR);
        agent_wait_end(client, id, FLEETPROV_STATE_EXPIRED);
        cloud_again(&cloud);
}
END_TEST

START_TEST(clean_end_loses_nothing)
{
        JobId id;
        usec_t before;

        if (!own_boots())
                return;
        cloud_stop(&cloud);
        configure("");
        start_on(1, 1 * HOUR);
        id = submit_with_deadline("clean", 10 * HOUR);
        WAIT_FOR(left_of(id) < 10 * HOUR - 2 * SEC);
        before = left_of(id);
        leave(false);
        start_on(2, 0);
        ck_assert_uint_le(left_of(id), before);
        cloud_again(&cloud);
}
END_TEST

/* A machine that comes up, runs for a few minutes and falls over, for ever. */
START_TEST(deadline_passes_in_a_boot_loop)
{
        unsigned n = 1;
        JobId id;

        if (!own_boots())
                return;
        cloud_stop(&cloud);
        configure("");
        start_on(1, 5 * MINUTE);
        id = submit_with_deadline("loop", 18 * MINUTE);
        do {
                leave(true);
                start_on(++n, 5 * MINUTE);
                ck_assert_uint_le(n, 8);
        } while (!ends_soon(id));
        agent_wait_end(client, id, FLEETPROV_STATE_EXPIRED);
        ck_assert_uint_ge(n, 4); /* nor is it counted too quickly */
        cloud_again(&cloud);
}
END_TEST

/* The daemon is restarted again and again, on one boot, and never gets to its work. */
START_TEST(deadline_passes_in_a_restart_loop)
{
        usec_t clock = 1 * HOUR;
        JobId id;

        if (!own_boots())
                return;
        cloud_stop(&cloud);
        configure("");
        start_on(1, clock);
        id = submit_with_deadline("restarts", 28 * MINUTE);
        for (unsigned i = 0; i < 5; i++) {
                agent_wait_state(client, id, FLEETPROV_STATE_QUEUED, NULL);
                leave(true);
                clock += 5 * MINUTE;
                start_on(1, clock);
        }
        leave(true);
        start_on(1, clock + 5 * MINUTE);
        agent_wait_end(client, id, FLEETPROV_STATE_EXPIRED);
        cloud_again(&cloud);
}
END_TEST

/* --- RetainSec= */

static void must_be_forgotten(JobId id, bool has_key) {
        fleetprov_result *result;

        if (!has_key) {
                WAIT_FOR(agent_count_jobs(client, 1) == 0);
                ck_assert_int_eq(agent_call(client, fleetprov_client_get_result, id),
                                 FLEETPROV_NO_SUCH_JOB);
        } else {
                WAIT_FOR(folder_count(d.state, ".secret") == 0);
                result = agent_result(client, id);
                ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY),
                                 0);
                ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 1);
                ck_assert_ptr_nonnull(fleetprov_result_get_certificate_pem(result));
                fleetprov_result_free(result);
        }
        WAIT_FOR(folder_count(d.state, ".secret") == 0); /* hidden first, then erased */
}

START_TEST(result_is_kept_so_long_and_no_longer)
{
        const bool has_key = _i % 2 == 1, reboots = _i / 2 == 1;
        JobId id;

        if (!own_boots())
                return;
        configure("RetainSec=10h");
        start_on(1, 1 * HOUR);
        id = agent_submit(client, &(Wish){.serial = "kept", .key = has_key ? "kept" : NULL});
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        leave(false);
        start_on(1, 5 * HOUR);
        leave(true);
        start_on(reboots ? 2 : 1, reboots ? 5 * HOUR : 10 * HOUR);
        fleetprov_result_free(agent_result(client, id));
        ck_assert_uint_eq(folder_count(d.state, ".secret"), 1);
        leave(true);
        start_on(reboots ? 2 : 1, reboots ? 7 * HOUR : 12 * HOUR);
        must_be_forgotten(id, has_key);
}
END_TEST

/* A token lives an hour: after a reboot that took longer nobody tries with it, and the certificate
 * is on record as left behind. */
START_TEST(token_grows_old_over_a_reboot)
{
        const bool old = _i == 1;
        fleetprov_result *result;
        fleetprov_job *job;
        JobId id;

        if (!own_boots())
                return;
        configure("");
        cloud_add(&cloud, "drop", "--operation=register", "--count=1");
        start_on(1, 1 * HOUR);
        id = agent_submit(client, &(Wish){.serial = "token"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "register");
        leave(true);
        start_on(2, old ? 1 * HOUR : 10 * MINUTE);
        result = agent_result(client, id);
        identity_assert(&cloud, result, "token", NULL, NULL);
        fleetprov_result_free(result);
        job = agent_job(client, id);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), old ? 1 : 0);
        fleetprov_job_free(job);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: reboot");
        TCase *tc = stage_alone(suite, "reboot");

        tcase_add_loop_test(tc, time_without_the_daemon_counts, 0, 2);
        tcase_add_loop_test(tc, boots_add_up, 0, 4);
        tcase_add_test(tc, clean_end_loses_nothing);
        tcase_add_test(tc, deadline_passes_in_a_boot_loop);
        tcase_add_test(tc, deadline_passes_in_a_restart_loop);
        tcase_add_loop_test(tc, result_is_kept_so_long_and_no_longer, 0, 4);
        tcase_add_loop_test(tc, token_grows_old_over_a_reboot, 0, 2);
        return stage_run(suite);
}

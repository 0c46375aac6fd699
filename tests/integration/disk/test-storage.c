/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The disk fails under a daemon at work: it is full to the last page, the kernel makes it
 * read-only, its folder is gone. New jobs are refused with `storage`, what runs is finished as far
 * as it can be, no certificate is asked for that could not be kept, nothing is lost, and when there
 * is room again all goes on by itself. */

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/integration/lib/disk-image.h"
#include "tests/integration/lib/stage.h"

#define SMALL_KIBIBYTES 256U
#define DISK_MEBIBYTES 32U
#define THIN_KIBIBYTES (12U * 1024)
#define PAGES_MAX 8 /* enough for one job: where there are as many, nothing is noticed */

static DiskImage disk;
static size_t made_before; /* certificates, by the tests before */

static void start(void) {
        made_before = cloud_count_certificates(&cloud);
        daemon_make(&d);
        d.state = place_path(&disk.place, "mount/state");
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        daemon_start(&d);
        client = agent_open(d.socket);
        daemon_wait_session(&d, "aws", "ready");
}

static size_t certificates(void) {
        return cloud_count_certificates(&cloud) - made_before;
}

static char *key_of(JobId id) {
        fleetprov_result *result = agent_result(client, id);
        char *key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);

        fleetprov_result_free(result);
        return key;
}

static bool has_ended(JobId id) {
        fleetprov_job *job = agent_job(client, id);
        bool ended = fleetprov_state_is_final(fleetprov_job_get_state(job));

        fleetprov_job_free(job);
        return ended;
}

static bool waits(JobId id) {
        fleetprov_job *job = agent_job(client, id);
        bool waiting = agent_history_has(job, "waiting until it can be written");

        ck_assert_ptr_null(fleetprov_job_get_error(job));
        fleetprov_job_free(job);
        return waiting;
}

/* Accepted, and its id; or refused with `storage`. */
static bool try_submit(const Wish *wish, JobId *id) {
        fleetprov_error *error = NULL;

        *id = (JobId){};
        if (agent_try(client, wish, id, &error) == FLEETPROV_OK)
                return true;
        ck_assert_msg(fleetprov_error_get_code(error) == FLEETPROV_STORAGE, "%s",
                      fleetprov_error_get_message(error));
        fleetprov_error_free(error);
        return false;
}

static const Wish wishes[] = {
        {.serial = "full", .key = "full"},
        {.serial = "full", .key = "full", .key_source = "cloud"},
        {.key = "full", .operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
};

/* However it went: with room it succeeds, and is a whole identity. */
static void must_succeed(const Wish *wish, bool accepted, JobId id) {
        _cleanup_free_ char *key = NULL;
        fleetprov_result *result;

        if (!accepted) {
                ck_assert_int_eq(agent_find(client, "aws", wish->key, NULL), FLEETPROV_NO_SUCH_JOB);
                id = agent_submit(client, wish);
        }
        result = agent_result(client, id);
        key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        identity_assert_pair(fleetprov_result_get_certificate_pem(result), key, NULL);
        fleetprov_result_free(result);
}

/* Another number of free pages each time, so that each write in turn is the first that fails. */
START_TEST(full_disk_costs_nothing_but_time)
{
        const size_t pages = (size_t) _i % (PAGES_MAX + 1);
        const Wish *wish = wishes + _i / (PAGES_MAX + 1);
        const Wish next = {.serial = "next", .key = "next"};
        _cleanup_free_ char *before = NULL, *after = NULL;
        bool accepted, next_accepted;
        JobId first, id, next_id;

        disk_image_make_small(&disk, SMALL_KIBIBYTES);
        start();
        first = agent_submit(client, &(Wish){.serial = "first", .key = "first"});
        before = key_of(first);
        disk_image_fill(&disk, pages);

        accepted = try_submit(wish, &id);
        if (accepted)
                WAIT_FOR(has_ended(id) || waits(id));
        if (pages == 0)
                ck_assert(!accepted);
        if (pages == PAGES_MAX)
                ck_assert(accepted && has_ended(id));
        next_accepted = try_submit(&next, &next_id);
        if (accepted && next_accepted && !has_ended(id))
                agent_wait_state(client, next_id, FLEETPROV_STATE_QUEUED, NULL);
        after = key_of(first); /* what was there is there */
        ck_assert_str_eq(after, before);

        disk_image_make_room(&disk);
        must_succeed(wish, accepted, id);
        must_succeed(&next, next_accepted, next_id);
        ck_assert_uint_eq(certificates(), 3);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, first), FLEETPROV_OK);
        ck_assert_uint_eq(folder_count(d.state, ".new"), 0);
}
END_TEST

/* Killed and started again on the full disk, which must be possible; and once more with room. */
START_TEST(daemon_starts_on_a_full_disk_and_has_lost_nothing)
{
        _cleanup_free_ char *before = NULL, *after = NULL;
        const Wish wish = {.serial = "full", .key = "full"};
        JobId first, id;
        bool accepted;

        disk_image_make_small(&disk, SMALL_KIBIBYTES);
        start();
        first = agent_submit(client, &(Wish){.serial = "first", .key = "first"});
        before = key_of(first);
        disk_image_fill(&disk, (size_t) _i);
        accepted = try_submit(&wish, &id);
        if (accepted)
                WAIT_FOR(has_ended(id) || waits(id));
        stage_restart(true);
        after = key_of(first);
        ck_assert_str_eq(after, before);
        ck_assert_int_eq(agent_find(client, "aws", "full", NULL),
                         accepted ? FLEETPROV_OK : FLEETPROV_NO_SUCH_JOB);
        disk_image_make_room(&disk);
        must_succeed(&wish, accepted, id);
        /* What was made and could not be kept dies with the daemon. */
        ck_assert_uint_le(certificates(), 3);
        cloud_allow_breach(&cloud, "token-spent", 1);
}
END_TEST

/* A result takes room until it is acknowledged: that must be possible without any. */
START_TEST(acknowledging_makes_room_on_a_full_disk)
{
        fleetprov_result *result;
        JobId id;

        disk_image_make_small(&disk, SMALL_KIBIBYTES);
        start();
        id = agent_submit(client, &(Wish){.serial = "first", .key = "first"});
        fleetprov_result_free(agent_result(client, id));
        disk_image_fill(&disk, 0);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        ck_assert_uint_eq(folder_count(d.state, ".secret"), 0);
        stage_restart(true);
        result = agent_result(client, id);
        ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 1);
        fleetprov_result_free(result);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 0);
}
END_TEST

START_TEST(cancel_while_the_disk_is_full)
{
        const Wish wish = {.serial = "cancelled", .key = "cancelled"};
        fleetprov_job *job;
        size_t pages;
        JobId id;

        disk_image_make_small(&disk, SMALL_KIBIBYTES);
        start();
        /* As little as lets it in. */
        for (pages = 0; disk_image_fill(&disk, pages), !try_submit(&wish, &id); pages++)
                ck_assert_uint_lt(pages, PAGES_MAX);
        WAIT_FOR(waits(id));
        (void) fleetprov_client_cancel(client, id.text, &(uint64_t){0});
        disk_image_make_room(&disk);
        job = agent_wait(client, id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_CANCELLED);
        /* The certificate that had no place is on record. */
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), certificates());
        fleetprov_job_free(job);
}
END_TEST

START_TEST(read_only_disk_refuses_and_what_was_told_stays)
{
        _cleanup_free_ char *before = NULL, *after = NULL;
        const Wish wish = {.serial = "later", .key = "later"};
        JobId first, id;

        disk_image_make(&disk, DISK_MEBIBYTES);
        start();
        first = agent_submit(client, &(Wish){.serial = "first", .key = "first"});
        before = key_of(first);
        if (!disk_image_break(&disk)) {
                fprintf(stderr,
                        "disk-storage: read-only disk SKIPPED: the kernel cannot play it\n");
                return;
        }
        ck_assert(!try_submit(&wish, &id));
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, first),
                         FLEETPROV_STORAGE);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, first), FLEETPROV_STORAGE);
        after = key_of(first);
        ck_assert_str_eq(after, before);
        free(TAKE_PTR(after));

        client = fleetprov_client_free(client);
        daemon_kill(&d);
        disk_image_unmount(&disk);
        disk_image_mount(&disk);
        daemon_start(&d);
        client = agent_open(d.socket);
        after = key_of(first);
        ck_assert_str_eq(after, before);
        must_succeed(&wish, false, id);
        ck_assert_uint_eq(certificates(), 2);
}
END_TEST

/* Writing goes well: only the flush tells. */
START_TEST(flush_that_fails_is_believed)
{
        _cleanup_free_ char *before = NULL, *after = NULL;
        const Wish wish = {.serial = "flush", .key = "flush"};
        JobId first, id;
        bool accepted;

        disk_image_make_thin(&disk, DISK_MEBIBYTES, THIN_KIBIBYTES);
        start();
        first = agent_submit(client, &(Wish){.serial = "first", .key = "first"});
        before = key_of(first);
        disk_image_fill(&disk, (size_t) _i);
        accepted = try_submit(&wish, &id);
        if (_i == 0)
                ck_assert(!accepted);
        if (accepted)
                WAIT_FOR(has_ended(id) || waits(id));
        /* The file system is read-only by then, mostly. What was accepted is there when it is
         * mounted again, after a power cut, too. */
        client = fleetprov_client_free(client);
        if (_i % 2 == 1) {
                ck_assert_int_eq(kill(d.pid, SIGSTOP), 0);
                disk_image_cut_power(&disk);
        }
        daemon_kill(&d);
        disk_image_unmount(&disk);
        disk_image_make_room(&disk);
        disk_image_mount(&disk);
        daemon_start(&d);
        client = agent_open(d.socket);
        ck_assert_int_eq(agent_find(client, "aws", "flush", NULL),
                         accepted ? FLEETPROV_OK : FLEETPROV_NO_SUCH_JOB);
        after = key_of(first);
        ck_assert_str_eq(after, before);
        must_succeed(&wish, accepted, id);
        ck_assert_uint_le(certificates(), 3);
        cloud_allow_breach(&cloud, "token-spent", 1);
}
END_TEST

static int remove_one(const char *path, _unused_ const struct stat *st, _unused_ int type,
                      _unused_ struct FTW *ftw) {
        return remove(path);
}

static bool has_gone(void) {
        siginfo_t end = {};

        ck_assert_int_eq(waitid(P_PID, (id_t) d.pid, &end, WEXITED | WNOHANG | WNOWAIT), 0);
        return end.si_pid == d.pid;
}

/* It begins, or says why not; whatever it had written by then does not stand in the next one's way.
 */
START_TEST(first_start_on_a_full_disk_leaves_nothing_in_the_way)
{
        disk_image_make_small(&disk, SMALL_KIBIBYTES);
        disk_image_fill(&disk, (size_t) _i);
        daemon_make(&d);
        d.state = place_path(&disk.place, "mount/state");
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        daemon_start_without_wait(&d);
        WAIT_FOR(has_gone() || file_exists(d.socket));
        if (has_gone()) {
                int status = process_wait(d.pid);

                d.pid = 0;
                ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
                ck_assert(file_has(d.log, "No space left on device"));
                ck_assert(file_has(d.log, d.state));
        } else
                daemon_kill(&d);
        disk_image_make_room(&disk);
        d.notify_fd = close_fd(d.notify_fd);
        ck_assert_int_eq(unlink(place_path(&d.place, "notify")), 0);
        daemon_start(&d);
        client = agent_open(d.socket);
        must_succeed(&(Wish){.serial = "at-last", .key = "at-last"}, false, (JobId){});
}
END_TEST

START_TEST(removed_file_costs_no_job)
{
        fleetprov_result *result;
        JobId id;

        disk_image_make_small(&disk, SMALL_KIBIBYTES);
        start();
        cloud_add(&cloud, "delay=1500", "--operation=create-csr");
        id = agent_submit(client, &(Wish){.serial = "removed", .key = "removed"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        ck_assert_int_eq(unlink(place_text(&d.place, "%s/%s.job", d.state, id.text)), 0);
        /* Its certificate cannot be kept: it fails, and that is on record. */
        fleetprov_job_free(agent_wait(client, id));
        ck_assert(file_exists(place_text(&d.place, "%s/%s.job", d.state, id.text)));
        stage_restart(true);
        id = agent_submit(client, &(Wish){.serial = "removed", .key = "removed"});
        result = agent_result(client, id);
        fleetprov_result_free(result);
}
END_TEST

START_TEST(disk_in_memory_is_warned_of_at_the_start)
{
        disk_image_make_small(&disk, SMALL_KIBIBYTES);
        start();
        ck_assert(file_has(
                d.log, place_text(&d.place, "state directory %s is in memory (tmpfs)", d.state)));
        client = fleetprov_client_free(client);
        daemon_done(&d);
        disk_image_done(&disk);
        disk_image_make(&disk, DISK_MEBIBYTES);
        start();
        ck_assert(!file_has(d.log, "is in memory"));
}
END_TEST

START_TEST(vanished_directory_refuses_and_is_made_again_at_the_start)
{
        const Wish wish = {.serial = "vanished", .key = "vanished"};
        JobId id;

        disk_image_make_small(&disk, SMALL_KIBIBYTES);
        start();
        ck_assert_int_eq(nftw(d.state, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
        ck_assert(!try_submit(&wish, &id));
        fleetprov_status_free(agent_status(client));
        stage_restart(false);
        must_succeed(&wish, false, id);
}
END_TEST

static void clean_up(void) {
        disk_image_done(&disk);
}

int main(void) {
        Suite *suite = suite_create("disk: storage");
        TCase *tc;

        disk_image_or_skip("disk-storage");
        tc = stage_shared(suite, "storage");
        tcase_add_checked_fixture(tc, NULL, clean_up);
        tcase_add_loop_test(tc, full_disk_costs_nothing_but_time, 0,
                            (int) ELEMENTSOF(wishes) * (PAGES_MAX + 1));
        tcase_add_loop_test(tc, daemon_starts_on_a_full_disk_and_has_lost_nothing, 0, 5);
        tcase_add_test(tc, acknowledging_makes_room_on_a_full_disk);
        tcase_add_test(tc, cancel_while_the_disk_is_full);
        tcase_add_test(tc, read_only_disk_refuses_and_what_was_told_stays);
        tcase_add_loop_test(tc, flush_that_fails_is_believed, 0, 8);
        tcase_add_loop_test(tc, first_start_on_a_full_disk_leaves_nothing_in_the_way, 0, 6);
        tcase_add_test(tc, removed_file_costs_no_job);
        tcase_add_test(tc, disk_in_memory_is_warned_of_at_the_start);
        tcase_add_test(tc, vanished_directory_refuses_and_is_made_again_at_the_start);
        return stage_run(suite);
}

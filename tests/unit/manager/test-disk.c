/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The disk is full, or ill: what was brought home waits for it, nothing new is begun, and all goes
 * on by itself when it takes things again. */

#include <errno.h>

#include "tests/unit/manager/bench.h"

/* The lane has brought a certificate; the disk says `error`. */
static void bring(Job *job, int error) {
        JobSecrets secrets = {.private_key = secret_new("the key", 7)};

        ck_assert_ptr_eq(slot->way.lane->job, job);
        slot->way.lane->options.ops->store(m, job, &secrets, "made");
        job_secrets_done(&secrets);
        disk_answer(error);
        bench_run();
}

START_TEST(certificate_waits_until_the_disk_takes_it)
{
        Job *job = bench_queued(alice, NULL);

        bench_run();
        bring(job, -ENOSPC);
        ck_assert_int_eq(slot->way.lane->stored, 1); /* not told */
        ck_assert(!job->secrets_stored);
        bench_run_until_disk();
        disk_answer(-ENOSPC); /* still */
        ck_assert_int_eq(slot->way.lane->stored, 1);
        bench_run_until_disk();
        disk_settle();
        ck_assert_int_eq(slot->way.lane->stored, 0);
        ck_assert(job->secrets_stored);
        ck_assert(disk_file(job->id)->secrets);
        ck_assert_uint_eq(m->n_unwritten, 0);
}
END_TEST

START_TEST(trouble_of_the_disk_is_waited_for)
{
        static const int troubles[] = {-EDQUOT, -EROFS, -EIO};
        Job *job = bench_queued(alice, NULL);

        bench_run();
        bring(job, troubles[_i]);
        ck_assert_int_eq(slot->way.lane->stored, 1);
        ck_assert_uint_eq(m->n_unwritten, 1);
}
END_TEST

START_TEST(nothing_is_asked_of_the_cloud_while_that_cannot_be_noted)
{
        Job *job = bench_queued(alice, NULL);

        bench_run();
        slot->way.lane->options.ops->note(m, job);
        disk_answer(-ENOSPC);
        ck_assert_int_eq(slot->way.lane->noted, 1); /* not told */
        ck_assert_uint_eq(m->n_unwritten, 1);
        bench_run_until_disk();
        disk_answer(0);
        ck_assert_int_eq(slot->way.lane->noted, 0);
        ck_assert_uint_eq(m->n_unwritten, 0);
}
END_TEST

START_TEST(nobody_begins_while_an_end_waits_for_the_disk)
{
        Job *hers = bench_queued(alice, NULL), *his = bench_queued(bob, NULL);
        JobSecrets secrets = {.private_key = secret_new("the key", 7)};

        hers->spec->operation = OPERATION_CREATE_KEYS_AND_CERTIFICATE;
        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, hers);
        lane_finish(slot->way.lane, JOB_SUCCEEDED, ERROR_NONE, &secrets);
        job_secrets_done(&secrets);
        disk_answer(-ENOSPC);
        dispatch_kick(m);
        bench_run();
        ck_assert_ptr_null(slot->way.lane->job);
        ck_assert(queue_holds(slot->queue, his));
        bench_until(hers, JOB_SUCCEEDED);
        ck_assert(disk_file(hers->id)->secrets);
        ck_assert_ptr_eq(slot->way.lane->job, his);
}
END_TEST

START_TEST(trouble_with_one_job_is_told_and_holds_nobody)
{
        static const int errors[] = {-EMSGSIZE, -ENOENT, -ENOMEM};
        Job *hers = bench_queued(alice, NULL), *his = bench_queued(bob, NULL);

        bench_run();
        bring(hers, errors[_i]);
        ck_assert_int_eq(slot->way.lane->stored, errors[_i]);
        lane_finish(slot->way.lane, JOB_FAILED, ERROR_STORAGE, NULL);
        disk_answer(errors[_i]); /* nor can its end be written */
        bench_run();
        ck_assert_ptr_eq(slot->way.lane->job, his);
}
END_TEST

START_TEST(end_of_a_job_whose_file_is_gone_is_written_anew)
{
        Job *job = bench_queued(alice, "k");

        bench_run();
        lane_finish(slot->way.lane, JOB_FAILED, ERROR_TIMEOUT, NULL);
        ck_assert_int_eq(disk_next(), ASK_UPDATE);
        disk_answer(-ENOENT);
        ck_assert_int_eq(disk_next(), ASK_REWRITE);
        disk_answer(-ENOENT); /* the folder, too: then it waits */
        bench_run_until_disk();
        ck_assert_int_eq(disk_next(), ASK_REWRITE);
        disk_settle();
        ck_assert_int_eq(job->state, JOB_FAILED);
        ck_assert_ptr_nonnull(disk_file(job->id));
        ck_assert_uint_eq(m->n_unwritten, 0);
}
END_TEST

START_TEST(cancelled_while_it_waits_for_the_disk)
{
        Job *job = bench_queued(alice, NULL);
        FrontCall cancel = {};

        bench_run();
        bring(job, -ENOSPC);
        manager_cancel(m, job, &cancel);
        ck_assert(slot->way.lane->cancelled);
        ck_assert_int_eq(slot->way.lane->stored, -ENOSPC);
        lane_finish(slot->way.lane, JOB_CANCELLED, ERROR_CANCELLED, NULL);
        disk_settle();
        ck_assert_int_eq(cancel.answer, ANSWER_DONE);
        ck_assert_uint_eq(m->n_unwritten, 0);
        ck_assert_uint_eq(disk_pending(), 0);
}
END_TEST

START_TEST(expired_while_it_waits_for_the_disk)
{
        Job *hers = bench_queued(alice, NULL), *his = bench_queued(bob, NULL);

        bench_run();
        bring(hers, -ENOSPC);
        lane_expire(slot->way.lane);
        ck_assert_uint_eq(disk_pending(), 1);
        disk_settle();
        ck_assert_int_eq(hers->state, JOB_EXPIRED);
        ck_assert(!disk_file(hers->id)->secrets);
        ck_assert_uint_eq(m->n_unwritten, 0);
        ck_assert_ptr_eq(slot->way.lane->job, his);
}
END_TEST

START_TEST(daemon_ends_while_a_certificate_waits_for_the_disk)
{
        Job *job = bench_queued(alice, NULL);

        bench_run();
        bring(job, -ENOSPC);
        manager_free(TAKE_PTR(m)); /* and forgets no memory */
}
END_TEST

int main(void) {
        Suite *suite = suite_create("manager: disk");
        TCase *tc = tcase_create("disk");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_checked_fixture(tc, bench_setup, bench_teardown);
        tcase_set_timeout(tc, 60);
        tcase_add_test(tc, certificate_waits_until_the_disk_takes_it);
        tcase_add_loop_test(tc, trouble_of_the_disk_is_waited_for, 0, 3);
        tcase_add_test(tc, nothing_is_asked_of_the_cloud_while_that_cannot_be_noted);
        tcase_add_test(tc, nobody_begins_while_an_end_waits_for_the_disk);
        tcase_add_loop_test(tc, trouble_with_one_job_is_told_and_holds_nobody, 0, 3);
        tcase_add_test(tc, end_of_a_job_whose_file_is_gone_is_written_anew);
        tcase_add_test(tc, cancelled_while_it_waits_for_the_disk);
        tcase_add_test(tc, expired_while_it_waits_for_the_disk);
        tcase_add_test(tc, daemon_ends_while_a_certificate_waits_for_the_disk);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

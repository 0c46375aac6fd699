/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: each allocation fails once; what was asked for is then not done at all, and nothing that
 * is let go still holds a secret. (Check's own macros allocate: not while memory is short.) */
#include <errno.h>

#include "daemon/model/job-table.h"
#include "daemon/model/queue.h"
#include "tests/unit/model/people.h"
#include "tests/unit/protocol-aws/heap.h"
#include "tests/unit/protocol-aws/suite.h"

#define MARK "hushhush"

static Job *job;
static Peer *peer;
static Failure *failure;
static JobSecrets secrets;
static Parameters parameters;

static void setup(void) {
        static const gid_t gids[] = {1, 2};

        peer = peer_new(DOOR_MAIN, 1, gids, 2, false);
        job = job_of(peer_copy(peer), "key");
        failure = failure_with_cause(failure_new(ERROR_TIMEOUT, "one"),
                                     failure_new(ERROR_TIMEOUT, "two"));
        failure->error_code = strdup("code");
        failure->error_message = strdup("message");
        failure->tracking_id = strdup("id");
        secrets = (JobSecrets){secret_new(MARK, 8), secret_new(MARK, 8), secret_new(MARK, 8),
                               secret_new(MARK, 8)};
        ck_assert_int_eq(parameters_set(&parameters, "a", "b"), 0);
        ck_assert_int_eq(parameters_set(&parameters, "c", "d"), 0);
}

static void teardown(void) {
        job = job_free(job);
        peer = peer_free(peer);
        failure = failure_free(failure);
        job_secrets_done(&secrets);
        parameters_done(&parameters);
}

/* --- one thing each: 0 or -ENOMEM ---------------------------------------------------------------
 */

static int do_peer(void) {
        _cleanup_peer_ Peer *copy = peer_copy(peer);

        return copy ? 0 : -ENOMEM;
}

static int do_failure(void) {
        _cleanup_failure_ Failure *f = failure_new(ERROR_TIMEOUT, "text %d", 1);

        return f ? 0 : -ENOMEM;
}

static int do_failure_errno(void) {
        _cleanup_failure_ Failure *f = failure_from_errno(-EIO, "text %d", 1);

        return f ? 0 : -ENOMEM;
}

static int do_failure_copy(void) {
        _cleanup_failure_ Failure *copy = failure_copy(failure);

        return copy ? 0 : -ENOMEM;
}

static int do_secrets(void) {
        JobSecrets copy = {};
        int r = job_secrets_copy(&secrets, &copy);

        if (r < 0 && !job_secrets_is_empty(&copy))
                return -EBADE;
        job_secrets_done(&copy);
        return r;
}

static int do_merge(void) {
        Parameters to = {};
        int r = parameters_merge(&to, &parameters);

        if (r >= 0 && !parameters_equal(&to, &parameters))
                r = -EBADE;
        parameters_done(&to);
        return r;
}

static int do_replace(void) {
        int r = parameters_set(&parameters, "a", "new");

        return streq(parameters_get(&parameters, "a"), r < 0 ? "b" : "new") ? r : -EBADE;
}

static int do_spec(void) {
        _cleanup_job_spec_ JobSpec *spec = job_spec_new(OPERATION_PROVISION, "p");

        return spec ? 0 : -ENOMEM;
}

static int do_job(void) {
        _cleanup_job_ Job *other = NULL;
        int r = job_new(NULL, NULL, 1, 1, &other);

        return r < 0 && other ? -EBADE : r;
}

static int do_history(void) {
        size_t before = job->n_history;
        int r = job_add_history(job, 1, JOB_QUEUED, PHASE_NONE, "text");

        return job->n_history == (r < 0 ? before : before + 1) ? r : -EBADE;
}

static int do_left_certificate(void) {
        size_t before = job->n_left_certificates;
        int r = job_add_left_certificate(job, "id");

        return job->n_left_certificates == (r < 0 ? before : before + 1) ? r : -EBADE;
}

static int do_image(void) {
        Job image = {};
        int r = job_image_make(job, job->state, job->phase, 1, 1, "text", &image);

        if (r < 0 && image.history)
                return -EBADE;
        if (r >= 0)
                job_image_done(&image);
        return r;
}

static int do_table(void) {
        _cleanup_(job_table_freep) JobTable *t = job_table_new();
        int r;

        if (!t)
                return -ENOMEM;
        r = job_table_add(t, job);
        if (r < 0)
                return job_table_size(t) == 0 && !job_table_find(t, job->id) ? r : -EBADE;
        job_table_remove(t, job);
        return 0;
}

static int do_queue(void) {
        _cleanup_(queue_freep) Queue *q = queue_new();
        int r;

        if (!q)
                return -ENOMEM;
        r = queue_append(q, job);
        if (r < 0)
                return queue_size(q) == 0 && !queue_take(q) ? r : -EBADE;
        queue_remove(q, job);
        r = queue_return(q, job);
        if (r < 0)
                return queue_size(q) == 0 && !queue_take(q) ? r : -EBADE;
        queue_remove(q, job);
        return 0;
}

static int (*const works[])(void) = {
        do_peer,    do_failure, do_failure_errno, do_failure_copy, do_secrets,          do_merge,
        do_replace, do_spec,    do_job,           do_history,      do_left_certificate, do_image,
        do_table,   do_queue,
};

START_TEST(each_allocation_may_fail)
{
        for (long n = 1;; n++) {
                int r;

                heap_fail_at(n);
                r = works[_i]();
                if (!heap_end()) {
                        ck_assert_int_eq(r, 0);
                        ck_assert_int_gt(n, 1);
                        break;
                }
                ck_assert_msg(r == -ENOMEM, "allocation %ld: %d", n, r);
                ck_assert_int_lt(n, 100);
        }
}
END_TEST

/* The state is what counts; its line of history is lost. */
START_TEST(a_change_of_state_is_made_without_memory_too)
{
        size_t before = job->n_history;

        heap_fail_at(1);
        job_set_state(job, JOB_RUNNING, PHASE_CREATE, 5, 6, "text");
        ck_assert(heap_end());
        ck_assert_int_eq(job->state, JOB_RUNNING);
        ck_assert_uint_eq(job->started_real, 5);
        ck_assert_uint_eq(job->n_history, before);
}
END_TEST

START_TEST(nothing_that_is_freed_holds_a_secret)
{
        heap_watch(MARK);
        ck_assert_int_eq(do_secrets(), 0);
        job->spec->private_key = secret_new(MARK, 8);
        job->spec->ownership_token = secret_new(MARK, 8);
        teardown();
        ck_assert_uint_eq(heap_leaks(), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/memory");
        TCase *c = tcase_create("memory");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_loop_test(c, each_allocation_may_fail, 0, (int) ELEMENTSOF(works));
        tcase_add_test(c, a_change_of_state_is_made_without_memory_too);
        tcase_add_test(c, nothing_that_is_freed_holds_a_secret);
        suite_add_tcase(s, c);
        return suite_run(s);
}

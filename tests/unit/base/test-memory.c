/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: each allocation fails once, and nothing that is let go still holds a secret. */
#include <errno.h>
#include <fcntl.h>
#include <systemd/sd-event.h>

#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/worker.h"
#include "tests/unit/protocol-aws/heap.h"
#include "tests/unit/protocol-aws/suite.h"

#define MARK "hushhush"

/* --- one thing each, to be done with memory running short: 0 or -ENOMEM ------------------------
 */

static int do_secret(void) {
        _cleanup_secret_ Secret *s = secret_new(MARK, strlen(MARK)), *copy = NULL;

        if (!s)
                return -ENOMEM;
        copy = secret_copy(s);
        return copy ? 0 : -ENOMEM;
}

static int do_memfd(void) {
        _cleanup_secret_ Secret *s = secret_new(MARK, strlen(MARK)), *back = NULL;
        _cleanup_close_ int fd = -1;

        if (!s)
                return -ENOMEM;
        fd = secret_to_memfd(s, "key");
        return fd < 0 ? fd : secret_from_memfd(fd, 64, &back);
}

static int do_file(void) {
        _cleanup_secret_ Secret *s = NULL;

        return secret_from_file(AT_FDCWD, "/proc/self/comm", 64, &s);
}

static int do_string(void) {
        _cleanup_free_ char *s = NULL;
        int r;

        r = free_and_strdup(&s, "one");
        if (r < 0)
                return r;
        r = free_and_strdup(&s, "two");
        /* As it was, where memory is short. (Check's own macros would allocate here.) */
        return streq(s, r < 0 ? "one" : "two") ? r : -EBADE;
}

static int do_escape(void) {
        _cleanup_free_ char *s = log_escape("a\nb");

        return s ? 0 : -ENOMEM;
}

static void run_nothing(void *task) {
}

static unsigned destroyed;

static void destroy_task(void *task) {
        destroyed++;
}

static int do_worker(void) {
        static const WorkerTaskType type = {.run = run_nothing, .destroy = destroy_task};
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(worker_freep) Worker *w = NULL;
        int r;

        r = sd_event_new(&event);
        if (r < 0)
                return r;
        r = worker_new(event, &(WorkerOptions){.name = "test", .queue_max = 1}, &w);
        if (r < 0)
                return r;
        destroyed = 0;
        r = worker_submit(w, &type, NULL, NULL);
        if (r >= 0)
                worker_drain(w);
        return destroyed == 1 ? r : -EBADE; /* taken in any case */
}

static int (*const works[])(void) = {do_secret, do_memfd, do_file, do_string, do_escape, do_worker};

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
                ck_assert_int_eq(r, -ENOMEM);
                ck_assert_int_lt(n, 100);
        }
}
END_TEST

START_TEST(nothing_that_is_freed_holds_a_secret)
{
        heap_watch(MARK);
        ck_assert_int_eq(do_secret(), 0);
        ck_assert_int_eq(do_memfd(), 0);
        (void) secret_string_free(strdup(MARK));
        ck_assert_uint_eq(heap_leaks(), 0);
        /* The watch would have seen it. */
        heap_watch(MARK);
        free(strdup(MARK));
        ck_assert_uint_eq(heap_leaks(), 1);
}
END_TEST

int main(void) {
        Suite *s = suite_create("base/memory");
        TCase *c = tcase_create("memory");

        tcase_add_loop_test(c, each_allocation_may_fail, 0, (int) ELEMENTSOF(works));
        tcase_add_test(c, nothing_that_is_freed_holds_a_secret);
        suite_add_tcase(s, c);
        return suite_run(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/queue.h"

#include "tests/unit/model/people.h"
#include "tests/unit/protocol-aws/suite.h"

#define JOBS_MAX 8U

static Queue *queue;
static Job *jobs[JOBS_MAX]; /* named by their keys: "a1" is the first one of owner a */
static size_t n_jobs;

static void setup(void) {
        queue = queue_new();
        ck_assert_ptr_nonnull(queue);
        n_jobs = 0;
}

static void teardown(void) {
        queue = queue_free(queue);
        while (n_jobs > 0)
                job_free(jobs[--n_jobs]);
}

/* The owner is the name's first letter. */
static Job *named(const char *name) {
        ck_assert_uint_lt(n_jobs, JOBS_MAX);
        return jobs[n_jobs++] = job_of(person((uid_t) name[0]), name);
}

static Job *append(const char *name) {
        Job *job = named(name);

        ck_assert_int_eq(queue_append(queue, job), 0);
        return job;
}

static void expect_taken(const char *expected) {
        const Job *job = queue_take(queue);

        ck_assert_str_eq(job ? job->spec->key : "nobody", expected);
}

START_TEST(an_empty_queue_has_nobody)
{
        ck_assert_uint_eq(queue_size(queue), 0);
        expect_taken("nobody");
        ck_assert_ptr_null(queue_free(NULL));
}
END_TEST

START_TEST(jobs_of_one_keep_their_order)
{
        append("a1");
        append("a2");
        append("a3");
        ck_assert_uint_eq(queue_size(queue), 3);
        expect_taken("a1");
        expect_taken("a2");
        expect_taken("a3");
        expect_taken("nobody");
        ck_assert_uint_eq(queue_size(queue), 0);
}
END_TEST

START_TEST(owners_take_turns)
{
        append("a1");
        append("a2");
        append("a3");
        append("b1");
        append("b2");
        append("c1");
        expect_taken("a1");
        expect_taken("b1");
        expect_taken("c1");
        expect_taken("a2");
        expect_taken("b2");
        expect_taken("a3");
        expect_taken("nobody");
}
END_TEST

START_TEST(who_comes_again_stands_behind_the_others)
{
        append("a1");
        append("b1");
        expect_taken("a1");
        append("a2");
        expect_taken("b1");
        expect_taken("a2");
}
END_TEST

START_TEST(the_same_user_at_another_door_is_another_owner)
{
        Job *other;

        append("a1");
        append("a2");
        other = jobs[n_jobs++] = job_of(person_at("sensors", 'a'), "door");
        ck_assert_int_eq(queue_append(queue, other), 0);
        expect_taken("a1");
        expect_taken("door");
        expect_taken("a2");
}
END_TEST

START_TEST(five_thousand_of_one_do_not_hold_up_anothers_first)
{
        static Job *many[5000];

        for (size_t i = 0; i < ELEMENTSOF(many); i++) {
                many[i] = job_of(person(1), NULL);
                ck_assert_int_eq(queue_append(queue, many[i]), 0);
        }
        append("b1");
        ck_assert_uint_eq(queue_size(queue), ELEMENTSOF(many) + 1);
        ck_assert_ptr_eq(queue_take(queue), many[0]);
        expect_taken("b1");
        ck_assert_ptr_eq(queue_take(queue), many[1]);
        ck_assert_uint_eq(queue_size(queue), ELEMENTSOF(many) - 2);
        queue = queue_free(queue); /* with all that wait: they are not its own */
        for (size_t i = 0; i < ELEMENTSOF(many); i++)
                job_free(many[i]);
}
END_TEST

START_TEST(who_comes_back_is_first)
{
        Job *a1;

        a1 = append("a1");
        append("a2");
        append("b1");
        expect_taken("a1");
        ck_assert_int_eq(queue_return(queue, a1), 0);
        expect_taken("a1"); /* before b, and before a's others */
        expect_taken("b1");
        expect_taken("a2");
        /* Also where nobody else of his waits. */
        append("b2");
        ck_assert_int_eq(queue_return(queue, a1), 0);
        expect_taken("a1");
        expect_taken("b2");
}
END_TEST

START_TEST(any_job_can_be_taken_out)
{
        static const char *const left[3][2] = {{"a2", "a3"}, {"a1", "a3"}, {"a1", "a2"}};
        Job *three[] = {append("a1"), append("a2"), append("a3")};

        queue_remove(queue, three[_i]);
        ck_assert_uint_eq(queue_size(queue), 2);
        ck_assert(!queue_holds(queue, three[_i]));
        queue_remove(queue, three[_i]); /* again: nothing */
        ck_assert_uint_eq(queue_size(queue), 2);
        expect_taken(left[_i][0]);
        expect_taken(left[_i][1]);
        expect_taken("nobody");
}
END_TEST

START_TEST(an_owner_without_jobs_has_no_turn)
{
        Job *b1;

        append("a1");
        b1 = append("b1");
        append("c1");
        queue_remove(queue, b1);
        append("a2");
        expect_taken("a1");
        expect_taken("c1");
        expect_taken("a2");
        expect_taken("nobody");
}
END_TEST

START_TEST(it_knows_whom_it_holds)
{
        Job *a1 = append("a1"), *a2 = append("a2"), *a3 = append("a3"), *stranger = named("x1"),
            *own = named("a4");

        ck_assert(queue_holds(queue, a1));
        ck_assert(queue_holds(queue, a2));
        ck_assert(queue_holds(queue, a3));
        ck_assert(!queue_holds(queue, stranger));
        ck_assert(!queue_holds(queue, own));
        expect_taken("a1");
        ck_assert(!queue_holds(queue, a1));
        ck_assert(queue_holds(queue, a2));
}
END_TEST

START_TEST(another_lanes_job_is_left_alone)
{
        Queue *other = queue_new();
        Job *o1 = named("a1"), *o2 = named("a2");

        append("a3");
        ck_assert_int_eq(queue_append(other, o1), 0);
        ck_assert_int_eq(queue_append(other, o2), 0);
        ck_assert(!queue_holds(queue, o1));
        ck_assert(!queue_holds(queue, o2));
        queue_remove(queue, o2);
        ck_assert_uint_eq(queue_size(queue), 1);
        ck_assert_uint_eq(queue_size(other), 2);
        ck_assert(queue_holds(other, o2));
        queue_free(other);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/queue");
        TCase *c = tcase_create("queue");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, an_empty_queue_has_nobody);
        tcase_add_test(c, jobs_of_one_keep_their_order);
        tcase_add_test(c, owners_take_turns);
        tcase_add_test(c, who_comes_again_stands_behind_the_others);
        tcase_add_test(c, the_same_user_at_another_door_is_another_owner);
        tcase_add_test(c, five_thousand_of_one_do_not_hold_up_anothers_first);
        tcase_add_test(c, who_comes_back_is_first);
        tcase_add_loop_test(c, any_job_can_be_taken_out, 0, 3);
        tcase_add_test(c, an_owner_without_jobs_has_no_turn);
        tcase_add_test(c, it_knows_whom_it_holds);
        tcase_add_test(c, another_lanes_job_is_left_alone);
        suite_add_tcase(s, c);
        return suite_run(s);
}

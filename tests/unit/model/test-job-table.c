/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/job-table.h"

#include <errno.h>

#include "tests/unit/model/people.h"
#include "tests/unit/protocol-aws/suite.h"

static JobTable *table;

static void setup(void) {
        table = job_table_new();
        ck_assert_ptr_nonnull(table);
}

static void teardown(void) {
        table = job_table_free(table);
}

static Job *add(Peer *owner, const char *profile, const char *key) {
        Job *job = job_in(owner, profile, key);

        ck_assert_int_eq(job_table_add(table, job), 0);
        return job;
}

static Job *find(const char *door, uid_t uid, const char *profile, const char *key) {
        _cleanup_peer_ Peer *peer = person_at(door, uid);

        return job_table_find_key(table, peer, profile, key);
}

START_TEST(jobs_are_found_by_their_id)
{
        Job *jobs[100];

        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                jobs[i] = add(person(1), "p", NULL);
        for (size_t i = 0; i < ELEMENTSOF(jobs); i++)
                ck_assert_ptr_eq(job_table_find(table, jobs[i]->id), jobs[i]);
        ck_assert_uint_eq(job_table_size(table), ELEMENTSOF(jobs));
}
END_TEST

START_TEST(what_is_no_id_finds_nobody)
{
        Job *job = add(person(1), "p", NULL);
        char longer[IPC_JOB_ID_LENGTH + 2];

        (void) strcpy(longer, job->id);
        (void) strcat(longer, "0");
        ck_assert_ptr_null(job_table_find(table, longer));
        longer[IPC_JOB_ID_LENGTH - 1] = '\0';
        ck_assert_ptr_null(job_table_find(table, longer));
        ck_assert_ptr_null(job_table_find(table, ""));
        ck_assert_ptr_null(job_table_find(table, NULL));
        ck_assert_ptr_null(job_table_find(table, "00000000000000000000000000000000"));
}
END_TEST

START_TEST(keys_belong_to_an_owner_and_a_profile)
{
        Job *mine = add(person(1), "p", "key"), *yours = add(person(2), "p", "key"),
            *elsewhere = add(person(1), "q", "key"), *inside = add(person_at("box", 1), "p", "key"),
            *other = add(person(1), "p", "other");

        ck_assert_ptr_eq(find(DOOR_MAIN, 1, "p", "key"), mine);
        ck_assert_ptr_eq(find(DOOR_MAIN, 2, "p", "key"), yours);
        ck_assert_ptr_eq(find(DOOR_MAIN, 1, "q", "key"), elsewhere);
        ck_assert_ptr_eq(find("box", 1, "p", "key"), inside);
        ck_assert_ptr_eq(find(DOOR_MAIN, 1, "p", "other"), other);
        ck_assert_ptr_null(find(DOOR_MAIN, 3, "p", "key"));
        ck_assert_ptr_null(find("box", 2, "p", "key"));
        ck_assert_ptr_null(find(DOOR_MAIN, 2, "q", "key"));
        ck_assert_ptr_null(find(DOOR_MAIN, 1, "p", "ke"));
}
END_TEST

START_TEST(large_user_ids_have_their_order)
{
        Job *low = add(person(0), "p", "key"), *high = add(person(0xfffffff0), "p", "key");

        ck_assert_ptr_eq(find(DOOR_MAIN, 0, "p", "key"), low);
        ck_assert_ptr_eq(find(DOOR_MAIN, 0xfffffff0, "p", "key"), high);
}
END_TEST

START_TEST(the_same_key_is_not_taken_twice)
{
        Job *first = add(person(1), "p", "key");
        _cleanup_job_ Job *second = job_of(person(1), "key");

        ck_assert_int_eq(job_table_add(table, second), -EEXIST);
        /* And it left nothing behind. */
        ck_assert_ptr_null(job_table_find(table, second->id));
        ck_assert_ptr_eq(job_table_find(table, first->id), first);
        ck_assert_ptr_eq(find(DOOR_MAIN, 1, "p", "key"), first);
        ck_assert_uint_eq(job_table_size(table), 1);
}
END_TEST

START_TEST(the_same_id_is_not_taken_twice)
{
        Job *first = add(person(1), "p", "key");
        _cleanup_job_ Job *second = job_of(person(2), "key");

        memcpy(second->id, first->id, sizeof(second->id));
        ck_assert_int_eq(job_table_add(table, second), -EEXIST);
        ck_assert_ptr_eq(job_table_find(table, first->id), first);
        ck_assert_ptr_null(find(DOOR_MAIN, 2, "p", "key"));
}
END_TEST

START_TEST(jobs_without_a_key_do_not_meet)
{
        (void) add(person(1), "p", NULL);
        (void) add(person(1), "p", NULL);
        ck_assert_uint_eq(job_table_size(table), 2);
}
END_TEST

START_TEST(what_is_taken_out_is_found_no_more)
{
        _cleanup_job_ Job *a = add(person(1), "p", "a");
        Job *b = add(person(1), "p", "b");

        job_table_remove(table, a);
        ck_assert_ptr_null(job_table_find(table, a->id));
        ck_assert_ptr_null(find(DOOR_MAIN, 1, "p", "a"));
        ck_assert_ptr_eq(find(DOOR_MAIN, 1, "p", "b"), b);
        ck_assert_uint_eq(job_table_size(table), 1);
        /* Its key is free again. */
        (void) add(person(1), "p", "a");
}
END_TEST

START_TEST(they_stand_in_the_order_of_their_coming)
{
        Job *a = add(person(9), "p", "z"), *b = add(person(1), "p", "a"),
            *c = add(person(5), "p", "m");

        ck_assert_ptr_eq(job_table_first(table), a);
        ck_assert_ptr_eq(job_table_next(a), b);
        ck_assert_ptr_eq(job_table_next(b), c);
        ck_assert_ptr_null(job_table_next(c));
}
END_TEST

START_TEST(they_are_counted_by_state_and_by_owner)
{
        _cleanup_peer_ Peer *one = person(1), *three = person(3), *boxed = person_at("box", 1);
        Job *a = add(person(1), "p", NULL);

        (void) add(person(1), "q", NULL);
        (void) add(person(2), "p", NULL);
        (void) add(person_at("box", 1), "p", NULL);
        job_set_state(a, JOB_RUNNING, PHASE_CREATE, 2, 2, "created");
        ck_assert_uint_eq(job_table_count_state(table, JOB_QUEUED), 3);
        ck_assert_uint_eq(job_table_count_state(table, JOB_RUNNING), 1);
        ck_assert_uint_eq(job_table_count_state(table, JOB_FAILED), 0);
        ck_assert_uint_eq(job_table_count_owner(table, one), 2);
        ck_assert_uint_eq(job_table_count_owner(table, boxed), 1);
        ck_assert_uint_eq(job_table_count_owner(table, three), 0);
}
END_TEST

static char *text_of(size_t size) {
        char *text = calloc(1, size + 1);

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', size);
        return text;
}

START_TEST(requests_are_counted_in_bytes)
{
        _cleanup_peer_ Peer *one = person(1), *boxed = person_at("box", 1), *other = person(3);
        Job *a = add(person(1), "p", NULL), *b = add(person_at("box", 2), "p", NULL);
        const size_t plain = job_table_bytes(table) / 2;

        ck_assert_uint_eq(job_table_bytes_owner(table, one), plain);
        ck_assert_uint_eq(job_table_bytes_owner(table, boxed), 0);
        ck_assert_uint_eq(job_table_bytes_door(table, "box"), plain);

        /* They grow and shrink, as one that is asked for again may. */
        a->spec->payload = text_of(10000);
        ck_assert_int_eq(parameters_set(&b->spec->parameters, "name", "value"), 0);
        job_table_recount(table, a);
        job_table_recount(table, b);
        ck_assert_uint_gt(job_table_bytes_owner(table, one), plain + 10000);
        ck_assert_uint_gt(job_table_bytes_door(table, "box"), plain + strlen("namevalue"));
        ck_assert_uint_eq(job_table_bytes(table),
                          job_table_bytes_owner(table, one) + job_table_bytes_door(table, "box"));
        free(a->spec->payload);
        a->spec->payload = NULL;
        job_table_recount(table, a);
        ck_assert_uint_eq(job_table_bytes_owner(table, one), plain);

        job_table_remove(table, b);
        ck_assert_uint_eq(job_table_bytes_door(table, "box"), 0);
        ck_assert_uint_eq(job_table_bytes(table), plain);
        ck_assert_uint_eq(job_table_bytes_owner(table, other), 0);
        job_free(b);
}
END_TEST

START_TEST(an_empty_table_has_nobody)
{
        ck_assert_ptr_null(job_table_first(table));
        ck_assert_ptr_null(job_table_find(table, "00000000000000000000000000000000"));
        ck_assert_ptr_null(find(DOOR_MAIN, 1, "p", "key"));
        ck_assert_ptr_null(job_table_free(NULL));
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/job-table");
        TCase *c = tcase_create("job-table");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, jobs_are_found_by_their_id);
        tcase_add_test(c, what_is_no_id_finds_nobody);
        tcase_add_test(c, keys_belong_to_an_owner_and_a_profile);
        tcase_add_test(c, large_user_ids_have_their_order);
        tcase_add_test(c, the_same_key_is_not_taken_twice);
        tcase_add_test(c, the_same_id_is_not_taken_twice);
        tcase_add_test(c, jobs_without_a_key_do_not_meet);
        tcase_add_test(c, what_is_taken_out_is_found_no_more);
        tcase_add_test(c, they_stand_in_the_order_of_their_coming);
        tcase_add_test(c, they_are_counted_by_state_and_by_owner);
        tcase_add_test(c, requests_are_counted_in_bytes);
        tcase_add_test(c, an_empty_table_has_nobody);
        suite_add_tcase(s, c);
        return suite_run(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "tests/unit/model/people.h"
#include "tests/unit/protocol-aws/suite.h"

static Job *job;

static void setup(void) {
        job = job_of(person(1), "key");
}

static void teardown(void) {
        job = job_free(job);
}

/* --- edges --------------------------------------------------------------------------------------
 */

static const bool edges[JOB_STATE_MAX][JOB_STATE_MAX] = {
        /*                  queued running succeeded failed cancelled expired */
        [JOB_QUEUED] = {false, true, false, true, true, true},
        [JOB_RUNNING] = {true, true, true, true, true, true},
        [JOB_SUCCEEDED] = {false, false, false, false, false, false},
        [JOB_FAILED] = {true, false, false, false, false, false},
        [JOB_CANCELLED] = {true, false, false, false, false, false},
        [JOB_EXPIRED] = {true, false, false, false, false, false},
};

/* One loop number for each pair of states: the n-th that is allowed, or the n-th that is not. */
static void pair(int n, bool allowed, JobState *ret_from, JobState *ret_to) {
        for (JobState from = 0; from < JOB_STATE_MAX; from++)
                for (JobState to = 0; to < JOB_STATE_MAX; to++)
                        if (edges[from][to] == allowed && n-- == 0) {
                                *ret_from = from;
                                *ret_to = to;
                                return;
                        }
        ck_abort_msg("no such pair");
}

#define N_ALLOWED 13
#define N_FORBIDDEN (JOB_STATE_MAX * JOB_STATE_MAX - N_ALLOWED)

START_TEST(allowed_edges_are_gone)
{
        JobState from = 0, to = 0;

        pair(_i, true, &from, &to);
        job->state = from;
        job_set_state(job, to, PHASE_NONE, 10, 20, "text");
        ck_assert_int_eq(job->state, to);
}
END_TEST

START_TEST(other_edges_abort)
{
        JobState from = 0, to = 0;

        pair(_i, false, &from, &to);
        job->state = from;
        job_set_state(job, to, PHASE_NONE, 10, 20, "text");
}
END_TEST

/* --- times ------------------------------------------------------------------------------------ */

START_TEST(times_are_those_of_the_edges)
{
        ck_assert_uint_eq(job->created_real, 1);
        ck_assert_uint_eq(job->started_real, 0);
        job_set_state(job, JOB_RUNNING, PHASE_KEYGEN, 10, 20, "a");
        ck_assert_uint_eq(job->started_real, 10);
        ck_assert_int_eq(job->phase, PHASE_KEYGEN);
        job_set_state(job, JOB_RUNNING, PHASE_CREATE, 11, 21, "b");
        ck_assert_uint_eq(job->started_real, 10); /* of the first start */
        ck_assert_uint_eq(job->finished_real, 0);
        job_set_state(job, JOB_FAILED, PHASE_NONE, 12, 22, "c");
        ck_assert_uint_eq(job->finished_real, 12);
        ck_assert_uint_eq(job->finished_boot, 22);
        job_set_state(job, JOB_QUEUED, PHASE_NONE, 13, 23, "d");
        ck_assert_uint_eq(job->finished_real, 0);
        ck_assert_uint_eq(job->finished_boot, 0);
        ck_assert_uint_eq(job->started_real, 10);
}
END_TEST

START_TEST(what_is_left_of_the_deadline)
{
        static const struct {
                usec_t deadline, created, now, left;
        } samples[] = {
                {0, 100, 200, USEC_INFINITY},
                {USEC_INFINITY, 100, 200, USEC_INFINITY},
                {1000, 100, 100, 1000},
                {1000, 100, 600, 500},
                {1000, 100, 1100, 0},
                {1000, 100, 99999, 0},
                /* Made before this boot: at minus 300 on its clock. */
                {1000, (usec_t) -300, 0, 700},
                {1000, (usec_t) -300, 200, 500},
                {1000, (usec_t) -300, 700, 0},
                {1000, (usec_t) -5000, 1, 0},
                {USEC_INFINITY - 1, (usec_t) -300, 0, USEC_INFINITY - 301},
        };

        job->spec->deadline_usec = samples[_i].deadline;
        job->created_boot = samples[_i].created;
        ck_assert_uint_eq(job_deadline_left(job, samples[_i].now), samples[_i].left);
}
END_TEST

/* --- ids -------------------------------------------------------------------------------------- */

START_TEST(ids_are_valid_and_different)
{
        _cleanup_job_ Job *other = job_of(person(1), "key");

        ck_assert(ipc_job_id_is_valid(job->id));
        ck_assert(ipc_job_id_is_valid(other->id));
        ck_assert_str_ne(job->id, other->id);
        ck_assert_int_eq(job->state, JOB_QUEUED);
        ck_assert_int_eq(job->phase, PHASE_NONE);
        ck_assert_ptr_null(job_free(NULL));
}
END_TEST

/* --- history ---------------------------------------------------------------------------------- */

START_TEST(history_keeps_what_happened)
{
        job_set_state(job, JOB_RUNNING, PHASE_CREATE, 10, 20, "asking");
        ck_assert_int_eq(job_add_history(job, 11, JOB_RUNNING, PHASE_CREATE, NULL), 0);
        ck_assert_uint_eq(job->n_history, 3);
        ck_assert_str_eq(job->history[0].text, "accepted");
        ck_assert_int_eq(job->history[0].state, JOB_QUEUED);
        ck_assert_uint_eq(job->history[0].time_real, 1);
        ck_assert_str_eq(job->history[1].text, "asking");
        ck_assert_int_eq(job->history[1].state, JOB_RUNNING);
        ck_assert_int_eq(job->history[1].phase, PHASE_CREATE);
        ck_assert_uint_eq(job->history[1].time_real, 10);
        ck_assert_ptr_null(job->history[2].text);
}
END_TEST

START_TEST(history_is_bounded_and_keeps_its_first_entry)
{
        for (unsigned i = 1; i <= 1000; i++) {
                char text[16];

                (void) snprintf(text, sizeof(text), "%u", i);
                ck_assert_int_eq(job_add_history(job, i, JOB_QUEUED, PHASE_NONE, text), 0);
                ck_assert_uint_le(job->n_history, JOB_HISTORY_MAX);
        }
        ck_assert_uint_eq(job->n_history, JOB_HISTORY_MAX);
        ck_assert_str_eq(job->history[0].text, "accepted");
        ck_assert_str_eq(job->history[1].text, "746"); /* 1000 - 256 + 2 */
        ck_assert_str_eq(job->history[JOB_HISTORY_MAX - 1].text, "1000");
}
END_TEST

/* --- left certificates -------------------------------------------------------------------------
 */

static void set_certificate(const char *id) {
        ck_assert_int_eq(free_and_strdup(&job->result.certificate_id, id), 0);
}

static void expect_left(const char *a, const char *b) {
        size_t n = b ? 2 : a ? 1 : 0;

        ck_assert_uint_eq(job->n_left_certificates, n);
        if (a)
                ck_assert_str_eq(job->left_certificates[0], a);
        if (b)
                ck_assert_str_eq(job->left_certificates[1], b);
        if (job->left_certificates)
                ck_assert_ptr_null(job->left_certificates[n]);
}

START_TEST(a_left_certificate_is_noted_once)
{
        ck_assert_int_eq(job_note_left_certificate(job), 0); /* there is none */
        expect_left(NULL, NULL);
        set_certificate("one");
        ck_assert_int_eq(job_note_left_certificate(job), 0);
        ck_assert_int_eq(job_note_left_certificate(job), 0);
        expect_left("one", NULL);
        set_certificate("two");
        ck_assert_int_eq(job_note_left_certificate(job), 0);
        expect_left("one", "two");
}
END_TEST

START_TEST(a_certificate_that_was_delivered_after_all_is_not_left)
{
        job_forget_left_certificate(job); /* there is none */
        set_certificate("two");
        job_forget_left_certificate(job);
        expect_left(NULL, NULL);
        ck_assert_int_eq(job_add_left_certificate(job, "one"), 0);
        ck_assert_int_eq(job_add_left_certificate(job, "two"), 0);
        job_forget_left_certificate(job);
        expect_left("one", NULL);
        set_certificate("one");
        job_forget_left_certificate(job);
        expect_left(NULL, NULL);
}
END_TEST

/* --- images ----------------------------------------------------------------------------------- */

START_TEST(an_image_is_the_job_as_it_will_be)
{
        Job image;

        ck_assert_int_eq(job_image_make(job, JOB_RUNNING, PHASE_CREATE, 10, 20, "asking", &image),
                         0);
        ck_assert_int_eq(image.state, JOB_RUNNING);
        ck_assert_int_eq(image.phase, PHASE_CREATE);
        ck_assert_uint_eq(image.started_real, 10);
        ck_assert_uint_eq(image.n_history, 2);
        ck_assert_str_eq(image.history[1].text, "asking");
        ck_assert_ptr_eq(image.spec, job->spec); /* shared */
        ck_assert_str_eq(image.id, job->id);
        /* And the job is as it was. */
        ck_assert_int_eq(job->state, JOB_QUEUED);
        ck_assert_uint_eq(job->started_real, 0);
        ck_assert_uint_eq(job->n_history, 1);
        job_image_done(&image);
        ck_assert_ptr_null(image.history);
        ck_assert_str_eq(job->history[0].text, "accepted");
}
END_TEST

START_TEST(an_image_of_an_end_has_its_time)
{
        Job image;

        ck_assert_int_eq(job_image_make(job, JOB_CANCELLED, PHASE_NONE, 10, 20, "x", &image), 0);
        ck_assert_uint_eq(image.finished_real, 10);
        ck_assert_uint_eq(image.finished_boot, 20);
        ck_assert_uint_eq(job->finished_real, 0);
        job_image_done(&image);
}
END_TEST

START_TEST(an_image_without_a_change_adds_no_line)
{
        Job image;

        ck_assert_int_eq(job_image_make(job, JOB_QUEUED, PHASE_NONE, 10, 20, "x", &image), 0);
        ck_assert_uint_eq(image.n_history, 1);
        job_image_done(&image);
}
END_TEST

START_TEST(an_image_of_another_phase_has_its_line)
{
        Job image;

        job_set_state(job, JOB_RUNNING, PHASE_KEYGEN, 5, 6, "key");
        ck_assert_int_eq(job_image_make(job, JOB_RUNNING, PHASE_CREATE, 10, 20, "asking", &image),
                         0);
        ck_assert_int_eq(image.phase, PHASE_CREATE);
        ck_assert_str_eq(image.history[image.n_history - 1].text, "asking");
        job_image_done(&image);
}
END_TEST

START_TEST(an_image_has_the_tail_of_a_long_history)
{
        Job image;

        for (unsigned i = 0; i < 100; i++)
                ck_assert_int_eq(job_add_history(job, i, JOB_QUEUED, PHASE_NONE, "line"), 0);
        ck_assert_int_eq(job_image_make(job, JOB_FAILED, PHASE_NONE, 500, 20, "end", &image), 0);
        ck_assert_uint_lt(image.n_history, 20);
        ck_assert_str_eq(image.history[image.n_history - 1].text, "end");
        ck_assert_uint_eq(image.history[image.n_history - 2].time_real, 99);
        ck_assert_uint_eq(job->n_history, 101);
        job_image_done(&image);
}
END_TEST

START_TEST(an_image_keeps_to_the_edges)
{
        Job image;

        job->state = JOB_SUCCEEDED;
        (void) job_image_make(job, JOB_QUEUED, PHASE_NONE, 10, 20, "x", &image);
}
END_TEST

/* --- who sees it -------------------------------------------------------------------------------
 */

START_TEST(its_owner_and_the_privileged_see_it)
{
        _cleanup_peer_ Peer *owner = person(1), *other = person(2), *boxed = person_at("box", 1),
                            *root = peer_new(DOOR_MAIN, 0, NULL, 0, true),
                            *boxed_root = person_at("box", 0);

        ck_assert(job_is_visible_to(job, owner));
        ck_assert(job_is_visible_to(job, root));
        ck_assert(!job_is_visible_to(job, other));
        ck_assert(!job_is_visible_to(job, boxed));
        ck_assert(!job_is_visible_to(job, boxed_root));
        job->hidden = true; /* not durable yet */
        ck_assert(!job_is_visible_to(job, owner));
        ck_assert(!job_is_visible_to(job, root));
}
END_TEST

/* --- secrets ---------------------------------------------------------------------------------- */

START_TEST(secrets_are_copied_each)
{
        JobSecrets from = {}, to = {};
        Secret **fields[] = {&from.private_key, &from.ownership_token, &from.symmetric_key,
                             &from.claim_key};
        Secret **copies[] = {&to.private_key, &to.ownership_token, &to.symmetric_key,
                             &to.claim_key};

        ck_assert(job_secrets_is_empty(&from));
        *fields[_i] = secret_new("secret", 6);
        ck_assert(!job_secrets_is_empty(&from));
        ck_assert_int_eq(job_secrets_copy(&from, &to), 0);
        for (int i = 0; i < 4; i++)
                if (i == _i)
                        ck_assert_str_eq(secret_text(*copies[i]), "secret");
                else
                        ck_assert_ptr_null(*copies[i]);
        job_secrets_done(&from);
        job_secrets_done(&to);
        ck_assert(job_secrets_is_empty(&to));
}
END_TEST

START_TEST(what_brings_its_caller_a_secret)
{
        static const bool brings[OPERATION_MAX] = {[OPERATION_PROVISION] = true,
                                                   [OPERATION_CREATE_CERTIFICATE_FROM_CSR] = true,
                                                   [OPERATION_CREATE_KEYS_AND_CERTIFICATE] = true,
                                                   [OPERATION_ROTATE] = true};

        job->spec->operation = (Operation) _i;
        ck_assert_int_eq(job_brings_secret(job), _i < OPERATION_MAX && brings[_i]);
        /* By his own request a provision brings none: its token is spent on the way. */
        job->spec->csr = strdup("csr");
        ck_assert_int_eq(job_brings_secret(job),
                         _i < OPERATION_MAX && brings[_i] && _i != OPERATION_PROVISION);
}
END_TEST

/* --- requests --------------------------------------------------------------------------------- */

START_TEST(what_makes_a_request_another_one)
{
        _cleanup_job_spec_ JobSpec *a = job_spec_new(OPERATION_PROVISION, "p"),
                                   *b = job_spec_new(OPERATION_PROVISION, "p");

        ck_assert_int_eq(a->key_type, KEY_TYPE_INVALID);
        ck_assert_int_eq(a->key_source, KEY_SOURCE_INVALID);
        ck_assert(job_spec_same_request(a, b));
        ck_assert_int_eq(parameters_set(&b->parameters, "n", "v"), 0);
        b->deadline_usec = 7;
        ck_assert(job_spec_same_request(a, b)); /* these do not */
        b->operation = OPERATION_ROTATE;
        ck_assert(!job_spec_same_request(a, b));
        b->operation = OPERATION_PROVISION;
        ck_assert_int_eq(free_and_strdup(&b->csr, "csr"), 0);
        ck_assert(!job_spec_same_request(a, b));
        ck_assert_int_eq(free_and_strdup(&a->csr, "csr"), 0);
        ck_assert(job_spec_same_request(a, b));
        ck_assert_int_eq(free_and_strdup(&b->registration_id, "id"), 0);
        ck_assert(!job_spec_same_request(a, b));
        ck_assert_int_eq(free_and_strdup(&a->registration_id, "id"), 0);
        ck_assert_int_eq(free_and_strdup(&b->certificate, "certificate"), 0);
        ck_assert(!job_spec_same_request(a, b));
        ck_assert_ptr_null(job_spec_free(NULL));
}
END_TEST

START_TEST(an_identity_that_is_not_let_in_can_be_fetched)
{
        static const struct {
                JobState state;
                ErrorCode code;
                bool has_result;
        } rows[] = {
                {JOB_SUCCEEDED, ERROR_NONE, true},
                {JOB_FAILED, ERROR_VERIFY_FAILED, true},
                {JOB_FAILED, ERROR_SERVER_REFUSED, false},
                {JOB_FAILED, ERROR_NONE, false}, /* memory was short */
                {JOB_CANCELLED, ERROR_CANCELLED, false},
                {JOB_QUEUED, ERROR_VERIFY_FAILED, false}, /* asked for again */
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_failure_ Failure *f =
                        rows[i].code == ERROR_NONE ? NULL : failure_new(rows[i].code, "why");
                const Job ended = {.state = rows[i].state, .failure = f};

                ck_assert_int_eq(job_has_result(&ended), rows[i].has_result);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/job");
        TCase *c = tcase_create("job");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_loop_test(c, allowed_edges_are_gone, 0, N_ALLOWED);
        tcase_add_loop_test_raise_signal(c, other_edges_abort, SIGABRT, 0, N_FORBIDDEN);
        tcase_add_test(c, times_are_those_of_the_edges);
        tcase_add_loop_test(c, what_is_left_of_the_deadline, 0, 11);
        tcase_add_test(c, ids_are_valid_and_different);
        tcase_add_test(c, history_keeps_what_happened);
        tcase_add_test(c, history_is_bounded_and_keeps_its_first_entry);
        tcase_add_test(c, a_left_certificate_is_noted_once);
        tcase_add_test(c, a_certificate_that_was_delivered_after_all_is_not_left);
        tcase_add_test(c, an_image_is_the_job_as_it_will_be);
        tcase_add_test(c, an_image_of_an_end_has_its_time);
        tcase_add_test(c, an_image_without_a_change_adds_no_line);
        tcase_add_test(c, an_image_of_another_phase_has_its_line);
        tcase_add_test(c, an_image_has_the_tail_of_a_long_history);
        tcase_add_test_raise_signal(c, an_image_keeps_to_the_edges, SIGABRT);
        tcase_add_test(c, its_owner_and_the_privileged_see_it);
        tcase_add_loop_test(c, secrets_are_copied_each, 0, 4);
        tcase_add_loop_test(c, what_brings_its_caller_a_secret, 0, OPERATION_MAX + 1);
        tcase_add_test(c, what_makes_a_request_another_one);
        tcase_add_test(c, an_identity_that_is_not_let_in_can_be_fetched);
        suite_add_tcase(s, c);
        return suite_run(s);
}

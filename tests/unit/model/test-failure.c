/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/failure.h"

#include "tests/unit/protocol-aws/suite.h"

static Failure *full_failure(void) {
        Failure *f = failure_new(ERROR_SERVER_REFUSED, "refused by %s", "it");

        f->phase = PHASE_CREATE;
        f->status_code = 400;
        f->error_code = strdup("Code");
        f->error_message = strdup("Message");
        f->tracking_id = strdup("Id");
        f->retriable = true;
        return f;
}

START_TEST(a_copy_has_everything_and_shares_nothing)
{
        _cleanup_failure_ Failure *f =
                failure_with_cause(full_failure(), failure_new(ERROR_TIMEOUT, "cause"));
        _cleanup_failure_ Failure *copy = failure_copy(f);

        ck_assert_int_eq(copy->code, ERROR_SERVER_REFUSED);
        ck_assert_int_eq(copy->phase, PHASE_CREATE);
        ck_assert_int_eq(copy->status_code, 400);
        ck_assert(copy->retriable);
        ck_assert_str_eq(copy->message, "refused by it");
        ck_assert_str_eq(copy->error_code, "Code");
        ck_assert_str_eq(copy->error_message, "Message");
        ck_assert_str_eq(copy->tracking_id, "Id");
        ck_assert_int_eq(copy->cause->code, ERROR_TIMEOUT);
        ck_assert_ptr_ne(copy->message, f->message);
        ck_assert_ptr_ne(copy->cause, f->cause);
        ck_assert_ptr_null(copy->cause->cause);
        ck_assert_ptr_null(failure_copy(NULL));
}
END_TEST

START_TEST(a_cause_replaces_the_former_one)
{
        _cleanup_failure_ Failure *f = failure_new(ERROR_STORAGE, "top");

        ck_assert_ptr_eq(failure_with_cause(f, failure_new(ERROR_TIMEOUT, "one")), f);
        ck_assert_ptr_eq(failure_with_cause(f, failure_new(ERROR_EXPIRED, "two")), f);
        ck_assert_int_eq(f->cause->code, ERROR_EXPIRED);
        ck_assert_ptr_eq(failure_with_cause(f, NULL), f);
        ck_assert_ptr_null(f->cause);
}
END_TEST

START_TEST(without_memory_for_it_the_cause_is_what_is_left)
{
        _cleanup_failure_ Failure *f = failure_with_cause(NULL, failure_new(ERROR_TIMEOUT, "one"));

        ck_assert_int_eq(f->code, ERROR_TIMEOUT);
        ck_assert_ptr_null(failure_with_cause(NULL, NULL));
        ck_assert_ptr_null(failure_free(NULL));
}
END_TEST

START_TEST(long_chains_of_causes_are_let_go)
{
        Failure *f = NULL;

        for (unsigned i = 0; i < 100000; i++)
                f = failure_with_cause(failure_new(ERROR_TIMEOUT, "%u", i), f);
        ck_assert_ptr_null(failure_free(f));
}
END_TEST

START_TEST(nothing_reads_as_memory_that_is_short)
{
        _cleanup_failure_ Failure *f = failure_new(ERROR_STORAGE, "text");

        ck_assert_int_eq(failure_code(NULL), ERROR_NO_MEMORY);
        ck_assert_str_eq(failure_message(NULL), "out of memory");
        ck_assert_int_eq(failure_code(f), ERROR_STORAGE);
        ck_assert_str_eq(failure_message(f), "text");
        free(TAKE_PTR(f->message));
        ck_assert_str_eq(failure_message(f), "out of memory");
}
END_TEST

START_TEST(an_errno_says_what_and_why)
{
        _cleanup_failure_ Failure *broken = failure_from_errno(-EIO, "Cannot read %s", "it"),
                                  *memory = failure_from_errno(-ENOMEM, "Cannot");

        ck_assert_int_eq(broken->code, ERROR_INTERNAL_FAILURE);
        ck_assert_str_eq(broken->message, "Cannot read it: Input/output error");
        ck_assert_int_eq(memory->code, ERROR_NO_MEMORY);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/failure");
        TCase *c = tcase_create("failure");

        tcase_add_test(c, a_copy_has_everything_and_shares_nothing);
        tcase_add_test(c, a_cause_replaces_the_former_one);
        tcase_add_test(c, without_memory_for_it_the_cause_is_what_is_left);
        tcase_add_test(c, long_chains_of_causes_are_let_go);
        tcase_add_test(c, nothing_reads_as_memory_that_is_short);
        tcase_add_test(c, an_errno_says_what_and_why);
        suite_add_tcase(s, c);
        return suite_run(s);
}

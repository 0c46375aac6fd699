/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The client against a daemon of paper (stub.h): calls and events. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/libclient/harness.h"

START_TEST(blocking_call_brings_the_identity)
{
        fleetprov_request *r = request("a", NULL);
        fleetprov_result *result = NULL;
        fleetprov_secret *key = NULL;
        fleetprov_error *error = NULL;
        const char *name, *value;

        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0, &result, &error), 0);
        ck_assert_ptr_null(error);
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-1");
        ck_assert_int_eq(fleetprov_result_enumerate_configuration(result, 0, &name, &value), 1);
        ck_assert_str_eq(name, "url");
        ck_assert_int_eq(fleetprov_result_enumerate_configuration(result, 1, &name, &value), 0);
        ck_assert(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY));
        ck_assert(!fleetprov_result_has_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN));
        ck_assert_int_eq(fleetprov_result_read_secret(result, FLEETPROV_SECRET_PRIVATE_KEY, &key),
                         0);
        ck_assert_ptr_nonnull(strstr(fleetprov_secret_get_data(key), "BEGIN PRIVATE KEY"));
        ck_assert_uint_eq(strlen(fleetprov_secret_get_data(key)), fleetprov_secret_get_size(key));
        fleetprov_secret_free(key);
        fleetprov_result_free(result);

        /* The same key again: the same job; acknowledged now, so its key is erased. */
        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, FLEETPROV_ACKNOWLEDGE,
                                                    &result, NULL),
                         0);
        fleetprov_result_free(result);
        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0, &result, NULL), 0);
        ck_assert(fleetprov_result_get_secrets_erased(result));
        ck_assert_int_eq(fleetprov_result_dup_secret_fd(result, FLEETPROV_SECRET_PRIVATE_KEY),
                         -ENOENT);
        fleetprov_result_free(result);
        fleetprov_request_free(r);
}
END_TEST

START_TEST(secret_descriptor_is_sealed_and_private_to_the_process)
{
        fleetprov_request *r = request("a", NULL);
        fleetprov_result *result = NULL;
        int fd;

        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0, &result, NULL), 0);
        fd = fleetprov_result_dup_secret_fd(result, FLEETPROV_SECRET_PRIVATE_KEY);
        ck_assert_int_ge(fd, 0);
        ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        ck_assert(fcntl(fd, F_GET_SEALS) & F_SEAL_WRITE);
        close(fd);
        fleetprov_result_free(result);
        fleetprov_request_free(r);
}
END_TEST

START_TEST(failed_job_keeps_what_the_service_said)
{
        fleetprov_request *r = request(NULL, "fail");
        fleetprov_result *result = NULL;
        fleetprov_error *error = NULL;

        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0, &result, &error),
                         FLEETPROV_SERVER_REFUSED);
        ck_assert_ptr_null(result);
        ck_assert_str_eq(fleetprov_error_get_name(error), "server-refused");
        ck_assert_str_eq(fleetprov_error_get_phase(error), "register");
        ck_assert_int_eq(fleetprov_error_get_status_code(error), 400);
        ck_assert_str_eq(fleetprov_error_get_service_code(error), "InvalidParameters");
        ck_assert_str_eq(fleetprov_error_get_service_message(error), "no such serial number");
        ck_assert_int_eq(fleetprov_error_get_retriable(error), 0);
        ck_assert_int_eq(fleetprov_error_has_retriable(error), 1);
        ck_assert_str_eq(fleetprov_error_get_name(fleetprov_error_get_cause(error)), "throttled");
        fleetprov_error_free(error);
        fleetprov_request_free(r);
}
END_TEST

static const struct {
        const char *outcome;
        int code;
} ends[] = {
        {"expire", FLEETPROV_EXPIRED},
        {"cancelled", FLEETPROV_CANCELLED},
        {"denied", FLEETPROV_ACCESS_DENIED},
        {"full", FLEETPROV_QUEUE_FULL},
};

START_TEST(end_without_identity_has_its_code)
{
        fleetprov_request *r = request(NULL, ends[_i].outcome);
        fleetprov_result *result = NULL;
        fleetprov_error *error = NULL;

        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0, &result, &error),
                         ends[_i].code);
        ck_assert_int_eq(fleetprov_error_get_code(error), ends[_i].code);
        fleetprov_error_free(error);
        fleetprov_request_free(r);
}
END_TEST

START_TEST(timeout_ends_the_waiting_and_not_the_job)
{
        fleetprov_request *r = request("waits", "hang");
        fleetprov_result *result = NULL;
        fleetprov_event *event;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_provision(client, r, 50000, 0, &result, NULL),
                         -ETIMEDOUT);
        ck_assert_int_eq(fleetprov_client_find_job(client, "aws", "waits", &ticket), 0);
        event = answer(ticket);
        ck_assert_ptr_nonnull(fleetprov_event_get_job_id(event));
        ck_assert_int_eq(
                fleetprov_client_get_job(client, fleetprov_event_get_job_id(event), &ticket), 0);
        fleetprov_event_free(event);
        event = answer(ticket);
        ck_assert_int_eq(fleetprov_job_get_state(fleetprov_event_get_job(event, 0)),
                         FLEETPROV_STATE_QUEUED);
        ck_assert_str_eq(fleetprov_error_get_name(
                                 fleetprov_job_get_waiting_for(fleetprov_event_get_job(event, 0))),
                         "name-resolution");
        fleetprov_event_free(event);
        fleetprov_request_free(r);
}
END_TEST

/* The loop of a program with its own poll. */
START_TEST(event_loop_sees_a_job_from_submit_to_end)
{
        fleetprov_request *r = request(NULL, "slow");
        int added = 0, changed = 0, fd = fleetprov_client_get_fd(client);
        bool answered = false, ended = false;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_submit(client, r, &ticket), 0);
        while (!ended) {
                struct pollfd p = {.fd = fd};
                fleetprov_event *event;
                uint64_t due;

                p.events = (short) fleetprov_client_get_events(client);
                ck_assert_int_eq(fleetprov_client_get_timeout(client, &due), 0);
                ck_assert_int_ge(poll(&p, 1, due == 0 ? 0 : 10000), 0);
                ck_assert_int_ge(fleetprov_client_dispatch(client), 0);
                while (fleetprov_client_pop_event(client, &event) > 0) {
                        switch (fleetprov_event_get_type(event)) {
                        case FLEETPROV_EVENT_ANSWER:
                                ck_assert_uint_eq(fleetprov_event_get_ticket(event), ticket);
                                answered = true;
                                break;
                        case FLEETPROV_EVENT_JOB_ADDED:
                                ck_assert(answered); /* the answer comes first */
                                added++;
                                break;
                        case FLEETPROV_EVENT_JOB_CHANGED:
                                changed++;
                                ended = fleetprov_state_is_final(fleetprov_event_get_state(event));
                                break;
                        default:
                                ck_abort_msg("unexpected event");
                        }
                        fleetprov_event_free(event);
                }
                ck_assert_int_eq(fleetprov_client_get_fd(client), fd);
        }
        ck_assert_int_eq(added, 1);
        ck_assert_int_eq(changed, 2);
        fleetprov_request_free(r);
}
END_TEST

START_TEST(secret_that_is_not_sealed_is_refused)
{
        fleetprov_request *r = request("k", "unsealed");
        fleetprov_result *result = NULL;

        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0, &result, NULL),
                         FLEETPROV_BAD_RESPONSE);
        ck_assert_ptr_null(result);
        fleetprov_request_free(r);
}
END_TEST

START_TEST(lists_and_details_agree)
{
        fleetprov_event *list, *details;
        const char *name, *value;
        const fleetprov_job *job;
        uint64_t ticket;
        char id[33];

        submit("one", NULL, id);
        submit("two", "fail", id);
        ck_assert_int_eq(fleetprov_client_list_jobs(client, 1, &ticket), 0);
        list = answer(ticket);
        ck_assert_uint_eq(fleetprov_event_get_n_jobs(list), 2);
        job = fleetprov_event_get_job(list, 1);
        ck_assert_str_eq(fleetprov_job_get_id(job), id);
        ck_assert_str_eq(fleetprov_error_get_name(fleetprov_job_get_error(job)), "server-refused");
        ck_assert_ptr_null(fleetprov_event_get_job(list, 2));
        fleetprov_event_free(list);

        ck_assert_int_eq(fleetprov_client_get_job(client, id, &ticket), 0);
        details = answer(ticket);
        job = fleetprov_event_get_job(details, 0);
        ck_assert_str_eq(fleetprov_job_get_key(job), "two");
        ck_assert_int_eq(fleetprov_job_enumerate_parameters(job, 0, &name, &value), 1);
        ck_assert_str_eq(value, "7");
        ck_assert_str_eq(fleetprov_job_get_left_certificate(job, 0), "0123abcd");
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 1);
        ck_assert_int_eq(fleetprov_job_enumerate_history(job, 1, NULL, &name, NULL, &value), 1);
        ck_assert_str_eq(name, "failed");
        ck_assert_int_eq(fleetprov_job_enumerate_history(job, 2, NULL, NULL, NULL, NULL), 0);
        fleetprov_event_free(details);
}
END_TEST

START_TEST(status_gathers_all_profiles)
{
        fleetprov_status *status;
        fleetprov_event *event;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_get_status(client, &ticket), 0);
        event = answer(ticket);
        status = fleetprov_event_steal_status(event);
        fleetprov_event_free(event);
        ck_assert_str_eq(fleetprov_status_get_version(status), "0.1.0");
        ck_assert_str_eq(fleetprov_status_get_default_profile(status), "aws");
        ck_assert_uint_eq(fleetprov_status_get_n_profiles(status), 2);
        ck_assert_str_eq(fleetprov_status_get_claim_subject(status, 0), "CN=claim");
        ck_assert_ptr_null(fleetprov_status_get_profile_error(status, 0));
        ck_assert_str_eq(fleetprov_status_get_profile_session(status, 1), "backoff");
        ck_assert_ptr_null(fleetprov_status_get_claim_subject(status, 1));
        ck_assert_int_eq(fleetprov_error_get_code(fleetprov_status_get_profile_error(status, 1)),
                         FLEETPROV_CREDENTIALS_REFUSED);
        ck_assert_ptr_null(fleetprov_status_get_profile_name(status, 2));
        fleetprov_status_free(status);
}
END_TEST

START_TEST(cancel_release_and_reload_answer)
{
        uint64_t ticket;
        char id[33];

        submit(NULL, "hang", id);
        ck_assert_int_eq(fleetprov_client_release(client, id, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_NOT_FINISHED);
        ck_assert_int_eq(fleetprov_client_get_result(client, id, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_NOT_FINISHED);
        ck_assert_int_eq(fleetprov_client_cancel(client, id, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_OK);
        ck_assert_int_eq(fleetprov_client_release(client, id, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_OK);
        ck_assert_int_eq(fleetprov_client_get_job(client, id, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_NO_SUCH_JOB);
        ck_assert_int_eq(fleetprov_client_reload(client, &ticket), 0);
        ck_assert_int_eq(answer_code(ticket), FLEETPROV_BAD_PARAMETER);
}
END_TEST

START_TEST(removed_job_ends_the_waiting)
{
        fleetprov_client *other = NULL;
        fleetprov_error *error = NULL;
        fleetprov_event *event = NULL;
        fleetprov_job *job = NULL;
        uint64_t ticket;
        char id[33];

        submit(NULL, "hang", id);
        ck_assert_int_eq(fleetprov_client_new(&other, stub.path), 0);
        ck_assert_int_eq(fleetprov_client_cancel(other, id, &ticket), 0);
        ck_assert_int_eq(fleetprov_client_wait(other, ticket, LONG_USEC, &event), 0);
        fleetprov_event_free(event);
        ck_assert_int_eq(fleetprov_client_release(other, id, &ticket), 0);
        ck_assert_int_eq(fleetprov_client_wait(other, ticket, LONG_USEC, &event), 0);
        fleetprov_event_free(event);
        fleetprov_client_free(other);
        ck_assert_int_eq(fleetprov_client_wait_job(client, id, LONG_USEC, &job, &error),
                         FLEETPROV_NO_SUCH_JOB);
        fleetprov_error_free(error);
}
END_TEST

START_TEST(ticket_is_taken_once)
{
        fleetprov_event *event = NULL;
        uint64_t ticket;

        ck_assert_int_eq(fleetprov_client_get_status(client, &ticket), 0);
        fleetprov_event_free(answer(ticket));
        ck_assert_int_eq(fleetprov_client_wait(client, ticket, LONG_USEC, &event), -ENOENT);
        ck_assert_int_eq(fleetprov_client_wait(client, ticket + 1, LONG_USEC, &event), -ENOENT);
}
END_TEST

START_TEST(ownership_token_travels_as_a_sealed_file)
{
        fleetprov_request *r = NULL;
        fleetprov_result *result = NULL;
        fleetprov_error *error = NULL;

        ck_assert_int_eq(fleetprov_request_new(&r, FLEETPROV_OPERATION_REGISTER_THING, "aws"), 0);
        ck_assert_int_eq(fleetprov_request_set_ownership_token(r, "the-token", 9), 0);
        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0, &result, &error), 0);
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-1");
        ck_assert_ptr_null(fleetprov_result_get_certificate_pem(result));
        fleetprov_result_free(result);
        fleetprov_request_free(r);
}
END_TEST

START_TEST(identity_to_be_rotated_travels_whole)
{
        static const char *const keys[] = {"the-old-key", "another-key"};
        fleetprov_request *r = NULL;
        fleetprov_result *result = NULL;
        fleetprov_error *error = NULL;

        for (size_t i = 0; i < 2; i++) {
                ck_assert_int_eq(fleetprov_request_new(&r, FLEETPROV_OPERATION_ROTATE, "aws"), 0);
                ck_assert_int_eq(fleetprov_request_set_certificate(r, "the-old-certificate"), 0);
                ck_assert_int_eq(fleetprov_request_set_private_key(r, keys[i], strlen(keys[i])), 0);
                if (i == 0) {
                        ck_assert_int_eq(
                                fleetprov_client_provision(client, r, LONG_USEC, 0, &result, NULL),
                                0);
                        fleetprov_result_free(result);
                } else
                        ck_assert_int_eq(fleetprov_client_provision(client, r, LONG_USEC, 0,
                                                                    &result, &error),
                                         FLEETPROV_BAD_PARAMETER);
                fleetprov_request_free(r);
        }
        fleetprov_error_free(error);
}
END_TEST

static Suite *suite(void) {
        Suite *s = suite_create("libclient: client");
        TCase *t = tcase_create("against a stub");

        tcase_add_checked_fixture(t, client_setup, client_teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, blocking_call_brings_the_identity);
        tcase_add_test(t, secret_descriptor_is_sealed_and_private_to_the_process);
        tcase_add_test(t, failed_job_keeps_what_the_service_said);
        tcase_add_loop_test(t, end_without_identity_has_its_code, 0,
                            (int) (sizeof(ends) / sizeof(ends[0])));
        tcase_add_test(t, timeout_ends_the_waiting_and_not_the_job);
        tcase_add_test(t, event_loop_sees_a_job_from_submit_to_end);
        tcase_add_test(t, secret_that_is_not_sealed_is_refused);
        tcase_add_test(t, lists_and_details_agree);
        tcase_add_test(t, status_gathers_all_profiles);
        tcase_add_test(t, cancel_release_and_reload_answer);
        tcase_add_test(t, removed_job_ends_the_waiting);
        tcase_add_test(t, ticket_is_taken_once);
        tcase_add_test(t, ownership_token_travels_as_a_sealed_file);
        tcase_add_test(t, identity_to_be_rotated_travels_whole);
        suite_add_tcase(s, t);
        return s;
}

int main(void) {
        SRunner *runner = srunner_create(suite());
        int failed;

        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

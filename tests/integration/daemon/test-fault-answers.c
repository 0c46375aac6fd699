/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Answers as they should not be: what is no answer is never taken for one, and what is valid though
 * odd is understood. */

#include <stdio.h>

#include "tests/integration/daemon/faults.h"

/* --- odd, and harmless --- */

static const char *const harmless[] = {"delay=100",     "double",     "replay",
                                       "extra-fields",  "indefinite", "foreign-first",
                                       "oversize=1000", "delay=0"};

/* So that there is an answer to replay. */
static void have_an_answer(const Request *r, const char *serial) {
        const char *before = place_text(&cloud.place, "%s-before", serial);

        agent_wait_end(client, submit_for(r, before), FLEETPROV_STATE_SUCCEEDED);
}

START_TEST(odd_answers_are_understood)
{
        const char *fault = harmless[_i / 2];

        start_with_format(_i, "");
        for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
                const Request *r = requests + i;
                const char *serial = serial_of(_i, i);
                fleetprov_result *result;

                /* Another thing's name cannot be told from the right one: the template names it. */
                if (!r->creates && streq(fault, "foreign-first"))
                        continue;
                if (streq(fault, "replay"))
                        have_an_answer(r, serial);
                cloud_add(&cloud, fault, r->operation);
                result = agent_result(client, submit_for(r, serial));
                identity_assert(&cloud, result, serial, NULL, NULL);
                fleetprov_result_free(result);
                must_serve_the_next(serial);
        }
}
END_TEST

static const char *const configurations[] = {"configuration=missing", "configuration=empty",
                                             "configuration=null", "configuration=large=20000"};

START_TEST(any_device_configuration_is_taken)
{
        const Request *r = requests + 2;

        start_with_format(_i, "");
        for (size_t i = 0; i < ELEMENTSOF(configurations); i++) {
                const char *serial = serial_of(_i, i);
                fleetprov_result *result;

                cloud_add(&cloud, configurations[i], r->operation);
                result = agent_result(client, submit_for(r, serial));
                identity_assert(&cloud, result, serial, NULL, NULL);
                fleetprov_result_free(result);
        }
}
END_TEST

/* --- not to be understood --- */

static const char *const broken[] = {"malformed", "wrong-types", "truncated", "truncated=1"};

static void must_be_bad_response(const Request *r, const char *serial) {
        fleetprov_job *job = agent_wait(client, submit_for(r, serial));
        const fleetprov_error *error = fleetprov_job_get_error(job);

        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_ptr_nonnull(error);
        ck_assert_str_eq(fleetprov_error_get_name(error), "bad-response");
        ck_assert_str_eq(fleetprov_error_get_phase(error), r->creates ? "create" : "register");
        ck_assert_uint_gt(strlen(fleetprov_error_get_message(error)), 20);
        /* What was made before the bad answer is on record. */
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), r->creates ? 0 : 1);
        fleetprov_job_free(job);
}

START_TEST(answers_that_cannot_be_read_are_bad_responses)
{
        const char *fault = broken[_i / 2];

        start_with_format(_i, "");
        for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
                const Request *r = requests + i;

                cloud_add(&cloud, fault, r->operation);
                must_be_bad_response(r, serial_of(_i, i));
        }
        must_serve_the_next(serial_of(_i, 0));
}
END_TEST

/* --- too much --- */

/* Kilobytes at their most, as the kernel counts them. */
static unsigned long peak_kb(void) {
        _cleanup_free_ char *status =
                file_read(place_text(&d.place, "/proc/%d/status", d.pid), NULL);
        unsigned long kb = 0;

        ck_assert_ptr_nonnull(status);
        ck_assert_int_eq(sscanf(strstr(status, "VmHWM:"), "VmHWM: %lu", &kb), 1);
        return kb;
}

static const char *const oversize[] = {"oversize=200000", "oversize=10000000"};

/* A third of the smallest excess that reading three of the larger ones would show. */
#define EXCESS_MAX_KB 10000UL

/* How much the peak grows (sanitizers keep freed memory) by answers of that size. */
static unsigned long growth_by(int i, size_t size) {
        unsigned long before = peak_kb();

        for (size_t j = 0; j < ELEMENTSOF(requests); j++) {
                cloud_add(&cloud, oversize[size], requests[j].operation);
                must_be_bad_response(requests + j, serial_of(i, 10 * size + j));
        }
        must_serve_the_next(serial_of(i, 10 * size));
        return peak_kb() - before;
}

START_TEST(answers_that_are_too_long_are_not_read)
{
        unsigned long small, large;

        start_with_format(_i, "");
        small = growth_by(_i, 0);
        large = growth_by(_i, 1);
        ck_assert_uint_lt(large, small + EXCESS_MAX_KB);
}
END_TEST

START_TEST(bytes_that_are_no_mqtt_are_bad_responses)
{
        static const char *const wires[] = {"wire=ffffffffffffffffffff", "wire=30ffffffffff01"};

        start_with_format(0, "");
        cloud_add(&cloud, wires[_i], requests[0].operation);
        must_be_bad_response(requests, serial_of(_i, 0));
        must_serve_the_next(serial_of(_i, 0));
}
END_TEST

/* --- of somebody else --- */

START_TEST(certificates_for_another_key_are_never_taken)
{
        const Request *r = requests + _i;
        Both both;

        start_with_both("ResponseTimeoutSec=2");
        strike_both("foreign", r, "--count=1");
        both = submit_to_both(r, serial_of(_i, 0), NULL);
        both_must_succeed(&both);
        strike_both("foreign", r, "--always");
        both = submit_to_both(r, serial_of(_i, 1), NULL);
        both_must_fail(&both, "key-mismatch", "another key");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: answers");
        TCase *tc = stage_shared(suite, "answers");

        tcase_add_loop_test(tc, odd_answers_are_understood, 0, 2 * ELEMENTSOF(harmless));
        tcase_add_loop_test(tc, any_device_configuration_is_taken, 0, 2);
        tcase_add_loop_test(tc, answers_that_cannot_be_read_are_bad_responses, 0,
                            2 * ELEMENTSOF(broken));
        tcase_add_loop_test(tc, answers_that_are_too_long_are_not_read, 0, 2);
        tcase_add_loop_test(tc, bytes_that_are_no_mqtt_are_bad_responses, 0, 2);
        tcase_add_loop_test(tc, certificates_for_another_key_are_never_taken, 0, 2);
        return stage_run(suite);
}

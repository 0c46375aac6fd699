/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A gateway whose clock is wrong: what it says then, and that it tries again at once when the clock
 * is set. The daemon alone has that clock (tests/integration/lib/clock-preload.c). */

#include <time.h>

#include "tests/integration/lib/other-clock.h"
#include "tests/integration/lib/stage.h"

#define DAY_SEC ((int64_t) 24 * 3600)
#define YEAR_SEC ((int64_t) 365 * 24 * 3600)

static const char *clock_file;

/* By so many seconds the daemon's clock is ahead. */
static void set_clock(int64_t ahead) {
        other_clock_set(clock_file, ahead);
}

static void start_with_clock(int64_t ahead, const char *more) {
        daemon_make(&d);
        clock_file = other_clock_make(&d.place, ahead);
        daemon_configure(&d,
                         place_text(&d.place, "[Daemon]\n%s", cloud_profile(&cloud, "aws", more)));
        other_clock_begin(&cloud.place);
        daemon_start(&d);
        other_clock_end();
        client = agent_open(d.socket);
}

static const char *last_error(void) {
        fleetprov_status *status = agent_status(client);
        const fleetprov_error *error = fleetprov_status_get_profile_error(status, 0);
        const char *name = place_text(&d.place, "%s", error ? fleetprov_error_get_name(error) : "");

        fleetprov_status_free(status);
        return name;
}

static const struct {
        int64_t ahead;
        const char *words;
} wrong[] = {
        {-30 * YEAR_SEC, "is not yet valid"},
        {30 * YEAR_SEC, "has expired"},
};

START_TEST(clock_that_is_wrong_is_named_and_waited_for)
{
        fleetprov_job *job;
        JobId id;

        start_with_clock(wrong[_i].ahead, "");
        id = agent_submit(client, &(Wish){.serial = place_text(&d.place, "clock-%d", _i)});
        WAIT_FOR(streq(last_error(), "tls-clock"));
        WAIT_FOR(file_has(d.log, wrong[_i].words));
        job = agent_job(client, id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_QUEUED);
        ck_assert_str_eq(fleetprov_error_get_name(fleetprov_job_get_waiting_for(job)), "tls-clock");
        fleetprov_job_free(job);
        daemon_wait_session(&d, "aws", "backoff");
        ck_assert(!file_has(d.log, "the clock was set, trying again"));
        set_clock(0);
        WAIT_FOR(file_has(d.log, "the clock was set, trying again"));
        fleetprov_result_free(agent_result(client, id));
}
END_TEST

/* Set to a wrong time, and only then to the right one. */
START_TEST(clock_that_is_set_twice)
{
        JobId id;

        start_with_clock(-30 * YEAR_SEC, "");
        id = agent_submit(client, &(Wish){.serial = "twice"});
        WAIT_FOR(streq(last_error(), "tls-clock"));
        set_clock(-20 * YEAR_SEC);
        WAIT_FOR(file_has(d.log, "the clock was set, trying again"));
        daemon_wait_session(&d, "aws", "backoff");
        set_clock(0);
        fleetprov_result_free(agent_result(client, id));
}
END_TEST

static size_t said(const char *words) {
        return file_count_lines(d.log, "the claim's certificate", words);
}

/* By a clock that jumps, each of it once: whenever the session connects, or files are touched. */
START_TEST(end_of_the_claim_is_told_of_once)
{
        fleetprov_status *status;
        int64_t left;

        start_with_clock(0, "");
        daemon_wait_session(&d, "aws", "ready");
        status = agent_status(client);
        left = (int64_t) (fleetprov_status_get_claim_not_after(status, 0) / USEC_PER_SEC) -
               (int64_t) time(NULL);
        fleetprov_status_free(status);
        ck_assert_uint_eq(said("expires on"), 0);
        set_clock(left - 10 * DAY_SEC);
        WAIT_FOR(said("expires on") > 0);
        ck_assert_uint_eq(said("in 9 days") + said("in 10 days"), 1);
        set_clock(0);
        set_clock(left - 9 * DAY_SEC);
        ck_assert_int_eq(agent_reload(client, NULL), 0);
        set_clock(left + DAY_SEC);
        WAIT_FOR(said("has expired") > 0);
        set_clock(left - 10 * DAY_SEC);
        ck_assert_int_eq(agent_reload(client, NULL), 0);
        set_clock(left + 2 * DAY_SEC);
        daemon_stop(&d);
        ck_assert_uint_eq(said("expires on"), 1);
        ck_assert_uint_eq(said("has expired"), 1);
        ck_assert_uint_eq(said("bring another certificate"), 2);
}
END_TEST

START_TEST(deadline_is_no_matter_of_the_clock)
{
        JobId soon, late;

        cloud_add(&cloud, "delay=3000", "--operation=create-csr", "--count=1");
        start_with_clock(0, "");
        soon = agent_submit(client, &(Wish){.serial = "soon", .deadline_usec = 60 * USEC_PER_SEC});
        late = agent_submit(client, &(Wish){.serial = "late", .deadline_usec = USEC_PER_SEC});
        agent_wait_state(client, soon, FLEETPROV_STATE_RUNNING, "create");
        /* Neither is the one too late for a clock that jumped ahead, nor has the other more time by
         * one that went back. */
        set_clock(YEAR_SEC);
        set_clock(-YEAR_SEC);
        agent_wait_end(client, late, FLEETPROV_STATE_EXPIRED);
        agent_wait_end(client, soon, FLEETPROV_STATE_SUCCEEDED);
}
END_TEST

START_TEST(results_are_kept_whatever_the_clock_says)
{
        fleetprov_result *result;
        JobId id;

        start_with_clock(0, "");
        id = agent_submit(client, &(Wish){.serial = "kept"});
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        set_clock(YEAR_SEC); /* RetainSec= is a day */
        agent_wait_end(client, agent_submit(client, &(Wish){.serial = "other"}),
                       FLEETPROV_STATE_SUCCEEDED);
        result = agent_result(client, id);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 1);
        fleetprov_result_free(result);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: clock");
        TCase *tc = stage_shared(suite, "clock");

        tcase_add_loop_test(tc, clock_that_is_wrong_is_named_and_waited_for, 0, ELEMENTSOF(wrong));
        tcase_add_test(tc, clock_that_is_set_twice);
        tcase_add_test(tc, end_of_the_claim_is_told_of_once);
        tcase_add_test(tc, deadline_is_no_matter_of_the_clock);
        tcase_add_test(tc, results_are_kept_whatever_the_clock_says);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Keys in a token whose job, or whose daemon, ends on the way: what is of use to nobody is removed,
 * and nothing else. */

#include "tests/integration/daemon/keystore.h"

/* The job is where the fault holds it; its key is there. */
static JobId submit_and_hold(const Wish *wish, const char *phase) {
        JobId id = agent_submit(client, wish);

        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, phase);
        WAIT_FOR(soft_token_objects() == 2);
        return id;
}

static bool error_says(JobId id, const char *code, const char *text) {
        fleetprov_job *job = agent_job(client, id);
        const fleetprov_error *error = fleetprov_job_get_error(job);
        bool says;

        if (!error)
                error = fleetprov_job_get_waiting_for(job);
        says = error && streq(fleetprov_error_get_name(error), code) &&
               strstr(fleetprov_error_get_message(error), text);
        fleetprov_job_free(job);
        return says;
}

static void must_succeed(JobId id, const char *serial) {
        fleetprov_result *result = agent_result(client, id);

        keystore_assert_result(result, serial);
        fleetprov_result_free(result);
        ck_assert_uint_eq(token_user_count(NULL), 1);
}

/* --- the daemon dies ---------------------------------------------------------------------------
 */

static const struct {
        const char *fault;
        size_t made; /* by the token, in both lives */
} deaths[] = {{"die-before-make", 2}, {"die-after-make", 1}, {"die-in-login", 1}};

START_TEST(a_daemon_that_dies_while_it_makes_a_key_finds_it_again)
{
        const char *serial = place_text(&cloud.place, "death-%d", _i);
        const char *fault = deaths[_i].fault;
        fleetprov_job *job;
        JobId id;

        keystore_make_token();
        keystore_configure("");
        if (streq(fault, "die-in-login")) { /* when the claim is read, before any job */
                soft_token_fault(fault);
                daemon_start_unheard(&d);
                ck_assert_int_ne(process_wait(d.pid), 0);
                d.pid = 0;
        }
        daemon_start(&d);
        client = agent_open(d.socket);
        daemon_wait_session(&d, "aws", "ready");
        if (!streq(fault, "die-in-login"))
                soft_token_fault(fault);
        id = agent_submit(client, &(Wish){.serial = serial, .key = "death"});
        if (!streq(fault, "die-in-login")) {
                ck_assert_int_ne(process_wait(d.pid), 0);
                d.pid = 0;
                client = fleetprov_client_free(client);
                daemon_start(&d);
                client = agent_open(d.socket);
        }
        must_succeed(id, serial);
        ck_assert_uint_eq(soft_token_made(), deaths[_i].made);
        job = agent_job(client, id);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 0);
        fleetprov_job_free(job);
}
END_TEST

static const struct {
        const char *fault, *operation, *phase, *profile;
} stops[] = {
        {"drop", "--operation=create-csr", "create", ""},
        {"drop", "--operation=register", "register", ""},
        {"activation-delay=4000", "--operation=register", "verify", "VerifyCertificate=yes\n"},
};

START_TEST(a_daemon_that_is_killed_later_goes_on_with_the_same_key)
{
        const char *serial = place_text(&cloud.place, "kill-%d", _i);
        JobId id;

        cloud_add(&cloud, stops[_i].fault, stops[_i].operation);
        keystore_start(stops[_i].profile);
        id = submit_and_hold(&(Wish){.serial = serial, .key = "kill"}, stops[_i].phase);
        stage_restart(true);
        must_succeed(id, serial);
        ck_assert_uint_eq(soft_token_made(), 1);
}
END_TEST

/* Its certificate is given up, and it has another. */
START_TEST(a_key_that_somebody_removed_costs_its_certificate)
{
        fleetprov_job *job;
        JobId id;

        cloud_add(&cloud, "drop", "--operation=register");
        keystore_start("");
        id = submit_and_hold(&(Wish){.serial = "removed", .key = "removed"}, "register");
        daemon_kill(&d);
        token_user_remove(id.text);
        stage_restart(true);
        must_succeed(id, "removed");
        job = agent_job(client, id);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 1);
        ck_assert(agent_history_has(job, "not in the token any more"));
        fleetprov_job_free(job);
}
END_TEST

/* --- the job ends ------------------------------------------------------------------------------
 */

START_TEST(the_key_of_a_cancelled_job_is_removed)
{
        const char *operation = _i == 0 ? "--operation=create-csr" : "--operation=register";
        const Wish wish = {.serial = "cancelled", .key = "cancelled"};
        JobId id;

        cloud_add(&cloud, "drop", operation, "--always");
        keystore_start("");
        id = submit_and_hold(&wish, _i == 0 ? "create" : "register");
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
        agent_wait_end(client, id, FLEETPROV_STATE_CANCELLED);
        WAIT_FOR(soft_token_objects() == 0);
        WAIT_FOR(file_count_lines(d.log, id.text, "was removed from its token") == 1);
        stage_restart(true);
        /* Asked for again, it has another one, and another certificate. */
        cloud_clear(&cloud);
        ck_assert_str_eq(agent_submit(client, &wish).text, id.text);
        must_succeed(id, "cancelled");
        ck_assert_uint_eq(soft_token_made(), 2);
}
END_TEST

START_TEST(the_key_of_a_failed_job_is_removed)
{
        JobId id;

        cloud_add(&cloud, "reject=403:ACCESS_DENIED:no", "--operation=create-csr");
        keystore_start("");
        id = agent_submit(client, &(Wish){.serial = "failed"});
        agent_wait_end(client, id, FLEETPROV_STATE_FAILED);
        ck_assert_uint_eq(soft_token_made(), 1);
        WAIT_FOR(soft_token_objects() == 0);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
}
END_TEST

START_TEST(the_key_of_an_expired_job_is_removed)
{
        JobId id;

        cloud_add(&cloud, "drop", "--operation=create-csr", "--always");
        keystore_start("");
        id = agent_submit(client, &(Wish){.serial = "expired", .deadline_usec = 1500000});
        agent_wait_end(client, id, FLEETPROV_STATE_EXPIRED);
        WAIT_FOR(soft_token_objects() == 0);
}
END_TEST

/* One that is asked for again goes on with the certificate that it has. */
START_TEST(a_key_whose_certificate_serves_again_stays_until_release)
{
        JobId id;

        cloud_add(&cloud, "reject=403:ACCESS_DENIED:no", "--operation=register");
        keystore_start("");
        id = agent_submit(client, &(Wish){.serial = "again", .key = "again"});
        agent_wait_end(client, id, FLEETPROV_STATE_FAILED);
        stage_restart(_i == 1);
        ck_assert_uint_eq(soft_token_objects(), 2);
        if (_i == 0) {
                ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
                ck_assert_uint_eq(soft_token_objects(), 0); /* when it is answered */
                return;
        }
        cloud_clear(&cloud);
        (void) agent_submit(client, &(Wish){.serial = "again", .key = "again"});
        must_succeed(id, "again");
        ck_assert_uint_eq(soft_token_made(), 1);
}
END_TEST

/* By restart: the record says that there is one. */
START_TEST(a_removal_that_was_cut_off_is_done_by_the_next_daemon)
{
        const char *const faults[] = {"die-before-removal", "die-after-removal", "no-removal"};
        JobId id;

        cloud_add(&cloud, "reject=403:ACCESS_DENIED:no", "--operation=create-csr");
        keystore_start("");
        daemon_wait_session(&d, "aws", "ready");
        soft_token_fault(faults[_i]);
        id = agent_submit(client, &(Wish){.serial = "cut-off", .key = "cut-off"});
        if (_i < 2) {
                ck_assert_int_ne(process_wait(d.pid), 0);
                d.pid = 0;
                client = fleetprov_client_free(client);
                daemon_start(&d);
                client = agent_open(d.socket);
        } else {
                WAIT_FOR(file_count_lines(d.log, id.text, "cannot be removed") == 1);
                ck_assert_uint_eq(soft_token_objects(), 2);
                soft_token_fault(NULL);
                stage_restart(true);
        }
        agent_wait_end(client, id, FLEETPROV_STATE_FAILED);
        WAIT_FOR(soft_token_objects() == 0);
}
END_TEST

/* --- the token ---------------------------------------------------------------------------------
 */

START_TEST(a_full_token_fails_the_job)
{
        JobId id;

        keystore_start("");
        daemon_wait_session(&d, "aws", "ready");
        soft_token_fault("full");
        id = agent_submit(client, &(Wish){.serial = "full", .key = "full"});
        agent_wait_end(client, id, FLEETPROV_STATE_FAILED);
        ck_assert(error_says(id, "storage", "no room for another key"));
        soft_token_fault(NULL);
        (void) agent_submit(client, &(Wish){.serial = "full", .key = "full"});
        must_succeed(id, "full");
}
END_TEST

START_TEST(a_token_that_is_taken_out_is_waited_for)
{
        JobId id;

        keystore_start("");
        daemon_wait_session(&d, "aws", "ready");
        soft_token_fault("removed");
        id = agent_submit(client, &(Wish){.serial = "out"});
        WAIT_FOR(error_says(id, "not-initialized", "no such token"));
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        soft_token_fault(NULL);
        must_succeed(id, "out");
}
END_TEST

START_TEST(a_token_that_hangs_holds_up_no_call)
{
        JobId id;

        keystore_start("");
        daemon_wait_session(&d, "aws", "ready");
        soft_token_fault("hang-in-make");
        id = agent_submit(client, &(Wish){.serial = "hang", .key = "hang"});
        WAIT_FOR(soft_token_made() == 1);
        fleetprov_status_free(agent_status(client));
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
        agent_wait_end(client, id, FLEETPROV_STATE_CANCELLED);
        /* The session is free for others. */
        if (_i == 0) {
                _cleanup_free_ char *key = NULL, *csr = NULL;

                identity_make_csr(&key, &csr);
                agent_wait_end(client, agent_submit(client, &(Wish){.serial = "other", .csr = csr}),
                               FLEETPROV_STATE_SUCCEEDED);
                /* The removal comes behind the making. */
                soft_token_fault(NULL);
                WAIT_FOR(file_count_lines(d.log, id.text, "was removed from its token") == 1);
                ck_assert_uint_eq(soft_token_objects(), 0);
                return;
        }
        /* Whoever releases it is answered all the same, and what may be left is named. */
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
        ck_assert_uint_eq(file_count_lines(d.log, id.text, "by the token's own tools"), 1);
        daemon_kill(&d);
}
END_TEST

START_TEST(a_wrong_pin_is_tried_once_whatever_is_asked)
{
        keystore_make_token();
        place_write(&d.place, "pin", 0600, "0000");
        keystore_configure("");
        daemon_start(&d);
        client = agent_open(d.socket);
        for (int i = 0; i < 3; i++) {
                fleetprov_error *error = NULL;

                ck_assert_int_eq(agent_refused(client, &(Wish){.serial = "pin"}, &error),
                                 FLEETPROV_NOT_INITIALIZED);
                ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "KeyStore="));
                fleetprov_error_free(error);
                stage_restart(i == 1);
        }
        WAIT_FOR(file_count_lines(d.log, "refused this PIN before", NULL) >= 1);
        ck_assert_uint_eq(soft_token_logins(), 1);
        place_write(&d.place, "pin", 0600, SOFT_TOKEN_PIN);
        daemon_wait_session(&d, "aws", "ready");
        must_succeed(agent_submit(client, &(Wish){.serial = "pin"}), "pin");
        ck_assert_uint_eq(soft_token_logins(), 2);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon/keystore-trouble");
        TCase *c = stage_alone(suite, "trouble"), *shared = stage_shared(suite, "token");

        tcase_add_loop_test(shared, a_daemon_that_dies_while_it_makes_a_key_finds_it_again, 0,
                            ELEMENTSOF(deaths));
        tcase_add_loop_test(c, a_daemon_that_is_killed_later_goes_on_with_the_same_key, 0,
                            ELEMENTSOF(stops));
        tcase_add_test(c, a_key_that_somebody_removed_costs_its_certificate);
        tcase_add_loop_test(c, the_key_of_a_cancelled_job_is_removed, 0, 2);
        tcase_add_test(c, the_key_of_a_failed_job_is_removed);
        tcase_add_test(c, the_key_of_an_expired_job_is_removed);
        tcase_add_loop_test(c, a_key_whose_certificate_serves_again_stays_until_release, 0, 2);
        tcase_add_loop_test(c, a_removal_that_was_cut_off_is_done_by_the_next_daemon, 0, 3);
        tcase_add_test(shared, a_full_token_fails_the_job);
        tcase_add_test(shared, a_token_that_is_taken_out_is_waited_for);
        tcase_add_loop_test(shared, a_token_that_hangs_holds_up_no_call, 0, 2);
        tcase_add_test(shared, a_wrong_pin_is_tried_once_whatever_is_asked);
        return stage_run(suite);
}

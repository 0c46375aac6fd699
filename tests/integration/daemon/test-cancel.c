/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Jobs that are called off, and jobs that come too late. */

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

static void cancel(JobId id) {
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, id), FLEETPROV_OK);
}

/* When Cancel() has answered, the end is on record. */
static void must_have_ended(JobId id, int state, const char *code, size_t left) {
        fleetprov_job *job = agent_job(client, id);

        ck_assert_int_eq(fleetprov_job_get_state(job), state);
        ck_assert_str_eq(fleetprov_error_get_name(fleetprov_job_get_error(job)), code);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), left);
        for (size_t i = 0; i < left; i++)
                ck_assert(cloud_knows(&cloud, fleetprov_job_get_left_certificate(job, i)));
        ck_assert_str_eq(fleetprov_job_get_phase(job), "");
        fleetprov_job_free(job);
        ck_assert_int_eq(agent_call(client, fleetprov_client_get_result, id),
                         streq(code, "expired") ? FLEETPROV_EXPIRED : FLEETPROV_CANCELLED);
}

static void must_serve(const char *serial) {
        fleetprov_result *result =
                agent_result(client, agent_submit(client, &(Wish){.serial = serial}));

        identity_assert(&cloud, result, serial, NULL, NULL);
        fleetprov_result_free(result);
}

START_TEST(queued_jobs_end_at_once)
{
        JobId first, second;

        cloud_stop(&cloud);
        stage_start("", "");
        first = agent_submit(client, &(Wish){.serial = "first"});
        second = agent_submit(client, &(Wish){.serial = "second"});
        cancel(first);
        must_have_ended(first, FLEETPROV_STATE_CANCELLED, "cancelled", 0);
        cancel(first); /* again: nothing happens */
        cloud_again(&cloud);
        agent_wait_end(client, second, FLEETPROV_STATE_SUCCEEDED);
        cancel(second); /* too late: nothing happens */
        fleetprov_result_free(agent_result(client, second));
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

/* The call under way is finished, so that what it brings is on record. */
START_TEST(running_jobs_end_after_their_call)
{
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "delay=1000", "--operation=create-csr");
        id = agent_submit(client, &(Wish){.serial = "create"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        WAIT_FOR(stage_certificates() == 1); /* the answer is on its way */
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 1);
        must_serve("next");
}
END_TEST

START_TEST(registered_things_are_not_called_off)
{
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "delay=1000", "--operation=register");
        id = agent_submit(client, &(Wish){.serial = "registered"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "register");
        cancel(id);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        must_serve("next");
}
END_TEST

START_TEST(waits_between_tries_end_at_once)
{
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "reject=500:InternalFailure:no", "--operation=register", "--always");
        id = agent_submit(client, &(Wish){.serial = "backoff"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 1);
        cloud_clear(&cloud);
        must_serve("next");
}
END_TEST

START_TEST(unanswered_calls_end_by_their_timeout)
{
        JobId id;

        stage_start("", "ResponseTimeoutSec=5");
        cloud_add(&cloud, "drop", "--operation=create-csr");
        id = agent_submit(client, &(Wish){.serial = "unanswered"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 0);
        must_serve("next");
}
END_TEST

START_TEST(keys_under_way_are_thrown_away)
{
        JobId id;

        stage_start("", "");
        daemon_wait_session(&d, "aws", "ready");
        id = agent_submit(client, &(Wish){.serial = "keygen", .key_type = "rsa-3072"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "keygen");
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 0);
        must_serve("next");
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

/* Before or after the request has left: whatever was made is on record. */
START_TEST(cancelled_as_soon_as_it_begins)
{
        JobId id;

        stage_start("", "");
        daemon_wait_session(&d, "aws", "ready");
        for (unsigned i = 0; i < 10; i++) {
                size_t before = stage_certificates();
                fleetprov_job *job;

                id = agent_submit(client, &(Wish){.serial = "soon"});
                cancel(id);
                job = agent_job(client, id);
                if (fleetprov_job_get_state(job) == FLEETPROV_STATE_CANCELLED)
                        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job),
                                          stage_certificates() - before);
                else
                        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_SUCCEEDED);
                fleetprov_job_free(job);
        }
        must_serve("next");
}
END_TEST

/* Two ask at once, and both are answered when the end is on record. */
START_TEST(two_cancel_at_once)
{
        uint64_t tickets[3];
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "delay=1000", "--operation=create-csr");
        id = agent_submit(client, &(Wish){.serial = "twice"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        WAIT_FOR(stage_certificates() == 1);
        for (size_t i = 0; i < ELEMENTSOF(tickets); i++)
                ck_assert_int_eq(fleetprov_client_cancel(client, id.text, tickets + i), 0);
        for (size_t i = 0; i < ELEMENTSOF(tickets); i++) {
                fleetprov_event *event;

                ck_assert_int_eq(
                        fleetprov_client_wait(client, tickets[i], FLEETPROV_FOREVER, &event), 0);
                ck_assert_ptr_null(fleetprov_event_get_error(event));
                fleetprov_event_free(event);
                must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 1);
        }
        must_serve("next");
}
END_TEST

/* Whose job it is not learns nothing, and changes nothing; root may. */
static void cancel_as_other(void *userdata) {
        fleetprov_client *own = agent_open(d.socket);
        const JobId *id = userdata;

        ck_assert_int_eq(agent_call(own, fleetprov_client_cancel, *id), FLEETPROV_NO_SUCH_JOB);
        fleetprov_client_free(own);
}

static void submit_as_other(void *userdata) {
        fleetprov_client *own = agent_open(d.socket);

        *(JobId *) userdata = agent_submit(own, &(Wish){.serial = "theirs"});
        fleetprov_client_free(own);
}

START_TEST(others_cannot_cancel)
{
        JobId *ids = mmap(NULL, sizeof(JobId[2]), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (geteuid() != 0) {
                fputs("skipped: other users need root\n", stderr);
                return;
        }
        cloud_stop(&cloud);
        stage_start("", "AllowUsers=root 12001 12002");
        ck_assert_int_eq(chmod(d.socket, 0666), 0);
        process_as_user(12001, 12001, NULL, 0, submit_as_other, ids);
        process_as_user(12002, 12002, NULL, 0, cancel_as_other, ids);
        agent_wait_state(client, ids[0], FLEETPROV_STATE_QUEUED, NULL);
        ids[1] = agent_submit(client, &(Wish){.serial = "roots"});
        process_as_user(12001, 12001, NULL, 0, cancel_as_other, ids + 1);
        agent_wait_state(client, ids[1], FLEETPROV_STATE_QUEUED, NULL);
        cancel(ids[0]);
        must_have_ended(ids[0], FLEETPROV_STATE_CANCELLED, "cancelled", 0);
        cloud_again(&cloud);
        agent_wait_end(client, ids[1], FLEETPROV_STATE_SUCCEEDED);
}
END_TEST

static const struct {
        int operation;
        const char *fault;
} operations[] = {
        {FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE, "--operation=create-keys"},
        {FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR, "--operation=create-csr"},
        {FLEETPROV_OPERATION_PROVISION, "--operation=create-csr"},
};

START_TEST(single_operations_end_after_their_call)
{
        _cleanup_free_ char *key = NULL, *csr = NULL;
        JobId id;

        stage_start("", _i == 0 ? "KeySource=cloud" : "");
        daemon_wait_session(&d, "aws", "ready");
        cloud_add(&cloud, "delay=1000", operations[_i].fault);
        identity_make_csr(&key, &csr);
        id = agent_submit(
                client,
                &(Wish){.operation = operations[_i].operation,
                        .csr = streq(operations[_i].fault, "--operation=create-csr") ? csr : NULL});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        WAIT_FOR(stage_certificates() == 1);
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 1);
        must_serve("next");
}
END_TEST

/* The call that is waited for ends with its connection, too. */
START_TEST(cloud_that_goes_ends_the_call)
{
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "delay=20000", "--operation=create-csr");
        id = agent_submit(client, &(Wish){.serial = "gone"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        cloud_stop(&cloud);
        cancel(id);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 0);
        cloud_again(&cloud);
        must_serve("next");
}
END_TEST

/* Each end but the first stays what it is. */
START_TEST(jobs_that_are_over_stay_as_they_are)
{
        JobId failed, expired;

        stage_start("", "");
        cloud_add(&cloud, "reject=403:ACCESS_DENIED:no", "--operation=create-csr");
        failed = agent_submit(client, &(Wish){.serial = "failed"});
        agent_wait_end(client, failed, FLEETPROV_STATE_FAILED);
        cancel(failed);
        agent_wait_end(client, failed, FLEETPROV_STATE_FAILED);
        cloud_add(&cloud, "delay=10000", "--operation=create-csr", "--count=1");
        expired = agent_submit(client, &(Wish){.serial = "expired", .deadline_usec = 1});
        agent_wait_end(client, expired, FLEETPROV_STATE_EXPIRED);
        cancel(expired);
        must_have_ended(expired, FLEETPROV_STATE_EXPIRED, "expired", 0);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, failed), FLEETPROV_OK);
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, failed),
                         FLEETPROV_NO_SUCH_JOB);
        cloud_clear(&cloud);
}
END_TEST

/* --- and the daemon ends --- */

/* Told is told: it is cancelled after a crash as well. Asked for again it goes on with the
 * certificate that was left. */
START_TEST(cancelled_stays_cancelled_over_a_crash)
{
        const Wish wish = {.serial = "crash", .key = "crash"};
        fleetprov_result *result;
        fleetprov_job *job;
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "reject=500:InternalFailure:no", "--operation=register", "--always");
        id = agent_submit(client, &wish);
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "backoff");
        cancel(id);
        stage_restart(true);
        must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 1);
        cloud_clear(&cloud);
        ck_assert_str_eq(agent_submit(client, &wish).text, id.text);
        result = agent_result(client, id);
        identity_assert(&cloud, result, wish.serial, NULL, NULL);
        fleetprov_result_free(result);
        job = agent_job(client, id);
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 0);
        fleetprov_job_free(job);
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

/* Not told yet: it may go on or be cancelled, but it ends, and nothing is lost sight of. */
START_TEST(crash_before_the_answer)
{
        fleetprov_job *job;
        uint64_t ticket;
        JobId id;

        stage_start("", "ResponseTimeoutSec=5");
        cloud_add(&cloud, "drop", "--operation=register", "--count=1");
        id = agent_submit(client, &(Wish){.serial = "unanswered", .key = "unanswered"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "register");
        ck_assert_int_eq(fleetprov_client_cancel(client, id.text, &ticket), 0);
        fleetprov_job_free(agent_job(client, id)); /* the daemon has read it by then */
        stage_restart(true);
        if (_i == 1)
                cancel(id);
        job = agent_wait(client, id);
        if (fleetprov_job_get_state(job) == FLEETPROV_STATE_SUCCEEDED)
                ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job), 0);
        else
                must_have_ended(id, FLEETPROV_STATE_CANCELLED, "cancelled", 1);
        fleetprov_job_free(job);
        ck_assert_uint_eq(stage_certificates(), 1);
        must_serve("next");
}
END_TEST

/* --- deadlines --- */

START_TEST(queued_jobs_expire)
{
        JobId own, profiles;

        cloud_stop(&cloud);
        stage_start("", "DeadlineSec=1s");
        profiles = agent_submit(client, &(Wish){.serial = "profile"});
        own = agent_submit(client, &(Wish){.serial = "own", .deadline_usec = 200 * USEC_PER_MSEC});
        agent_wait_end(client, own, FLEETPROV_STATE_EXPIRED);
        must_have_ended(own, FLEETPROV_STATE_EXPIRED, "expired", 0);
        agent_wait_end(client, profiles, FLEETPROV_STATE_EXPIRED);
        cloud_again(&cloud);
        /* They are not started after all. */
        agent_wait_end(
                client,
                agent_submit(client, &(Wish){.serial = "later", .deadline_usec = USEC_PER_HOUR}),
                FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(stage_certificates(), 1);
}
END_TEST

static const struct {
        const char *fault, *operation, *phase;
        size_t left;
} stuck[] = {
        {"drop", "--operation=create-csr", "create", 0},
        {"drop", "--operation=register", "register", 1},
        {"reject=500:InternalFailure:no", "--operation=create-csr", "backoff", 0},
        {"reject=500:InternalFailure:no", "--operation=register", "backoff", 1},
};

START_TEST(running_jobs_expire)
{
        JobId id;

        stage_start("", "");
        daemon_wait_session(&d, "aws", "ready");
        cloud_add(&cloud, stuck[_i].fault, stuck[_i].operation, "--always");
        id = agent_submit(client, &(Wish){.serial = "stuck", .deadline_usec = 2 * USEC_PER_SEC});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, stuck[_i].phase);
        agent_wait_end(client, id, FLEETPROV_STATE_EXPIRED);
        must_have_ended(id, FLEETPROV_STATE_EXPIRED, "expired", stuck[_i].left);
        cloud_clear(&cloud);
        must_serve("next");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: cancel");
        TCase *tc = stage_shared(suite, "cancel");

        tcase_add_test(tc, running_jobs_end_after_their_call);
        tcase_add_test(tc, registered_things_are_not_called_off);
        tcase_add_test(tc, waits_between_tries_end_at_once);
        tcase_add_test(tc, unanswered_calls_end_by_their_timeout);
        tcase_add_test(tc, keys_under_way_are_thrown_away);
        tcase_add_test(tc, cancelled_as_soon_as_it_begins);
        tcase_add_test(tc, two_cancel_at_once);
        tcase_add_loop_test(tc, single_operations_end_after_their_call, 0, ELEMENTSOF(operations));
        tcase_add_test(tc, jobs_that_are_over_stay_as_they_are);
        tcase_add_test(tc, cancelled_stays_cancelled_over_a_crash);
        tcase_add_loop_test(tc, crash_before_the_answer, 0, 2);
        tcase_add_loop_test(tc, running_jobs_expire, 0, ELEMENTSOF(stuck));
        tc = stage_alone(suite, "cancel without cloud");
        tcase_add_test(tc, queued_jobs_end_at_once);
        tcase_add_test(tc, queued_jobs_expire);
        tcase_add_test(tc, others_cannot_cancel);
        tcase_add_test(tc, cloud_that_goes_ends_the_call);
        return stage_run(suite);
}

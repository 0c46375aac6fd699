/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The daemon ends, in either way, at each point of a job's way; the next one carries on. */

#include <unistd.h>

#include "tests/integration/lib/stage.h"

typedef struct Point {
        const char *name;
        const char *fault, *operation; /* so that it stays there */
        const char *phase;
        const char *key_source;
        size_t made; /* certificates, at most */
        size_t left; /* of these on record as left behind, at most */
} Point;

static const Point points[] = {
        /* Nobody can know whether a lost request was carried out, nor the certificate's name. */
        {"create", "delay=4000", "--operation=create-csr", "create", NULL, 2, 0},
        {"create-dropped", "drop", "--operation=create-csr", "create", NULL, 1, 0},
        {"create-keys", "delay=4000", "--operation=create-keys", "create", "cloud", 2, 0},
        /* The token may be spent: then the job starts over and names what it left. */
        {"register", "delay=4000", "--operation=register", "register", NULL, 2, 1},
        {"register-dropped", "drop", "--operation=register", "register", NULL, 1, 0},
        {"register-cloud-key", "drop", "--operation=register", "register", "cloud", 1, 0},
};

static size_t n_dropped(void) {
        return file_count_lines(place_path(&cloud.place, "journal.jsonl"),
                                "\"outcome\":\"dropped\"", NULL);
}

/* The request is at the cloud, which has lost it; the next one would be answered. */
static void wait_until_dropped(size_t before) {
        WAIT_FOR(n_dropped() > before);
}

static void check_left(fleetprov_job *job, const Point *p, size_t made) {
        size_t left = fleetprov_job_get_n_left_certificates(job);

        ck_assert_uint_le(left, p->left);
        ck_assert_uint_ge(made, 1);
        ck_assert_uint_le(made, p->made);
        /* Those whose names were ever known are on record. */
        if (streq(p->phase, "register"))
                ck_assert_uint_eq(left, made - 1);
        for (size_t i = 0; i < left; i++)
                ck_assert(cloud_knows(&cloud, fleetprov_job_get_left_certificate(job, i)));
        ck_assert(agent_history_has(job, "the daemon was restarted"));
        /* The others are on record as what they are: perhaps. */
        ck_assert(agent_history_has(job, "one may have been made") == streq(p->phase, "create"));
}

START_TEST(job_goes_on_where_it_stood)
{
        const Point *p = points + _i / 2;
        const char *serial = place_text(&cloud.place, "%s-%d", p->name, _i % 2);
        size_t before = cloud_count_certificates(&cloud), dropped = n_dropped();
        fleetprov_result *result;
        fleetprov_job *job;
        JobId id;

        cloud_add(&cloud, p->fault, p->operation);
        stage_start("", "");
        id = agent_submit(client,
                          &(Wish){.serial = serial, .key = "restart", .key_source = p->key_source});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, p->phase);
        if (streq(p->fault, "drop"))
                wait_until_dropped(dropped);
        else if (streq(p->phase, "create")) /* the phase is shown before the request is sent */
                WAIT_FOR(cloud_count_certificates(&cloud) > before);
        stage_restart(_i % 2 == 1);
        result = agent_result(client, id);
        identity_assert(&cloud, result, serial, NULL, NULL);
        fleetprov_result_free(result);
        job = agent_job(client, id);
        check_left(job, p, cloud_count_certificates(&cloud) - before);
        fleetprov_job_free(job);
}
END_TEST

START_TEST(result_outlives_the_daemon)
{
        _cleanup_free_ char *key = NULL, *again = NULL;
        fleetprov_result *result;
        JobId id;

        stage_start("", "");
        id = agent_submit(client, &(Wish){.serial = "outlives", .key = "outlives"});
        result = agent_result(client, id);
        key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        fleetprov_result_free(result);
        stage_restart(_i % 2 == 1);
        result = agent_result(client, id);
        again = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        ck_assert_str_eq(again, key);
        identity_assert(&cloud, result, "outlives", NULL, "ec-p256");
        fleetprov_result_free(result);
}
END_TEST

START_TEST(many_queued_jobs_all_come_through)
{
        enum {
                JOBS = 12
        };
        JobId ids[JOBS];

        cloud_stop(&cloud);
        stage_start("", "");
        for (unsigned i = 0; i < JOBS; i++)
                ids[i] =
                        agent_submit(client, &(Wish){.serial = place_text(&d.place, "many-%u", i)});
        stage_restart(_i % 2 == 1);
        ck_assert_uint_eq(agent_count_jobs(client, 1), JOBS);
        cloud_again(&cloud);
        for (unsigned i = 0; i < JOBS; i++) {
                fleetprov_result *result = agent_result(client, ids[i]);

                identity_assert(&cloud, result, place_text(&d.place, "many-%u", i), NULL, NULL);
                fleetprov_result_free(result);
        }
}
END_TEST

START_TEST(single_operations_go_on_too)
{
        _cleanup_free_ char *token = NULL;
        fleetprov_result *result;
        JobId id;
        const size_t dropped = n_dropped();

        stage_start("", "");
        cloud_add(&cloud, "drop", "--operation=create-keys");
        id = agent_submit(client,
                          &(Wish){.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "create");
        wait_until_dropped(dropped);
        stage_restart(_i % 2 == 1);
        result = agent_result(client, id);
        token = agent_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN);
        fleetprov_result_free(result);

        cloud_add(&cloud, "drop", "--operation=register");
        id = agent_submit(client, &(Wish){.operation = FLEETPROV_OPERATION_REGISTER_THING,
                                          .serial = "single",
                                          .token = token,
                                          .token_size = strlen(token)});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "register");
        wait_until_dropped(dropped + 1);
        stage_restart(_i % 2 == 1);
        result = agent_result(client, id);
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-single");
        fleetprov_result_free(result);
}
END_TEST

START_TEST(deadline_goes_on_while_the_daemon_is_away)
{
        JobId id;

        cloud_stop(&cloud);
        stage_start("", "");
        id = agent_submit(client, &(Wish){.serial = "late", .deadline_usec = 2 * USEC_PER_SEC});
        stage_restart(_i % 2 == 1);
        agent_wait_end(client, id, FLEETPROV_STATE_EXPIRED);
        cloud_again(&cloud);
}
END_TEST

START_TEST(client_waits_through_a_restart)
{
        fleetprov_request *request;
        fleetprov_result *result;
        fleetprov_error *error = NULL;
        const size_t dropped = n_dropped();
        pid_t pid;
        int r;

        cloud_add(&cloud, "drop", "--operation=create-csr");
        stage_start("", "");
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                /* A client does not survive a fork: this one has its own. */
                fleetprov_client *own = agent_open(d.socket);

                ck_assert_int_eq(
                        fleetprov_request_new(&request, FLEETPROV_OPERATION_PROVISION, NULL), 0);
                ck_assert_int_eq(fleetprov_request_set_key(request, "through"), 0);
                ck_assert_int_eq(
                        fleetprov_request_add_parameter(request, "SerialNumber", "through"), 0);
                r = fleetprov_client_provision(own, request, 60 * USEC_PER_SEC,
                                               FLEETPROV_ACKNOWLEDGE, &result, &error);
                _exit(r == 0 && streq(fleetprov_result_get_thing_name(result), "thing-through")
                              ? EXIT_SUCCESS
                              : EXIT_FAILURE);
        }
        WAIT_FOR(agent_count_jobs(client, 1) == 1);
        agent_wait_state(client, agent_first_job(client), FLEETPROV_STATE_RUNNING, "create");
        wait_until_dropped(dropped);
        stage_restart(_i % 2 == 1);
        r = process_wait(pid);
        ck_assert_int_eq(r, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: restart");
        TCase *tc = stage_shared(suite, "restart");

        tcase_add_loop_test(tc, job_goes_on_where_it_stood, 0, 2 * ELEMENTSOF(points));
        tcase_add_loop_test(tc, result_outlives_the_daemon, 0, 2);
        tcase_add_loop_test(tc, single_operations_go_on_too, 0, 2);
        tcase_add_loop_test(tc, client_waits_through_a_restart, 0, 2);
        tc = stage_alone(suite, "restart without cloud");
        tcase_add_loop_test(tc, many_queued_jobs_all_come_through, 0, 2);
        tcase_add_loop_test(tc, deadline_goes_on_while_the_daemon_is_away, 0, 2);
        return stage_run(suite);
}

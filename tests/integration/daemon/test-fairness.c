/* SPDX-License-Identifier: GPL-2.0-or-later */

/* One user with thousands of jobs does not hold up another's first: neither while he submits them,
 * nor when they are carried out. Needs root, for the users to be different ones. */

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

#define BIG_USER 12001U
#define SMALL_USER 12002U
#define THOUSANDS 5000U
#define SOME 400U /* are under way at a time, so that the library's queue does not grow */

static const char users[] = "AllowUsers=root 12001 12002";
static const char quota[] = "MaxJobsPerUser=5000";

/* Shared by the processes. */
typedef struct Board {
        volatile unsigned accepted; /* of the big one's */
        volatile bool done;
} Board;

static Board *board;

static bool can_be_others(void) {
        if (geteuid() == 0)
                return true;
        fputs("skipped: other users need root\n", stderr);
        return false;
}

static void open_to_others(void) {
        ck_assert_int_eq(chmod(d.socket, 0666), 0);
        board = mmap(NULL, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                     0);
        ck_assert_ptr_ne(board, MAP_FAILED);
}

static fleetprov_request *request_with(const char *serial) {
        fleetprov_request *request;

        ck_assert_int_eq(fleetprov_request_new(&request, FLEETPROV_OPERATION_PROVISION, NULL), 0);
        ck_assert_int_eq(fleetprov_request_add_parameter(request, "SerialNumber", serial), 0);
        return request;
}

static void take_answer(fleetprov_client *own, uint64_t ticket) {
        fleetprov_event *event;

        ck_assert_int_eq(fleetprov_client_wait(own, ticket, 60 * USEC_PER_SEC, &event), 0);
        ck_assert_ptr_null(fleetprov_event_get_error(event));
        fleetprov_event_free(event);
        board->accepted++;
}

static void must_be_full(fleetprov_client *own, uint64_t ticket) {
        const fleetprov_error *error;
        fleetprov_event *event;

        ck_assert_int_eq(fleetprov_client_wait(own, ticket, 60 * USEC_PER_SEC, &event), 0);
        error = fleetprov_event_get_error(event);
        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(fleetprov_error_get_code(error), FLEETPROV_QUEUE_FULL);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "MaxJobsPerUser="));
        fleetprov_event_free(event);
}

/* As quickly as the library and the daemon take them, and one more than there is room for. */
static void submit_thousands(void *userdata) {
        fleetprov_client *own = agent_open(userdata);
        fleetprov_request *request = request_with("big");
        uint64_t tickets[SOME];

        for (unsigned i = 0; i < THOUSANDS; i++) {
                if (i >= SOME)
                        take_answer(own, tickets[i % SOME]);
                ck_assert_int_eq(fleetprov_client_submit(own, request, tickets + i % SOME), 0);
        }
        for (unsigned i = 0; i < SOME; i++)
                take_answer(own, tickets[(THOUSANDS + i) % SOME]);
        ck_assert_int_eq(fleetprov_client_submit(own, request, tickets), 0);
        must_be_full(own, tickets[0]);
        fleetprov_request_free(request);
        fleetprov_client_free(own);
}

static void submit_thousands_and_say_so(void *userdata) {
        submit_thousands(userdata);
        board->done = true;
}

static pid_t fork_big_user(void) {
        return process_fork_as(BIG_USER, BIG_USER, NULL, 0, submit_thousands_and_say_so,
                               (char *) (uintptr_t) d.socket);
}

/* It may take long where the machine is busy, but goes on. */
static void join_big_user(pid_t pid) {
        while (!board->done) {
                unsigned before = board->accepted;

                WAIT_FOR(board->done || board->accepted > before);
        }
        process_join(pid);
        ck_assert_uint_eq(board->accepted, THOUSANDS);
}

static void submit_one(void *userdata) {
        fleetprov_client *own = agent_open(userdata);
        fleetprov_result *result =
                agent_result(own, agent_submit(own, &(Wish){.serial = "small", .key = "small"}));

        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-small");
        fleetprov_result_free(result);
        fleetprov_client_free(own);
}

/* How many things of the big one were registered before the small one's. */
static size_t registered_before(const char *thing) {
        FILE *in = fopen(place_path(&cloud.place, "journal.jsonl"), "re");
        _cleanup_free_ char *line = NULL;
        size_t size = 0, n = 0;
        bool found = false;

        ck_assert_ptr_nonnull(in);
        while (!found && getline(&line, &size, in) > 0) {
                if (!strstr(line, "\"operation\":\"register\"") ||
                    !strstr(line, "\"outcome\":\"accepted\""))
                        continue;
                found = strstr(line, thing);
                n += !found;
        }
        fclose(in);
        ck_assert_msg(found, "%s was never registered", thing);
        return n;
}

START_TEST(first_job_of_another_is_next)
{
        const bool restart = _i == 1;
        pid_t pid;

        if (!can_be_others())
                return;
        cloud_stop(&cloud);
        stage_start(quota, users);
        open_to_others();
        join_big_user(fork_big_user());
        ck_assert_uint_eq(agent_count_jobs(client, 0), THOUSANDS);
        if (restart) { /* turns are taken as before */
                stage_restart(true);
                ck_assert_int_eq(chmod(d.socket, 0666), 0);
        }
        pid = process_fork_as(SMALL_USER, SMALL_USER, NULL, 0, submit_one,
                              (char *) (uintptr_t) d.socket);
        WAIT_FOR(agent_count_jobs(client, 0) == THOUSANDS + 1);
        cloud_again(&cloud);
        process_join(pid);
        ck_assert_uint_le(registered_before("\"thing-small\""), 2);
}
END_TEST

/* Answers come in between, not when all of it is over. */
START_TEST(requests_of_another_are_answered_in_between)
{
        unsigned n = 0;
        pid_t pid;

        if (!can_be_others())
                return;
        cloud_stop(&cloud);
        stage_start(quota, users);
        open_to_others();
        pid = fork_big_user();
        WAIT_FOR(board->accepted > 0);
        for (; !board->done; n++) {
                unsigned before = board->accepted;

                fleetprov_status_free(agent_status(client));
                (void) agent_submit(client, &(Wish){.serial = "small"});
                /* Of the other's no more than what was on its way already, and as many again. */
                ck_assert_uint_le(board->accepted - before, 2 * SOME);
        }
        join_big_user(pid);
        ck_assert_uint_ge(n, THOUSANDS / (2 * SOME));
        cloud_again(&cloud);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: fairness");
        TCase *tc = stage_alone(suite, "fairness");

        tcase_set_timeout(tc, 300);
        /* While the cloud is away, the session's own waits grow up to a minute. */
        agent_patience_sec = 120;
        tcase_add_loop_test(tc, first_job_of_another_is_next, 0, 2);
        tcase_add_test(tc, requests_of_another_are_answered_in_between);
        return stage_run(suite);
}

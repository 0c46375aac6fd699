/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The storm: applications with many jobs between them, and a daemon that is killed at random
 * moments all the while, and started again at once. In the end every job has succeeded; each
 * brought an identity of its own, once, whose key and certificate belong together; and the cloud
 * has made no more certificates than jobs and kills together, each of which is delivered or on
 * record.
 *
 * FLEETPROV_STORM_JOBS and FLEETPROV_STORM_SEED in the environment: how many jobs, and where chance
 * begins. The seed is printed; it repeats when the kills come, not what they strike. */

#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/integration/crash/life.h"
#include "tests/integration/lib/stage.h"

#define CLIENTS 10U
#define BATCH 10U /* of a client, at once */
#define JOBS_DEFAULT 25UL
#define JOBS_MAX 100000UL
#define KILL_MIN_USEC (50 * USEC_PER_MSEC)
#define KILL_MAX_USEC (500 * USEC_PER_MSEC)
#define STORM_PATIENCE_SEC 3000

/* What the jobs ask for, in turn. Keys of the cloud cost it half a second each: few of them. */
static const Ask asks[] = {
        {"daemon-key", FLEETPROV_OPERATION_PROVISION, "daemon", false, false, false},
        {"csr", FLEETPROV_OPERATION_PROVISION, NULL, true, false, false},
        {"daemon-key", FLEETPROV_OPERATION_PROVISION, "daemon", false, false, false},
        {"create", FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR, NULL, true, false, false},
        {"daemon-key", FLEETPROV_OPERATION_PROVISION, "daemon", false, false, false},
        {"csr", FLEETPROV_OPERATION_PROVISION, NULL, true, false, false},
        {"daemon-key", FLEETPROV_OPERATION_PROVISION, "daemon", false, false, false},
        {"csr", FLEETPROV_OPERATION_PROVISION, NULL, true, false, false},
        {"daemon-key", FLEETPROV_OPERATION_PROVISION, "daemon", false, false, false},
        {"cloud-key", FLEETPROV_OPERATION_PROVISION, "cloud", false, false, false},
};

typedef struct Storm {
        unsigned long jobs, seed;
        unsigned short state[3]; /* of nrand48() */
        unsigned long kills;
        Got *got; /* of each job */
} Storm;

static Storm storm;

static unsigned long number_from(const char *name, unsigned long otherwise) {
        const char *text = getenv(name);

        return text ? strtoul(text, NULL, 10) : otherwise;
}

/* --- the applications ---------------------------------------------------------------------------
 */

typedef struct Client {
        unsigned number;
} Client;

static void prepare(Application *a, unsigned long job) {
        const Ask *ask = asks + job % ELEMENTSOF(asks);

        *a = (Application){
                .ask = ask,
                .socket = d.socket,
                .key = place_text(&d.place, "storm-%lu", job),
                .serial = ask->operation == FLEETPROV_OPERATION_PROVISION
                                  ? place_text(&d.place, "storm-%lu", job)
                                  : NULL,
                .got = storm.got + job,
        };
        if (ask->brings_csr) {
                char *key, *csr;

                identity_make_csr(&key, &csr);
                a->csr = place_text(&d.place, "%s", csr);
                a->csr_key = place_text(&d.place, "%s", key);
                free(key);
                free(csr);
        }
}

static void run_client(void *userdata) {
        const Client *c = userdata;
        fleetprov_client *own = NULL;

        for (unsigned long first = c->number; first < storm.jobs; first += CLIENTS * BATCH) {
                Application batch[BATCH];
                JobId ids[BATCH];
                unsigned n = 0;

                for (unsigned long job = first; n < BATCH && job < storm.jobs; job += CLIENTS) {
                        prepare(batch + n, job);
                        own = application_submit(batch + n, own, ids + n);
                        n++;
                }
                for (unsigned i = 0; i < n; i++)
                        application_finish(batch + i, own, ids[i]);
        }
        fleetprov_client_free(own);
}

/* --- the kills ----------------------------------------------------------------------------------
 */

static usec_t draw_pause(void) {
        return KILL_MIN_USEC + (usec_t) nrand48(storm.state) % (KILL_MAX_USEC - KILL_MIN_USEC);
}

static void pause_usec(usec_t usec) {
        const struct timespec t = {.tv_sec = (time_t) (usec / USEC_PER_SEC),
                                   .tv_nsec = (long) (usec % USEC_PER_SEC) * 1000};

        (void) nanosleep(&t, NULL);
}

/* False: all have ended. */
static bool some_are_at_it(pid_t pids[static CLIENTS]) {
        for (unsigned i = 0; i < CLIENTS; i++) {
                siginfo_t end = {};

                if (pids[i] == 0)
                        continue;
                (void) waitid(P_PID, (id_t) pids[i], &end, WEXITED | WNOHANG | WNOWAIT);
                if (end.si_pid == 0)
                        return true;
                process_join(pids[i]);
                pids[i] = 0;
        }
        return false;
}

static void rage(pid_t pids[static CLIENTS]) {
        while (some_are_at_it(pids)) {
                daemon_start(&d);
                pause_usec(draw_pause());
                daemon_kill(&d);
                storm.kills++;
        }
}

/* --- what came of it ----------------------------------------------------------------------------
 */

static void check_all(size_t made) {
        size_t left = 0, perhaps = 0;
        struct hsearch_data seen = {};

        ck_assert_int_ne(hcreate_r(2 * storm.jobs, &seen), 0);
        for (unsigned long i = 0; i < storm.jobs; i++) {
                Got *got = storm.got + i;
                ENTRY *found;

                ck_assert(got->over);
                ck_assert_msg(got->state == FLEETPROV_STATE_SUCCEEDED, "job %s: %s", got->job,
                              got->error);
                ck_assert_uint_eq(got->n_delivered, !asks[i % ELEMENTSOF(asks)].brings_csr ||
                                                            asks[i % ELEMENTSOF(asks)].operation !=
                                                                    FLEETPROV_OPERATION_PROVISION);
                if (got->thing[0])
                        ck_assert_str_eq(got->thing, place_text(&d.place, "thing-storm-%lu", i));
                ck_assert_int_eq(hsearch_r((ENTRY){.key = got->certificate}, FIND, &found, &seen),
                                 0);
                ck_assert_int_ne(hsearch_r((ENTRY){.key = got->certificate}, ENTER, &found, &seen),
                                 0);
                left += got->n_left;
                perhaps += got->n_perhaps;
        }
        hdestroy_r(&seen);
        printf("%lu jobs, %lu kills, seed %lu: %zu certificates made, %zu left behind by name, %zu "
               "perhaps\n",
               storm.jobs, storm.kills, storm.seed, made, left, perhaps);
        ck_assert_uint_le(made, storm.jobs + storm.kills);
        ck_assert_uint_le(left, made - storm.jobs);
        ck_assert_uint_ge(left + perhaps, made - storm.jobs);
        ck_assert_uint_eq(agent_count_jobs(client, 1), storm.jobs);
}

START_TEST(every_job_comes_through_a_storm_of_kills)
{
        Client clients[CLIENTS];
        pid_t pids[CLIENTS];

        storm.jobs = number_from("FLEETPROV_STORM_JOBS", JOBS_DEFAULT);
        storm.seed = number_from("FLEETPROV_STORM_SEED", (unsigned long) time(NULL));
        ck_assert_uint_gt(storm.jobs, 0);
        ck_assert_uint_le(storm.jobs, JOBS_MAX);
        storm.state[0] = (unsigned short) storm.seed;
        storm.state[1] = (unsigned short) (storm.seed >> 16);
        storm.got = got_new(storm.jobs);
        agent_patience_sec = STORM_PATIENCE_SEC;
        printf("seed %lu\n", storm.seed);
        (void) fflush(stdout);

        daemon_make(&d);
        daemon_configure(&d, place_text(&d.place, "[Daemon]\nMaxJobs=%lu\nMaxJobsPerUser=%lu\n%s",
                                        storm.jobs, storm.jobs, cloud_profile(&cloud, "aws", "")));
        for (unsigned i = 0; i < CLIENTS; i++) {
                clients[i] = (Client){.number = i};
                pids[i] = process_fork_as(geteuid(), getegid(), NULL, 0, run_client, clients + i);
        }
        rage(pids);
        daemon_start(&d);
        client = agent_open(d.socket);
        check_all(cloud_count_certificates(&cloud));
        /* Who was killed between an answer and its store has spent the token, unknowingly. */
        ck_assert_uint_eq(
                file_count_lines(place_path(&cloud.place, "breaches"), "token-spent", NULL),
                file_count_lines(place_path(&cloud.place, "breaches"), "\"breach\"", NULL));
        cloud_forget_breaches(&cloud);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: storm of kills");
        TCase *tc = stage_alone(suite, "storm");

        tcase_set_timeout(tc, STORM_PATIENCE_SEC);
        tcase_add_test(tc, every_job_comes_through_a_storm_of_kills);
        return stage_run(suite);
}

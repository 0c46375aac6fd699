/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Requests and answers that are lost, and connections that are cut. */

#include "tests/integration/daemon/faults.h"

typedef struct Loss {
        const char *fault;
        bool done; /* the work was done before the answer was lost */
} Loss;

static const Loss losses[] = {
        {"drop", false},       {"drop-answer", true},
        {"late=4", true},      {"topic=$aws/certificates/create/json/elsewhere", true},
        {"cut-before", false}, {"cut-after", true},
};

/* How many certificates are made but for the one that is delivered. */
static size_t certificates_lost(const Loss *loss) {
        return loss->done ? 1 : 0;
}

static void check_record(JobId id, const Loss *loss, const Request *r) {
        fleetprov_job *job = agent_job(client, id);

        /* A lost RegisterThing spends the token: that certificate is known, and named. */
        ck_assert_uint_eq(fleetprov_job_get_n_left_certificates(job),
                          loss->done && !r->creates ? 1 : 0);
        ck_assert(agent_history_has(job, strstr(loss->fault, "cut") ? "the connection was lost"
                                                                    : "no answer in time"));
        fleetprov_job_free(job);
}

START_TEST(what_is_lost_is_asked_for_again)
{
        const Loss *loss = losses + _i;

        start_with_both("ResponseTimeoutSec=2");
        for (size_t i = 0; i < ELEMENTSOF(requests); i++) {
                const Request *r = requests + i;
                size_t before = stage_certificates();
                Both both;

                strike_both(loss->fault, r, "--count=1");
                both = submit_to_both(r, serial_of(_i, i), NULL);
                both_must_succeed(&both);
                ck_assert_uint_eq(stage_certificates() - before,
                                  ELEMENTSOF(profiles) * (1 + certificates_lost(loss)));
                for (size_t j = 0; j < ELEMENTSOF(profiles); j++)
                        check_record(both.ids[j], loss, r);
        }
        if (strstr(loss->fault, "topic="))
                cloud_expect_breach(&cloud, "not-subscribed");
}
END_TEST

static const struct {
        const char *fault, *code, *part;
        size_t request;
        size_t made; /* certificates, for each job */
} lasting[] = {
        {"drop", "timeout", "within 2 s", 0, 0},
        {"drop", "timeout", "within 2 s", 2, 1},
        {"cut-before", "permission-denied-by-policy", "iot:Publish", 0, 0},
};

START_TEST(what_is_lost_each_time_ends_the_job)
{
        const Request *r = requests + lasting[_i].request;
        Both both, again;

        start_with_both("ResponseTimeoutSec=2");
        strike_both(lasting[_i].fault, r, "--always");
        both = submit_to_both(r, serial_of(_i, 0), "lasting");
        both_must_fail(&both, lasting[_i].code, lasting[_i].part);
        ck_assert_uint_eq(stage_certificates(), lasting[_i].made * ELEMENTSOF(profiles));
        /* The connection is burned: the next job has another one, and the same key goes on. */
        cloud_clear(&cloud);
        again = submit_to_both(r, serial_of(_i, 0), "lasting");
        both_must_succeed(&again);
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++)
                ck_assert_str_eq(again.ids[i].text, both.ids[i].text);
        ck_assert_uint_eq(stage_certificates(), ELEMENTSOF(profiles));
}
END_TEST

START_TEST(others_wait_while_one_is_asked_again)
{
        enum {
                JOBS = 4
        };
        JobId ids[JOBS];

        start_with_format(0, "ResponseTimeoutSec=2");
        cloud_add(&cloud, "drop", "--operation=create-csr", "--after=1");
        cloud_add(&cloud, "cut-before", "--operation=register", "--after=1");
        for (unsigned i = 0; i < JOBS; i++)
                ids[i] = submit_for(requests, serial_of(_i, i));
        for (unsigned i = 0; i < JOBS; i++) {
                fleetprov_result *result = agent_result(client, ids[i]);

                identity_assert(&cloud, result, serial_of(_i, i), NULL, NULL);
                fleetprov_result_free(result);
        }
        ck_assert_uint_eq(stage_certificates(), JOBS);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: losses");
        TCase *tc = stage_shared(suite, "losses");

        tcase_add_loop_test(tc, what_is_lost_is_asked_for_again, 0, ELEMENTSOF(losses));
        tcase_add_loop_test(tc, what_is_lost_each_time_ends_the_job, 0, ELEMENTSOF(lasting));
        tcase_add_test(tc, others_wait_while_one_is_asked_again);
        return stage_run(suite);
}

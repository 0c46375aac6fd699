/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers in every order that a broker could bring about: real ones that are late, lost or out of
 * turn, each earlier one of the connection again, certificates for somebody else's key, and
 * messages on topics of others. The orders are drawn, from seeds that a failure names. Whatever
 * happens, a job that succeeds has its own answer, and one that was refused was refused itself.
 *
 * Left out is what cannot be told (aws-answer.c says why): a refusal or a thing of somebody else
 * that was not there before. */
#include <stdio.h>

#include "daemon/provider/lane-internal.h"
#include "tests/unit/provider/fixture.h"

#define JOBS 4U
#define STEPS 40U
#define SEEDS_A_TEST 150U
#define TESTS 4
#define MESSAGES_MAX 128U
#define ROUNDS_MAX 200U /* until all have ended, once nothing goes wrong any more */

typedef struct Message {
        AwsOperation operation;
        bool accepted;
        char *json;
} Message;

typedef struct Messages {
        Message items[MESSAGES_MAX];
        size_t n;
} Messages;

typedef struct Asker {
        Job *job;
        bool over, was_refused;
        char *thing;
} Asker;

static struct {
        uint64_t random;
        Asker askers[JOBS];
        Asker *first;          /* came back without a wait, and so has its turn; or NULL */
        Messages coming, sent; /* on this connection */
        unsigned connection;
        size_t seen_publishes;
        unsigned next_id, seed;
} w;

static char *csrs[JOBS], *certificates[JOBS], *foreign;

/* xorshift64*, so that each seed gives the same order everywhere. */
static unsigned draw(unsigned below) {
        w.random ^= w.random >> 12;
        w.random ^= w.random << 25;
        w.random ^= w.random >> 27;
        return (unsigned) ((w.random * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static void forget(Messages *m) {
        while (m->n > 0)
                free(m->items[--m->n].json);
}

static void add(Messages *m, AwsOperation operation, bool accepted, char *json) {
        ck_assert_uint_lt(m->n, MESSAGES_MAX);
        m->items[m->n++] = (Message){operation, accepted, json};
}

/* --- the broker */

static char *json_text(const char *text) {
        char *escaped = calloc(2, strlen(text) + 1), *p = escaped;

        for (; *text; text++)
                if (*text == '\n') {
                        *p++ = '\\';
                        *p++ = 'n';
                } else
                        *p++ = *text;
        return escaped;
}

static char *created(const char *certificate) {
        _cleanup_free_ char *pem = json_text(certificate);
        char *json;

        ck_assert_int_gt(asprintf(&json,
                                  "{\"certificateId\":\"id-%u\",\"certificatePem\":\"%s\","
                                  "\"certificateOwnershipToken\":\"token\"}",
                                  w.next_id++, pem),
                         0);
        return json;
}

static char *registered(const char *thing) {
        char *json;

        ck_assert_int_gt(asprintf(&json, "{\"thingName\":\"%s\"}", thing), 0);
        return json;
}

static char *refused(int status) {
        char *json;

        ck_assert_int_gt(
                asprintf(&json, "{\"statusCode\":%d,\"errorCode\":\"No\",\"errorMessage\":\"no\"}",
                         status),
                0);
        return json;
}

static Asker *asker_of(const Job *job) {
        for (unsigned i = 0; i < JOBS; i++)
                if (w.askers[i].job == job)
                        return w.askers + i;
        ck_abort_msg("seed %u: whose job is it?", w.seed);
        return NULL;
}

/* What the service does with a request; one in six answers is lost. */
static void serve(bool well) {
        Asker *a = asker_of(lane_job(fixture.lane));
        AwsOperation operation = aws_exchange_operation(a->job->run);
        unsigned chance = well ? 0 : draw(12);

        if (chance < 5)
                add(&w.coming, operation, true,
                    operation == AWS_OPERATION_REGISTER ? registered(a->thing)
                                                        : created(certificates[a - w.askers]));
        else if (chance < 7) {
                a->was_refused = true;
                add(&w.coming, operation, false, refused(403));
        } else if (chance < 10)
                add(&w.coming, operation, false, refused(500));
}

static void deliver(const Message *m) {
        fixture_answer(m->operation, m->accepted ? "/accepted" : "/rejected",
                       payload_from_json(fixture.encoding, m->json));
}

static void deliver_one_that_comes(bool in_turn) {
        size_t i = in_turn ? 0 : draw((unsigned) w.coming.n);
        Message m = w.coming.items[i];

        memmove(w.coming.items + i, w.coming.items + i + 1,
                (--w.coming.n - i) * sizeof(w.coming.items[0]));
        add(&w.sent, m.operation, m.accepted, m.json);
        deliver(&m);
}

static void deliver_one_again(void) {
        Message m = w.sent.items[draw((unsigned) w.sent.n)];

        deliver(&m);
}

static void deliver_foreign(void) {
        char *json = created(foreign);

        add(&w.sent, AWS_OPERATION_CREATE_FROM_CSR, true, json);
        deliver(w.sent.items + w.sent.n - 1);
}

static void deliver_elsewhere(void) {
        static const char *const topics[] = {
                "$aws/certificates/create-from-csr/cbor/rejected",
                "$aws/certificates/create/json/rejected",
                "$aws/provisioning-templates/Other/provision/json/rejected",
                "$aws/provisioning-templates/" FIXTURE_TEMPLATE "/provision/cbor/rejected",
                "$aws/provisioning-templates/" FIXTURE_TEMPLATE "/provision/json",
        };
        Payload p = cloud_rejected(ENCODING_JSON, 404, "Elsewhere", "of somebody else");

        fake_message(topics[draw(ELEMENTSOF(topics))], &p);
        payload_done(&p);
}

/* --- the jobs */

static void check_end(Asker *a) {
        const Job *job = a->job;

        a->over = true;
        if (fixture.outcome == JOB_SUCCEEDED) {
                if (job->spec->operation == OPERATION_REGISTER_THING)
                        ck_assert_msg(streq_ptr(job->result.thing_name, a->thing),
                                      "seed %u: %s was told to be %s", w.seed, a->thing,
                                      job->result.thing_name);
                else
                        ck_assert_msg(
                                streq_ptr(job->result.certificate_pem, certificates[a - w.askers]),
                                "seed %u: a certificate for another key", w.seed);
                return;
        }
        ck_assert_int_eq(fixture.outcome, JOB_FAILED);
        ck_assert_msg(fixture_code() != ERROR_SERVER_REFUSED || a->was_refused,
                      "seed %u: a refusal that was another job's", w.seed);
        ck_assert_msg(fixture_code() != ERROR_BAD_RESPONSE, "seed %u: %s", w.seed,
                      fixture.failure->message);
}

/* After each step: what it brought. */
static void look(bool well) {
        if (fixture.told) {
                if (fixture.outcome != JOB_QUEUED)
                        check_end(asker_of(fixture.told));
                else if (fixture.delay_usec == 0)
                        w.first = asker_of(fixture.told);
                fixture.told = NULL;
        }
        fixture.diary[0] = '\0';
        if (fake.made != w.connection) {
                /* An answer comes on the connection that asked, or not at all. */
                forget(&w.coming);
                forget(&w.sent);
                w.connection = fake.made;
        }
        if (fake.n_publishes != w.seen_publishes) {
                w.seen_publishes = fake.n_publishes;
                serve(well);
        }
}

static bool start_next(void) {
        _cleanup_secret_ Secret *token = secret_new("token", 5);

        unsigned i = w.first ? (unsigned) (w.first - w.askers) : draw(JOBS);

        for (unsigned n = 0; n < JOBS; n++, i = (i + 1) % JOBS) {
                Asker *a = w.askers + i;

                if (a->over)
                        continue;
                w.first = NULL;
                fixture_start_with(a->job, a->job->spec->operation == OPERATION_REGISTER_THING
                                                   ? &(JobSecrets){.ownership_token = token}
                                                   : NULL);
                return true;
        }
        return false;
}

static void be_late(void) {
        ck_assert_int_ge(sd_event_source_set_time_accuracy(fixture.lane->response_timer, 1), 0);
        ck_assert_int_ge(sd_event_source_set_time_relative(fixture.lane->response_timer, 0), 0);
        fixture_wait();
}

static void get_ready(void) {
        lane_retry(fixture.lane); /* drops may have opened a breaker */
        fixture_ready();
}

/* One thing that happens; false: nothing is left to do. */
static bool step(void) {
        if (lane_state(fixture.lane) != SESSION_READY)
                get_ready();
        else if (lane_is_free(fixture.lane) && draw(2) == 0) {
                if (!start_next())
                        return false;
        } else {
                unsigned chance = draw(20);

                if (chance < 8 && w.coming.n > 0)
                        deliver_one_that_comes(false);
                else if (chance < 14 && w.sent.n > 0)
                        deliver_one_again();
                else if (chance < 15)
                        deliver_foreign();
                else if (chance < 16)
                        deliver_elsewhere();
                else if (chance < 18 && fixture.lane->response_timer)
                        be_late();
                else if (chance < 19)
                        fake_lost(ERROR_CONNECTION_LOST, "gone");
        }
        look(false);
        return true;
}

/* Nothing goes wrong any more: all must come to an end. */
static void settle(void) {
        for (unsigned i = 0; i < ROUNDS_MAX; i++) {
                if (lane_state(fixture.lane) != SESSION_READY)
                        get_ready();
                else if (w.coming.n > 0)
                        deliver_one_that_comes(true);
                else if (!lane_is_free(fixture.lane))
                        be_late(); /* its answer was lost before */
                else if (!start_next())
                        return;
                look(true);
        }
        ck_abort_msg("seed %u: there is no end to it", w.seed);
}

static void make_jobs(void) {
        for (unsigned i = 0; i < JOBS; i++) {
                bool registers = draw(2) == 0;
                Asker *a = w.askers + i;

                a->job = fixture_job(registers ? OPERATION_REGISTER_THING
                                               : OPERATION_CREATE_CERTIFICATE_FROM_CSR);
                ck_assert_int_gt(asprintf(&a->thing, "thing-%u", i), 0);
                if (registers)
                        ck_assert_int_eq(
                                parameters_set(&a->job->spec->parameters, "SerialNumber", a->thing),
                                0);
                else
                        ck_assert_int_eq(free_and_strdup(&a->job->spec->csr, csrs[i]), 0);
        }
}

static void play(unsigned seed) {
        memset(&w, 0, sizeof(w));
        w.seed = seed;
        w.random = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);
        make_jobs();
        fixture_ready();
        w.connection = fake.made;
        for (unsigned i = 0; i < STEPS && step(); i++)
                ;
        settle();
        for (unsigned i = 0; i < JOBS; i++)
                free(w.askers[i].thing);
        forget(&w.coming);
        forget(&w.sent);
}

static void make_certificates(void) {
        for (unsigned i = 0; i < JOBS; i++) {
                free(cloud_make_key(csrs + i));
                certificates[i] = cloud_sign(csrs[i]);
        }
        foreign = cloud_sign_for_nobody();
}

static void free_certificates(void) {
        for (unsigned i = 0; i < JOBS; i++) {
                free(csrs[i]);
                free(certificates[i]);
        }
        free(foreign);
}

START_TEST(no_order_of_answers_gives_one_jobs_answer_to_another)
{
        make_certificates();
        for (unsigned i = 0; i < SEEDS_A_TEST; i++) {
                if (i > 0) {
                        fixture_teardown();
                        fixture_setup();
                }
                play((unsigned) _i * SEEDS_A_TEST + i);
        }
        free_certificates();
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_loop_test(c, no_order_of_answers_gives_one_jobs_answer_to_another, 0, TESTS);
}

int main(void) {
        return fixture_main("provider/lane-orders", add_tests);
}

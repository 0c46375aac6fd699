/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A lane on the fake connection, with a real crypto worker and real OpenSSL certificates, and a
 * diary of what it told its owner. */

#include <check.h>

#include "daemon/provider/job-run.h"
#include "daemon/provider/lane.h"
#include "protocol/aws/document.h"
#include "tests/unit/protocol-aws/suite.h"
#include "tests/unit/provider/cloud.h"
#include "tests/unit/provider/fake-connection.h"

#define FIXTURE_TEMPLATE "FleetTemplate"
#define FIXTURE_SHORT_USEC (30 * USEC_PER_MSEC) /* a response timeout that is meant to pass */

typedef struct Fixture {
        sd_event *event;
        Worker *crypto;
        Profile *profile;
        Lane *lane;
        Encoding encoding; /* of what the cloud says */
        Job *jobs[4];
        size_t n_jobs;

        /* What the lane told: words, each with a blank behind. "ready", "offline" …: its session;
         * "keygen", "create", "register": progress; "store"; "back", "back-later",
         * "back-throttled"; "succeeded", "failed" …: an end. */
        char diary[1024];
        Job *told;          /* of the last "back" or end */
        JobState outcome;   /* its end; JOB_QUEUED: it came back */
        Failure *failure;   /* of the last "back" or end; NULL: none */
        JobSecrets secrets; /* of the last "store" or end */
        usec_t delay_usec;
        bool notes; /* a note is written at once; else lane_noted() is the test's */
        unsigned n_notes;
        bool stores; /* a store succeeds at once; else lane_stored() is the test's */
} Fixture;

extern Fixture fixture;

/* For a checked fixture; JSON, the daemon's key, a long response timeout. */
void fixture_setup(void);
void fixture_teardown(void);

/* Before fixture_open(). */
void fixture_set_encoding(Encoding e);

/* Makes the lane with the profile as it is, and opens it: connecting. */
void fixture_open(void);
/* As if the time of the session's back-off had passed. */
void fixture_end_wait(void);
/* Up to ready; from anywhere but ready. Forgets the diary. */
void fixture_ready(void);

Job *fixture_job(Operation operation);
void fixture_start(Job *job);
void fixture_start_with(Job *job, const JobSecrets *secrets);

/* Compares the diary, and forgets it. */
void fixture_expect(const char *diary);

/* Runs the loop until something was told or published anew. */
void fixture_wait(void);
void fixture_wait_publish(void);

/* "$aws/certificates/create-from-csr/json" + suffix, in the format that is set. free() it. */
char *fixture_topic(AwsOperation operation, const char *suffix);

/* Asserts that the last request went to this operation's topic. */
void fixture_expect_request(AwsOperation operation);
/* A text of the last request; free() it. NULL: not there. */
char *fixture_request_text(const char *name);
char *fixture_request_parameter(const char *name);

/* Takes the payload. */
void fixture_answer(AwsOperation operation, const char *suffix, Payload p);

/* Answers the last request with a certificate for its key. */
void fixture_answer_created(const char *id, const char *token);
void fixture_answer_registered(const char *thing);
void fixture_reject(AwsOperation operation, int status, const char *code);

/* The last failure's code; ERROR_NONE: none. */
ErrorCode fixture_code(void);

int fixture_main(const char *name, void (*add_tests)(TCase *c));

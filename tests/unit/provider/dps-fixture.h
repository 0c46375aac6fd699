/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A registrar on the fake connection, with a real crypto worker, and a diary of what it told its
 * owner. */

#include <check.h>

#include "daemon/provider/dps.h"
#include "tests/unit/protocol-aws/suite.h"
#include "tests/unit/provider/fake-connection.h"

#define DPS_TEST_HUB "h.azure-devices.net"

typedef struct DpsFixture {
        sd_event *event;
        Worker *crypto;
        Profile *profile;
        Registrar *registrar;
        Job *job;

        /* Words, each with a blank behind: "connecting", "ready", "offline" …: the connection;
         * "keygen", "register", "poll": progress; "store"; "note"; "told": to wait; "back";
         * "succeeded", "failed" …: an end. */
        char diary[1024];
        SessionState state_told;
        Failure *failure;   /* of the last "back" or end; NULL: none */
        JobSecrets secrets; /* of the last "store" or end */
        usec_t delay_usec;
        bool throttled;
        bool stores;     /* and notes, at once; else registrar_stored(), _noted() are the test's */
        bool clock_good; /* the clock is synchronised */
} DpsFixture;

extern DpsFixture dps;

/* For a checked fixture: a symmetric key and RegistrationId=gw-1. */
void dps_setup(void);
void dps_teardown(void);

/* Makes the registrar with the profile as it is, and starts the job. */
void dps_start(void);
void dps_start_with(const JobSecrets *secrets);

/* Starts, and has the connection made: the request is out. */
void dps_reach_request(void);
/* Connected and subscribed. */
void dps_let_in(void);

/* Compares the diary, and forgets it. */
void dps_expect(const char *diary);

/* Runs the loop until something is told or published anew. */
void dps_wait(void);

/* Answers the last request: "202" and so on, the topic's further parameters ("&retry-after=0"), the
 * body. */
void dps_answer(int status, const char *more, const char *body);

/* Has the last request go to the register or the query topic; the latter with that id. */
void dps_expect_register(const char *body);
void dps_expect_query(const char *operation_id);

/* The way to the first query, with no wait. */
void dps_reach_query(void);

ErrorCode dps_code(void);
int dps_main(const char *name, void (*add_tests)(TCase *c));

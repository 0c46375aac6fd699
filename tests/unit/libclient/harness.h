/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the tests of the client share: a stub, a client of it, and short ways to ask. */

#include "libclient/fleetprov-client.h"
#include "tests/unit/libclient/stub.h"

#define LONG_USEC 20000000U

/* Of the test that runs; a checked fixture makes and ends them. */
extern Stub stub;
extern fleetprov_client *client;

void client_setup(void);
void client_teardown(void);

/* A provision with a serial number; `key` and `outcome` may be NULL. */
fleetprov_request *request(const char *key, const char *outcome);

fleetprov_event *answer(uint64_t ticket);
int answer_code(uint64_t ticket);

/* Submits such a request and gives the job's id. */
void submit(const char *key, const char *outcome, char id[33]);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <check.h>

#include "tests/cloud/selftest/client.h"
#include "tests/cloud/selftest/exchange.h"

/* One cloud for all tests of a suite; each test starts without faults. */
extern CloudProcess cloud;

TCase *operations_tests(void);
TCase *rules_tests(void);
TCase *answer_fault_tests(void);
TCase *session_fault_tests(void);
TCase *dps_login_tests(void);
TCase *dps_tests(void);
TCase *process_tests(void);

/* The claim, connected, and subscribed to all answers in that format. */
void connect_claim(Client *client, Format format);

/* assert that the answer is an acceptance, or a rejection with that status; releases it. */
void assert_accepted(json_t *answer, const Topic *topic);
void assert_rejected(json_t *answer, const Topic *topic, int status, const char *code);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What came of a request: an answer in the service's words, and what the journal notes about it. */

#include <stdbool.h>

#include <jansson.h>

#include "tests/cloud/plugin/registry.h"

typedef struct Outcome {
        bool accepted;
        json_t *body;            /* of either answer */
        int status;              /* of a rejection */
        const char *code;        /* … static, or the fault's */
        Fingerprint certificate; /* empty: none was made or meant */
        char *thing;             /* NULL: none */
        Token *token;            /* that a registration spent; NULL otherwise */
} Outcome;

void outcome_clear(Outcome *outcome);

/* Fills the outcome with a rejection. code and message are copied into the body; code must live as
 * long as the outcome. */
void outcome_reject(Outcome *outcome, int status, const char *code, const char *message);

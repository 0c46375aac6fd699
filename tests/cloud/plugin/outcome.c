/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/outcome.h"

void outcome_clear(Outcome *outcome) {
        json_decref(outcome->body);
        free(outcome->thing);
        *outcome = (Outcome){};
}

void outcome_reject(Outcome *outcome, int status, const char *code, const char *message) {
        json_decref(outcome->body);
        outcome->accepted = false;
        outcome->status = status;
        outcome->code = code;
        outcome->body = json_pack("{s:i, s:s, s:s}", "statusCode", status, "errorCode", code,
                                  "errorMessage", message);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the tests of the cloud's faults share: each fault is tried with each request. */

#include "tests/integration/lib/stage.h"

typedef struct Request {
        const char *operation;  /* that the fault strikes */
        const char *key_source; /* so that it is made */
        bool creates;
} Request;

static const Request requests[] = {
        {"--operation=create-csr", NULL, true},
        {"--operation=create-keys", "cloud", true},
        {"--operation=register", NULL, false},
};

static const char *const formats[] = {"json", "cbor"};

/* Starts the daemon with format `_i % 2`; `more` as of stage_start(). */
static inline void start_with_format(int i, const char *more) {
        stage_start("", place_text(&cloud.place, "PayloadFormat=%s\n%s", formats[i % 2], more));
}

static inline const char *serial_of(int i, size_t request) {
        return place_text(&cloud.place, "fault-%d-%zu", i, request);
}

static inline JobId submit_for(const Request *r, const char *serial) {
        return agent_submit(client, &(Wish){.serial = serial, .key_source = r->key_source});
}

/* The session serves the next one as if nothing had been. Keys of the cloud cost it half a second
 * each: here the daemon makes them. */
static inline void must_serve_the_next(const char *serial) {
        const char *next = place_text(&cloud.place, "%s-next", serial);
        fleetprov_result *result = agent_result(client, submit_for(requests, next));

        identity_assert(&cloud, result, next, NULL, NULL);
        fleetprov_result_free(result);
}

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

/* Starts it with a profile for each format, which have sessions of their own: what takes its time
 * is tried with both at once. */
static const char *const profiles[] = {"aws", "cbor"};

static inline void start_with_both(const char *more) {
        stage_start(cloud_profile(&cloud, "cbor",
                                  place_text(&cloud.place,
                                             "PayloadFormat=cbor\nClientId=faults-cbor\n%s", more)),
                    place_text(&cloud.place, "PayloadFormat=json\nClientId=faults-aws\n%s", more));
}

/* Each profile is struck; `count`: "--count=1", "--always". */
static inline void strike_both(const char *fault, const Request *r, const char *count) {
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++)
                cloud_add(&cloud, fault, r->operation,
                          place_text(&cloud.place, "--client=faults-%s", profiles[i]), count);
}

typedef struct Both {
        JobId ids[ELEMENTSOF(profiles)];
        const char *serials[ELEMENTSOF(profiles)];
} Both;

static inline Both submit_to_both(const Request *r, const char *serial, const char *key) {
        Both both;

        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
                both.serials[i] = place_text(&cloud.place, "%s-%s", serial, profiles[i]);
                both.ids[i] = agent_submit(client, &(Wish){.profile = profiles[i],
                                                           .serial = both.serials[i],
                                                           .key = key,
                                                           .key_source = r->key_source});
        }
        return both;
}

static inline void both_must_succeed(const Both *both) {
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
                fleetprov_result *result = agent_result(client, both->ids[i]);

                identity_assert(&cloud, result, both->serials[i], NULL, NULL);
                fleetprov_result_free(result);
        }
}

/* `part`: of the message. */
static inline void both_must_fail(const Both *both, const char *code, const char *part) {
        for (size_t i = 0; i < ELEMENTSOF(profiles); i++) {
                fleetprov_job *job = agent_wait(client, both->ids[i]);
                const fleetprov_error *error = fleetprov_job_get_error(job);

                ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
                ck_assert_str_eq(fleetprov_error_get_name(error), code);
                ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), part));
                fleetprov_job_free(job);
        }
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

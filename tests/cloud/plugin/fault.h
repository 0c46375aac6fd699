/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The faults that a test has asked for: what they are, which request each one strikes, how often.
 * The list is asked once for each event; each fault that matches strikes, and counts it. */

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "daemon/base/list.h"
#include "daemon/base/macro.h"
#include "tests/cloud/plugin/topic.h"

/* At one time. */
#define FAULTS_MAX 256

/* The largest number that a fault takes: of bytes, milliseconds or seconds. */
#define FAULT_NUMBER_MAX 100000000

typedef enum FaultKind {
        /* of the answer to a request */
        FAULT_DROP,
        FAULT_DROP_ANSWER,
        FAULT_DELAY,
        FAULT_LATE,
        FAULT_DOUBLE,
        FAULT_REPLAY,
        FAULT_MALFORMED,
        FAULT_WRONG_TYPES,
        FAULT_TRUNCATED,
        FAULT_OVERSIZE,
        FAULT_EXTRA_FIELDS,
        FAULT_INDEFINITE,
        FAULT_TOPIC,
        FAULT_WIRE,
        /* of the work */
        FAULT_REJECT,
        FAULT_THROTTLE,
        FAULT_CUT_BEFORE,
        FAULT_CUT_AFTER,
        FAULT_FOREIGN,
        FAULT_FOREIGN_FIRST,
        FAULT_TOKEN_TTL,
        FAULT_CONFIGURATION,
        FAULT_INACTIVE,
        FAULT_ACTIVATION_DELAY,
        /* of DPS */
        FAULT_ASSIGNING,
        FAULT_RETRY_AFTER,
        FAULT_STATUS,
        FAULT_SWAPPED,
        FAULT_ISSUED,
        /* of the session */
        FAULT_CONNACK,
        FAULT_CONNECT_DROP,
        FAULT_SUBACK_REFUSE,
        FAULT_DENY_SUBSCRIBE,
        FAULT_DENY_PUBLISH,
        FAULT_MAX,
} FaultKind;

typedef enum FaultScope {
        SCOPE_REQUEST,
        SCOPE_CONNECT,
        SCOPE_SUBSCRIBE,
        SCOPE_PUBLISH,
} FaultScope;

typedef struct Fault Fault;

struct Fault {
        unsigned id;
        FaultKind kind;
        unsigned operations; /* bits, 1 << Operation */
        bool always;
        uint64_t remaining;
        uint64_t after;
        uint64_t hits;
        char *client; /* strikes this client id alone; NULL: all */
        char *given;  /* the value in the words of the request; NULL: there was none */
        char *value;  /* … cut into its parts */
        uint64_t number;
        int status;       /* of a rejection */
        const char *code; /* … in value */
        const char *message;
        usec_t window_usec; /* of a throttle: the second that is being counted */
        uint64_t in_window;
        LIST_LINK(Fault, faults);
};

typedef struct Faults {
        LIST_HEAD(Fault, faults);
        size_t n_faults;
        unsigned last_id;
        uint64_t hits;
} Faults;

/* The faults that strike one event. They stay what they are until that event has been dealt with.
 */
typedef struct Strike {
        const Fault *by[FAULT_MAX];
} Strike;

const char *fault_kind_to_string(FaultKind kind);

/* Adds one from {"kind", "value"?, "operation"?, "count"?, "always"?, "after"?, "client"?}. On a
 * bad one -EINVAL, and *ret_why says what is wrong with it; the caller frees that. */
int faults_add(Faults *faults, const json_t *request, unsigned *ret_id, char **ret_why);

/* Id 0: all of them. The number that went. */
size_t faults_clear(Faults *faults, unsigned id);

/* An array of objects: a new reference. */
json_t *faults_list(const Faults *faults);

/* Which faults strike a request, a CONNECT, or a topic that is subscribed to or published on? */
void faults_strike_request(Faults *faults, Operation operation, const char *client, Strike *ret);
void faults_strike_connect(Faults *faults, const char *client, Strike *ret);
void faults_strike_topic(Faults *faults, FaultScope scope, const char *topic, const char *client,
                         Strike *ret);

/* The names of what struck, ["delay", …]; NULL when nothing did. A new reference. */
json_t *strike_names(const Strike *strike);

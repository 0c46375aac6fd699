/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The cloud as a whole: the parts that the plugin's callbacks work on. All of it belongs to the
 * broker's one thread. */

#include "tests/cloud/plugin/authority.h"
#include "tests/cloud/plugin/connection.h"
#include "tests/cloud/plugin/dps-login.h"
#include "tests/cloud/plugin/dps-registry.h"
#include "tests/cloud/plugin/fault.h"
#include "tests/cloud/plugin/key-pool.h"
#include "tests/cloud/plugin/outbox.h"
#include "tests/cloud/plugin/record.h"
#include "tests/cloud/plugin/registry.h"

/* The service's lifetime of an ownership token. */
#define TOKEN_TTL_SEC_DEFAULT 3600

/* Of claim certificates. */
#define CLAIMS_MAX 64

typedef struct Stats {
        uint64_t connects;
        uint64_t refused;
        uint64_t requests[OPERATION_MAX];
        uint64_t accepted[OPERATION_MAX];
        uint64_t rejected[OPERATION_MAX];
} Stats;

/* A request for keys that came when none was ready. */
typedef struct KeyRequest {
        uint64_t connection;
        Topic topic;
        LIST_LINK(struct KeyRequest, key_requests);
} KeyRequest;

typedef struct Cloud {
        void *plugin; /* what mosquitto knows the plugin by */
        Authority *authority;
        KeyPool *keys;
        Registry *registry;
        DpsKeys dps_keys;
        DpsRegistry dps;
        Record *record;
        Connections connections;
        Faults faults;
        Outbox outbox;
        Stats stats;
        Fingerprint claims[CLAIMS_MAX];
        size_t n_claims;
        usec_t token_ttl_usec;
        int control_fd;
        int ready_fd; /* told once the broker listens; -1 after that */
        LIST_HEAD(KeyRequest, key_requests);
} Cloud;

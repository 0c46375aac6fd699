/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The clients that are connected now, each with what it subscribed to and what it waits for. A
 * connection has a number of its own that is never used again: an answer belongs to the number that
 * asked, whatever client id comes back later. */

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/list.h"
#include "tests/cloud/plugin/authority.h"

struct mosquitto;

/* Of one connection: the service's own limit. */
#define SUBSCRIPTIONS_MAX 50

/* Persistent sessions whose client is away. */
#define SESSIONS_MAX 1000

typedef enum Role {
        ROLE_CLAIM,
        ROLE_DEVICE,
        ROLE_REGISTRATION, /* with DPS; its id is the registration id */
} Role;

typedef struct Subscription {
        char *filter;
        int qos;
} Subscription;

typedef struct Subscriptions {
        Subscription items[SUBSCRIPTIONS_MAX];
        size_t n_items;
} Subscriptions;

typedef struct Connection {
        const struct mosquitto *client;
        uint64_t number;
        char *id;
        Role role;
        Fingerprint certificate;
        char api_version[32]; /* ROLE_REGISTRATION */
        bool clean_session;
        unsigned pending; /* requests that have had no answer */
        Subscriptions subscriptions;
        char *last_topic; /* the answer before, for the fault that repeats it */
        void *last_payload;
        size_t last_payload_n;
        LIST_LINK(struct Connection, connections);
} Connection;

typedef struct Session Session;

typedef struct Connections {
        LIST_HEAD(Connection, connections);
        LIST_HEAD(Session, sessions);
        size_t n_connections;
        size_t n_sessions;
        uint64_t last_number;
} Connections;

/* Notes a client that has just been let in. Without a clean session it has the subscriptions again
 * that its id had before. NULL when memory is out. */
Connection *connections_add(Connections *connections, const struct mosquitto *client,
                            const char *id, bool clean_session);

/* The connection is over; a persistent session's subscriptions are kept. */
void connections_remove(Connections *connections, Connection *connection);

/* Forgets all, sessions too. */
void connections_clear(Connections *connections);

/* NULL when it is none, or not any more. */
Connection *connections_find_client(Connections *connections, const struct mosquitto *client);
Connection *connections_find_number(Connections *connections, uint64_t number);
Connection *connections_find_id(Connections *connections, const char *id);

/* -ENOSPC above the bound, -ENOMEM. A filter that is there already takes the new QoS. */
int connection_subscribe(Connection *connection, const char *filter, int qos);
void connection_unsubscribe(Connection *connection, const char *filter);

/* The QoS in which the client wants messages of that topic, at most 1; -1 when it wants none. */
int connection_wants(const Connection *connection, const char *topic);

/* Keeps a copy of the answer that is sent now. Without memory there is none to repeat. */
void connection_keep_answer(Connection *connection, const char *topic, const void *payload,
                            size_t n);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/connection.h"

#include <errno.h>
#include <string.h>

#include <mosquitto.h>

#include "daemon/base/macro.h"

struct Session {
        char *id;
        Subscriptions subscriptions;
        LIST_LINK(Session, sessions);
};

static void subscriptions_clear(Subscriptions *subscriptions) {
        for (size_t i = 0; i < subscriptions->n_items; i++)
                free(subscriptions->items[i].filter);
        subscriptions->n_items = 0;
}

static void subscriptions_move(Subscriptions *to, Subscriptions *from) {
        subscriptions_clear(to);
        *to = *from;
        from->n_items = 0;
}

static Session *session_free(Connections *connections, Session *session) {
        LIST_REMOVE(sessions, connections, session);
        connections->n_sessions--;
        subscriptions_clear(&session->subscriptions);
        free(session->id);
        free(session);
        return NULL;
}

static Session *find_session(Connections *connections, const char *id) {
        Session *session;

        LIST_FOREACH(sessions, session, connections)
                if (streq(session->id, id))
                        return session;
        return NULL;
}

/* What the broker still holds for that id: of a session whose client is away, or of a connection
 * that is just being taken over. */
static void take_up_session(Connections *connections, Connection *connection) {
        Session *session = find_session(connections, connection->id);
        Connection *former = connections_find_id(connections, connection->id);

        if (session && !connection->clean_session)
                subscriptions_move(&connection->subscriptions, &session->subscriptions);
        if (session)
                session_free(connections, session);
        if (former && !former->clean_session) {
                if (!connection->clean_session)
                        subscriptions_move(&connection->subscriptions, &former->subscriptions);
                former->clean_session = true;
        }
}

Connection *connections_add(Connections *connections, const struct mosquitto *client,
                            const char *id, bool clean_session) {
        Connection *connection = calloc(1, sizeof(*connection));

        if (!connection)
                return NULL;
        connection->id = strdup(id);
        if (!connection->id) {
                free(connection);
                return NULL;
        }
        connection->client = client;
        connection->number = ++connections->last_number;
        connection->clean_session = clean_session;
        take_up_session(connections, connection);
        LIST_PREPEND(connections, connections, connection);
        connections->n_connections++;
        return connection;
}

static void keep_session(Connections *connections, Connection *connection) {
        Session *session;

        if (connection->clean_session || connections->n_sessions >= SESSIONS_MAX)
                return;
        session = calloc(1, sizeof(*session));
        if (!session)
                return;
        session->id = TAKE_PTR(connection->id);
        subscriptions_move(&session->subscriptions, &connection->subscriptions);
        LIST_PREPEND(sessions, connections, session);
        connections->n_sessions++;
}

void connections_remove(Connections *connections, Connection *connection) {
        LIST_REMOVE(connections, connections, connection);
        connections->n_connections--;
        keep_session(connections, connection);
        subscriptions_clear(&connection->subscriptions);
        free(connection->last_topic);
        free(connection->last_payload);
        free(connection->id);
        free(connection);
}

void connections_clear(Connections *connections) {
        while (connections->connections_first)
                connections_remove(connections, connections->connections_first);
        while (connections->sessions_first)
                session_free(connections, connections->sessions_first);
}

Connection *connections_find_client(Connections *connections, const struct mosquitto *client) {
        Connection *connection;

        LIST_FOREACH(connections, connection, connections)
                if (connection->client == client)
                        return connection;
        return NULL;
}

Connection *connections_find_number(Connections *connections, uint64_t number) {
        Connection *connection;

        LIST_FOREACH(connections, connection, connections)
                if (connection->number == number)
                        return connection;
        return NULL;
}

Connection *connections_find_id(Connections *connections, const char *id) {
        Connection *connection;

        LIST_FOREACH(connections, connection, connections)
                if (streq(connection->id, id))
                        return connection;
        return NULL;
}

int connection_subscribe(Connection *connection, const char *filter, int qos) {
        Subscriptions *s = &connection->subscriptions;

        connection_unsubscribe(connection, filter);
        if (s->n_items >= SUBSCRIPTIONS_MAX)
                return -ENOSPC;
        s->items[s->n_items].filter = strdup(filter);
        if (!s->items[s->n_items].filter)
                return -ENOMEM;
        s->items[s->n_items].qos = qos;
        s->n_items++;
        return 0;
}

void connection_unsubscribe(Connection *connection, const char *filter) {
        Subscriptions *s = &connection->subscriptions;

        for (size_t i = 0; i < s->n_items; i++)
                if (streq(s->items[i].filter, filter)) {
                        free(s->items[i].filter);
                        s->items[i] = s->items[--s->n_items];
                        return;
                }
}

int connection_wants(const Connection *connection, const char *topic) {
        const Subscriptions *s = &connection->subscriptions;
        int qos = -1;
        bool matches;

        for (size_t i = 0; i < s->n_items; i++)
                if (mosquitto_topic_matches_sub(s->items[i].filter, topic, &matches) ==
                            MOSQ_ERR_SUCCESS &&
                    matches && s->items[i].qos > qos)
                        qos = s->items[i].qos;
        return qos > 1 ? 1 : qos;
}

void connection_keep_answer(Connection *connection, const char *topic, const void *payload,
                            size_t n) {
        free(connection->last_topic);
        free(connection->last_payload);
        connection->last_topic = strdup(topic);
        connection->last_payload = malloc(n + 1);
        connection->last_payload_n = n;
        if (connection->last_payload)
                memcpy(connection->last_payload, payload, n);
}

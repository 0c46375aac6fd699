/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/access.h"

#include <errno.h>
#include <string.h>

#include <mosquitto_broker.h>

#include "tests/cloud/plugin/dps-topic.h"
#include "tests/cloud/plugin/template.h"
#include "tests/cloud/plugin/wire.h"

/* The service's limits. */
#define CLIENT_ID_MAX 128
#define PAYLOAD_MAX (128 * 1024)

/* What the service answers instead of MQTT 3.1.1's 5. */
#define CONNACK_NOT_AUTHORISED 7

/* … and DPS. */
#define CONNACK_DPS_NOT_AUTHORISED 5

static void breach(Cloud *cloud, const Connection *connection, Breach which, const char *detail) {
        record_breach(cloud->record, which, connection->number, connection->id, detail);
}

static bool is_claim(const Cloud *cloud, const Fingerprint *certificate) {
        for (size_t i = 0; i < cloud->n_claims; i++)
                if (streq(cloud->claims[i].hex, certificate->hex))
                        return true;
        return false;
}

static int peer_fingerprint(const struct mosquitto *client, Fingerprint *ret) {
        X509 *certificate = mosquitto_client_certificate(client);
        int r;

        if (!certificate)
                return -ENOENT;
        r = fingerprint_of(certificate, ret);
        X509_free(certificate);
        return r;
}

static void journal_connect(Cloud *cloud, const char *id, uint64_t connection,
                            const Fingerprint *certificate, const char *role, const char *outcome) {
        record_journal(cloud->record,
                       json_pack("{s:s, s:s, s:I, s:s, s:s, s:s}", "event", "connect", "client", id,
                                 "connection", (json_int_t) connection, "certificateId",
                                 certificate->hex, "role", role, "outcome", outcome));
}

static AccessResult refuse(Cloud *cloud, const char *id, const Fingerprint *certificate,
                           const char *role, const char *why, int connack) {
        cloud->stats.refused++;
        journal_connect(cloud, id, 0, certificate, role, why);
        if (connack < 0)
                return ACCESS_DROP;
        wire_set_connack(connack);
        return ACCESS_REFUSED;
}

static AccessResult accept_client(Cloud *cloud, const struct mosquitto *client, const char *id,
                                  Role role, const Fingerprint *certificate) {
        Connection *former = connections_find_id(&cloud->connections, id);
        Connection *connection;

        if (former)
                breach(cloud, former, BREACH_CLIENT_ID_TAKEN_OVER, NULL);
        connection = connections_add(&cloud->connections, client, id,
                                     mosquitto_client_clean_session(client));
        if (!connection)
                return ACCESS_DROP;
        connection->role = role;
        connection->certificate = *certificate;
        cloud->stats.connects++;
        journal_connect(cloud, id, connection->number, certificate,
                        role == ROLE_CLAIM    ? "claim"
                        : role == ROLE_DEVICE ? "device"
                                              : "registration",
                        "accepted");
        return ACCESS_ALLOWED;
}

/* What the faults of sessions make of a CONNECT; ACCESS_ALLOWED: nothing. */
static AccessResult strike_connect(Cloud *cloud, const char *id, const Fingerprint *fingerprint) {
        Strike strike;

        faults_strike_connect(&cloud->faults, id, &strike);
        if (strike.by[FAULT_CONNECT_DROP])
                return refuse(cloud, id, fingerprint, "any", "dropped", -1);
        if (strike.by[FAULT_CONNACK])
                return refuse(cloud, id, fingerprint, "any", "connack",
                              (int) (strike.by[FAULT_CONNACK]->number & 0xff));
        return ACCESS_ALLOWED;
}

AccessResult access_connect_dps(Cloud *cloud, const struct mosquitto *client, const char *user_name,
                                const char *password) {
        const char *id = mosquitto_client_id(client), *why;
        X509 *certificate = mosquitto_client_certificate(client);
        Fingerprint fingerprint = {};
        Connection *connection;
        AccessResult result;
        DpsUser user;

        wire_set_connack(-1);
        if (certificate)
                (void) fingerprint_of(certificate, &fingerprint);
        why = dps_login(&cloud->dps_keys, id, user_name, password, certificate, &user);
        X509_free(certificate);
        result = strike_connect(cloud, id, &fingerprint);
        if (result != ACCESS_ALLOWED)
                return result;
        if (why)
                return refuse(cloud, id, &fingerprint, "registration", why,
                              CONNACK_DPS_NOT_AUTHORISED);
        result = accept_client(cloud, client, id, ROLE_REGISTRATION, &fingerprint);
        connection = connections_find_client(&cloud->connections, client);
        if (connection)
                memcpy(connection->api_version, user.api_version, sizeof(user.api_version));
        record_journal(cloud->record, json_pack("{s:s, s:s, s:s}", "event", "login", "client", id,
                                                "with", user.with));
        return result;
}

AccessResult access_connect(Cloud *cloud, const struct mosquitto *client) {
        const char *id = mosquitto_client_id(client);
        Fingerprint fingerprint = {};
        const Certificate *certificate;
        AccessResult result;

        wire_set_connack(-1);
        if (peer_fingerprint(client, &fingerprint) < 0)
                return refuse(cloud, id, &fingerprint, "nobody", "no-certificate", -1);
        result = strike_connect(cloud, id, &fingerprint);
        if (result != ACCESS_ALLOWED)
                return result;
        if (strlen(id) > CLIENT_ID_MAX || id[0] == '$') {
                record_breach(cloud->record, BREACH_CLIENT_ID_INVALID, 0, id, NULL);
                return refuse(cloud, id, &fingerprint, "any", "client-id-invalid",
                              CONNACK_NOT_AUTHORISED);
        }
        if (is_claim(cloud, &fingerprint))
                return accept_client(cloud, client, id, ROLE_CLAIM, &fingerprint);
        certificate = registry_find(cloud->registry, fingerprint.hex);
        if (!certificate)
                return refuse(cloud, id, &fingerprint, "unknown", "unknown",
                              CONNACK_NOT_AUTHORISED);
        if (!certificate_is_active(certificate))
                return refuse(cloud, id, &fingerprint, "device",
                              certificate_state_to_string(certificate->state),
                              CONNACK_NOT_AUTHORISED);
        return accept_client(cloud, client, id, ROLE_DEVICE, &fingerprint);
}

void access_disconnect(Cloud *cloud, const struct mosquitto *client) {
        Connection *connection = connections_find_client(&cloud->connections, client);

        if (!connection)
                return;
        record_journal(cloud->record,
                       json_pack("{s:s, s:s, s:I}", "event", "disconnect", "client", connection->id,
                                 "connection", (json_int_t) connection->number));
        connections_remove(&cloud->connections, connection);
}

/* A wildcard below the templates' prefix is what the sample policies of both allow. */
static bool policy_allows(const Connection *connection, const char *topic) {
        Topic parsed;

        return !topic_parse(topic, &parsed) || parsed.operation != OPERATION_REGISTER ||
               template_allows(parsed.template_name, connection->role == ROLE_DEVICE);
}

static bool may_subscribe(const Connection *connection, const char *filter) {
        return connection->role == ROLE_REGISTRATION
                       ? streq(filter, DPS_ANSWERS)
                       : topic_filter_allowed(filter) && policy_allows(connection, filter);
}

static bool may_publish(const Connection *connection, const char *topic) {
        DpsRequest request;
        Topic parsed;

        if (connection->role == ROLE_REGISTRATION)
                return dps_topic_parse(topic, &request);
        return topic_parse(topic, &parsed) && parsed.part == TOPIC_REQUEST &&
               policy_allows(connection, topic);
}

AccessResult access_subscribe(Cloud *cloud, const struct mosquitto *client, const char *filter,
                              int qos) {
        Connection *connection = connections_find_client(&cloud->connections, client);
        Strike strike;

        if (!connection)
                return ACCESS_DROP;
        if (!may_subscribe(connection, filter)) {
                breach(cloud, connection, BREACH_SUBSCRIBE_WITHOUT_RIGHT, filter);
                return ACCESS_DROP;
        }
        faults_strike_topic(&cloud->faults, SCOPE_SUBSCRIBE, filter, connection->id, &strike);
        if (strike.by[FAULT_DENY_SUBSCRIBE])
                return ACCESS_DROP;
        if (strike.by[FAULT_SUBACK_REFUSE])
                return ACCESS_REFUSED;
        switch (connection_subscribe(connection, filter, qos)) {
        case 0:
                return ACCESS_ALLOWED;
        case -ENOSPC:
                breach(cloud, connection, BREACH_TOO_MANY_SUBSCRIPTIONS, filter);
                return ACCESS_DROP;
        default:
                return ACCESS_DROP;
        }
}

void access_unsubscribe(Cloud *cloud, const struct mosquitto *client, const char *filter) {
        Connection *connection = connections_find_client(&cloud->connections, client);

        if (connection)
                connection_unsubscribe(connection, filter);
}

AccessResult access_publish(Cloud *cloud, const struct mosquitto *client, const char *topic,
                            size_t payload_n, int qos, bool retain) {
        Connection *connection = connections_find_client(&cloud->connections, client);
        Strike strike;

        if (!connection)
                return ACCESS_DROP;
        if (!may_publish(connection, topic)) {
                breach(cloud, connection, BREACH_PUBLISH_WITHOUT_RIGHT, topic);
                return ACCESS_DROP;
        }
        if (qos > 1) {
                breach(cloud, connection, BREACH_QOS_2, topic);
                return ACCESS_DROP;
        }
        if (retain) {
                breach(cloud, connection, BREACH_RETAINED, topic);
                return ACCESS_DROP;
        }
        if (payload_n > PAYLOAD_MAX) {
                breach(cloud, connection, BREACH_PAYLOAD_TOO_LARGE, topic);
                return ACCESS_DROP;
        }
        faults_strike_topic(&cloud->faults, SCOPE_PUBLISH, topic, connection->id, &strike);
        return strike.by[FAULT_DENY_PUBLISH] ? ACCESS_DROP : ACCESS_ALLOWED;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/service.h"

#include <string.h>

#include <mosquitto_broker.h>

#include "tests/cloud/plugin/codec.h"
#include "tests/cloud/plugin/operation.h"
#include "tests/cloud/plugin/reply.h"
#include "tests/cloud/plugin/wake.h"

/* Of all clients. */
#define KEY_REQUESTS_MAX 1000

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free);

static void journal_operation(Cloud *cloud, const Connection *connection, const Topic *topic,
                              const char *what, const Outcome *outcome, const Strike *strike) {
        bool rejected = outcome->body && !outcome->accepted;

        record_journal(
                cloud->record,
                json_pack("{s:s, s:s, s:I, s:s, s:s, s:s*, s:s, s:o*, s:s*, s:s*, s:s*, s:o*}",
                          "event", "operation", "client", connection->id, "connection",
                          (json_int_t) connection->number, "operation",
                          operation_to_string(topic->operation), "format",
                          format_to_string(topic->format), "template",
                          topic->template_name[0] ? topic->template_name : NULL, "outcome",
                          what       ? what
                          : rejected ? "rejected"
                                     : "accepted",
                          "statusCode", rejected ? json_integer(outcome->status) : NULL,
                          "errorCode", rejected ? outcome->code : NULL, "certificateId",
                          outcome->certificate.hex[0] ? outcome->certificate.hex : NULL,
                          "thingName", outcome->thing, "faults", strike_names(strike)));
}

/* Rejections that the service makes before it looks at the request. */
static bool reject_at_once(const Strike *strike, Outcome *ret) {
        const Fault *reject = strike->by[FAULT_REJECT];

        if (strike->by[FAULT_THROTTLE])
                outcome_reject(ret, 429, "ThrottlingException", "Rate exceeded");
        else if (reject)
                outcome_reject(ret, reject->status, reject->code, reject->message);
        return ret->body;
}

static void work(Cloud *cloud, const Connection *connection, const Topic *topic,
                 const json_t *request, EVP_PKEY *key, const Strike *strike, Outcome *ret) {
        if (reject_at_once(strike, ret))
                return;
        switch (topic->operation) {
        case OPERATION_CREATE_CSR:
                operation_create_csr(cloud, connection, request, strike, ret);
                break;
        case OPERATION_CREATE_KEYS:
                operation_create_keys(cloud, connection, key, strike, ret);
                break;
        case OPERATION_REGISTER:
                operation_register(cloud, connection, topic->template_name, request, strike, ret);
                break;
        case OPERATION_DPS_REGISTER:
        case OPERATION_DPS_QUERY:
        case OPERATION_MAX:
                break;
        }
}

/* An answer of the kind that another client would have got: the certificate is for a key of nobody.
 */
static void send_foreign(Cloud *cloud, Connection *connection, const Topic *topic,
                         const json_t *request, EVP_PKEY *key, const Strike *strike) {
        Strike foreign = {.by[FAULT_FOREIGN] = strike->by[FAULT_FOREIGN_FIRST]};
        Outcome outcome = {};

        if (topic->operation == OPERATION_REGISTER) {
                outcome.accepted = true;
                outcome.body = json_pack("{s:s}", "thingName", "thing-foreign");
        } else
                work(cloud, connection, topic, request, key, &foreign, &outcome);
        journal_operation(cloud, connection, topic, "foreign", &outcome, &foreign);
        reply_send(cloud, connection, topic, &outcome, &foreign, false);
        outcome_clear(&outcome);
}

static Verdict perform(Cloud *cloud, Connection *connection, const Topic *topic,
                       const json_t *request, EVP_PKEY *key) {
        Outcome outcome = {};
        Verdict verdict = VERDICT_GO_ON;
        Strike strike;

        faults_strike_request(&cloud->faults, topic->operation, connection->id, &strike);
        if (strike.by[FAULT_CUT_BEFORE] || strike.by[FAULT_DROP]) {
                bool cut = strike.by[FAULT_CUT_BEFORE];

                journal_operation(cloud, connection, topic, cut ? "cut" : "dropped", &outcome,
                                  &strike);
                return cut ? VERDICT_CUT : VERDICT_GO_ON;
        }
        if (strike.by[FAULT_FOREIGN_FIRST])
                send_foreign(cloud, connection, topic, request, key, &strike);
        work(cloud, connection, topic, request, key, &strike, &outcome);
        if (outcome.accepted)
                cloud->stats.accepted[topic->operation]++;
        else
                cloud->stats.rejected[topic->operation]++;
        journal_operation(cloud, connection, topic, NULL, &outcome, &strike);
        if (strike.by[FAULT_CUT_AFTER])
                verdict = VERDICT_CUT;
        else if (!strike.by[FAULT_DROP_ANSWER])
                reply_send(cloud, connection, topic, &outcome, &strike, true);
        outcome_clear(&outcome);
        return verdict;
}

static void breach(Cloud *cloud, const Connection *connection, Breach which, const char *detail) {
        record_breach(cloud->record, which, connection->number, connection->id, detail);
}

static json_t *decode(Cloud *cloud, const Connection *connection, const Topic *topic,
                      const void *payload, size_t n) {
        const char *why = NULL;
        json_t *request;

        if (topic->operation == OPERATION_CREATE_KEYS && n == 0)
                return json_object();
        request = codec_decode(topic->format, payload, n, &why);
        if (!request)
                breach(cloud, connection, BREACH_REQUEST_MALFORMED, why);
        if (topic->operation == OPERATION_CREATE_KEYS &&
            !(json_is_object(request) && json_object_size(request) == 0))
                breach(cloud, connection, BREACH_KEYS_WITH_PAYLOAD, NULL);
        return request;
}

static void wait_for_key(Cloud *cloud, const Connection *connection, const Topic *topic) {
        KeyRequest *waiting, *i;
        size_t n = 0;

        LIST_FOREACH(key_requests, i, cloud)
                n++;
        waiting = n < KEY_REQUESTS_MAX ? calloc(1, sizeof(*waiting)) : NULL;
        if (!waiting)
                return;
        waiting->connection = connection->number;
        waiting->topic = *topic;
        LIST_APPEND(key_requests, cloud, waiting);
}

Verdict service_request(Cloud *cloud, Connection *connection, const Topic *topic,
                        const void *payload, size_t n) {
        _cleanup_(EVP_PKEY_freep) EVP_PKEY *key = NULL;
        json_t *request;
        Verdict verdict;

        cloud->stats.requests[topic->operation]++;
        if (connection->pending > 0)
                breach(cloud, connection, BREACH_SECOND_REQUEST,
                       operation_to_string(topic->operation));
        connection->pending++;
        request = decode(cloud, connection, topic, payload, n);
        if (topic->operation == OPERATION_CREATE_KEYS) {
                /* Those that wait come first. */
                key = cloud->key_requests_first ? NULL : key_pool_take(cloud->keys);
                if (!key) {
                        json_decref(request);
                        wait_for_key(cloud, connection, topic);
                        return VERDICT_GO_ON;
                }
        }
        verdict = perform(cloud, connection, topic, request, key);
        json_decref(request);
        return verdict;
}

static void serve_key_request(Cloud *cloud, const KeyRequest *waiting, EVP_PKEY *key) {
        Connection *connection = connections_find_number(&cloud->connections, waiting->connection);

        if (connection && perform(cloud, connection, &waiting->topic, NULL, key) == VERDICT_CUT)
                mosquitto_kick_client_by_clientid(connection->id, false);
}

void service_serve_key_requests(Cloud *cloud) {
        KeyRequest *waiting;
        EVP_PKEY *key;

        while ((waiting = cloud->key_requests_first) && (key = key_pool_take(cloud->keys))) {
                LIST_REMOVE(key_requests, cloud, waiting);
                serve_key_request(cloud, waiting, key);
                free(waiting);
                EVP_PKEY_free(key);
        }
}

void service_forget(Cloud *cloud, const Connection *connection) {
        KeyRequest *waiting, *next;

        LIST_FOREACH_SAFE(key_requests, waiting, next, cloud)
                if (waiting->connection == connection->number) {
                        LIST_REMOVE(key_requests, cloud, waiting);
                        free(waiting);
                }
}

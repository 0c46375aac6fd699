/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/dps-service.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/cloud/plugin/codec.h"
#include "tests/cloud/plugin/dps-issue.h"
#include "tests/cloud/plugin/reply.h"
#include "tests/cloud/plugin/wake.h"

#define RETRY_AFTER_DEFAULT "1"
#define HUB "hub.test.azure-devices.net"

/* A query that comes so much too early may have been sent in time, by another clock's seconds. */
#define EARLY_TOLERANCE_USEC (20 * USEC_PER_MSEC)

/* An answer in the making. */
typedef struct DpsOutcome {
        int status;         /* HTTP's */
        const char *word;   /* the operation's status; NULL: an error */
        int64_t error_code; /* 0: none */
        json_t *body;
        Registration *registration; /* NULL: none */
        bool retry_after;           /* the service says how long to wait */
} DpsOutcome;

static void breach(Cloud *cloud, const Connection *connection, Breach which, const char *detail) {
        record_breach(cloud->record, which, connection->number, connection->id, detail);
}

static void outcome_error(DpsOutcome *o, int status, int64_t code, const char *message) {
        char now[32];

        dps_time(now);
        o->status = status;
        o->error_code = code;
        o->body = json_pack("{s:I, s:s, s:s, s:s}", "errorCode", (json_int_t) code, "trackingId",
                            "00000000-0000-0000-0000-0000000000d5", "message", message,
                            "timestampUtc", now);
}

/* What becomes of a registration stands in its id, as the hook's refusals do in serial numbers. */
static const char *final_word(const Registration *registration, const Strike *strike) {
        if (strike->by[FAULT_STATUS])
                return strike->by[FAULT_STATUS]->value;
        if (strstr(registration->id, "disabled"))
                return "disabled";
        if (strstr(registration->id, "failing"))
                return "failed";
        if (strstr(registration->id, "unassigned"))
                return "unassigned";
        return "assigned";
}

/* What was issued, or what the fault makes of it. */
static void put_issued(Cloud *cloud, const Registration *registration, const Strike *strike,
                       json_t *state) {
        json_t *issued = strike->by[FAULT_ISSUED]
                                 ? dps_issue_spoiled(cloud->authority, registration->issued,
                                                     strike->by[FAULT_ISSUED]->value)
                                 : json_incref(registration->issued);

        if (issued)
                json_object_update(state, issued);
        json_decref(issued);
}

static json_t *make_state(Cloud *cloud, Registration *registration, const Strike *strike,
                          const char *word) {
        _cleanup_free_ char *device = strdup(registration->id);
        char now[32];
        json_t *state;

        dps_time(now);
        for (char *p = device; p && *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p = (char) (*p - 'A' + 'a');
        state = json_pack("{s:s, s:s, s:s, s:s, s:s}", "registrationId", registration->id,
                          "createdDateTimeUtc", registration->created, "lastUpdatedDateTimeUtc",
                          now, "status", word, "etag", "IjAwMDAwMDAxIg==");
        if (strcmp(word, "assigned") == 0) {
                json_object_set_new(state, "assignedHub", json_string(HUB));
                json_object_set_new(state, "deviceId", json_string(device));
                json_object_set_new(state, "substatus",
                                    json_string(registration->assigned <= 1
                                                        ? "initialAssignment"
                                                        : "reprovisionedToInitialAssignment"));
                if (registration->payload)
                        json_object_set(state, "payload", registration->payload);
                put_issued(cloud, registration, strike, state);
        } else if (strcmp(word, "failed") == 0) {
                json_object_set_new(state, "errorCode", json_integer(400209));
                json_object_set_new(state, "errorMessage",
                                    json_string("No hub takes this device."));
        }
        return state;
}

/* Still at it, or over. */
static void outcome_progress(Cloud *cloud, Registration *registration, const Strike *strike,
                             bool is_query, DpsOutcome *o) {
        o->registration = registration;
        if (registration->left > 0 || !(is_query || strike->by[FAULT_ASSIGNING])) {
                registration->left -= is_query;
                o->status = 202;
                o->word = "assigning";
                o->retry_after = true;
                o->body = json_pack("{s:s, s:s}", "operationId", registration->operation_id,
                                    "status", "assigning");
                return;
        }
        o->status = 200;
        o->word = final_word(registration, strike);
        registration->assigned += !registration->over && streq(o->word, "assigned");
        registration->over = true;
        o->body = json_pack("{s:s, s:s, s:o}", "operationId", registration->operation_id, "status",
                            o->word, "registrationState",
                            make_state(cloud, registration, strike, o->word));
}

static void work_register(Cloud *cloud, Connection *connection, const json_t *body,
                          const Strike *strike, DpsOutcome *o) {
        const char *id = json_string_value(json_object_get(body, "registrationId"));
        Registration *registration = dps_registry_find(&cloud->dps, connection->id);
        json_t *payload = json_object_get(body, "payload"), *issued = NULL;
        const char *why;

        if (!id || strcasecmp(id, connection->id) != 0) {
                breach(cloud, connection, BREACH_REQUEST_MALFORMED, "registrationId");
                outcome_error(o, 400, 400004, "The registration id is missing or another's.");
                return;
        }
        why = dps_issue(cloud->authority, connection->api_version, connection->id, body, &issued);
        if (why) {
                outcome_error(o, 400, 400000, why);
                return;
        }
        if (registration && registration->told && !registration->over)
                breach(cloud, connection, BREACH_REGISTERED_ANEW, registration->operation_id);
        registration = dps_registry_begin(&cloud->dps, connection->id);
        if (!registration) {
                json_decref(issued);
                outcome_error(o, 500, 500001, "Out of memory.");
                return;
        }
        registration->payload = json_incref(payload);
        registration->issued = issued;
        if (strike->by[FAULT_ASSIGNING])
                registration->left = strike->by[FAULT_ASSIGNING]->number;
        outcome_progress(cloud, registration, strike, false, o);
}

static void work_query(Cloud *cloud, Connection *connection, const DpsRequest *request,
                       const Strike *strike, DpsOutcome *o) {
        Registration *registration = dps_registry_find(&cloud->dps, connection->id);

        if (!registration || strcmp(registration->operation_id, request->operation_id) != 0) {
                outcome_error(o, 404, 404204, "There is no such operation.");
                return;
        }
        if (wake_now() + EARLY_TOLERANCE_USEC < registration->not_before)
                breach(cloud, connection, BREACH_QUERIED_TOO_EARLY, request->operation_id);
        outcome_progress(cloud, registration, strike, true, o);
}

static void work(Cloud *cloud, Connection *connection, const DpsRequest *request,
                 const json_t *body, const Strike *strike, DpsOutcome *o) {
        const Fault *reject = strike->by[FAULT_REJECT];

        if (strike->by[FAULT_THROTTLE]) {
                outcome_error(o, 429, 429001, "Operations are being throttled for this tenant.");
                o->retry_after = true;
        } else if (reject) {
                outcome_error(o, reject->status, strtoll(reject->code, NULL, 10), reject->message);
                o->retry_after = strike->by[FAULT_RETRY_AFTER];
        } else if (request->operation == OPERATION_DPS_REGISTER)
                work_register(cloud, connection, body, strike, o);
        else
                work_query(cloud, connection, request, strike, o);
}

static const char *retry_after_of(const DpsOutcome *o, const Strike *strike) {
        if (!o->retry_after)
                return NULL;
        if (!strike->by[FAULT_RETRY_AFTER])
                return RETRY_AFTER_DEFAULT;
        return streq(strike->by[FAULT_RETRY_AFTER]->value, "none")
                       ? NULL
                       : strike->by[FAULT_RETRY_AFTER]->value;
}

/* An answer to a request of nobody, before the right one. */
static void send_foreign(Cloud *cloud, const Connection *connection, const Strike *strike) {
        static const char body[] = "{\"operationId\":\"5.0\",\"status\":\"disabled\"}";

        reply_send_bytes(cloud, connection, dps_topic_answer("of-nobody", 200, NULL, false),
                         strdup(body), strlen(body), strike, false);
}

/* What a fault does to a client is never a breach: it knows of no operation. */
static bool can_be_read(const Strike *strike) {
        static const FaultKind spoils[] = {FAULT_FOREIGN,   FAULT_TOPIC,     FAULT_WIRE,
                                           FAULT_LATE,      FAULT_MALFORMED, FAULT_WRONG_TYPES,
                                           FAULT_TRUNCATED, FAULT_OVERSIZE};

        for (size_t i = 0; i < ELEMENTSOF(spoils); i++)
                if (strike->by[spoils[i]])
                        return false;
        return true;
}

static void answer(Cloud *cloud, const Connection *connection, const DpsRequest *request,
                   const DpsOutcome *o, const Strike *strike) {
        const char *retry_after = retry_after_of(o, strike);
        const char *rid = strike->by[FAULT_FOREIGN] ? "of-nobody" : request->rid;
        unsigned times = strike->by[FAULT_DOUBLE] ? 2 : 1;

        if (strike->by[FAULT_REPLAY])
                reply_send_former(cloud, connection, reply_due(strike));
        if (strike->by[FAULT_FOREIGN_FIRST])
                send_foreign(cloud, connection, strike);
        for (unsigned i = 0; i < times; i++) {
                size_t n = 0;
                char *topic = strike->by[FAULT_TOPIC]
                                      ? strdup(strike->by[FAULT_TOPIC]->value)
                                      : dps_topic_answer(rid, o->status, retry_after,
                                                         strike->by[FAULT_SWAPPED]);
                void *payload = codec_encode(FORMAT_JSON, o->body, strike, &n);

                reply_send_bytes(cloud, connection, topic, payload, n, strike, i == 0);
        }
        if (o->registration) {
                o->registration->told = o->registration->told || can_be_read(strike);
                if (retry_after)
                        o->registration->not_before =
                                wake_now() + strtoull(retry_after, NULL, 10) * USEC_PER_SEC;
        }
}

static void journal(Cloud *cloud, const Connection *connection, const DpsRequest *request,
                    const DpsOutcome *o, const char *what, const Strike *strike) {
        record_journal(
                cloud->record,
                json_pack("{s:s, s:s, s:I, s:s, s:s, s:o*, s:o*, s:s*, s:o*}", "event", "operation",
                          "client", connection->id, "connection", (json_int_t) connection->number,
                          "operation", operation_to_string(request->operation), "outcome",
                          what      ? what
                          : o->word ? o->word
                                    : "rejected",
                          "statusCode", o->status ? json_integer(o->status) : NULL, "errorCode",
                          o->error_code ? json_integer(o->error_code) : NULL, "operationId",
                          o->registration ? o->registration->operation_id : NULL, "faults",
                          strike_names(strike)));
}

static json_t *decode(Cloud *cloud, const Connection *connection, const DpsRequest *request,
                      const void *payload, size_t n) {
        const char *why = NULL;
        json_t *body;

        if (request->operation == OPERATION_DPS_QUERY)
                return NULL; /* whatever it holds */
        body = codec_decode(FORMAT_JSON, payload, n, &why);
        if (!json_is_object(body))
                breach(cloud, connection, BREACH_REQUEST_MALFORMED, why ? why : "is no object");
        return body;
}

Verdict dps_service_request(Cloud *cloud, Connection *connection, const DpsRequest *request,
                            const void *payload, size_t n) {
        json_t *body = NULL;
        DpsOutcome o = {};
        Strike strike;
        bool cut;

        cloud->stats.requests[request->operation]++;
        if (connection->pending > 0)
                breach(cloud, connection, BREACH_SECOND_REQUEST,
                       operation_to_string(request->operation));
        connection->pending++;
        faults_strike_request(&cloud->faults, request->operation, connection->id, &strike);
        cut = strike.by[FAULT_CUT_BEFORE];
        if (cut || strike.by[FAULT_DROP]) {
                journal(cloud, connection, request, &o, cut ? "cut" : "dropped", &strike);
                return cut ? VERDICT_CUT : VERDICT_GO_ON;
        }
        body = decode(cloud, connection, request, payload, n);
        work(cloud, connection, request, body, &strike, &o);
        if (o.word)
                cloud->stats.accepted[request->operation]++;
        else
                cloud->stats.rejected[request->operation]++;
        journal(cloud, connection, request, &o, NULL, &strike);
        if (!strike.by[FAULT_CUT_AFTER] && !strike.by[FAULT_DROP_ANSWER])
                answer(cloud, connection, request, &o, &strike);
        json_decref(o.body);
        json_decref(body);
        return strike.by[FAULT_CUT_AFTER] ? VERDICT_CUT : VERDICT_GO_ON;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reads what the service says, and decides whether it is the answer to what was asked. Nothing in
 * an answer names its request, so a broker that doubles, delays or misdirects one could give one
 * job's answer to another. What is relied on: answers travel on the connection that asked, one
 * request is open at a time, and a silence of ResponseTimeoutSec means that nothing comes any more.
 *
 * - The right topic, while an answer is awaited; else it is nobody's answer and changes nothing.
 * - A certificate must carry the key of this request, and one that came before is not taken again.
 * - A thing that came before, byte for byte, for other parameters, is not taken again. (Where a
 *   template really gives it twice, that costs a response time, and a try on another connection.)
 * - A refusal for good that came before, byte for byte, is asked for again, once, on another
 *   connection, where it can be nobody else's. A refusal for now costs a wait, and is taken.
 * - Where an answer may still be under way that nobody will wait for, since something came that
 *   cannot be accounted for, or what was taken may have been an earlier one, nothing is asked on
 *   that connection for a response time: who is in a hurry gets another one. What comes before the
 *   first request of a connection is no such thing.
 *
 * What cannot be told: a refusal or a thing that the service sent to us and that belongs to another
 * client, the first time it comes. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/crypto/certificate.h"
#include "daemon/crypto/key.h"
#include "daemon/provider/lane-internal.h"
#include "protocol/aws/answer.h"
#include "protocol/aws/rejection.h"

/* More may come that is nobody's. */
static void distrust(Lane *lane) {
        if (!lane->asked_here)
                return;
        lane->distrusted_until = usec_add(clock_boot_usec(), lane->profile->response_timeout_usec);
}

static void bad_answer(Lane *lane, ErrorCode code, const char *what, const char *why) {
        distrust(lane); /* the right one may follow */
        aws_exchange_event(lane, EXCHANGE_EVENT_BAD_ANSWER,
                           failure_new(code, "The answer to %s cannot be used: %s", what,
                                       why ? why : "out of memory"));
}

static void ignore_answer(Lane *lane, const char *why) {
        const LogField fields[] = {{"FLEETPROV_PROFILE", lane->profile->name},
                                   {"FLEETPROV_JOB", lane->job ? lane->job->id : NULL}};

        log_message(LOG_WARNING, fields, ELEMENTSOF(fields),
                    "Profile %s: an answer is ignored: %s.", lane->profile->name, why);
}

/* --- certificates */

/* A key of the cloud's making must be the certificate's own. 0, or -EKEYREJECTED. */
static int adopt_cloud_key(JobRun *run, const AwsAnswer *answer, const Certificate *certificate,
                           char **ret_why) {
        _cleanup_secret_ Secret *pem = NULL;
        _cleanup_crypto_key_ CryptoKey *key = NULL;
        int r;

        pem = secret_new(answer->private_key, strlen(answer->private_key));
        if (!pem)
                return -ENOMEM;
        r = crypto_key_from_pem(pem, NULL, &key, ret_why);
        if (r < 0)
                return r;
        r = crypto_key_matches_certificate(key, certificate, ret_why);
        if (r < 0)
                return r;
        secret_free(run->secrets.private_key);
        run->secrets.private_key = TAKE_PTR(pem);
        return 0;
}

static void ignore_foreign(Lane *lane, const char *why) {
        lane->job->run->saw_foreign_answer = true;
        distrust(lane);
        ignore_answer(lane, why);
}

static int adopt_created(Lane *lane, AwsAnswer *answer) {
        JobRun *run = lane->job->run;
        JobResult *result = &lane->job->result;
        Secret *token;

        token = secret_new(answer->ownership_token, strlen(answer->ownership_token));
        if (!token)
                return -ENOMEM;
        secret_free(run->secrets.ownership_token);
        run->secrets.ownership_token = token;
        lane->job->token_made_boot = clock_boot_usec();
        free(result->certificate_id);
        free(result->certificate_pem);
        result->certificate_id = TAKE_PTR(answer->certificate_id);
        result->certificate_pem = TAKE_PTR(answer->certificate_pem);
        return 0;
}

static void on_created(Lane *lane, const char *title, AwsAnswer *answer, uint64_t hash) {
        _cleanup_certificate_ Certificate *certificate = NULL;
        _cleanup_free_ char *why = NULL;
        JobRun *run = lane->job->run;
        uint64_t id_hash;
        int r;

        r = certificate_parse(answer->certificate_pem, strlen(answer->certificate_pem),
                              &certificate, &why);
        if (r < 0) {
                bad_answer(lane, ERROR_BAD_RESPONSE, title, why);
                return;
        }
        id_hash = answers_hash(ANSWERS_HASH_START, answer->certificate_id,
                               strlen(answer->certificate_id));
        if (answers_seen_elsewhere(&lane->answers, lane->request_serial, id_hash)) {
                ignore_answer(lane, "its certificate answered another request before");
                return;
        }
        if (run->exchange.key_source == KEY_SOURCE_CLOUD) {
                r = adopt_cloud_key(run, answer, certificate, &why);
                if (r == -EKEYREJECTED) {
                        ignore_foreign(lane, "its certificate carries another key than it brings");
                        return;
                }
                if (r < 0) {
                        bad_answer(lane, ERROR_BAD_RESPONSE, title, why);
                        return;
                }
        } else if (!certificate_carries_key(certificate, run->spki, run->spki_size)) {
                ignore_foreign(lane, "its certificate carries another key than this job's");
                return;
        }
        answers_seen_add(&lane->answers, lane->request_serial, id_hash);
        answers_seen_add(&lane->answers, lane->request_serial, hash);
        r = adopt_created(lane, answer);
        if (r < 0) {
                bad_answer(lane, ERROR_NO_MEMORY, title, NULL);
                return;
        }
        aws_exchange_event(lane, EXCHANGE_EVENT_CREATED, NULL);
}

/* --- things */

static uint64_t parameters_hash(const Job *job) {
        uint64_t hash = ANSWERS_HASH_START;

        for (size_t i = 0; i < job->spec->parameters.n; i++) {
                const Parameter *p = job->spec->parameters.items + i;

                hash = answers_hash(hash, p->name, strlen(p->name) + 1);
                hash = answers_hash(hash, p->value, strlen(p->value) + 1);
        }
        return hash;
}

static int adopt_registered(Job *job, AwsAnswer *answer) {
        JobResult *result = &job->result;

        parameters_done(&result->device_configuration);
        for (size_t i = 0; i < answer->n_configuration; i++) {
                int r = parameters_set(&result->device_configuration, answer->configuration[i].name,
                                       answer->configuration[i].value);

                if (r < 0)
                        return r;
        }
        result->has_device_configuration = answer->has_configuration;
        free(result->thing_name);
        result->thing_name = TAKE_PTR(answer->thing_name);
        return 0;
}

static void on_registered(Lane *lane, const char *title, AwsAnswer *answer, uint64_t hash) {
        uint64_t request = parameters_hash(lane->job);

        if (answers_seen_elsewhere(&lane->answers, request, hash)) {
                ignore_answer(lane, "it answered another request with other parameters before");
                return;
        }
        answers_seen_add(&lane->answers, request, hash);
        if (adopt_registered(lane->job, answer) < 0) {
                bad_answer(lane, ERROR_NO_MEMORY, title, NULL);
                return;
        }
        aws_exchange_event(lane, EXCHANGE_EVENT_REGISTERED, NULL);
}

/* --- the two kinds of answer */

static void on_accepted(Lane *lane, AwsOperation operation, const uint8_t *payload, size_t size,
                        uint64_t hash) {
        _cleanup_(aws_answer_done) AwsAnswer answer = {};
        _cleanup_free_ char *why = NULL;
        int r;

        backoff_reset(&lane->throttle);
        r = aws_answer_parse(operation, lane->format, payload, size, &answer, &why);
        if (r < 0)
                bad_answer(lane, r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_BAD_RESPONSE,
                           aws_exchange_title(operation), why);
        else if (operation == AWS_OPERATION_REGISTER)
                on_registered(lane, aws_exchange_title(operation), &answer, hash);
        else
                on_created(lane, aws_exchange_title(operation), &answer, hash);
}

static uint64_t message_hash(AwsOperation operation, AwsSuffix suffix, const uint8_t *payload,
                             size_t size) {
        const uint8_t topic[] = {(uint8_t) operation, (uint8_t) suffix};

        return answers_hash(answers_hash(ANSWERS_HASH_START, topic, sizeof(topic)), payload, size);
}

static Failure *rejection_failure(const char *title, AwsClass class, AwsRejection *rejection) {
        Failure *f;

        f = failure_new(class == AWS_CLASS_THROTTLED ? ERROR_THROTTLED : ERROR_SERVER_REFUSED,
                        "The service refused %s: %d%s%s%s%s", title, rejection->status_code,
                        rejection->error_code ? " " : "",
                        rejection->error_code ? rejection->error_code : "",
                        rejection->error_message ? ": " : "",
                        rejection->error_message ? rejection->error_message : "");
        if (!f)
                return NULL;
        f->status_code = rejection->status_code;
        f->error_code = TAKE_PTR(rejection->error_code);
        f->error_message = TAKE_PTR(rejection->error_message);
        f->retriable = class == AWS_CLASS_TRANSIENT || class == AWS_CLASS_THROTTLED;
        return f;
}

static ExchangeEventType refusal_event(AwsClass class) {
        switch (class) {
        case AWS_CLASS_TRANSIENT:
                return EXCHANGE_EVENT_REFUSED_TRANSIENT;
        case AWS_CLASS_THROTTLED:
                return EXCHANGE_EVENT_REFUSED_THROTTLED;
        case AWS_CLASS_START_AGAIN:
                return EXCHANGE_EVENT_REFUSED_TOKEN;
        case AWS_CLASS_PERMANENT:
        case AWS_CLASS_MAX:
        case AWS_CLASS_INVALID:
                break;
        }
        return EXCHANGE_EVENT_REFUSED_PERMANENT;
}

static bool is_for_good(AwsClass class) {
        return class != AWS_CLASS_TRANSIENT && class != AWS_CLASS_THROTTLED;
}

static Failure *doubtful_failure(const Lane *lane, Failure *refusal) {
        return failure_with_cause(
                failure_new(ERROR_BAD_RESPONSE,
                            "%s gave the very same refusal before, and nothing in it says to which "
                            "request it belongs; asking again on another connection",
                            lane->profile->endpoint),
                refusal);
}

static void on_rejected(Lane *lane, AwsOperation operation, const uint8_t *payload, size_t size,
                        uint64_t hash) {
        _cleanup_(aws_rejection_done) AwsRejection rejection = {};
        bool seen = answers_seen(&lane->answers, hash);
        _cleanup_free_ char *why = NULL;
        Failure *failure;
        AwsClass class;
        int r;

        r = aws_rejection_parse(lane->format, payload, size, &rejection, &why);
        if (r < 0) {
                bad_answer(lane, r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_BAD_RESPONSE,
                           aws_exchange_title(operation), why);
                return;
        }
        class = aws_rejection_classify(operation, rejection.status_code, rejection.error_code);
        failure = rejection_failure(aws_exchange_title(operation), class, &rejection);
        answers_seen_add(&lane->answers, lane->request_serial, hash);
        if (class != AWS_CLASS_THROTTLED)
                backoff_reset(&lane->throttle);
        if (seen)
                distrust(lane);
        if (seen && is_for_good(class) && !lane->job->run->exchange.doubted)
                aws_exchange_event(lane, EXCHANGE_EVENT_DOUBTFUL, doubtful_failure(lane, failure));
        else
                aws_exchange_event(lane, refusal_event(class), failure);
}

void aws_answer_on_message(Lane *lane, const AwsTopic *topic, const uint8_t *payload, size_t size) {
        uint64_t hash = message_hash(topic->operation, topic->suffix, payload, size);

        if (!lane->job || lane->publish_pending ||
            !exchange_is_in_flight(&lane->job->run->exchange) ||
            aws_exchange_operation(lane->job->run) != topic->operation) {
                if (!answers_seen(&lane->answers, hash))
                        distrust(lane);
                ignore_answer(lane, "nobody waits for it");
                return;
        }
        lane_answered(lane, topic->operation);
        switch (topic->suffix) {
        case AWS_SUFFIX_ACCEPTED:
                on_accepted(lane, topic->operation, payload, size, hash);
                return;
        case AWS_SUFFIX_REJECTED:
                on_rejected(lane, topic->operation, payload, size, hash);
                return;
        case AWS_SUFFIX_BARE:
        case AWS_SUFFIX_MAX:
        case AWS_SUFFIX_INVALID:
                return;
        }
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Reads what DPS says, and decides whether it is the answer to what was asked: it bears the request
 * id of the request in flight. Anything else is nobody's answer and changes nothing. */

#include <errno.h>
#include <stdio.h>

#include "daemon/base/log.h"
#include "daemon/crypto/certificate.h"
#include "daemon/provider/dps-internal.h"
#include "protocol/dps/answer.h"
#include "protocol/dps/topic.h"

#define STATUS_ACCEPTED 202
#define STATUS_REFUSED_MIN 300

DpsRequest dps_request_of(const Registrar *r) {
        return r->job->run->assignment.step == ASSIGNMENT_QUERYING ? DPS_REQUEST_QUERY
                                                                   : DPS_REQUEST_REGISTER;
}

const char *dps_request_title(DpsRequest request) {
        return request == DPS_REQUEST_QUERY ? "The query of the registration" : "The registration";
}

static void tell(Registrar *r, AssignmentEventType type, usec_t retry_after_usec,
                 Failure *failure) {
        const RegistrarEvent event = {type, retry_after_usec, failure};

        registrar_event(r, &event);
}

static void bad_answer(Registrar *r, ErrorCode code, const char *why) {
        tell(r, ASSIGNMENT_EVENT_BAD_ANSWER, USEC_INFINITY,
             failure_new(code, "%s: the answer cannot be used: %s",
                         dps_request_title(dps_request_of(r)), why ? why : "out of memory"));
}

/* --- refusals */

static ErrorCode code_of(DpsClass class) {
        switch (class) {
        case DPS_CLASS_THROTTLED:
                return ERROR_THROTTLED;
        case DPS_CLASS_CREDENTIALS:
                return ERROR_CREDENTIALS_REFUSED;
        case DPS_CLASS_TRANSIENT:
        case DPS_CLASS_UNKNOWN_OPERATION:
        case DPS_CLASS_PERMANENT:
        case DPS_CLASS_MAX:
        case DPS_CLASS_INVALID:
                break;
        }
        return ERROR_SERVER_REFUSED;
}

/* With all that the service said. */
static Failure *refused(DpsRequest request, const DpsRefusal *refusal, DpsClass class,
                        const char *what) {
        Failure *f;

        f = failure_new(code_of(class), "%s was refused: %s%s%s", dps_request_title(request), what,
                        refusal->message ? ": " : "", refusal->message ? refusal->message : "");
        if (!f)
                return NULL;
        f->status_code = refusal->status_code;
        f->retriable = class == DPS_CLASS_TRANSIENT || class == DPS_CLASS_THROTTLED;
        if (free_and_strdup(&f->error_code, refusal->error_code) < 0 ||
            free_and_strdup(&f->error_message, refusal->message) < 0 ||
            free_and_strdup(&f->tracking_id, refusal->tracking_id) < 0)
                return failure_free(f);
        return f;
}

static AssignmentEventType event_of_refusal(DpsClass class) {
        switch (class) {
        case DPS_CLASS_TRANSIENT:
                return ASSIGNMENT_EVENT_REFUSED_TRANSIENT;
        case DPS_CLASS_THROTTLED:
                return ASSIGNMENT_EVENT_REFUSED_THROTTLED;
        case DPS_CLASS_CREDENTIALS:
                return ASSIGNMENT_EVENT_CREDENTIALS_REFUSED;
        case DPS_CLASS_UNKNOWN_OPERATION:
                return ASSIGNMENT_EVENT_OPERATION_UNKNOWN;
        case DPS_CLASS_PERMANENT:
        case DPS_CLASS_MAX:
        case DPS_CLASS_INVALID:
                break;
        }
        return ASSIGNMENT_EVENT_REFUSED_PERMANENT;
}

static void on_refusal(Registrar *r, int status, usec_t retry_after_usec, const uint8_t *payload,
                       size_t size) {
        _cleanup_(dps_refusal_done) DpsRefusal refusal = {};
        DpsRequest request = dps_request_of(r);
        _cleanup_free_ char *what = NULL;
        DpsClass class;

        if (dps_refusal_parse(status, payload, size, &refusal) < 0 ||
            asprintf(&what, "status %d", status) < 0) {
                what = NULL;
                bad_answer(r, ERROR_NO_MEMORY, NULL);
                return;
        }
        class = dps_classify(request, refusal.status_code, refusal.error_number);
        tell(r, event_of_refusal(class), retry_after_usec, refused(request, &refusal, class, what));
}

/* --- outcomes */

/* Failed, disabled, unassigned: of the registration itself. */
static void on_ended(Registrar *r, const DpsAnswer *a, usec_t retry_after_usec) {
        const DpsRefusal *refusal = &a->refusal;
        AssignmentEventType type = ASSIGNMENT_EVENT_ENDED;
        DpsClass class = DPS_CLASS_PERMANENT;

        if (a->assignment == DPS_ASSIGNMENT_FAILED)
                class = dps_classify(DPS_REQUEST_REGISTER, refusal->status_code,
                                     refusal->error_number);
        if (class == DPS_CLASS_TRANSIENT)
                type = ASSIGNMENT_EVENT_ENDED_TRANSIENT;
        else if (class == DPS_CLASS_THROTTLED)
                type = ASSIGNMENT_EVENT_ENDED_THROTTLED;
        tell(r, type, retry_after_usec,
             refused(DPS_REQUEST_REGISTER, refusal, class,
                     a->assignment == DPS_ASSIGNMENT_DISABLED     ? "the enrolment is disabled"
                     : a->assignment == DPS_ASSIGNMENT_UNASSIGNED ? "the device was left unassigned"
                                                                  : "the assignment failed"));
}

static void on_assigning(Registrar *r, DpsAnswer *a, usec_t retry_after_usec) {
        JobResult *result = &r->job->result;

        if (dps_request_of(r) == DPS_REQUEST_REGISTER) {
                if (!a->operation_id) {
                        bad_answer(r, ERROR_BAD_RESPONSE, "operationId is missing");
                        return;
                }
                free(result->operation_id);
                result->operation_id = TAKE_PTR(a->operation_id);
        }
        tell(r, ASSIGNMENT_EVENT_ASSIGNING, retry_after_usec, NULL);
}

/* 0: it carries the key that was asked for, or none was. */
static int check_certificate(const Registrar *r, const DpsAnswer *a, Certificate **ret,
                             char **ret_why) {
        const JobRun *run = r->job->run;
        int k;

        if (!dps_run_wants_certificate(r->job)) {
                *ret = NULL;
                return 0;
        }
        if (!a->certificate_pem) {
                *ret_why = strdup("no certificate was issued: let the enrolment have a credential "
                                  "policy");
                return -EBADMSG;
        }
        k = certificate_parse(a->certificate_pem, strlen(a->certificate_pem), ret, ret_why);
        if (k < 0)
                return k;
        if (certificate_carries_key(*ret, run->spki, run->spki_size))
                return 0;
        *ret = certificate_free(*ret);
        *ret_why = strdup("the certificate carries another key than this job's");
        return -EKEYREJECTED;
}

static int adopt(Job *job, DpsAnswer *a, const Certificate *certificate) {
        JobResult *result = &job->result;

        if (certificate) {
                if (free_and_strdup(&result->certificate_id, certificate->fingerprint) < 0)
                        return -ENOMEM;
                free(result->certificate_pem);
                result->certificate_pem = TAKE_PTR(a->certificate_pem);
        }
        free(result->device_id);
        free(result->assigned_hub);
        free(result->registration_state);
        result->device_id = TAKE_PTR(a->device_id);
        result->assigned_hub = TAKE_PTR(a->assigned_hub);
        result->registration_state = TAKE_PTR(a->registration_state);
        dps_run_forget_operation(job);
        return 0;
}

static void on_assigned(Registrar *r, DpsAnswer *a) {
        const char *id = registrar_id_of(r->profile, r->job->spec);
        _cleanup_certificate_ Certificate *certificate = NULL;
        _cleanup_secret_ Secret *key = NULL;
        _cleanup_free_ char *why = NULL;
        int k;

        if (a->registration_id && !dps_registration_id_equal(a->registration_id, id)) {
                bad_answer(r, ERROR_BAD_RESPONSE, "it is about another registration id");
                return;
        }
        k = check_certificate(r, a, &certificate, &why);
        if (k < 0) {
                bad_answer(r, k == -EKEYREJECTED ? ERROR_KEY_MISMATCH : ERROR_BAD_RESPONSE, why);
                return;
        }
        k = dps_login_own_key(r, &key);
        if (k >= 0)
                k = adopt(r->job, a, certificate);
        if (k < 0) {
                bad_answer(r, ERROR_NO_MEMORY, NULL);
                return;
        }
        secret_free(r->job->run->secrets.symmetric_key);
        r->job->run->secrets.symmetric_key = TAKE_PTR(key);
        tell(r, ASSIGNMENT_EVENT_ASSIGNED, USEC_INFINITY, NULL);
}

static void on_unknown_status(Registrar *r, int status, DpsAnswer *a, usec_t retry_after_usec) {
        _cleanup_free_ char *why = NULL;

        /* HTTP's word is that it goes on. */
        if (status == STATUS_ACCEPTED) {
                on_assigning(r, a, retry_after_usec);
                return;
        }
        if (asprintf(&why, "its status '%s' is not known", a->status) < 0)
                why = NULL;
        bad_answer(r, ERROR_BAD_RESPONSE, why);
}

static void on_answer(Registrar *r, int status, usec_t retry_after_usec, const uint8_t *payload,
                      size_t size) {
        _cleanup_(dps_answer_done) DpsAnswer a = {};
        _cleanup_free_ char *why = NULL;
        int k;

        k = dps_answer_parse(payload, size, &a, &why);
        if (k < 0) {
                bad_answer(r, k == -ENOMEM ? ERROR_NO_MEMORY : ERROR_BAD_RESPONSE, why);
                return;
        }
        switch (a.assignment) {
        case DPS_ASSIGNMENT_ASSIGNING:
                on_assigning(r, &a, retry_after_usec);
                return;
        case DPS_ASSIGNMENT_ASSIGNED:
                on_assigned(r, &a);
                return;
        case DPS_ASSIGNMENT_FAILED:
        case DPS_ASSIGNMENT_DISABLED:
        case DPS_ASSIGNMENT_UNASSIGNED:
                on_ended(r, &a, retry_after_usec);
                return;
        case DPS_ASSIGNMENT_INVALID:
        case DPS_ASSIGNMENT_MAX:
                break;
        }
        on_unknown_status(r, status, &a, retry_after_usec);
}

void dps_on_message(Registrar *r, const char *topic, size_t topic_size, const uint8_t *payload,
                    size_t size) {
        usec_t retry_after_usec;
        DpsAnswerTopic t;

        if (!dps_topic_parse(topic, topic_size, &t) || !r->job ||
            !assignment_is_in_flight(&r->job->run->assignment) || !streq(t.rid, r->rid)) {
                log_warning("Profile %s: a message that answers no request of now, ignored.",
                            r->profile->name);
                return;
        }
        retry_after_usec = t.has_retry_after ? t.retry_after_sec * USEC_PER_SEC : USEC_INFINITY;
        if (t.status >= STATUS_REFUSED_MIN)
                on_refusal(r, t.status, retry_after_usec, payload, size);
        else
                on_answer(r, t.status, retry_after_usec, payload, size);
}

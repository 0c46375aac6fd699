/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Payloads of Azure DPS, as they arrive with a status below 300 and with one above. An input is one
 * payload, read as an answer and as a refusal.
 *
 *   - an answer is taken, or -EBADMSG with a reason that is fit to be shown
 *   - what is taken of it is there, within its bounds and UTF-8; names without control characters
 *   - the state that is kept is JSON, and reads as an answer again: the same one
 *   - a refusal is a refusal whatever stands in it, and is put into some class */

#include <errno.h>
#include <jansson.h>

#include "daemon/base/macro.h"
#include "protocol/dps/answer.h"
#include "protocol/dps/topic.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *s, size_t max) {
        must(!s || (strlen(s) <= max && fuzz_is_text(s)));
}

static void check_name(const char *s, size_t max) {
        check_text(s, max);
        for (; s && *s; s++)
                must((uint8_t) *s >= ' ' && *s != 0x7f);
}

static void check_refusal(const DpsRefusal *r, int status) {
        must(r->status_code == status && r->error_number >= 0);
        check_text(r->error_code, DPS_ERROR_CODE_MAX);
        check_text(r->message, DPS_ERROR_MESSAGE_MAX);
        check_text(r->tracking_id, DPS_TRACKING_ID_MAX);
        check_text(r->timestamp_utc, DPS_TIMESTAMP_MAX);
        for (int i = 0; i < DPS_REQUEST_MAX; i++) {
                DpsClass class = dps_classify((DpsRequest) i, r->status_code, r->error_number);

                must(class >= 0 && class < DPS_CLASS_MAX);
                must(class != DPS_CLASS_UNKNOWN_OPERATION || i == DPS_REQUEST_QUERY);
        }
}

static void check_answer(const DpsAnswer *a) {
        bool assigned = a->assignment == DPS_ASSIGNMENT_ASSIGNED;

        must(a->assignment == DPS_ASSIGNMENT_INVALID ||
             (a->assignment >= 0 && a->assignment < DPS_ASSIGNMENT_MAX));
        must(a->status && (!assigned || (a->device_id && a->assigned_hub)));
        must(!assigned || (*a->device_id && *a->assigned_hub));
        check_name(a->status, DPS_STATUS_TEXT_MAX);
        check_name(a->operation_id, DPS_OPERATION_ID_MAX);
        check_name(a->device_id, DPS_DEVICE_ID_MAX);
        check_name(a->assigned_hub, DPS_HUB_MAX);
        check_text(a->registration_state, DPS_STATE_MAX);
        check_text(a->certificate_pem, DPS_CERTIFICATES_SIZE_MAX);
        check_text(a->trust_bundle_pem, DPS_CERTIFICATES_SIZE_MAX);
        check_refusal(&a->refusal, a->refusal.status_code);
}

/* The payload made of what was kept: status and state. */
static char *write_answer(const DpsAnswer *a) {
        json_t *o = json_object(), *state;
        char *text;

        must(o && json_object_set_new(o, "status", json_string(a->status)) == 0);
        if (a->operation_id)
                must(json_object_set_new(o, "operationId", json_string(a->operation_id)) == 0);
        if (a->registration_state) {
                state = json_loads(a->registration_state, JSON_REJECT_DUPLICATES, NULL);
                must(json_is_object(state));
                must(json_object_set_new(o, "registrationState", state) == 0);
        }
        text = json_dumps(o, JSON_COMPACT);
        must(text);
        json_decref(o);
        return text;
}

static void check_again(const DpsAnswer *a) {
        _cleanup_(dps_answer_done) DpsAnswer b = {};
        _cleanup_free_ char *text = write_answer(a);

        if (strlen(text) > DPS_PAYLOAD_MAX)
                return;
        must(dps_answer_parse(text, strlen(text), &b, NULL) == 0);
        must(a->assignment == b.assignment && streq(a->status, b.status));
        must(fuzz_same_text(a->operation_id, b.operation_id));
        must(fuzz_same_text(a->device_id, b.device_id));
        must(fuzz_same_text(a->assigned_hub, b.assigned_hub));
        must(fuzz_same_text(a->certificate_pem, b.certificate_pem));
        must(fuzz_same_text(a->registration_state, b.registration_state));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(dps_answer_done) DpsAnswer answer = {};
        _cleanup_(dps_refusal_done) DpsRefusal refusal = {};
        int status = size > 0 ? 300 + data[0] * 2 : 300;
        char *why = NULL;
        int r;

        must(dps_refusal_parse(status, data, size, &refusal) == 0);
        check_refusal(&refusal, status);
        r = dps_answer_parse(data, size, &answer, &why);
        must(r == 0 || r == -EBADMSG);
        if (r < 0) {
                fuzz_check_why(why, false);
                return 0;
        }
        must(!why);
        check_answer(&answer);
        check_again(&answer);
        return 0;
}

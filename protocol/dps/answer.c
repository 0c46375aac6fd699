/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dps/answer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/json.h"
#include "protocol/base/scope.h"
#include "protocol/base/why.h"
#include "protocol/base/wipe.h"
#include "protocol/dps/certificates.h"
#include "protocol/dps/field.h"
#include "protocol/dps/refusal-read.h"
#include "protocol/dps/topic.h"

static const char *const dps_assignment_table[DPS_ASSIGNMENT_MAX] = {
        [DPS_ASSIGNMENT_UNASSIGNED] = "unassigned", [DPS_ASSIGNMENT_ASSIGNING] = "assigning",
        [DPS_ASSIGNMENT_ASSIGNED] = "assigned",     [DPS_ASSIGNMENT_FAILED] = "failed",
        [DPS_ASSIGNMENT_DISABLED] = "disabled",
};
DEFINE_STRING_TABLE(dps_assignment, DpsAssignment, DPS_ASSIGNMENT_INVALID);

void dps_answer_done(DpsAnswer *a) {
        free(a->status);
        free(a->operation_id);
        free(a->registration_id);
        free(a->device_id);
        free(a->assigned_hub);
        free(a->substatus);
        /* An allocation of one's own may well hand out a password in its payload. */
        protocol_wipe_free(a->registration_state);
        dps_refusal_done(&a->refusal);
        free(a->certificate_pem);
        free(a->trust_bundle_pem);
        *a = (DpsAnswer){};
}

/* An object that may be missing or null: NULL in `*ret` then. */
static int get_object(const json_t *parent, const char *name, const json_t **ret, char **ret_why) {
        const json_t *object = json_object_get(parent, name);

        if (object && !json_is_null(object) && !json_is_object(object))
                return protocol_why(ret_why, -EBADMSG, "%s must be an object, and is %s", name,
                                    dps_kind_name(object));
        *ret = json_is_object(object) ? object : NULL;
        return 0;
}

/* The service says the status twice; what stands outside is of the operation, and decides. */
static int read_status(const json_t *root, const json_t *state, DpsAnswer *a, char **ret_why) {
        int r;

        r = dps_field_name(root, "status", DPS_STATUS_TEXT_MAX, &a->status, ret_why);
        if (r >= 0 && !a->status)
                r = dps_field_name(state, "status", DPS_STATUS_TEXT_MAX, &a->status, ret_why);
        if (r < 0)
                return r;
        if (!a->status)
                return protocol_why(ret_why, -EBADMSG, "status is missing");
        a->assignment = dps_assignment_from_string(a->status);
        return 0;
}

static int read_names(const json_t *state, DpsAnswer *a, char **ret_why) {
        int r;

        r = dps_field_name(state, "registrationId", DPS_REGISTRATION_ID_MAX, &a->registration_id,
                           ret_why);
        if (r < 0)
                return r;
        r = dps_field_name(state, "deviceId", DPS_DEVICE_ID_MAX, &a->device_id, ret_why);
        if (r < 0)
                return r;
        r = dps_field_name(state, "assignedHub", DPS_HUB_MAX, &a->assigned_hub, ret_why);
        if (r < 0)
                return r;
        if (a->assignment != DPS_ASSIGNMENT_ASSIGNED)
                return 0;
        if (!a->device_id || !a->assigned_hub)
                return protocol_why(ret_why, -EBADMSG, "%s is missing",
                                    a->device_id ? "assignedHub" : "deviceId");
        return 0;
}

/* issuedCertificateChain: a list of texts; issuedClientCertificate: one text. */
static int read_certificates(const json_t *state, DpsAnswer *a, char **ret_why) {
        static const char *const names[] = {"issuedCertificateChain", "issuedClientCertificate"};
        _cleanup_(dps_pem_done) DpsPem pem = {};

        for (size_t i = 0; i < ELEMENTSOF(names) && pem.n == 0; i++) {
                const json_t *value = json_object_get(state, names[i]), *item = value;
                size_t n = json_is_array(value) ? json_array_size(value) : 1;

                if (!value || json_is_null(value))
                        continue;
                for (size_t j = 0; j < n; j++) {
                        int r;

                        if (json_is_array(value))
                                item = json_array_get(value, j);
                        if (!json_is_string(item))
                                return protocol_why(ret_why, -EBADMSG,
                                                    "%s must hold texts, and holds %s", names[i],
                                                    dps_kind_name(item));
                        r = dps_pem_add(&pem, names[i], json_string_value(item), ret_why);
                        if (r < 0)
                                return r;
                }
        }
        a->certificate_pem = TAKE_PTR(pem.text);
        return 0;
}

/* {"certificates":[{"certificate":"…"}, …]} */
static int read_trust_bundle(const json_t *state, DpsAnswer *a, char **ret_why) {
        _cleanup_(dps_pem_done) DpsPem pem = {};
        const json_t *bundle = NULL, *list, *item;
        size_t i;
        int r;

        r = get_object(state, "trustBundle", &bundle, ret_why);
        if (r < 0)
                return r;
        list = json_object_get(bundle, "certificates");
        if (list && !json_is_null(list) && !json_is_array(list))
                return protocol_why(ret_why, -EBADMSG, "certificates must be a list, and is %s",
                                    dps_kind_name(list));
        json_array_foreach(list, i, item) {
                const char *text = json_string_value(json_object_get(item, "certificate"));

                if (!text)
                        return protocol_why(ret_why, -EBADMSG,
                                            "an entry of trustBundle has no certificate");
                r = dps_pem_add(&pem, "trustBundle", text, ret_why);
                if (r < 0)
                        return r;
        }
        a->trust_bundle_pem = TAKE_PTR(pem.text);
        return 0;
}

static int read_state(const json_t *state, DpsAnswer *a, char **ret_why) {
        size_t size;
        int r;

        if (!state && a->assignment == DPS_ASSIGNMENT_ASSIGNED)
                return protocol_why(ret_why, -EBADMSG, "registrationState is missing");
        if (!state)
                return 0;
        r = read_names(state, a, ret_why);
        if (r < 0)
                return r;
        r = dps_field_text(state, "substatus", DPS_STATUS_TEXT_MAX, &a->substatus);
        if (r < 0)
                return r;
        r = dps_refusal_read(state, &a->refusal);
        if (r < 0)
                return r;
        r = read_certificates(state, a, ret_why);
        if (r < 0)
                return r;
        r = read_trust_bundle(state, a, ret_why);
        if (r < 0)
                return r;
        r = protocol_json_write(state, DPS_STATE_MAX, &a->registration_state, &size);
        if (r == -E2BIG)
                return protocol_why(ret_why, -EBADMSG, "registrationState has more than %zu bytes",
                                    DPS_STATE_MAX);
        return r;
}

static int read_answer(const json_t *root, DpsAnswer *a, char **ret_why) {
        const json_t *state = NULL;
        int r;

        r = get_object(root, "registrationState", &state, ret_why);
        if (r < 0)
                return r;
        r = read_status(root, state, a, ret_why);
        if (r < 0)
                return r;
        r = dps_field_name(root, "operationId", DPS_OPERATION_ID_MAX, &a->operation_id, ret_why);
        if (r < 0)
                return r;
        return read_state(state, a, ret_why);
}

int dps_answer_parse(const void *data, size_t size, DpsAnswer *ret, char **ret_why) {
        _cleanup_(protocol_json_wipep) json_t *root = NULL;
        _cleanup_(dps_answer_done) DpsAnswer a = {};
        int r;

        if (size == 0)
                return protocol_why(ret_why, -EBADMSG, "it is empty");
        if (size > DPS_PAYLOAD_MAX)
                return protocol_why(ret_why, -EBADMSG, "it has %zu bytes, and %zu are allowed",
                                    size, DPS_PAYLOAD_MAX);
        r = protocol_json_parse_object(data, size, &root, ret_why);
        if (r < 0)
                return r;
        r = read_answer(root, &a, ret_why);
        if (r < 0)
                return r;
        *ret = a;
        a = (DpsAnswer){};
        return 0;
}

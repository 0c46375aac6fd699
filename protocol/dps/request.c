/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dps/request.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/json.h"
#include "protocol/base/scope.h"
#include "protocol/base/why.h"
#include "protocol/base/wipe.h"
#include "protocol/dps/certificates.h"

int dps_payload_check(const char *payload, char **ret_why) {
        _cleanup_(protocol_json_wipep) json_t *json = NULL;
        _cleanup_(protocol_freep) char *why = NULL;
        size_t size = strlen(payload);
        int r;

        if (size > DPS_PAYLOAD_MAX)
                return protocol_why(ret_why, -E2BIG,
                                    "the payload has %zu bytes, and %zu are allowed", size,
                                    DPS_PAYLOAD_MAX);
        r = protocol_json_parse_value(payload, size, &json, &why);
        if (r == -EBADMSG)
                return protocol_why(ret_why, -EINVAL, "the payload is no JSON: %s",
                                    why ? why : "out of memory");
        return r;
}

/* The request as this version has it, quoted; "" where none is asked for. */
static int quote_csr(const DpsRegistration *registration, char **ret, char **ret_why) {
        _cleanup_(protocol_json_wipep) json_t *json = NULL;
        _cleanup_(protocol_freep) char *base64 = NULL;
        size_t size;
        int r;

        if (registration->issuance == DPS_ISSUANCE_NONE)
                return protocol_why(ret_why, -EINVAL,
                                    "this API version issues no certificates: set ApiVersion= to "
                                    "one that does");
        size = strlen(registration->csr);
        if (size > DPS_CSR_MAX)
                return protocol_why(ret_why, -E2BIG,
                                    "the certificate signing request has %zu bytes, and %zu are "
                                    "allowed",
                                    size, DPS_CSR_MAX);
        r = dps_csr_to_base64(registration->csr, &base64, ret_why);
        if (r < 0)
                return r;
        json = json_string(registration->issuance == DPS_ISSUANCE_CHAIN ? base64
                                                                        : registration->csr);
        if (!json)
                return protocol_why(ret_why, -EINVAL,
                                    "the certificate signing request is not valid UTF-8");
        return protocol_json_write(json, DPS_PAYLOAD_MAX, ret, &size);
}

int dps_request_register(const DpsRegistration *registration, char **ret, size_t *ret_size,
                         char **ret_why) {
        const char *payload = registration->payload, *id = registration->registration_id;
        const char *member = registration->issuance == DPS_ISSUANCE_CHAIN
                                     ? ",\"csr\":"
                                     : ",\"clientCertificateCsr\":";
        _cleanup_(protocol_freep) char *csr = NULL;
        char *text, *end;
        size_t room;
        int r;

        if (!dps_registration_id_is_valid(id))
                return protocol_why(ret_why, -EINVAL,
                                    "the registration id must have 1 to %zu letters, digits or "
                                    "'-._:', and end in a letter, a digit or '-'",
                                    DPS_REGISTRATION_ID_MAX);
        if (payload) {
                r = dps_payload_check(payload, ret_why);
                if (r < 0)
                        return r;
        }
        if (registration->csr) {
                r = quote_csr(registration, &csr, ret_why);
                if (r < 0)
                        return r;
        }

        /* By hand: the payload goes out as it came, numbers to their last digit. An id has nothing
         * in it that JSON would escape. */
        room = strlen("{\"registrationId\":\"\",\"payload\":}") + strlen(id) +
               (payload ? strlen(payload) : 0) + (csr ? strlen(member) + strlen(csr) : 0);
        if (room > DPS_PAYLOAD_MAX)
                return protocol_why(ret_why, -E2BIG,
                                    "the registration has more than %zu bytes: make its payload "
                                    "shorter",
                                    DPS_PAYLOAD_MAX);
        text = malloc(room + 1);
        if (!text)
                return -ENOMEM;
        end = stpcpy(stpcpy(stpcpy(text, "{\"registrationId\":\""), id), "\"");
        if (payload)
                end = stpcpy(stpcpy(end, ",\"payload\":"), payload);
        if (csr)
                end = stpcpy(stpcpy(end, member), csr);
        end = stpcpy(end, "}");
        *ret = text;
        *ret_size = (size_t) (end - text);
        return 0;
}

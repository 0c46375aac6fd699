/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests in JSON (RFC 8259). */
#include "protocol/aws/request-write.h"

#include <jansson.h>

#include "protocol/base/json.h"
#include "protocol/base/scope.h"
#include "protocol/base/wipe.h"

static int add_parameters(json_t *root, const AwsRequest *request) {
        json_t *parameters = json_object();

        /* Takes it, and NULL for a failure, too. */
        if (json_object_set_new_nocheck(root, "parameters", parameters) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < request->n_parameters; i++) {
                const AwsParameter *p = &request->parameters[i];

                if (json_object_set_new_nocheck(parameters, p->name,
                                                json_string_nocheck(p->value)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int aws_request_write_json(const AwsRequest *request, AwsBuffer *ret) {
        _cleanup_(protocol_json_wipep) json_t *root = json_object();
        size_t size;
        char *text;
        int r;

        if (!root || json_object_set_new_nocheck(
                             root, request->name,
                             json_stringn_nocheck(request->value, request->value_size)) < 0)
                return -ENOMEM;
        if (request->n_parameters > 0) {
                r = add_parameters(root, request);
                if (r < 0)
                        return r;
        }

        r = protocol_json_write(root, AWS_PAYLOAD_MAX, &text, &size);
        if (r < 0)
                return r;
        *ret = (AwsBuffer){(uint8_t *) text, size};
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests in JSON (RFC 8259). json_dumpb() writes into a buffer of ours: the other ways of jansson
 * to write leave copies of the token behind, in buffers that grew. */
#include "protocol/aws/request-write.h"

#include <jansson.h>
#include <stdlib.h>

#include "protocol/aws/scope.h"
#include "protocol/aws/wipe.h"

#define DUMP_FLAGS JSON_COMPACT

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
        _cleanup_(aws_json_wipep) json_t *root = json_object();
        size_t size;
        uint8_t *data;
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

        size = json_dumpb(root, NULL, 0, DUMP_FLAGS);
        if (size == 0)
                return -ENOMEM;
        if (size > AWS_PAYLOAD_MAX)
                return -E2BIG;
        data = malloc(size);
        if (!data)
                return -ENOMEM;
        if (json_dumpb(root, (char *) data, size, DUMP_FLAGS) != size) {
                aws_wipe_free(data);
                return -ENOMEM;
        }
        *ret = (AwsBuffer){data, size};
        return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Private: the one shape that all requests have, for the two encodings to write. What is in here
 * was checked before. */

#include "protocol/aws/request.h"

typedef struct AwsRequest {
        const char *name;  /* the member that is always there ... */
        const char *value; /* ... and its text */
        size_t value_size;
        const AwsParameter *parameters; /* the member "parameters"; 0 of them: it is left out */
        size_t n_parameters;
} AwsRequest;

/* -ENOMEM; -E2BIG: over AWS_PAYLOAD_MAX */
int aws_request_write_json(const AwsRequest *request, AwsBuffer *ret);
int aws_request_write_cbor(const AwsRequest *request, AwsBuffer *ret);

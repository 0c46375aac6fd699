/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Payloads of the three requests. All bounds are checked here, so that nothing is sent that cannot
 * be right: a refusal says what is wrong and how it is mended. */

#include <stddef.h>
#include <stdint.h>

#include "protocol/aws/format.h"
#include "protocol/ipc/limits.h"

#define AWS_CSR_MAX IPC_CSR_MAX
/* Tokens seen have some 500 bytes, and are opaque: leave room, and leave room beside it. */
#define AWS_TOKEN_MAX ((size_t) 32 * 1024)
/* Twice what a job may bring: a profile adds its own. */
#define AWS_PARAMETERS_MAX (2 * IPC_PARAMETERS_MAX)
#define AWS_PARAMETER_NAME_MAX IPC_PARAMETER_NAME_MAX
#define AWS_PARAMETER_VALUE_MAX IPC_PARAMETER_VALUE_MAX

/* A payload. It may hold an ownership token: let it go with aws_buffer_wipe(). */
typedef struct AwsBuffer {
        uint8_t *data; /* NULL where size is 0 */
        size_t size;
} AwsBuffer;

/* Wipes and frees; the buffer is empty afterwards. Takes an empty or a zeroed one. Fit for a
 * cleanup attribute. */
void aws_buffer_wipe(AwsBuffer *b);

/* One template parameter. Both are UTF-8; the value may be empty. */
typedef struct AwsParameter {
        const char *name;
        const char *value;
} AwsParameter;

/* All of these: 0, and `*ret` filled; -EINVAL: something is empty, not UTF-8 or there twice;
 * -E2BIG: over a bound above; then `*ret_why` is a text for people, free() it (NULL where memory
 * was too short for it). -ENOMEM. `ret_why` may be NULL, and is left alone on success. No such text
 * holds a value. */

/* `csr`: PEM, at most AWS_CSR_MAX bytes. Its form is not looked into. */
int aws_request_create_from_csr(AwsFormat format, const char *csr, AwsBuffer *ret, char **ret_why);

/* Zero bytes in either encoding: "an empty message payload" is what the API page asks for. */
int aws_request_create_keys(AwsFormat format, AwsBuffer *ret, char **ret_why);

/* `token`: `token_size` bytes, no terminator needed. Without parameters the optional member
 * "parameters" is left out; their order is kept. */
int aws_request_register(AwsFormat format, const char *token, size_t token_size,
                         const AwsParameter *parameters, size_t n_parameters, AwsBuffer *ret,
                         char **ret_why);

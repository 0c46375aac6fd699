/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/aws/format.h"

static const char *const aws_format_table[AWS_FORMAT_MAX] = {
        [AWS_FORMAT_JSON] = "json",
        [AWS_FORMAT_CBOR] = "cbor",
};
DEFINE_STRING_TABLE(aws_format, AwsFormat, AWS_FORMAT_INVALID);

static const char *const aws_operation_table[AWS_OPERATION_MAX] = {
        [AWS_OPERATION_CREATE_FROM_CSR] = "create-from-csr",
        [AWS_OPERATION_CREATE_KEYS] = "create",
        [AWS_OPERATION_REGISTER] = "register",
};
DEFINE_STRING_TABLE(aws_operation, AwsOperation, AWS_OPERATION_INVALID);

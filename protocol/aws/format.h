/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The words of AWS IoT fleet provisioning: what can be asked, and in which of two encodings. The
 * names are those that stand in the topics. */

#include <errno.h>
#include <stddef.h>

#include "protocol/ipc/string-table.h"

/* A whole MQTT payload, either way. The service's own limit is 128 KiB; its longest answer, keys
 * and certificate, has some 3.6 KB. */
#define AWS_PAYLOAD_MAX ((size_t) 64 * 1024)

typedef enum AwsFormat {
        AWS_FORMAT_JSON,
        AWS_FORMAT_CBOR,
        AWS_FORMAT_MAX,
        AWS_FORMAT_INVALID = -EINVAL,
} AwsFormat;
DECLARE_STRING_TABLE(aws_format, AwsFormat); /* "json", "cbor" */

typedef enum AwsOperation {
        AWS_OPERATION_CREATE_FROM_CSR, /* CreateCertificateFromCsr */
        AWS_OPERATION_CREATE_KEYS,     /* CreateKeysAndCertificate */
        AWS_OPERATION_REGISTER,        /* RegisterThing */
        AWS_OPERATION_MAX,
        AWS_OPERATION_INVALID = -EINVAL,
} AwsOperation;
DECLARE_STRING_TABLE(aws_operation, AwsOperation); /* "create-from-csr", "create", "register" */

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the service says when it refuses, kept whole, and what that means for us. */

#include <stddef.h>

#include "protocol/aws/format.h"

/* Longer texts are cut, at a character's boundary: a refusal is a refusal however long. */
#define AWS_ERROR_CODE_MAX ((size_t) 128)
#define AWS_ERROR_MESSAGE_MAX ((size_t) 4096)

/* HTTP's (RFC 9110, section 15), and room for what a service may make up. */
#define AWS_STATUS_CODE_MIN 100
#define AWS_STATUS_CODE_MAX 999

typedef struct AwsRejection {
        int status_code;     /* AWS_STATUS_CODE_MIN to _MAX */
        char *error_code;    /* NULL: it said none */
        char *error_message; /* NULL: it said none; may hold control characters */
} AwsRejection;

/* Frees; it is empty afterwards. Takes a zeroed one. Fit for a cleanup attribute. */
void aws_rejection_done(AwsRejection *r);

/* Parses the payload of a "rejected" topic; results as those of aws_answer_parse(). The status code
 * must be there; the texts may be missing, null or empty. */
int aws_rejection_parse(AwsFormat format, const void *data, size_t size, AwsRejection *ret,
                        char **ret_why);

typedef enum AwsClass {
        AWS_CLASS_TRANSIENT,   /* the service's fault: the same request later */
        AWS_CLASS_THROTTLED,   /* too many at once, in the whole account: later, and slower */
        AWS_CLASS_START_AGAIN, /* the token is spent or expired: once more from create */
        AWS_CLASS_PERMANENT,   /* the same request will be refused again */
        AWS_CLASS_MAX,
        AWS_CLASS_INVALID = -EINVAL,
} AwsClass;
DECLARE_STRING_TABLE(aws_class, AwsClass); /* "transient", "throttled", ... */

/* There is no official list of codes: those that were seen count, else the status code decides.
 * `error_code` may be NULL. */
AwsClass aws_rejection_classify(AwsOperation operation, int status_code, const char *error_code);

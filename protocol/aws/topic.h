/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The topics of fleet provisioning: 3 operations, 2 encodings, and for each the topic of the
 * request and those of the two answers. Case counts, and nothing may stand before or behind. */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/aws/format.h"

/* AWS IoT API reference, ProvisioningTemplate: 1 to 36 of [0-9A-Za-z_-]. */
#define AWS_TEMPLATE_NAME_MAX ((size_t) 36)

typedef enum AwsSuffix {
        AWS_SUFFIX_BARE, /* the request */
        AWS_SUFFIX_ACCEPTED,
        AWS_SUFFIX_REJECTED,
        AWS_SUFFIX_MAX,
        AWS_SUFFIX_INVALID = -EINVAL,
} AwsSuffix;
DECLARE_STRING_TABLE(aws_suffix, AwsSuffix); /* "", "/accepted", "/rejected" */

typedef struct AwsTopic {
        AwsOperation operation;
        AwsFormat format;
        AwsSuffix suffix;
        char template_name[AWS_TEMPLATE_NAME_MAX + 1]; /* "" unless AWS_OPERATION_REGISTER */
} AwsTopic;

/* False for NULL, too. */
bool aws_template_name_is_valid(const char *name);

/* Makes the topic; free() it. `template_name` counts for AWS_OPERATION_REGISTER alone.
 * -EINVAL: an enum out of its range, or a bad template name. -ENOMEM. */
int aws_topic_build(AwsOperation operation, AwsFormat format, const char *template_name,
                    AwsSuffix suffix, char **ret);

/* Whether these `size` bytes (no terminator needed; they may hold anything, NUL included) are a
 * topic of fleet provisioning, and which. `*ret` is filled only then. */
bool aws_topic_parse(const char *topic, size_t size, AwsTopic *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Topics, as a broker could name them. An input is one topic's name. What is taken for a topic of
 * fleet provisioning is made of the same bytes again by aws_topic_build(); and each name of a
 * template that is valid comes back out of the topic that is made of it. */

#include "daemon/base/macro.h"
#include "protocol/aws/topic.h"
#include "tests/fuzz/fuzz.h"

static void check_parse(const uint8_t *data, size_t size) {
        _cleanup_free_ char *built = NULL;
        AwsTopic topic = {};

        if (!aws_topic_parse((const char *) data, size, &topic))
                return;
        must(topic.operation >= 0 && topic.operation < AWS_OPERATION_MAX);
        must((topic.operation == AWS_OPERATION_REGISTER) ==
             aws_template_name_is_valid(topic.template_name));
        must(aws_topic_build(topic.operation, topic.format, topic.template_name, topic.suffix,
                             &built) == 0);
        must(strlen(built) == size && memcmp(built, data, size) == 0);
}

static void check_build(const char *name) {
        _cleanup_free_ char *built = NULL;
        AwsTopic topic = {};
        int r;

        r = aws_topic_build(AWS_OPERATION_REGISTER, AWS_FORMAT_CBOR, name, AWS_SUFFIX_REJECTED,
                            &built);
        must((r == 0) == aws_template_name_is_valid(name));
        if (r < 0)
                return;
        must(aws_topic_parse(built, strlen(built), &topic));
        must(topic.operation == AWS_OPERATION_REGISTER && topic.format == AWS_FORMAT_CBOR);
        must(topic.suffix == AWS_SUFFIX_REJECTED && streq(topic.template_name, name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *name = strndup((const char *) data, size);

        must(name);
        check_parse(data, size);
        check_build(name);
        return 0;
}

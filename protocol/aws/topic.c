/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/aws/topic.h"

#include <stdio.h>
#include <string.h>

#include "protocol/base/rest.h"

#define CREATE_PREFIX "$aws/certificates/create/"
#define CREATE_FROM_CSR_PREFIX "$aws/certificates/create-from-csr/"
#define TEMPLATES_PREFIX "$aws/provisioning-templates/"
#define PROVISION_INFIX "/provision/"

/* Not isalnum(): what a name is must not depend on the locale. */
#define TEMPLATE_NAME_CHARACTERS "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"

static const char *const aws_suffix_table[AWS_SUFFIX_MAX] = {
        [AWS_SUFFIX_BARE] = "",
        [AWS_SUFFIX_ACCEPTED] = "/accepted",
        [AWS_SUFFIX_REJECTED] = "/rejected",
};
DEFINE_STRING_TABLE(aws_suffix, AwsSuffix, AWS_SUFFIX_INVALID);

bool aws_template_name_is_valid(const char *name) {
        size_t n;

        if (!name)
                return false;
        n = strspn(name, TEMPLATE_NAME_CHARACTERS);
        return n > 0 && n <= AWS_TEMPLATE_NAME_MAX && name[n] == '\0';
}

int aws_topic_build(AwsOperation operation, AwsFormat format, const char *template_name,
                    AwsSuffix suffix, char **ret) {
        const char *f = aws_format_to_string(format), *s = aws_suffix_to_string(suffix);
        char *topic = NULL;
        int n = -1;

        if (!f || !s)
                return -EINVAL;
        switch (operation) {
        case AWS_OPERATION_CREATE_FROM_CSR:
                n = asprintf(&topic, CREATE_FROM_CSR_PREFIX "%s%s", f, s);
                break;
        case AWS_OPERATION_CREATE_KEYS:
                n = asprintf(&topic, CREATE_PREFIX "%s%s", f, s);
                break;
        case AWS_OPERATION_REGISTER:
                if (!aws_template_name_is_valid(template_name))
                        return -EINVAL;
                n = asprintf(&topic, TEMPLATES_PREFIX "%s" PROVISION_INFIX "%s%s", template_name, f,
                             s);
                break;
        case AWS_OPERATION_MAX:
        case AWS_OPERATION_INVALID:
                return -EINVAL;
        }
        if (n < 0)
                return -ENOMEM;
        *ret = topic;
        return 0;
}

/* Takes the template's name, up to the next '/'. */
static bool take_template(Rest *rest, AwsTopic *topic) {
        const char *end = memchr(rest->p, '/', rest->size);
        size_t n = end ? (size_t) (end - rest->p) : rest->size;

        if (n > AWS_TEMPLATE_NAME_MAX || memchr(rest->p, '\0', n))
                return false;
        memcpy(topic->template_name, rest->p, n);
        topic->template_name[n] = '\0';
        rest->p += n;
        rest->size -= n;
        return aws_template_name_is_valid(topic->template_name);
}

bool aws_topic_parse(const char *topic, size_t size, AwsTopic *ret) {
        AwsTopic t = {.format = AWS_FORMAT_INVALID};
        Rest rest = {topic, size};

        if (rest_skip(&rest, CREATE_FROM_CSR_PREFIX))
                t.operation = AWS_OPERATION_CREATE_FROM_CSR;
        else if (rest_skip(&rest, CREATE_PREFIX))
                t.operation = AWS_OPERATION_CREATE_KEYS;
        else if (rest_skip(&rest, TEMPLATES_PREFIX) && take_template(&rest, &t) &&
                 rest_skip(&rest, PROVISION_INFIX))
                t.operation = AWS_OPERATION_REGISTER;
        else
                return false;

        for (AwsFormat f = 0; f < AWS_FORMAT_MAX; f++)
                if (rest_skip(&rest, aws_format_to_string(f))) {
                        t.format = f;
                        break;
                }
        if (t.format == AWS_FORMAT_INVALID)
                return false;
        for (AwsSuffix s = 0; s < AWS_SUFFIX_MAX; s++)
                if (rest_is(&rest, aws_suffix_to_string(s))) {
                        t.suffix = s;
                        *ret = t;
                        return true;
                }
        return false;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/aws/request.h"

#include <string.h>

#include "protocol/aws/request-write.h"
#include "protocol/base/utf8.h"
#include "protocol/base/why.h"
#include "protocol/base/wipe.h"

void aws_buffer_wipe(AwsBuffer *b) {
        protocol_wipe_free(b->data);
        *b = (AwsBuffer){};
}

/* Not empty, no more than `max`, UTF-8, no NUL. */
static int check_text(const char *what, const char *s, size_t size, size_t max, char **ret_why) {
        if (size == 0)
                return protocol_why(ret_why, -EINVAL, "%s is empty", what);
        if (size > max)
                return protocol_why(ret_why, -E2BIG, "%s has %zu bytes, and %zu are allowed", what,
                                    size, max);
        if (memchr(s, '\0', size))
                return protocol_why(ret_why, -EINVAL, "%s has a NUL in it", what);
        if (!protocol_utf8_is_valid(s, size))
                return protocol_why(ret_why, -EINVAL, "%s is not valid UTF-8", what);
        return 0;
}

static int check_parameter(const AwsParameter *parameters, size_t i, char **ret_why) {
        const char *name = parameters[i].name, *value = parameters[i].value;
        ProtocolShownName shown = protocol_show_name(name, strlen(name));
        int r;

        r = check_text("the name of a template parameter", name, strlen(name),
                       AWS_PARAMETER_NAME_MAX, ret_why);
        if (r < 0)
                return r;
        if (strlen(value) > AWS_PARAMETER_VALUE_MAX)
                return protocol_why(ret_why, -E2BIG,
                                    "the value of template parameter %s has %zu bytes, and %zu are "
                                    "allowed",
                                    shown.text, strlen(value), AWS_PARAMETER_VALUE_MAX);
        if (!protocol_utf8_is_valid(value, strlen(value)))
                return protocol_why(ret_why, -EINVAL,
                                    "the value of template parameter %s is not valid UTF-8",
                                    shown.text);
        for (size_t j = 0; j < i; j++)
                if (strcmp(parameters[j].name, name) == 0)
                        return protocol_why(ret_why, -EINVAL,
                                            "template parameter %s is there more than once",
                                            shown.text);
        return 0;
}

static int write_request(AwsFormat format, const AwsRequest *request, AwsBuffer *ret,
                         char **ret_why) {
        int r = -EINVAL;

        switch (format) {
        case AWS_FORMAT_JSON:
                r = aws_request_write_json(request, ret);
                break;
        case AWS_FORMAT_CBOR:
                r = aws_request_write_cbor(request, ret);
                break;
        case AWS_FORMAT_MAX:
        case AWS_FORMAT_INVALID:
                return protocol_why(ret_why, -EINVAL, "no such payload format");
        }
        if (r == -E2BIG)
                return protocol_why(
                        ret_why, r,
                        "the request has more than %zu bytes: make its template parameters "
                        "shorter, or fewer",
                        AWS_PAYLOAD_MAX);
        return r;
}

int aws_request_create_from_csr(AwsFormat format, const char *csr, AwsBuffer *ret, char **ret_why) {
        AwsRequest request = {
                .name = "certificateSigningRequest",
                .value = csr,
                .value_size = strlen(csr),
        };
        int r;

        r = check_text("the certificate signing request", csr, request.value_size, AWS_CSR_MAX,
                       ret_why);
        if (r < 0)
                return r;
        return write_request(format, &request, ret, ret_why);
}

int aws_request_create_keys(AwsFormat format, AwsBuffer *ret, char **ret_why) {
        if (!aws_format_to_string(format))
                return protocol_why(ret_why, -EINVAL, "no such payload format");
        *ret = (AwsBuffer){};
        return 0;
}

int aws_request_register(AwsFormat format, const char *token, size_t token_size,
                         const AwsParameter *parameters, size_t n_parameters, AwsBuffer *ret,
                         char **ret_why) {
        AwsRequest request = {
                .name = "certificateOwnershipToken",
                .value = token,
                .value_size = token_size,
                .parameters = parameters,
                .n_parameters = n_parameters,
        };
        int r;

        r = check_text("the ownership token", token, token_size, AWS_TOKEN_MAX, ret_why);
        if (r < 0)
                return r;
        if (n_parameters > AWS_PARAMETERS_MAX)
                return protocol_why(ret_why, -E2BIG,
                                    "there are %zu template parameters, and %zu are "
                                    "allowed",
                                    n_parameters, AWS_PARAMETERS_MAX);
        for (size_t i = 0; i < n_parameters; i++) {
                r = check_parameter(parameters, i, ret_why);
                if (r < 0)
                        return r;
        }
        return write_request(format, &request, ret, ret_why);
}

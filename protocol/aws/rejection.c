/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/aws/rejection.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "protocol/aws/document.h"
#include "protocol/base/scope.h"
#include "protocol/base/utf8.h"
#include "protocol/base/why.h"

#define STATUS_REQUEST_TIMEOUT 408    /* RFC 9110, section 15.5.9: may be repeated */
#define STATUS_TOO_MANY_REQUESTS 429  /* RFC 6585, section 4 */
#define STATUS_INTERNAL_ERROR_MIN 500 /* RFC 9110, section 15.6: the server's own fault */

static const char *const aws_class_table[AWS_CLASS_MAX] = {
        [AWS_CLASS_TRANSIENT] = "transient",
        [AWS_CLASS_THROTTLED] = "throttled",
        [AWS_CLASS_START_AGAIN] = "start-again",
        [AWS_CLASS_PERMANENT] = "permanent",
};
DEFINE_STRING_TABLE(aws_class, AwsClass, AWS_CLASS_INVALID);

void aws_rejection_done(AwsRejection *r) {
        free(r->error_code);
        free(r->error_message);
        *r = (AwsRejection){};
}

static int take_status(const AwsMap *map, int *ret, char **ret_why) {
        const AwsField *field = aws_map_find(map, "statusCode");

        if (!field)
                return protocol_why(ret_why, -EBADMSG, "statusCode is missing");
        if (field->kind != AWS_KIND_INTEGER)
                return protocol_why(ret_why, -EBADMSG, "statusCode must be an integer, and is %s",
                                    aws_kind_name(field->kind));
        if (field->integer < AWS_STATUS_CODE_MIN || field->integer > AWS_STATUS_CODE_MAX)
                return protocol_why(ret_why, -EBADMSG,
                                    "statusCode is %s, and must be from %d to %d", field->text,
                                    AWS_STATUS_CODE_MIN, AWS_STATUS_CODE_MAX);
        *ret = (int) field->integer;
        return 0;
}

/* What people are told may be missing: the refusal stands without it. */
static int take_text(AwsMap *map, const char *name, size_t max, char **ret, char **ret_why) {
        AwsField *field = aws_map_find(map, name);

        if (!field || field->kind == AWS_KIND_NULL)
                return 0;
        if (field->kind != AWS_KIND_TEXT)
                return protocol_why(ret_why, -EBADMSG, "%s must be a text, and is %s", name,
                                    aws_kind_name(field->kind));
        field->text[protocol_utf8_cut(field->text, strlen(field->text), max)] = '\0';
        if (field->text[0] != '\0')
                *ret = TAKE_PTR(field->text);
        return 0;
}

int aws_rejection_parse(AwsFormat format, const void *data, size_t size, AwsRejection *ret,
                        char **ret_why) {
        _cleanup_(aws_map_done) AwsMap map = {};
        _cleanup_(aws_rejection_done) AwsRejection rejection = {};
        int r;

        r = aws_document_parse(format, data, size, &map, ret_why);
        if (r < 0)
                return r;
        r = take_status(&map, &rejection.status_code, ret_why);
        if (r < 0)
                return r;
        r = take_text(&map, "errorCode", AWS_ERROR_CODE_MAX, &rejection.error_code, ret_why);
        if (r < 0)
                return r;
        r = take_text(&map, "errorMessage", AWS_ERROR_MESSAGE_MAX, &rejection.error_message,
                      ret_why);
        if (r < 0)
                return r;
        *ret = rejection;
        rejection = (AwsRejection){};
        return 0;
}

/* The service writes some of its codes as names of exceptions, with that word behind them. */
static bool code_is(const char *code, const char *name) {
        size_t n = strlen(name);

        return code && strncasecmp(code, name, n) == 0 &&
               (code[n] == '\0' || strcasecmp(code + n, "Exception") == 0);
}

static bool code_is_throttling(const char *code) {
        /* Throttled, Throttling, ThrottlingException; other parts of AWS send it with status 400.
         */
        static const char prefix[] = "Throttl";

        return (code && strncasecmp(code, prefix, sizeof(prefix) - 1) == 0) ||
               code_is(code, "TooManyRequests");
}

/* Codes that were seen and mean no, whatever status they come with. */
static bool code_is_permanent(const char *code) {
        static const char *const names[] = {
                "ACCESS_DENIED", "AccessDenied",      "InvalidPayload",   "InvalidRequest",
                "InvalidCSR",    "ResourceConflicts", "ResourceNotFound",
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (code_is(code, names[i]))
                        return true;
        return false;
}

AwsClass aws_rejection_classify(AwsOperation operation, int status_code, const char *error_code) {
        if (operation == AWS_OPERATION_REGISTER &&
            code_is(error_code, "InvalidCertificateOwnershipToken"))
                return AWS_CLASS_START_AGAIN;
        if (status_code == STATUS_TOO_MANY_REQUESTS || code_is_throttling(error_code))
                return AWS_CLASS_THROTTLED;
        if (code_is_permanent(error_code))
                return AWS_CLASS_PERMANENT;
        if (status_code >= STATUS_INTERNAL_ERROR_MIN || status_code == STATUS_REQUEST_TIMEOUT)
                return AWS_CLASS_TRANSIENT;
        return AWS_CLASS_PERMANENT;
}

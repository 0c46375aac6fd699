/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/aws/answer.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/aws/document.h"
#include "protocol/base/scope.h"
#include "protocol/base/why.h"
#include "protocol/base/wipe.h"

void aws_answer_done(AwsAnswer *a) {
        free(a->certificate_id);
        free(a->certificate_pem);
        protocol_wipe_free(a->ownership_token);
        protocol_wipe_free(a->private_key);
        free(a->thing_name);
        for (size_t i = 0; i < a->n_configuration; i++) {
                free(a->configuration[i].name);
                /* A template may well hand out a password here. */
                protocol_wipe_free(a->configuration[i].value);
        }
        free(a->configuration);
        *a = (AwsAnswer){};
}

/* Moves a text that must be there out of the document. */
static int take_text(AwsMap *map, const char *name, size_t max, char **ret, char **ret_why) {
        AwsField *field = aws_map_find(map, name);

        if (!field)
                return protocol_why(ret_why, -EBADMSG, "%s is missing", name);
        if (field->kind != AWS_KIND_TEXT)
                return protocol_why(ret_why, -EBADMSG, "%s must be a text, and is %s", name,
                                    aws_kind_name(field->kind));
        if (field->text[0] == '\0')
                return protocol_why(ret_why, -EBADMSG, "%s is empty", name);
        if (strlen(field->text) > max)
                return protocol_why(ret_why, -EBADMSG, "%s has %zu bytes, and %zu are allowed",
                                    name, strlen(field->text), max);
        *ret = TAKE_PTR(field->text);
        return 0;
}

/* Likewise a name, which will be shown, logged and put into client ids. */
static int take_name(AwsMap *map, const char *name, size_t max, char **ret, char **ret_why) {
        int r;

        r = take_text(map, name, max, ret, ret_why);
        if (r < 0)
                return r;
        for (const char *p = *ret; *p; p++)
                if ((unsigned char) *p < ' ' || *p == '\x7f')
                        return protocol_why(ret_why, -EBADMSG, "%s has a control character in it",
                                            name);
        return 0;
}

static int take_setting(AwsField *field, AwsSetting *ret, char **ret_why) {
        switch (field->kind) {
        case AWS_KIND_TEXT:
        case AWS_KIND_INTEGER:
        case AWS_KIND_REAL:
        case AWS_KIND_BOOLEAN:
                break;
        case AWS_KIND_NULL:
        case AWS_KIND_MAP:
        case AWS_KIND_OTHER:
                return protocol_why(ret_why, -EBADMSG,
                                    "deviceConfiguration must hold texts, and %s in it is %s",
                                    protocol_show_name(field->name, strlen(field->name)).text,
                                    aws_kind_name(field->kind));
        }
        if (field->name[0] == '\0')
                return protocol_why(ret_why, -EBADMSG,
                                    "deviceConfiguration has an empty name in it");
        *ret = (AwsSetting){.name = TAKE_PTR(field->name), .value = TAKE_PTR(field->text)};
        return 0;
}

static int take_configuration(AwsMap *map, AwsAnswer *a, char **ret_why) {
        AwsField *field = aws_map_find(map, "deviceConfiguration");

        if (!field || field->kind == AWS_KIND_NULL)
                return 0;
        if (field->kind != AWS_KIND_MAP)
                return protocol_why(ret_why, -EBADMSG,
                                    "deviceConfiguration must be an object, and is %s",
                                    aws_kind_name(field->kind));
        a->has_configuration = true;
        if (field->map.n == 0)
                return 0;
        a->configuration = calloc(field->map.n, sizeof(*a->configuration));
        if (!a->configuration)
                return -ENOMEM;
        for (size_t i = 0; i < field->map.n; i++) {
                int r;

                r = take_setting(&field->map.fields[i], &a->configuration[i], ret_why);
                if (r < 0)
                        return r;
                a->n_configuration++;
        }
        return 0;
}

static int take_certificate(AwsMap *map, AwsAnswer *a, char **ret_why) {
        int r;

        r = take_name(map, "certificateId", AWS_CERTIFICATE_ID_MAX, &a->certificate_id, ret_why);
        if (r < 0)
                return r;
        r = take_text(map, "certificatePem", AWS_CERTIFICATE_PEM_MAX, &a->certificate_pem, ret_why);
        if (r < 0)
                return r;
        return take_text(map, "certificateOwnershipToken", AWS_TOKEN_MAX, &a->ownership_token,
                         ret_why);
}

static int take_answer(AwsOperation operation, AwsMap *map, AwsAnswer *a, char **ret_why) {
        int r;

        switch (operation) {
        case AWS_OPERATION_CREATE_FROM_CSR:
                return take_certificate(map, a, ret_why);
        case AWS_OPERATION_CREATE_KEYS:
                r = take_certificate(map, a, ret_why);
                if (r < 0)
                        return r;
                return take_text(map, "privateKey", AWS_PRIVATE_KEY_MAX, &a->private_key, ret_why);
        case AWS_OPERATION_REGISTER:
                r = take_name(map, "thingName", AWS_THING_NAME_MAX, &a->thing_name, ret_why);
                if (r < 0)
                        return r;
                return take_configuration(map, a, ret_why);
        case AWS_OPERATION_MAX:
        case AWS_OPERATION_INVALID:
                break;
        }
        return protocol_why(ret_why, -EINVAL, "no such operation");
}

int aws_answer_parse(AwsOperation operation, AwsFormat format, const void *data, size_t size,
                     AwsAnswer *ret, char **ret_why) {
        _cleanup_(aws_map_done) AwsMap map = {};
        _cleanup_(aws_answer_done) AwsAnswer a = {};
        int r;

        r = aws_document_parse(format, data, size, &map, ret_why);
        if (r < 0)
                return r;
        r = take_answer(operation, &map, &a, ret_why);
        if (r < 0)
                return r;
        *ret = a;
        a = (AwsAnswer){};
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/aws-payload.h"

#include <errno.h>
#include <jansson.h>

#include "daemon/base/macro.h"
#include "protocol/aws/answer.h"
#include "protocol/aws/rejection.h"
#include "tests/fuzz/fuzz.h"

static void check_text(const char *s, bool needed, size_t max) {
        must(needed == (s != NULL));
        must(!s || (*s && strlen(s) <= max && fuzz_is_text(s)));
}

static void check_name(const char *s, bool needed, size_t max) {
        check_text(s, needed, max);
        for (; s && *s; s++)
                must((uint8_t) *s >= ' ' && *s != 0x7f);
}

static void check_answer(AwsOperation operation, const AwsAnswer *a) {
        bool registers = operation == AWS_OPERATION_REGISTER;

        check_name(a->certificate_id, !registers, AWS_CERTIFICATE_ID_MAX);
        check_text(a->certificate_pem, !registers, AWS_CERTIFICATE_PEM_MAX);
        check_text(a->ownership_token, !registers, AWS_TOKEN_MAX);
        check_text(a->private_key, operation == AWS_OPERATION_CREATE_KEYS, AWS_PRIVATE_KEY_MAX);
        check_name(a->thing_name, registers, AWS_THING_NAME_MAX);
        must(registers || !a->has_configuration);
        must(a->n_configuration == 0 || a->has_configuration);
        for (size_t i = 0; i < a->n_configuration; i++) {
                must(*a->configuration[i].name && fuzz_is_text(a->configuration[i].name));
                must(fuzz_is_text(a->configuration[i].value));
                for (size_t j = 0; j < i; j++)
                        must(!streq(a->configuration[i].name, a->configuration[j].name));
        }
}

static void put(json_t *o, const char *name, const char *value) {
        if (value)
                must(json_object_set_new_nocheck(o, name, json_string(value)) == 0);
}

static char *write_answer(const AwsAnswer *a) {
        json_t *o = json_object(), *configuration = json_object();
        char *text;

        put(o, "certificateId", a->certificate_id);
        put(o, "certificatePem", a->certificate_pem);
        put(o, "certificateOwnershipToken", a->ownership_token);
        put(o, "privateKey", a->private_key);
        put(o, "thingName", a->thing_name);
        for (size_t i = 0; i < a->n_configuration; i++)
                put(configuration, a->configuration[i].name, a->configuration[i].value);
        if (a->has_configuration)
                must(json_object_set(o, "deviceConfiguration", configuration) == 0);
        text = json_dumps(o, JSON_COMPACT);
        must(text);
        json_decref(configuration);
        json_decref(o);
        return text;
}

static void check_again(AwsOperation operation, const AwsAnswer *a) {
        _cleanup_(aws_answer_done) AwsAnswer b = {};
        _cleanup_free_ char *text = write_answer(a);

        /* What CBOR says in few bytes may take more in JSON ("\u0001"). */
        if (strlen(text) > AWS_PAYLOAD_MAX)
                return;
        must(aws_answer_parse(operation, AWS_FORMAT_JSON, text, strlen(text), &b, NULL) == 0);
        must(fuzz_same_text(a->certificate_id, b.certificate_id));
        must(fuzz_same_text(a->certificate_pem, b.certificate_pem));
        must(fuzz_same_text(a->ownership_token, b.ownership_token));
        must(fuzz_same_text(a->private_key, b.private_key));
        must(fuzz_same_text(a->thing_name, b.thing_name));
        must(a->has_configuration == b.has_configuration);
        must(a->n_configuration == b.n_configuration);
        for (size_t i = 0; i < a->n_configuration; i++) {
                must(streq(a->configuration[i].name, b.configuration[i].name));
                must(streq(a->configuration[i].value, b.configuration[i].value));
        }
}

static void try_answer(AwsOperation operation, AwsFormat format, const uint8_t *data, size_t size) {
        _cleanup_(aws_answer_done) AwsAnswer a = {};
        char *why = NULL;
        int r;

        r = aws_answer_parse(operation, format, data, size, &a, &why);
        must(r == 0 || r == -EBADMSG);
        must(r == 0 || !(a.certificate_id || a.private_key || a.thing_name || a.configuration));
        if (r < 0) {
                fuzz_check_why(why, false);
                return;
        }
        must(!why && size <= AWS_PAYLOAD_MAX);
        check_answer(operation, &a);
        check_again(operation, &a);
}

static void check_rejection(const AwsRejection *a) {
        must(a->status_code >= AWS_STATUS_CODE_MIN && a->status_code <= AWS_STATUS_CODE_MAX);
        must(!a->error_code || (*a->error_code && fuzz_is_text(a->error_code)));
        must(!a->error_code || strlen(a->error_code) <= AWS_ERROR_CODE_MAX);
        must(!a->error_message || (*a->error_message && fuzz_is_text(a->error_message)));
        must(!a->error_message || strlen(a->error_message) <= AWS_ERROR_MESSAGE_MAX);
        for (int i = 0; i < AWS_OPERATION_MAX; i++) {
                AwsClass class =
                        aws_rejection_classify((AwsOperation) i, a->status_code, a->error_code);

                must(class >= 0 && class < AWS_CLASS_MAX);
                must(class != AWS_CLASS_START_AGAIN || i == AWS_OPERATION_REGISTER);
        }
}

static void try_rejection(AwsFormat format, const uint8_t *data, size_t size) {
        _cleanup_(aws_rejection_done) AwsRejection a = {};
        char *why = NULL;
        int r;

        r = aws_rejection_parse(format, data, size, &a, &why);
        must(r == 0 || r == -EBADMSG);
        if (r < 0) {
                fuzz_check_why(why, false);
                return;
        }
        must(!why);
        check_rejection(&a);
}

void aws_payload_try(AwsFormat format, const uint8_t *data, size_t size) {
        for (int i = 0; i < AWS_OPERATION_MAX; i++)
                try_answer((AwsOperation) i, format, data, size);
        try_rejection(format, data, size);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the service answers when it accepts. Nothing in an answer is believed: it is bounded, every
 * text is UTF-8 without NUL, every field that is needed is there, once and of its type. Fields that
 * are not known are ignored, since the service may grow.
 *
 * Whether a certificate carries the right key is for the caller to check. Names and ids come from
 * the other side: they hold no control characters, but they are no file names. */

#include <stdbool.h>
#include <stddef.h>

#include "protocol/aws/format.h"
#include "protocol/aws/request.h"

/* 64 hex digits at AWS; a certificate provider or another cloud may have other ideas. */
#define AWS_CERTIFICATE_ID_MAX ((size_t) 256)
#define AWS_CERTIFICATE_PEM_MAX ((size_t) 32 * 1024)
#define AWS_PRIVATE_KEY_MAX ((size_t) 16 * 1024)
/* AWS IoT API reference, ThingName. */
#define AWS_THING_NAME_MAX ((size_t) 128)

/* One entry of the device configuration. */
typedef struct AwsSetting {
        char *name;
        char *value;
} AwsSetting;

/* Strings are NUL-terminated and owned; NULL where the operation has no such field. */
typedef struct AwsAnswer {
        /* of both create operations */
        char *certificate_id;
        char *certificate_pem;
        char *ownership_token; /* secret */
        /* of create-keys */
        char *private_key; /* secret; PEM */
        /* of register */
        char *thing_name;
        AwsSetting *configuration; /* in the order in which it came; no name twice */
        size_t n_configuration;
        bool has_configuration; /* an empty one is not the same as none */
} AwsAnswer;

/* Wipes and frees all of it; it is empty afterwards. Takes a zeroed one. Fit for a cleanup
 * attribute. */
void aws_answer_done(AwsAnswer *a);

/* Parses the payload of an "accepted" topic. 0: `*ret` is filled, let it go with
 * aws_answer_done(). -EBADMSG: it is no such answer, and `*ret_why` is a text for people that names
 * the field; free() it (NULL where memory was too short). `ret_why` may be NULL and is left alone
 * on success; it never holds a value. -EINVAL: an enum out of its range. -ENOMEM.
 *
 * "deviceConfiguration" may be missing, null or empty. Its values are text by the service's own
 * page; a number or a boolean is taken as its text ("7", "1.5", "true"), since a template made it
 * so; null, a list or an object is refused. */
int aws_answer_parse(AwsOperation operation, AwsFormat format, const void *data, size_t size,
                     AwsAnswer *ret, char **ret_why);

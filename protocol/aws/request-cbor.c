/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests in CBOR (RFC 8949): definite maps of text to text, straight into one buffer, so that no
 * copy of the token is made on the way. */
#include "protocol/aws/request-write.h"

#include <cbor.h>
#include <stdlib.h>
#include <string.h>

/* The most that the head of a text or a map takes: RFC 8949, section 3. */
#define HEAD_MAX ((size_t) 9)

static size_t text_bound(size_t size) {
        return HEAD_MAX + size;
}

static size_t request_bound(const AwsRequest *request) {
        size_t n = HEAD_MAX + text_bound(strlen(request->name)) + text_bound(request->value_size);

        if (request->n_parameters > 0)
                n += text_bound(strlen("parameters")) + HEAD_MAX;
        for (size_t i = 0; i < request->n_parameters; i++)
                n += text_bound(strlen(request->parameters[i].name)) +
                     text_bound(strlen(request->parameters[i].value));
        return n;
}

/* `b->size` is what was written so far; the buffer has room for all of it. */
static void put_map(AwsBuffer *b, size_t n) {
        b->size += cbor_encode_map_start(n, b->data + b->size, HEAD_MAX);
}

static void put_text(AwsBuffer *b, const char *text, size_t size) {
        b->size += cbor_encode_string_start(size, b->data + b->size, HEAD_MAX);
        memcpy(b->data + b->size, text, size);
        b->size += size;
}

int aws_request_write_cbor(const AwsRequest *request, AwsBuffer *ret) {
        AwsBuffer b = {.data = malloc(request_bound(request))};

        if (!b.data)
                return -ENOMEM;
        put_map(&b, request->n_parameters > 0 ? 2 : 1);
        put_text(&b, request->name, strlen(request->name));
        put_text(&b, request->value, request->value_size);
        if (request->n_parameters > 0) {
                put_text(&b, "parameters", strlen("parameters"));
                put_map(&b, request->n_parameters);
        }
        for (size_t i = 0; i < request->n_parameters; i++) {
                const AwsParameter *p = &request->parameters[i];

                put_text(&b, p->name, strlen(p->name));
                put_text(&b, p->value, strlen(p->value));
        }
        if (b.size > AWS_PAYLOAD_MAX) {
                aws_buffer_wipe(&b);
                return -E2BIG;
        }
        *ret = b;
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/pem.h"

#include <errno.h>
#include <stdio.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "daemon/crypto/wolfcrypt.h"

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"
#define LABEL_MAX ((size_t) 64)

/* Finds `needle` where it starts a line. */
static const char *find_at_line_start(const char *text, const char *from, const char *end,
                                      const char *needle, size_t needle_size) {
        const char *p = from;

        while (p < end) {
                p = memmem(p, (size_t) (end - p), needle, needle_size);
                if (!p)
                        return NULL;
                if (p == text || p[-1] == '\n')
                        return p;
                p++;
        }
        return NULL;
}

static bool find_end_line(PemBlock *block, const char *end) {
        const char *p = block->body;

        while ((p = find_at_line_start(block->body, p, end, END, strlen(END)))) {
                const char *label = p + strlen(END);

                if ((size_t) (end - label) >= block->label_size + strlen(DASHES) &&
                    memcmp(label, block->label, block->label_size) == 0 &&
                    memcmp(label + block->label_size, DASHES, strlen(DASHES)) == 0) {
                        block->body_size = (size_t) (p - block->body);
                        block->end = label + block->label_size + strlen(DASHES);
                        return true;
                }
                p = label;
        }
        return false;
}

int pem_find(const char *from, const char *end, PemBlock *ret) {
        PemBlock block = {};
        const char *dashes;

        block.start = find_at_line_start(from, from, end, BEGIN, strlen(BEGIN));
        if (!block.start)
                return 0;
        block.label = block.start + strlen(BEGIN);
        dashes = memmem(block.label, (size_t) (end - block.label), DASHES, strlen(DASHES));
        if (!dashes || (size_t) (dashes - block.label) > LABEL_MAX ||
            memchr(block.label, '\n', (size_t) (dashes - block.label)))
                return -EINVAL;
        block.label_size = (size_t) (dashes - block.label);
        block.body = dashes + strlen(DASHES);
        if (!find_end_line(&block, end))
                return -EINVAL;
        *ret = block;
        return 1;
}

bool pem_has_label(const PemBlock *block, const char *label) {
        return block->label_size == strlen(label) &&
               memcmp(block->label, label, block->label_size) == 0;
}

bool pem_is_legacy_encrypted(const PemBlock *block) {
        return memmem(block->body, block->body_size, "Proc-Type:", strlen("Proc-Type:"));
}

/* Copies the base64 digits without the white space between them. */
static Secret *without_space(const char *body, size_t size) {
        Secret *digits = secret_new(NULL, size);
        size_t n = 0;

        if (!digits)
                return NULL;
        for (size_t i = 0; i < size; i++)
                if (!strchr(" \t\r\n", body[i]) || body[i] == '\0')
                        digits->data[n++] = (uint8_t) body[i];
        digits->size = n; /* the tail was never written */
        return digits;
}

int pem_decode(const PemBlock *block, Secret **ret) {
        _cleanup_secret_ Secret *digits = NULL, *der = NULL;
        word32 size;
        int r;

        digits = without_space(block->body, block->body_size);
        if (!digits)
                return -ENOMEM;
        /* Base64_Decode leaves an incomplete group of four out without a word. */
        if (digits->size == 0 || digits->size % 4 != 0 || digits->size > UINT32_MAX)
                return -EINVAL;
        size = (word32) (digits->size / 4 * 3);
        der = secret_new(NULL, size);
        if (!der)
                return -ENOMEM;
        r = Base64_Decode(digits->data, (word32) digits->size, der->data, &size);
        if (r == MEMORY_E)
                return -ENOMEM;
        /* Padding in the middle ends its work early. */
        if (r < 0 || size + 2 < der->size)
                return -EINVAL;
        der->size = size;
        *ret = TAKE_PTR(der);
        return 0;
}

int pem_encode(const char *label, const uint8_t *der, size_t size, Secret **ret) {
        _cleanup_secret_ Secret *pem = NULL;
        size_t head, tail, room;
        word32 body = 0;
        int r;

        if (size > UINT32_MAX / 2)
                return -EMSGSIZE;
        r = Base64_Encode(der, (word32) size, NULL, &body);
        if (r != LENGTH_ONLY_E)
                return wolfcrypt_errno(r);
        head = strlen(BEGIN DASHES "\n") + strlen(label);
        tail = strlen(END DASHES "\n") + strlen(label);
        room = head + body + tail;
        pem = secret_new(NULL, room);
        if (!pem)
                return -ENOMEM;
        (void) snprintf((char *) pem->data, room + 1, BEGIN "%s" DASHES "\n", label);
        r = Base64_Encode(der, (word32) size, pem->data + head, &body);
        if (r < 0)
                return wolfcrypt_errno(r);
        (void) snprintf((char *) pem->data + head + body, room + 1 - head - body,
                        END "%s" DASHES "\n", label);
        pem->size = head + body + tail;
        *ret = TAKE_PTR(pem);
        return 0;
}

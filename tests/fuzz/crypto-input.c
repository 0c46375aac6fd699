/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/crypto-input.h"

#include <errno.h>

#include "tests/fuzz/fuzz.h"

#define BEGIN "-----BEGIN"
#define CONSTRUCTED 0x20
#define DEPTH_MAX 64U

Secret *crypto_input(const uint8_t *data, size_t size, const char *label) {
        Secret *text = NULL;

        if (size == 0 || memmem(data, size, BEGIN, strlen(BEGIN)))
                text = secret_new(data, size);
        else
                must(pem_encode(label, data, size, &text) == 0);
        must(text);
        return text;
}

static void walk(DerReader reader, unsigned depth) {
        const uint8_t *end = reader.data + reader.size;
        DerItem item;

        while (reader.size > 0) {
                const uint8_t *before = reader.data;

                if (der_next(&reader, &item) < 0) {
                        must(reader.data == before && reader.data + reader.size == end);
                        return;
                }
                must(item.whole == before && item.whole_size >= 2);
                must(item.content >= item.whole + 2 && item.content <= item.whole + 6);
                must(item.content + item.size == item.whole + item.whole_size);
                must(item.whole + item.whole_size == reader.data);
                must(reader.data + reader.size == end && item.tag == item.whole[0]);
                if ((item.tag & CONSTRUCTED) && depth < DEPTH_MAX)
                        walk(der_inside(&item), depth + 1);
        }
}

void crypto_input_walk(const uint8_t *data, size_t size) {
        walk(der_reader(data, size), 0);
}

static void check_block(const PemBlock *block) {
        _cleanup_secret_ Secret *der = NULL, *text = NULL, *again = NULL;
        PemBlock second;
        int r;

        r = pem_decode(block, &der);
        must(r == 0 || r == -EINVAL);
        if (r < 0)
                return;
        must(pem_encode("THING", der->data, der->size, &text) == 0);
        must(pem_find(secret_text(text), secret_text(text) + text->size, &second) == 1);
        must(pem_has_label(&second, "THING") && !pem_is_legacy_encrypted(&second));
        must(pem_decode(&second, &again) == 0 && secret_equal(der, again));
}

void crypto_input_check_pem(const Secret *text) {
        const char *at = secret_text(text), *end = at + text->size;
        PemBlock block;
        int r;

        while ((r = pem_find(at, end, &block)) > 0) {
                must(block.start >= at && block.label > block.start);
                must(block.body >= block.label + block.label_size);
                must(block.end > block.body + block.body_size && block.end <= end);
                check_block(&block);
                at = block.end;
        }
        must(r == 0 || r == -EINVAL);
}

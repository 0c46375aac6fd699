/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/pieces.h"

#include <check.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "daemon/base/macro.h"

#define NUMBER_MAX 512
#define BASE64_TRIPLE 3U
#define BASE64_QUAD 4U

static void add(Pieces *p, const void *bytes, const char *form) {
        Piece *list = reallocarray(p->list, p->n + 1, sizeof(Piece));

        ck_assert_ptr_nonnull(list);
        p->list = list;
        list[p->n].form = form;
        memcpy(list[p->n].bytes, bytes, PIECE_BYTES);
        p->n++;
}

static void add_all(Pieces *p, const uint8_t *bytes, size_t size, const char *form) {
        for (size_t i = 0; i + PIECE_BYTES <= size; i += PIECE_BYTES)
                add(p, bytes + i, form);
}

void pieces_done(Pieces *p) {
        free(p->list);
        *p = (Pieces){};
}

void pieces_add_text(Pieces *p, const char *text) {
        const size_t before = p->n;

        add_all(p, (const uint8_t *) text, strlen(text), "the text");
        ck_assert_uint_gt(p->n, before);
}

/* The base64 of a PEM without its lines' ends; they are 64 characters long, so that no piece goes
 * over one of them. */
static char *body_of(const char *pem) {
        const char *begin = strchr(pem, '\n'), *end = strstr(pem, "\n-----END");
        char *body = calloc(1, strlen(pem) + 1);
        size_t n = 0;

        ck_assert_ptr_nonnull(begin);
        ck_assert_ptr_nonnull(end);
        ck_assert_ptr_nonnull(body);
        for (; begin < end; begin++)
                if (*begin != '\n')
                        body[n++] = *begin;
        return body;
}

static size_t decode(const char *base64, uint8_t **ret) {
        const size_t length = strlen(base64);
        int n;

        *ret = malloc(length + 1);
        ck_assert_ptr_nonnull(*ret);
        n = EVP_DecodeBlock(*ret, (const uint8_t *) base64, (int) length);
        ck_assert_int_gt(n, 0);
        for (size_t i = length; base64[i - 1] == '='; i--)
                n--;
        return (size_t) n;
}

/* The characters that show nothing but these bytes of it. */
static void add_base64_of(Pieces *p, const char *base64, size_t at, size_t size) {
        size_t from = (at + BASE64_TRIPLE - 1) / BASE64_TRIPLE * BASE64_QUAD;
        const size_t to = (at + size) / BASE64_TRIPLE * BASE64_QUAD;

        for (from = (from + PIECE_BYTES - 1) / PIECE_BYTES * PIECE_BYTES; from + PIECE_BYTES <= to;
             from += PIECE_BYTES)
                add(p, base64 + from, "PEM");
}

/* False: such a key has no such number. */
static bool add_number(Pieces *p, const EVP_PKEY *key, const char *name, const char *base64,
                       const uint8_t *der, size_t der_size) {
        uint8_t forth[NUMBER_MAX], back[NUMBER_MAX];
        const uint8_t *in_der;
        BIGNUM *number = NULL;
        int n;

        if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
                return false;
        n = BN_num_bytes(number);
        ck_assert_int_le(n, NUMBER_MAX);
        ck_assert_int_eq(BN_bn2bin(number, forth), n);
        ck_assert_int_eq(BN_bn2lebinpad(number, back, n), n);
        add_all(p, forth, (size_t) n, "DER");
        add_all(p, back, (size_t) n, "a number of the library's");
        in_der = memmem(der, der_size, forth, (size_t) n);
        ck_assert_ptr_nonnull(in_der);
        add_base64_of(p, base64, (size_t) (in_der - der), (size_t) n);
        BN_free(number);
        return true;
}

void pieces_add_key(Pieces *p, const char *pem) {
        static const char *const numbers[] = {
                OSSL_PKEY_PARAM_PRIV_KEY,         OSSL_PKEY_PARAM_RSA_D,
                OSSL_PKEY_PARAM_RSA_FACTOR1,      OSSL_PKEY_PARAM_RSA_FACTOR2,
                OSSL_PKEY_PARAM_RSA_EXPONENT1,    OSSL_PKEY_PARAM_RSA_EXPONENT2,
                OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
        };
        BIO *in = BIO_new_mem_buf(pem, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
        _cleanup_free_ char *base64 = body_of(pem);
        _cleanup_free_ uint8_t *der = NULL;
        const size_t size = decode(base64, &der);
        unsigned n = 0;

        ck_assert_ptr_nonnull(key);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                n += add_number(p, key, numbers[i], base64, der, size);
        ck_assert_uint_gt(n, 0);
        EVP_PKEY_free(key);
        BIO_free(in);
}

void pieces_add_base64(Pieces *p, const char *text) {
        _cleanup_free_ uint8_t *bytes = NULL;
        const size_t size = decode(text, &bytes);

        pieces_add_text(p, text);
        add_all(p, bytes, size, "bytes");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A freed key is gone: all writable memory of this process is searched for its number, in the order
 * of the file and in that of the machine. What is searched for stands in memory inverted. */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>

#include "daemon/crypto/crypto.h"
#include "daemon/crypto/csr.h"
#include "daemon/crypto/key.h"
#include "daemon/crypto/pem.h"
#include "daemon/crypto/sas.h"
#include "daemon/crypto/seal.h"
#include "tests/unit/crypto/material.h"

#define NEEDLE_SIZE ((size_t) 16)
#define RANGE_MAX ((uint64_t) 1 << 30) /* larger ones are a sanitizer's own */

typedef struct Needle {
        uint8_t inverted[NEEDLE_SIZE];
} Needle;

static bool is_needle(const uint8_t *at, const Needle *n) {
        bool forth = true, back = true;

        for (size_t i = 0; i < NEEDLE_SIZE && (forth || back); i++) {
                forth = forth && (at[i] ^ n->inverted[i]) == 0xff;
                back = back && (at[i] ^ n->inverted[NEEDLE_SIZE - 1 - i]) == 0xff;
        }
        return forth || back;
}

/* Chunk by chunk through /proc/self/mem: nothing that is not mapped is touched. The copy is wiped,
 * lest it be found itself. */
static unsigned search_range(int fd, uint64_t from, uint64_t to, const Needle *n, uint8_t *chunk,
                             size_t chunk_size) {
        uint8_t first = (uint8_t) ~n->inverted[0], last = (uint8_t) ~n->inverted[NEEDLE_SIZE - 1];
        unsigned found = 0;

        while (from + NEEDLE_SIZE <= to) {
                size_t size = to - from < chunk_size ? (size_t) (to - from) : chunk_size;
                ssize_t got = pread(fd, chunk, size, (off_t) from);

                if (got < (ssize_t) NEEDLE_SIZE)
                        break;
                for (size_t i = 0; i + NEEDLE_SIZE <= (size_t) got; i++)
                        if (chunk[i] == first || chunk[i] == last)
                                found += is_needle(chunk + i, n);
                from += (uint64_t) got - (NEEDLE_SIZE - 1);
                explicit_bzero(chunk, chunk_size);
        }
        return found;
}

/* Calls nothing of Check, whose small allocations would write over what was freed just before. */
static unsigned times_in_memory(const Needle *n) {
        enum {
                CHUNK = 1 << 16
        };
        static uint8_t chunk[CHUNK];
        _cleanup_free_ char *line = NULL;
        _cleanup_close_ int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
        FILE *maps = fopen("/proc/self/maps", "re");
        unsigned found = 0;
        size_t room = 0;

        if (fd < 0 || !maps)
                abort();
        while (getline(&line, &room, maps) > 0) {
                unsigned long from, to;
                char mode[5];

                if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) == 3 && mode[1] == 'w' &&
                    to - from <= RANGE_MAX)
                        found += search_range(fd, from, to, n, chunk, CHUNK);
        }
        fclose(maps);
        return found;
}

/* The middle of a key's private number, which stands near the start of the DER: EC at 36, RSA's d
 * further on. */
static void take_needle(const char *file, const char *label, size_t at, Needle *ret) {
        _cleanup_secret_ Secret *pem = material_read(file), *der = NULL;
        PemBlock block;

        ck_assert_int_eq(pem_find(secret_text(pem), secret_text(pem) + pem->size, &block), 1);
        ck_assert(pem_has_label(&block, label));
        ck_assert_int_eq(pem_decode(&block, &der), 0);
        for (size_t i = 0; i < NEEDLE_SIZE; i++)
                ret->inverted[i] = (uint8_t) ~der->data[at + i];
}

/* How often its number is found when all is over. */
static unsigned use_and_free(const char *file, const Needle *n, bool sign) {
        _cleanup_free_ char *request = NULL;
        Secret *pem = material_read(file);
        CryptoKey *key = NULL;

        ck_assert_int_eq(crypto_key_from_pem(pem, NULL, &key, NULL), 0);
        ck_assert_uint_ge(times_in_memory(n), 1); /* the search finds what is there */
        if (sign)
                ck_assert_int_eq(csr_make(key, "x", &request), 0);
        crypto_key_free(key);
        secret_free(pem);
        return times_in_memory(n);
}

typedef struct Case {
        const char *file;
        const char *label;
        size_t at;
        bool sign;
} Case;

static const Case cases[] = {
        {"p256.key", "PRIVATE KEY", 44, false},
        {"p256.key", "PRIVATE KEY", 44, true},
        {"p384.key", "PRIVATE KEY", 48, true},
        {"rsa2048.pkcs1", "RSA PRIVATE KEY", 400, false}, /* within d */
        {"rsa2048.pkcs1", "RSA PRIVATE KEY", 400, true},
        {"rsa2048.pkcs1", "RSA PRIVATE KEY", 600, true}, /* within p */
};

START_TEST(a_freed_key_is_gone_from_memory)
{
        Needle n;

        take_needle(cases[_i].file, cases[_i].label, cases[_i].at, &n);
        ck_assert_uint_eq(use_and_free(cases[_i].file, &n, cases[_i].sign), 0);
}
END_TEST

START_TEST(a_freed_sealing_key_is_gone_from_memory)
{
        SealKey *key = NULL;
        _cleanup_free_ uint8_t *record = NULL;
        Secret *plain, *back = NULL;
        unsigned found;
        size_t size;
        Needle n;

        ck_assert_int_eq(seal_key_generate(&key), 0);
        /* its second half: free() writes over the first bytes by itself */
        for (size_t i = 0; i < NEEDLE_SIZE; i++)
                n.inverted[i] = (uint8_t) ~key->key[SEAL_KEY_SIZE - NEEDLE_SIZE + i];
        plain = secret_new(key->key, sizeof(key->key)); /* one needle for both */
        ck_assert_int_eq(seal(key, "x", 1, plain, &record, &size), 0);
        ck_assert_int_eq(unseal(key, "x", 1, record, size, &back), 0);
        ck_assert_uint_ge(times_in_memory(&n), 3);
        secret_free(plain);
        secret_free(back);
        seal_key_free(key);
        found = times_in_memory(&n);
        ck_assert_uint_eq(found, 0);
}
END_TEST

/* What a symmetric key was read from, what was derived of it, and what was signed with that. */
START_TEST(a_freed_symmetric_key_is_gone_from_memory)
{
        Secret *key = secret_new(NULL, SAS_KEY_MAX), *text, *read, *derived, *signature;
        unsigned found;
        Needle n;

        ck_assert_int_eq(getentropy(key->data, SAS_KEY_MAX), 0);
        for (size_t i = 0; i < NEEDLE_SIZE; i++)
                n.inverted[i] = (uint8_t) ~key->data[SAS_KEY_MAX - NEEDLE_SIZE + i];
        ck_assert_int_eq(sas_key_write(key, &text), 0);
        ck_assert_int_eq(sas_key_read(text, &read, NULL), 0);
        ck_assert_int_eq(sas_key_derive(read, "gw-1", &derived), 0);
        ck_assert_int_eq(sas_sign(read, "text", &signature), 0);
        ck_assert_uint_ge(times_in_memory(&n), 2);
        secret_free(key);
        secret_free(text);
        secret_free(read);
        secret_free(derived);
        secret_free(signature);
        found = times_in_memory(&n);
        ck_assert_uint_eq(found, 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("crypto/wipe");
        TCase *c = tcase_create("wipe");
        SRunner *runner;
        int failed;

        if (crypto_init() < 0)
                return EXIT_FAILURE;
        tcase_set_timeout(c, 120);
        tcase_add_loop_test(c, a_freed_key_is_gone_from_memory, 0, ELEMENTSOF(cases));
        tcase_add_test(c, a_freed_sealing_key_is_gone_from_memory);
        tcase_add_test(c, a_freed_symmetric_key_is_gone_from_memory);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What says whether a rotation is due: a certificate's dates, and a span. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "libclient/ctl/certificate.h"
#include "libclient/ctl/time-span.h"

#define DAY (UINT64_C(86400) * USEC_PER_SEC)

/* --- spans */

static const struct {
        const char *text;
        int r;
        usec_t usec;
} spans[] = {
        {"90", 0, 90 * USEC_PER_SEC},
        {"30d", 0, 30 * DAY},
        {"30 days", 0, 30 * DAY},
        {"1w 2d", 0, 9 * DAY},
        {"1w2d", 0, 9 * DAY},
        {" 2 weeks  1 day ", 0, 15 * DAY},
        {"1y", 0, 31557600 * USEC_PER_SEC},
        {"1month", 0, 2629800 * USEC_PER_SEC},
        {"1M", 0, 2629800 * USEC_PER_SEC},
        {"1m", 0, 60 * USEC_PER_SEC},
        {"1.5h", 0, 5400 * USEC_PER_SEC},
        {"0.000001", 0, 1},
        {"0.1234567891", 0, 123456},
        {"2ms 3us", 0, 2003},
        {"5\xc2\xb5s", 0, 5},
        {"1h 30min 5", 0, 5405 * USEC_PER_SEC},
        {"infinity", 0, USEC_INFINITY},
        {"0", 0, 0},
        {"", -EINVAL, 7},
        {" ", -EINVAL, 7},
        {"d", -EINVAL, 7},
        {"-1d", -EINVAL, 7},
        {"1.d", -EINVAL, 7},
        {".5d", -EINVAL, 7},
        {"1e3", -EINVAL, 7},
        {"0x10", -EINVAL, 7},
        {"3 fortnights", -EINVAL, 7},
        {"1d,2h", -EINVAL, 7},
        {"infinity 1d", -EINVAL, 7},
        {"11000y", -ERANGE, 7},
        {"99999999999999999999", -ERANGE, 7},
        {"9999y 9999y", -ERANGE, 7},
};

START_TEST(spans_are_read_as_systemd_writes_them)
{
        usec_t usec = 7;

        ck_assert_msg(time_span_parse(spans[_i].text, &usec) == spans[_i].r, "'%s'",
                      spans[_i].text);
        ck_assert_msg(usec == spans[_i].usec, "'%s': %llu", spans[_i].text,
                      (unsigned long long) usec);
}
END_TEST

/* --- SHA-256 */

/* FIPS 180-4's examples (csrc.nist.gov, "SHA-256"), and lengths around a block's. */
static const struct {
        const char *text;
        size_t n; /* of 'a', where text is NULL */
        const char *digest;
} digests[] = {
        {"", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 0, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 0,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {NULL, 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
        {NULL, 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
        {NULL, 63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
        {NULL, 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        {NULL, 65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
        {NULL, 119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
        {NULL, 120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
        {NULL, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

START_TEST(digests_are_those_of_the_standard)
{
        char hex[SHA256_HEX + 1], *many;

        if (digests[_i].text)
                sha256_hex(digests[_i].text, strlen(digests[_i].text), hex);
        else {
                many = malloc(digests[_i].n);
                memset(many, 'a', digests[_i].n);
                sha256_hex(many, digests[_i].n, hex);
                free(many);
        }
        ck_assert_str_eq(hex, digests[_i].digest);
}
END_TEST

/* --- certificates: made, and described, by openssl(1) */

static const char version_3[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBMzCB2aADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAWEwHhcNMjYw\n"
                                "MTMxMTMwNTU5WhcNNDkxMjMxMjM1OTU5WjAMMQowCAYDVQQDDAFhMFkwEwYHKoZI\n"
                                "zj0CAQYIKoZIzj0DAQcDQgAEF5UnPSPjNpdEiAYTkczQhNq8Lw9BnM++gWo4Qmvr\n"
                                "gXFSdwlL7lZste2aZYu2dzsGZ9HtoPhcqks+BFLVxTjYVqMsMCowCQYDVR0TBAIw\n"
                                "ADAdBgNVHQ4EFgQUWrJLhXfn47AsMsUenjk4LVnbPLwwCgYIKoZIzj0EAwIDSQAw\n"
                                "RgIhAM514dpXv9esdXBpBO3IJGLyueTxA7ceIk31cAzoCi7mAiEAlqAt1iU7HlOP\n"
                                "HxJIEzwKTbKOpD2ZZD+AS6aLU5YRB0E=\n"
                                "-----END CERTIFICATE-----\n";

static const char version_1[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBAjCBqAIBAjAKBggqhkjOPQQDAjAMMQowCAYDVQQDDAFhMCAXDTk5MTIzMTIz\n"
                                "NTk1OVoYDzIwNTEwMTAyMDMwNDA1WjAMMQowCAYDVQQDDAFhMFkwEwYHKoZIzj0C\n"
                                "AQYIKoZIzj0DAQcDQgAEF5UnPSPjNpdEiAYTkczQhNq8Lw9BnM++gWo4QmvrgXFS\n"
                                "dwlL7lZste2aZYu2dzsGZ9HtoPhcqks+BFLVxTjYVjAKBggqhkjOPQQDAgNJADBG\n"
                                "AiEAu4cnHpvHXz+AxhPleX4ZZ6bQ2R99wSlcNpOEJHtRdiMCIQDtpjDzdqi63Yd2\n"
                                "PzZXaKLuTaRO+NUKIKYlrDf116Z5Tg==\n"
                                "-----END CERTIFICATE-----\n";

static const struct {
        const char *pem;
        usec_t not_before, not_after;
        const char *fingerprint;
} certificates[] = {
        {version_3, UINT64_C(1769864759) * USEC_PER_SEC, UINT64_C(2524607999) * USEC_PER_SEC,
         "43da726e08e3e50cfaa75de03c4954d72424d5af8fee43db922cc6d44eb247b8"},
        {version_1, UINT64_C(946684799) * USEC_PER_SEC, UINT64_C(2556241445) * USEC_PER_SEC,
         "895aa4cca4b6b05f31e70645a2ad633e043691b2914c0ac9aa4d8803d452fec9"},
};

START_TEST(dates_and_fingerprint_are_those_of_the_certificate)
{
        Certificate c;

        ck_assert_int_eq(certificate_read(certificates[_i].pem, strlen(certificates[_i].pem), &c),
                         0);
        ck_assert_uint_eq(c.not_before, certificates[_i].not_before);
        ck_assert_uint_eq(c.not_after, certificates[_i].not_after);
        ck_assert_str_eq(c.fingerprint, certificates[_i].fingerprint);
}
END_TEST

/* A chain, with text around it: the leaf is the first. */
START_TEST(first_certificate_of_a_chain_counts)
{
        char text[4096] = "subject=CN = a\n";
        Certificate c;

        strcat(text, version_1);
        strcat(text, version_3);
        ck_assert_int_eq(certificate_read(text, strlen(text), &c), 0);
        ck_assert_str_eq(c.fingerprint, certificates[1].fingerprint);
}
END_TEST

START_TEST(what_is_no_certificate_is_refused)
{
        static const char *const texts[] = {
                "",
                "no PEM",
                "-----BEGIN CERTIFICATE-----\n",
                "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
                "-----BEGIN CERTIFICATE-----\nMII*\n-----END CERTIFICATE-----\n",
                "-----BEGIN CERTIFICATE-----\nMIIB=A==\n-----END CERTIFICATE-----\n",
                "-----BEGIN CERTIFICATE-----\nMIIBMzCB2aADAgECAgEB\n-----END CERTIFICATE-----\n",
                "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
        };
        Certificate c;

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                ck_assert_msg(certificate_read(texts[i], strlen(texts[i]), &c) == -EINVAL, "%s",
                              texts[i]);
}
END_TEST

/* Of whatever is cut off or changed nothing is read beyond its end: the sanitizers look on. */
START_TEST(damaged_ones_do_no_harm)
{
        size_t size = strlen(version_3);
        Certificate c;

        for (size_t n = 0; n < size; n++) {
                char *copy = malloc(n + 1);

                memcpy(copy, version_3, n);
                (void) certificate_read(copy, n, &c);
                free(copy);
        }
        for (size_t i = 28; i < size - 27; i++) {
                char *copy = malloc(size);

                for (const char *change = "A/+9z="; *change; change++) {
                        memcpy(copy, version_3, size);
                        copy[i] = *change;
                        (void) certificate_read(copy, size, &c);
                }
                free(copy);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl: due");
        TCase *t = tcase_create("due");
        SRunner *runner = srunner_create(s);
        int failed;

        tcase_add_loop_test(t, spans_are_read_as_systemd_writes_them, 0, ELEMENTSOF(spans));
        tcase_add_loop_test(t, digests_are_those_of_the_standard, 0, ELEMENTSOF(digests));
        tcase_add_loop_test(t, dates_and_fingerprint_are_those_of_the_certificate, 0,
                            ELEMENTSOF(certificates));
        tcase_add_test(t, first_certificate_of_a_chain_counts);
        tcase_add_test(t, what_is_no_certificate_is_refused);
        tcase_add_test(t, damaged_ones_do_no_harm);
        suite_add_tcase(s, t);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

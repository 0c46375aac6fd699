/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The readers below keys and certificates: DER, PEM, times, names, UTF-8. */

#include <check.h>
#include <errno.h>

#include "daemon/crypto/certificate-time.h"
#include "daemon/crypto/der.h"
#include "daemon/crypto/distinguished-name.h"
#include "daemon/crypto/pem.h"
#include "daemon/crypto/utf8.h"

#define MOST 24 /* bytes of an example */

typedef struct Bytes {
        size_t size;
        uint8_t data[MOST];
} Bytes;

/* An exact copy on the heap, so that a read behind its end is seen. */
static uint8_t *exact(const uint8_t *data, size_t size) {
        uint8_t *copy = malloc(size + (size == 0));

        memcpy(copy, data, size);
        return copy;
}

START_TEST(ill_formed_der_is_refused)
{
        static const Bytes examples[] = {
                {0, {0}},
                {1, {0x02}},
                {2, {0x02, 0x01}},                   /* content missing */
                {3, {0x02, 0x80, 0x00}},             /* indefinite length */
                {4, {0x02, 0x81, 0x01, 0x00}},       /* longer than need be */
                {5, {0x02, 0x82, 0x00, 0x81, 0x00}}, /* leading zero */
                {2, {0x02, 0x84}},                   /* length cut off */
                {6, {0x02, 0x84, 0xff, 0xff, 0xff, 0xff}},
                {8, {0x02, 0x85, 0x01, 0, 0, 0, 0, 0}}, /* length of five bytes */
                {3, {0x1f, 0x01, 0x00}},                /* tag of several bytes */
                {3, {0x02, 0xff, 0x00}},
        };
        const Bytes *e = &examples[_i];
        _cleanup_free_ uint8_t *data = exact(e->data, e->size);
        DerReader reader = der_reader(data, e->size);
        DerItem item;

        ck_assert_int_eq(der_next(&reader, &item), -EBADMSG);
        ck_assert_ptr_eq(reader.data, data);
        ck_assert_uint_eq(reader.size, e->size);
}
END_TEST

START_TEST(der_is_walked)
{
        static const uint8_t data[] = {0x30, 0x05, 0x02, 0x01, 0x7f, 0x05, 0x00, 0x04, 0x00};
        DerReader reader = der_reader(data, sizeof(data)), inner;
        DerItem item;

        ck_assert_int_eq(der_expect(&reader, DER_SET, &item), -EBADMSG);
        ck_assert_int_eq(der_enter(&reader, DER_SEQUENCE, &inner), 0);
        ck_assert_int_eq(der_optional(&inner, DER_NULL, &item), 0);
        ck_assert_int_eq(der_unsigned(&inner, &item), 0);
        ck_assert_uint_eq(item.size, 1);
        ck_assert_uint_eq(item.content[0], 0x7f);
        ck_assert_uint_eq(item.whole_size, 3);
        ck_assert_int_eq(der_end(&inner), -EBADMSG);
        ck_assert_int_eq(der_optional(&inner, DER_NULL, &item), 1);
        ck_assert_int_eq(der_end(&inner), 0);
        ck_assert_int_eq(der_optional(&inner, DER_NULL, &item), 0);
        ck_assert_int_eq(der_expect(&reader, DER_OCTET_STRING, &item), 0);
        ck_assert_uint_eq(item.size, 0);
        ck_assert_int_eq(der_end(&reader), 0);
}
END_TEST

START_TEST(long_lengths_are_read)
{
        _cleanup_free_ uint8_t *data = calloc(1, 4 + 0x0123);
        DerReader reader = der_reader(data, 4 + 0x0123);
        DerItem item;

        data[0] = DER_OCTET_STRING;
        data[1] = 0x82;
        data[2] = 0x01;
        data[3] = 0x23;
        ck_assert_int_eq(der_next(&reader, &item), 0);
        ck_assert_uint_eq(item.size, 0x0123);
        ck_assert_uint_eq(item.whole_size, 4 + 0x0123);
        reader = der_reader(data, 4 + 0x0122);
        ck_assert_int_eq(der_next(&reader, &item), -EBADMSG);
}
END_TEST

START_TEST(only_short_and_positive_integers_are_unsigned)
{
        static const struct {
                Bytes bytes;
                size_t size; /* 0: refused */
        } examples[] = {
                {{3, {2, 1, 0}}, 1},       {{3, {2, 1, 0x7f}}, 1}, {{4, {2, 2, 0, 0x80}}, 1},
                {{2, {2, 0}}, 0},          {{3, {2, 1, 0x80}}, 0}, /* negative */
                {{4, {2, 2, 0, 0x7f}}, 0}, {{4, {2, 2, 0, 0}}, 0}, {{3, {3, 1, 0}}, 0},
        };
        DerReader reader = der_reader(examples[_i].bytes.data, examples[_i].bytes.size);
        DerItem item = {};
        int r = der_unsigned(&reader, &item);

        ck_assert_int_eq(r, examples[_i].size == 0 ? -EBADMSG : 0);
        ck_assert_uint_eq(item.size, examples[_i].size);
}
END_TEST

START_TEST(only_whole_bytes_are_bits)
{
        static const uint8_t whole[] = {3, 2, 0, 0xaa}, part[] = {3, 2, 1, 0xaa}, none[] = {3, 0};
        DerReader reader = der_reader(whole, sizeof(whole));
        DerItem item;

        ck_assert_int_eq(der_bits(&reader, &item), 0);
        ck_assert_uint_eq(item.size, 1);
        ck_assert_uint_eq(item.content[0], 0xaa);
        reader = der_reader(part, sizeof(part));
        ck_assert_int_eq(der_bits(&reader, &item), -EBADMSG);
        reader = der_reader(none, sizeof(none));
        ck_assert_int_eq(der_bits(&reader, &item), -EBADMSG);
}
END_TEST

typedef struct Time {
        uint8_t tag;
        const char *text;
        int64_t seconds; /* -1: refused */
} Time;

static const Time times[] = {
        {DER_UTC_TIME, "700101000000Z", 0},
        {DER_UTC_TIME, "691231235959Z", 0}, /* before */
        {DER_UTC_TIME, "500101000000Z", 0}, /* of the last century */
        {DER_UTC_TIME, "491231235959Z", 2524607999},
        {DER_UTC_TIME, "240229123456Z", 1709210096},
        {DER_UTC_TIME, "230229123456Z", -1}, /* no leap year */
        {DER_UTC_TIME, "240431000000Z", -1},
        {DER_UTC_TIME, "241301000000Z", -1},
        {DER_UTC_TIME, "240001000000Z", -1},
        {DER_UTC_TIME, "240100000000Z", -1},
        {DER_UTC_TIME, "240101240000Z", -1},
        {DER_UTC_TIME, "240101006000Z", -1},
        {DER_UTC_TIME, "240101000060Z", -1},
        {DER_UTC_TIME, "240101000000+", -1},
        {DER_UTC_TIME, "2401010000Z", -1},
        {DER_UTC_TIME, "2401010000 0Z", -1},
        {DER_UTC_TIME, "24010100000-1Z", -1},
        {DER_UTC_TIME, "20240101000000Z", -1}, /* the other form under this tag */
        {DER_GENERALIZED_TIME, "240101000000Z", -1},
        {DER_GENERALIZED_TIME, "20500101000000Z", 2524608000},
        {DER_GENERALIZED_TIME, "99991231235959Z", 253402300799},
        {DER_GENERALIZED_TIME, "00000101000000Z", 0},
        {DER_GENERALIZED_TIME, "20500101000000.5Z", -1},
        {DER_OCTET_STRING, "240101000000Z", -1},
};

START_TEST(times_are_read_as_rfc_5280_says)
{
        const Time *t = &times[_i];
        size_t size = strlen(t->text);
        _cleanup_free_ uint8_t *data = malloc(size + 2);
        DerReader reader = der_reader(data, size + 2);
        usec_t usec = 1;
        int r;

        data[0] = t->tag;
        data[1] = (uint8_t) size;
        memcpy(data + 2, t->text, size);
        r = certificate_time_read(&reader, &usec);
        if (t->seconds < 0)
                ck_assert_int_eq(r, -EBADMSG);
        else {
                ck_assert_int_eq(r, 0);
                ck_assert_uint_eq(usec, (usec_t) t->seconds * USEC_PER_SEC);
        }
}
END_TEST

/* A name of one CN of that type and text. */
static int one_name(uint8_t tag, const char *text, size_t text_size, char **ret) {
        size_t size = text_size + 11;
        _cleanup_free_ uint8_t *data = malloc(size);
        uint8_t head[] = {DER_SET, 0, DER_SEQUENCE, 0, DER_OID, 3, 0x55, 4, 3, tag, 0};
        DerItem item = {.content = data, .size = size};

        ck_assert_uint_lt(text_size, 0x70);
        head[1] = (uint8_t) (size - 2);
        head[3] = (uint8_t) (size - 4);
        head[10] = (uint8_t) text_size;
        memcpy(data, head, sizeof(head));
        memcpy(data + sizeof(head), text, text_size);
        return distinguished_name_to_text(&item, ret);
}

typedef struct Name {
        uint8_t tag;
        const char *text;
        size_t size;
        const char *shown;
} Name;

static const Name names[] = {
        {DER_UTF8_STRING, "device-7", 8, "CN=device-7"},
        {DER_UTF8_STRING, "", 0, "CN="},
        {DER_UTF8_STRING, " ", 1, "CN=\\ "},
        {DER_UTF8_STRING, " a b ", 5, "CN=\\ a b\\ "},
        {DER_UTF8_STRING, "#a#", 3, "CN=\\#a#"},
        {DER_UTF8_STRING, "a,b+c\"d\\e<f>g;h=i", 17, "CN=a\\,b\\+c\\\"d\\\\e\\<f\\>g\\;h=i"},
        {DER_UTF8_STRING, "a\0b", 3, "CN=a\\00b"},
        {DER_UTF8_STRING, "\x1b[2J\n\x7f", 6, "CN=\\1b[2J\\0a\\7f"},
        {DER_UTF8_STRING, "\xc2\x9b", 2, "CN=\\c2\\9b"}, /* CSI as one character */
        {DER_UTF8_STRING, "\xc3\xa4", 2, "CN=\xc3\xa4"},
        {DER_UTF8_STRING, "\xc3", 1, "CN=#0c01c3"}, /* no UTF-8 */
        {DER_PRINTABLE_STRING, "\xc3\xa4", 2, "CN=#1302c3a4"},
        {0x1e, "\0A", 2, "CN=#1e020041"}, /* BMPString */
        {DER_OCTET_STRING, "x", 1, "CN=#040178"},
};

START_TEST(names_are_shown_without_danger)
{
        _cleanup_free_ char *shown = NULL;

        ck_assert_int_eq(one_name(names[_i].tag, names[_i].text, names[_i].size, &shown), 0);
        ck_assert_str_eq(shown, names[_i].shown);
}
END_TEST

START_TEST(an_unknown_attribute_is_shown_by_number)
{
        static const struct {
                Bytes bytes;
                const char *shown;
        } examples[] = {
                {{15, {0x31, 13, 0x30, 11, 6, 6, 0x2b, 6, 1, 4, 1, 5, 0x0c, 1, 'x'}},
                 "1.3.6.1.4.1.5=#0c0178"},
                {{12, {0x31, 10, 0x30, 8, 6, 3, 0x88, 0x37, 3, 0x0c, 1, 'x'}}, "2.999.3=#0c0178"},
                /* cut off, and a number beyond 63 bits */
                {{11, {0x31, 9, 0x30, 7, 6, 2, 0x2b, 0x80, 0x0c, 1, 'x'}}, "#2b80=#0c0178"},
                {{20, {0x31, 18,  0x30, 16,  6,   11,  0x2b, 255,  255, 255,
                       255,  255, 255,  255, 255, 255, 0x7f, 0x0c, 1,   'x'}},
                 "#2bffffffffffffffffff7f=#0c0178"},
        };
        DerItem item = {.content = examples[_i].bytes.data, .size = examples[_i].bytes.size};
        _cleanup_free_ char *shown = NULL;

        ck_assert_int_eq(distinguished_name_to_text(&item, &shown), 0);
        ck_assert_str_eq(shown, examples[_i].shown);
}
END_TEST

START_TEST(a_malformed_name_is_refused)
{
        static const Bytes examples[] = {
                {2, {0x31, 0}},                /* a part without an attribute */
                {2, {0x30, 0}},                /* no set */
                {4, {0x31, 2, 0x30, 0}},       /* nothing in it */
                {6, {0x31, 4, 0x30, 2, 6, 0}}, /* no number, no value */
                {8, {0x31, 6, 0x30, 4, 6, 0, 5, 0}},
        };
        DerItem item = {.content = examples[_i].data, .size = examples[_i].size};
        char *shown = NULL;

        ck_assert_int_eq(distinguished_name_to_text(&item, &shown), -EBADMSG);
        ck_assert_ptr_null(shown);
}
END_TEST

START_TEST(a_name_of_too_many_parts_is_refused)
{
        static const uint8_t part[] = {0x31, 10, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, 'x'};
        _cleanup_free_ uint8_t *data = malloc(65 * sizeof(part));
        DerItem item = {.content = data, .size = 65 * sizeof(part)};
        _cleanup_free_ char *shown = NULL;

        for (size_t i = 0; i < 65; i++)
                memcpy(data + i * sizeof(part), part, sizeof(part));
        ck_assert_int_eq(distinguished_name_to_text(&item, &shown), -EBADMSG);
        item.size -= sizeof(part);
        ck_assert_int_eq(distinguished_name_to_text(&item, &shown), 0);
}
END_TEST

typedef struct Pem {
        const char *text;
        int found;
        int decoded;
} Pem;

static const Pem pems[] = {
        {"", 0, 0},
        {"-----BEGIN ", -EINVAL, 0},
        {"-----BEGIN X", -EINVAL, 0},
        {"-----BEGIN X-----", -EINVAL, 0},
        {"-----BEGIN X-----\nAAAA\n-----END Y-----\n", -EINVAL, 0},
        {"-----BEGIN X-----\nAAAA\n-----END X----", -EINVAL, 0},
        {"-----BEGIN X\n-----\nAAAA\n-----END X\n-----", -EINVAL, 0},
        {" -----BEGIN X-----\nAAAA\n-----END X-----\n", 0, 0}, /* not at the line's start */
        {"-----BEGIN X-----\nAAAA\n-----END X-----", 1, 0},
        {"text\n-----BEGIN X-----\nAA\nAA\n-----END X-----\n", 1, 0},
        {"-----BEGIN X-----\nAAA=\n-----END X-----\n", 1, 0},
        {"-----BEGIN X-----\nAA==\n-----END X-----\n", 1, 0},
        {"-----BEGIN X-----\n\n-----END X-----\n", 1, -EINVAL},
        {"-----BEGIN X-----\nAAA\n-----END X-----\n", 1, -EINVAL},
        {"-----BEGIN X-----\nAAAAA\n-----END X-----\n", 1, -EINVAL},
        {"-----BEGIN X-----\nA===\n-----END X-----\n", 1, -EINVAL},
        {"-----BEGIN X-----\n====\n-----END X-----\n", 1, -EINVAL},
        {"-----BEGIN X-----\nAA*A\n-----END X-----\n", 1, -EINVAL},
        {"-----BEGIN X-----\nAA==AAAA\n-----END X-----\n", 1, -EINVAL},
        {"-----BEGIN X-----\nProc-Type: 4\n\nAAAA\n-----END X-----\n", 1, -EINVAL},
};

START_TEST(pem_is_found_and_decoded)
{
        const Pem *t = &pems[_i];
        size_t size = strlen(t->text);
        _cleanup_free_ uint8_t *text = exact((const uint8_t *) t->text, size);
        _cleanup_secret_ Secret *der = NULL;
        PemBlock block;

        ck_assert_int_eq(pem_find((char *) text, (char *) text + size, &block), t->found);
        if (t->found <= 0)
                return;
        ck_assert(pem_has_label(&block, "X"));
        ck_assert(!pem_has_label(&block, "XY"));
        ck_assert_int_eq(pem_decode(&block, &der), t->decoded);
}
END_TEST

START_TEST(pem_goes_there_and_back)
{
        for (size_t size = 1; size < 200; size++) {
                _cleanup_secret_ Secret *data = secret_new(NULL, size), *pem = NULL, *back = NULL;
                PemBlock block;

                for (size_t i = 0; i < size; i++)
                        data->data[i] = (uint8_t) (i * 37 + size);
                ck_assert_int_eq(pem_encode("ANY LABEL", data->data, size, &pem), 0);
                ck_assert_uint_eq(strlen(secret_text(pem)), pem->size);
                ck_assert_int_eq(pem->data[pem->size - 1], '\n');
                ck_assert_int_eq(pem_find(secret_text(pem), secret_text(pem) + pem->size, &block),
                                 1);
                ck_assert_int_eq(pem_decode(&block, &back), 0);
                ck_assert(secret_equal(data, back));
        }
}
END_TEST

START_TEST(utf8_is_told_from_noise)
{
        static const struct {
                Bytes bytes;
                size_t length;
        } examples[] = {
                {{0, {0}}, 0},
                {{1, {'a'}}, 1},
                {{1, {0x80}}, 0},
                {{2, {0xc2, 0x80}}, 2},
                {{2, {0xc1, 0xbf}}, 0},
                {{1, {0xc2}}, 0},
                {{2, {0xc2, 0x41}}, 0},
                {{3, {0xe0, 0x9f, 0xbf}}, 0},
                {{3, {0xe0, 0xa0, 0x80}}, 3},
                {{3, {0xed, 0xa0, 0x80}}, 0}, /* a surrogate */
                {{4, {0xf0, 0x90, 0x80, 0x80}}, 4},
                {{4, {0xf0, 0x8f, 0xbf, 0xbf}}, 0},
                {{4, {0xf4, 0x8f, 0xbf, 0xbf}}, 4},
                {{4, {0xf4, 0x90, 0x80, 0x80}}, 0},
                {{5, {0xf8, 0x88, 0x80, 0x80, 0x80}}, 0},
        };
        const Bytes *e = &examples[_i].bytes;
        _cleanup_free_ uint8_t *text = exact(e->data, e->size);

        ck_assert_uint_eq(utf8_character(text, e->size), examples[_i].length);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("crypto/format");
        TCase *c = tcase_create("format");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(c, ill_formed_der_is_refused, 0, 11);
        tcase_add_test(c, der_is_walked);
        tcase_add_test(c, long_lengths_are_read);
        tcase_add_loop_test(c, only_short_and_positive_integers_are_unsigned, 0, 8);
        tcase_add_test(c, only_whole_bytes_are_bits);
        tcase_add_loop_test(c, times_are_read_as_rfc_5280_says, 0, ELEMENTSOF(times));
        tcase_add_loop_test(c, names_are_shown_without_danger, 0, ELEMENTSOF(names));
        tcase_add_loop_test(c, an_unknown_attribute_is_shown_by_number, 0, 4);
        tcase_add_loop_test(c, a_malformed_name_is_refused, 0, 5);
        tcase_add_test(c, a_name_of_too_many_parts_is_refused);
        tcase_add_loop_test(c, pem_is_found_and_decoded, 0, ELEMENTSOF(pems));
        tcase_add_test(c, pem_goes_there_and_back);
        tcase_add_loop_test(c, utf8_is_told_from_noise, 0, 15);
        suite_add_tcase(suite, c);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

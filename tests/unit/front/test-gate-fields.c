/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/gate-fields.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/unit/front/submit-header.h"

#define FIXED 16U

/* In a block of its very size: a byte read beyond is seen. */
static int check_exactly(const uint8_t *fields, size_t size, size_t n_fds) {
        _cleanup_free_ uint8_t *copy = malloc(size);
        int r;

        memcpy(copy, fields, size);
        r = gate_fields_check(copy, size, true, n_fds);
        return r;
}

static int check(const SubmitHeader *h, size_t n_fds) {
        return check_exactly(h->data + FIXED, h->fields_size, n_fds);
}

START_TEST(a_call_of_submit_may_bring_what_it_says)
{
        for (uint32_t said = 0; said < 5; said++)
                for (size_t brought = 0; brought < 5; brought++) {
                        SubmitHeader h = submit_header_make(said, 0);

                        ck_assert_int_eq(check(&h, brought), said == brought ? 0 : -EBADMSG);
                }
}
END_TEST

START_TEST(further_fields_are_those_that_a_caller_has)
{
        static const struct {
                uint8_t code;
                const char *value;
                int expected;
        } table[] = {
                {6, "io.fleetprov.Provisioner1", 0},
                {6, ":1.0", 0},
                {6, ":1.4711", 0},
                {6, ":1.", -EBADMSG},
                {6, ":1.0x", -EBADMSG},
                {6, ":1.12345678901234567890", -EBADMSG},
                {6, "org.example", -EBADMSG},
                {6, "", -EBADMSG},
                {7, ":1.0", -EBADMSG},        /* a sender is for a bus to write */
                {4, "org.example", -EBADMSG}, /* the name of an error */
                {3, "Submit", -EBADMSG},      /* there already */
                {0, "x", -EBADMSG},           /* no field */
                {10, "x", -EBADMSG},          /* not known */
                {255, "x", -EBADMSG},
        };
        SubmitHeader h = submit_header_with(1, table[_i].code, table[_i].value);

        ck_assert_int_eq(check(&h, 1), table[_i].expected);
}
END_TEST

START_TEST(nothing_else_may)
{
        SubmitHeader h = submit_header_make(1, 0);

        /* Each byte is looked at: path, interface, member, types, lengths, padding, number. */
        for (size_t i = FIXED; i < FIXED + h.fields_size; i++)
                for (unsigned bit = 0; bit < 8; bit++) {
                        h.data[i] ^= (uint8_t) (1U << bit);
                        ck_assert_msg(check(&h, 1) == -EBADMSG, "byte %zu, bit %u", i, bit);
                        h.data[i] ^= (uint8_t) (1U << bit);
                }
        ck_assert_int_eq(check(&h, 1), 0);
        ck_assert_int_eq(gate_fields_check(h.data + FIXED, h.fields_size, false, 1), -EBADMSG);
}
END_TEST

START_TEST(it_ends_with_its_last_field)
{
        SubmitHeader h = submit_header_with(1, 6, ":1.23"); /* two bytes of padding follow */
        SubmitHeader without = submit_header_make(1, 0);

        ck_assert_uint_eq(h.size - FIXED - h.fields_size, 2);
        for (size_t n = 0; n < h.fields_size; n++)
                if (n != without.fields_size)
                        ck_assert_int_eq(check_exactly(h.data + FIXED, n, 1), -EBADMSG);
        for (size_t n = h.fields_size + 1; n <= h.size - FIXED; n++)
                ck_assert_int_eq(check_exactly(h.data + FIXED, n, 1), -EBADMSG);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/gate-fields");
        TCase *tcase = tcase_create("fields");
        SRunner *runner;
        int failed;

        tcase_add_test(tcase, a_call_of_submit_may_bring_what_it_says);
        tcase_add_loop_test(tcase, further_fields_are_those_that_a_caller_has, 0, 14);
        tcase_add_test(tcase, nothing_else_may);
        tcase_add_test(tcase, it_ends_with_its_last_field);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}

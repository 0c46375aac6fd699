/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/gate-frame.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "protocol/ipc/limits.h"
#include "tests/unit/front/submit-header.h"

#define HANDSHAKE "AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"

/* Feeds as a reader does that is given at most `step` bytes at a time. Counts the times at which
 * the scanner stood between two messages. */
static int feed_all(GateFrame *f, const uint8_t *data, size_t size, size_t step,
                    size_t *ret_boundaries) {
        size_t boundaries = 0;

        for (size_t done = 0; done < size;) {
                size_t n = gate_frame_want(f);
                int r;

                if (n == 0) /* no assertion: one for each byte takes its time */
                        ck_abort_msg("it wants nothing");
                if (n > step)
                        n = step;
                if (n > size - done)
                        n = size - done;
                r = gate_frame_feed(f, data + done, n, 0);
                if (r < 0)
                        return r;
                done += n;
                boundaries += !gate_frame_is_unfinished(f);
        }
        if (ret_boundaries)
                *ret_boundaries = boundaries;
        return 0;
}

static void begin(GateFrame *f) {
        gate_frame_init(f);
        ck_assert_int_eq(feed_all(f, (const uint8_t *) "\0" HANDSHAKE, sizeof("\0" HANDSHAKE) - 1,
                                  SIZE_MAX, NULL),
                         0);
        ck_assert(!gate_frame_is_unfinished(f));
}

static void put_u32(uint8_t *p, uint32_t value, bool little) {
        for (unsigned i = 0; i < 4; i++)
                p[little ? i : 3 - i] = (uint8_t) (value >> 8 * i);
}

static void make_header(uint8_t h[static GATE_HEADER_SIZE], uint32_t body, uint32_t fields,
                        bool little) {
        h[0] = little ? 'l' : 'B';
        h[1] = 1;
        h[2] = 0;
        h[3] = 1;
        put_u32(h + 4, body, little);
        put_u32(h + 8, 7, little);
        put_u32(h + 12, fields, little);
}

START_TEST(handshake_ends_exactly_behind_begin)
{
        static const struct {
                const char *text;
                bool over;
        } table[] = {
                {"BEGIN\r\n", true},         {HANDSHAKE, true},
                {"AUTH\r\nBEGIN\r\n", true}, {"\r\nBEGIN\r\n", true},
                {"BEGI\r\nBEGIN\r\n", true}, {"BEGIN\r", false},
                {"BEGIN\n", false},          {"BEGIN \r\n", false},
                {"xBEGIN\r\n", false},       {"AUTH BEGIN\r\n", false},
                {"begin\r\n", false},        {"BEGIN\r\r\n", false},
                {"AUTH\nBEGIN\r\n", false},  {"A\r\r\nBEGIN\r\n", true},
        };

        for (size_t step = 1; step < 12; step++) {
                const char *text = table[_i].text;
                GateFrame f;
                size_t boundaries;

                gate_frame_init(&f);
                ck_assert_int_eq(gate_frame_feed(&f, (const uint8_t *) "", 1, 0), 0);
                ck_assert_int_eq(
                        feed_all(&f, (const uint8_t *) text, strlen(text), step, &boundaries), 0);
                ck_assert_uint_eq(boundaries, table[_i].over);
        }
}
END_TEST

START_TEST(connection_that_does_not_open_with_nul_is_no_dbus)
{
        GateFrame f;

        for (int byte = 1; byte < 256; byte++) {
                uint8_t b = (uint8_t) byte;

                gate_frame_init(&f);
                ck_assert_int_eq(gate_frame_feed(&f, &b, 1, 0), -EBADMSG);
        }
}
END_TEST

START_TEST(endless_handshake_is_cut_off)
{
        const uint8_t line[] = "AUTH EXTERNAL 30\r\n";
        size_t size = 0;
        GateFrame f;
        int r = 0;

        gate_frame_init(&f);
        ck_assert_int_eq(gate_frame_feed(&f, (const uint8_t *) "", 1, 0), 0);
        while (r == 0 && size < 10 * GATE_SASL_MAX) {
                r = feed_all(&f, line, sizeof(line) - 1, SIZE_MAX, NULL);
                size += sizeof(line) - 1;
        }
        ck_assert_int_eq(r, -EMSGSIZE);
        ck_assert_uint_le(size, GATE_SASL_MAX + sizeof(line));
}
END_TEST

/* A reader never gets bytes of the next message, however it is served. */
START_TEST(messages_are_told_apart)
{
        static const struct {
                uint32_t body, fields;
        } table[] = {{0, 0}, {0, 1}, {0, 8}, {1, 9}, {100, 61}, {4096, 128}, {200000, 700}};
        static uint8_t stream[1024 * 1024];
        bool little = _i & 1;
        size_t steps[] = {1, 3, 16, 17, 4096, SIZE_MAX}, size = 0;

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                make_header(stream + size, table[i].body, table[i].fields, little);
                size += GATE_HEADER_SIZE + (table[i].fields + 7) / 8 * 8 + table[i].body;
        }
        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                size_t boundaries;
                GateFrame f;

                begin(&f);
                ck_assert_int_eq(feed_all(&f, stream, size, steps[i], &boundaries), 0);
                ck_assert_uint_eq(boundaries, ELEMENTSOF(table));
                ck_assert(!gate_frame_is_unfinished(&f));
        }
}
END_TEST

START_TEST(size_is_bounded)
{
        static const struct {
                uint32_t body, fields;
                int expected;
        } table[] = {
                {IPC_MESSAGE_MAX - 16, 0, 0},
                {IPC_MESSAGE_MAX - 15, 0, -EMSGSIZE},
                {0, IPC_MESSAGE_MAX - 16, 0},
                {0, IPC_MESSAGE_MAX - 15, -EMSGSIZE},
                {IPC_MESSAGE_MAX - 24, 1, 0},
                {IPC_MESSAGE_MAX - 23, 1, -EMSGSIZE},
                {UINT32_MAX, 0, -EMSGSIZE},
                {0, UINT32_MAX, -EMSGSIZE},
                {UINT32_MAX, UINT32_MAX, -EMSGSIZE},
                {1, UINT32_MAX - 6, -EMSGSIZE}, /* a sum in 32 bits would be small */
        };
        for (unsigned little = 0; little < 2; little++) {
                uint8_t h[GATE_HEADER_SIZE];
                GateFrame f;

                begin(&f);
                make_header(h, table[_i].body, table[_i].fields, little);
                ck_assert_int_eq(gate_frame_feed(&f, h, sizeof(h), 0), table[_i].expected);
                if (table[_i].expected == 0)
                        ck_assert_uint_eq(gate_frame_want(&f), IPC_MESSAGE_MAX - 16);
        }
}
END_TEST

/* All of a call of Submit that says `said`, descriptors coming with its first byte. */
static int feed_submit(GateFrame *f, uint32_t said, size_t brought) {
        SubmitHeader h = submit_header_make(said, 64);
        uint8_t body[64] = {};
        int r;

        r = gate_frame_feed(f, h.data, 1, brought);
        if (r < 0)
                return r;
        ck_assert(!f->lets_fds_pass);
        r = feed_all(f, h.data + 1, h.size - 1, 7, NULL);
        if (r < 0)
                return r;
        ck_assert(f->lets_fds_pass == (brought > 0));
        return feed_all(f, body, sizeof(body), SIZE_MAX, NULL);
}

START_TEST(descriptors_are_counted_by_message)
{
        uint8_t h[GATE_HEADER_SIZE];
        GateFrame f;

        begin(&f);
        for (uint32_t i = 0; i <= IPC_MESSAGE_FDS_MAX; i++) /* each may have as many */
                ck_assert_int_eq(feed_submit(&f, i, i), 0);
        begin(&f);
        ck_assert_int_eq(feed_submit(&f, IPC_MESSAGE_FDS_MAX + 1, IPC_MESSAGE_FDS_MAX + 1), -E2BIG);
        begin(&f);
        ck_assert_int_eq(feed_submit(&f, 2, 1), -EBADMSG);
        make_header(h, 0, 0, true);
        begin(&f);
        ck_assert_int_eq(gate_frame_feed(&f, h, 4, IPC_MESSAGE_FDS_MAX), 0);
        ck_assert_int_eq(gate_frame_feed(&f, h + 4, 4, 1), -E2BIG);
}
END_TEST

START_TEST(descriptors_with_anything_but_submit_are_refused)
{
        static const struct {
                size_t at;
                uint8_t value;
        } table[] = {
                {1, 4},   /* a signal */
                {8, 0},   /* no serial */
                {12, 0},  /* no fields */
                {14, 1},  /* more fields than any call of Submit has */
                {40, 'X'} /* another path */
        };
        SubmitHeader h = submit_header_make(1, 0);
        GateFrame f;
        int r;

        h.data[table[_i].at] = table[_i].value;
        begin(&f);
        r = gate_frame_feed(&f, h.data, GATE_HEADER_SIZE, 1);
        if (r == 0)
                r = feed_all(&f, h.data + GATE_HEADER_SIZE, h.size - GATE_HEADER_SIZE, SIZE_MAX,
                             NULL);
        ck_assert_int_eq(r, -EBADMSG);
        ck_assert(!f.lets_fds_pass);
}
END_TEST

START_TEST(descriptors_behind_the_first_bytes_are_refused)
{
        SubmitHeader h = submit_header_make(1, 64);
        GateFrame f;

        begin(&f);
        ck_assert_int_eq(gate_frame_feed(&f, h.data, GATE_HEADER_SIZE, 1), 0);
        ck_assert_int_eq(gate_frame_feed(&f, h.data + GATE_HEADER_SIZE, 1, 1), -E2BIG);
        begin(&f);
        ck_assert_int_eq(feed_all(&f, h.data, h.size, SIZE_MAX, NULL), 0);
        ck_assert_int_eq(gate_frame_feed(&f, h.data, 1, 1), -E2BIG);
}
END_TEST

START_TEST(descriptors_in_the_handshake_are_refused)
{
        GateFrame f;

        gate_frame_init(&f);
        ck_assert_int_eq(gate_frame_feed(&f, (const uint8_t *) "", 1, 1), -E2BIG);
        gate_frame_init(&f);
        ck_assert_int_eq(gate_frame_feed(&f, (const uint8_t *) "", 1, 0), 0);
        ck_assert_int_eq(gate_frame_feed(&f, (const uint8_t *) "A", 1, 1), -E2BIG);
}
END_TEST

/* Each prefix is unfinished and no error; each flipped bit is either refused or another size. */
START_TEST(header_survives_cuts_and_flips)
{
        uint8_t h[GATE_HEADER_SIZE];
        GateFrame f;

        make_header(h, 40, 24, true);
        for (size_t n = 1; n < sizeof(h); n++) {
                begin(&f);
                ck_assert_int_eq(feed_all(&f, h, n, 1, NULL), 0);
                ck_assert(gate_frame_is_unfinished(&f));
                ck_assert_uint_eq(gate_frame_want(&f), sizeof(h) - n);
        }
        for (size_t bit = 0; bit < sizeof(h) * 8; bit++) {
                size_t byte = bit / 8;
                int r;

                h[byte] ^= (uint8_t) (1U << bit % 8);
                begin(&f);
                r = gate_frame_feed(&f, h, sizeof(h), 0);
                if (byte == 0 || byte == 3 || (byte == 1 && h[1] == 0))
                        ck_assert_int_eq(r, -EBADMSG);
                else if (byte == 7 || byte == 15 || (byte % 8 == 6 && bit % 8 >= 2))
                        ck_assert_int_eq(r, -EMSGSIZE); /* 256 KiB and more */
                else {
                        ck_assert_int_eq(r, 0);
                        ck_assert_uint_le(gate_frame_want(&f), IPC_MESSAGE_MAX - 16);
                }
                h[byte] ^= (uint8_t) (1U << bit % 8);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/gate-frame");
        TCase *tcase = tcase_create("frames");
        SRunner *runner;
        int failed;

        tcase_add_loop_test(tcase, handshake_ends_exactly_behind_begin, 0, 14);
        tcase_add_test(tcase, connection_that_does_not_open_with_nul_is_no_dbus);
        tcase_add_test(tcase, endless_handshake_is_cut_off);
        tcase_add_loop_test(tcase, messages_are_told_apart, 0, 2);
        tcase_add_loop_test(tcase, size_is_bounded, 0, 10);
        tcase_add_test(tcase, descriptors_are_counted_by_message);
        tcase_add_loop_test(tcase, descriptors_with_anything_but_submit_are_refused, 0, 5);
        tcase_add_test(tcase, descriptors_behind_the_first_bytes_are_refused);
        tcase_add_test(tcase, descriptors_in_the_handshake_are_refused);
        tcase_add_test(tcase, header_survives_cuts_and_flips);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}

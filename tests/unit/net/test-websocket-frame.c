/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/websocket-frame.h"

#include <errno.h>

#include "tests/unit/net/run-suite.h"

/* Bytes of a literal, with its zeros. */
#define BYTES(s) (const uint8_t *) (s), sizeof(s) - 1

static const struct {
        const char *what;
        const uint8_t *data;
        size_t size;
        const char *payload;
        int error;
        bool pinged, closed;
        uint16_t code;
} streams[] = {
        {"a message", BYTES("\x82\x05hello"), "hello", 0, false, false, 0},
        {"two of them", BYTES("\x82\x02he\x82\x03llo"), "hello", 0, false, false, 0},
        {"in fragments", BYTES("\x02\x02he\x00\x01l\x80\x02lo"), "hello", 0, false, false, 0},
        {"with empty ones", BYTES("\x82\x00\x02\x00\x80\x05hello"), "hello", 0, false, false, 0},
        {"16 bits", BYTES("\x82\x7e\x00\x05hello"), "hello", 0, false, false, 0},
        {"64 bits", BYTES("\x82\x7f\x00\x00\x00\x00\x00\x00\x00\x05hello"), "hello", 0, false,
         false, 0},
        {"a ping between", BYTES("\x02\x02he\x89\x02xy\x80\x03llo"), "hello", 0, true, false, 0},
        {"an empty ping", BYTES("\x89\x00\x82\x05hello"), "hello", 0, true, false, 0},
        {"a pong", BYTES("\x8a\x02xy\x82\x05hello"), "hello", 0, false, false, 0},
        {"a close", BYTES("\x82\x05hello\x88\x00\x82\x01x"), "hello", 0, false, true, 0},
        {"a close with a code", BYTES("\x82\x05hello\x88\x05\x03\xf0why\xff"), "hello", 0, false,
         true, 1008},
        {"a length beyond all memory", BYTES("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xffhello"),
         "hello", 0, false, false, 0},
        {"a length beyond the protocol", BYTES("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00"), "",
         -EBADMSG, false, false, 0},
        {"a text", BYTES("\x82\x02he\x81\x01l"), "he", -EBADMSG, false, false, 0},
        {"a mask", BYTES("\x82\x81....x"), "", -EBADMSG, false, false, 0},
        {"an extension", BYTES("\xc2\x01x"), "", -EBADMSG, false, false, 0},
        {"a continuation of nothing", BYTES("\x80\x01x"), "", -EBADMSG, false, false, 0},
        {"a message in a message", BYTES("\x02\x01x\x82\x01y"), "x", -EBADMSG, false, false, 0},
        {"a ping in fragments", BYTES("\x09\x01x"), "", -EBADMSG, false, false, 0},
        {"a ping too long", BYTES("\x89\x7e\x00\x7e"), "", -EBADMSG, false, false, 0},
        {"a close too short", BYTES("\x88\x01x"), "", -EBADMSG, false, false, 0},
        {"an unknown opcode", BYTES("\x83\x01x"), "", -EBADMSG, false, false, 0},
        {"an unknown control", BYTES("\x8b\x01x"), "", -EBADMSG, false, false, 0},
        {"no frames at all", BYTES("HTTP/1.1 200"), "", -EBADMSG, false, false, 0},
};

static void read_in_steps(size_t i, size_t step) {
        _cleanup_free_ uint8_t *in = malloc(streams[i].size), *out = malloc(streams[i].size);
        WebsocketReader r = {};
        size_t n_out = 0, n;

        memcpy(in, streams[i].data, streams[i].size);
        for (size_t at = 0; at < streams[i].size; at += n) {
                size_t taken;

                n = streams[i].size - at < step ? streams[i].size - at : step;
                (void) websocket_reader_feed(&r, in + at, n, &taken);
                ck_assert_uint_le(taken, n);
                memcpy(out + n_out, in + at, taken);
                n_out += taken;
        }
        ck_assert_msg(r.error == streams[i].error, "%s: %d", streams[i].what, r.error);
        ck_assert_msg(n_out == strlen(streams[i].payload) &&
                              memcmp(out, streams[i].payload, n_out) == 0,
                      "%s: %.*s", streams[i].what, (int) n_out, (char *) out);
        ck_assert_msg(r.pinged == streams[i].pinged, "%s", streams[i].what);
        ck_assert_msg(r.closed == streams[i].closed, "%s", streams[i].what);
        ck_assert_uint_eq(r.close_code, streams[i].code);
}

START_TEST(frames_are_taken_off_wherever_they_are_cut)
{
        for (size_t step = 1; step <= 8; step++)
                read_in_steps((size_t) _i, step);
        read_in_steps((size_t) _i, SIZE_MAX);
}
END_TEST

START_TEST(last_ping_is_the_one_to_answer)
{
        uint8_t data[] = "\x89\x03one\x89\x02xy";
        WebsocketReader r = {};
        size_t n;

        ck_assert_int_eq(websocket_reader_feed(&r, data, sizeof(data) - 1, &n), 0);
        ck_assert(r.pinged);
        ck_assert_uint_eq(r.n_pong, 2);
        ck_assert_mem_eq(r.pong, "xy", 2);
}
END_TEST

START_TEST(half_a_ping_asks_for_nothing)
{
        uint8_t data[] = "\x89\x03on";
        WebsocketReader r = {};
        size_t n;

        ck_assert_int_eq(websocket_reader_feed(&r, data, sizeof(data) - 1, &n), 0);
        ck_assert(!r.pinged);
}
END_TEST

START_TEST(error_stays)
{
        uint8_t bad[] = "\x81\x00", good[] = "\x82\x01x";
        WebsocketReader r = {};
        size_t n;

        ck_assert_int_eq(websocket_reader_feed(&r, bad, 2, &n), -EBADMSG);
        ck_assert_int_eq(websocket_reader_feed(&r, good, 3, &n), -EBADMSG);
        ck_assert_uint_eq(n, 0);
}
END_TEST

static const struct {
        size_t size, header;
        const char *begin;
} sizes[] = {
        {0, 2, "\x82\x80"},
        {1, 2, "\x82\x81"},
        {125, 2, "\x82\xfd"},
        {126, 4, "\x82\xfe\x00\x7e"},
        {65535, 4, "\x82\xfe\xff\xff"},
        {65536, 10, "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00"},
};

START_TEST(frame_is_masked_and_its_length_is_the_shortest)
{
        static const uint8_t mask[] = {0x11, 0x22, 0x44, 0x88};
        size_t size = sizes[_i].size, header = sizes[_i].header;
        _cleanup_free_ uint8_t *data = malloc(size + 1);
        _cleanup_free_ uint8_t *frame = malloc(WEBSOCKET_HEADER_MAX + size);

        for (size_t i = 0; i < size; i++)
                data[i] = (uint8_t) (i * 7);
        ck_assert_uint_eq(websocket_frame_make(WEBSOCKET_BINARY, mask, data, size, frame),
                          header + sizeof(mask) + size);
        ck_assert_mem_eq(frame, sizes[_i].begin, header);
        ck_assert_mem_eq(frame + header, mask, sizeof(mask));
        for (size_t i = 0; i < size; i++)
                ck_assert_uint_eq(frame[header + sizeof(mask) + i], data[i] ^ mask[i % 4]);
}
END_TEST

int main(void) {
        Suite *s = suite_create("websocket-frame");
        TCase *t = tcase_create("websocket-frame");

        tcase_add_loop_test(t, frames_are_taken_off_wherever_they_are_cut, 0, ELEMENTSOF(streams));
        tcase_add_test(t, last_ping_is_the_one_to_answer);
        tcase_add_test(t, half_a_ping_asks_for_nothing);
        tcase_add_test(t, error_stays);
        tcase_add_loop_test(t, frame_is_masked_and_its_length_is_the_shortest, 0,
                            ELEMENTSOF(sizes));
        suite_add_tcase(s, t);
        return run_suite(s);
}

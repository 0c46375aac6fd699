/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/mqtt-connect.h"

#include <errno.h>

#include "daemon/net/mqtt-frame.h"
#include "tests/unit/net/run-suite.h"

START_TEST(connect_is_as_the_standard_writes_it)
{
        static const uint8_t expected[] = {0x10, 16, 0,  4, 'M', 'Q', 'T', 'T', 4,
                                           0x02, 0,  60, 0, 4,   'g', 'w', '-', '1'};
        _cleanup_free_ uint8_t *packet = NULL;
        size_t size = 0;

        ck_assert_int_eq(mqtt_connect_make("gw-1", 60, &packet, &size), 0);
        ck_assert_uint_eq(size, sizeof(expected));
        ck_assert_mem_eq(packet, expected, size);
}
END_TEST

/* The remaining length takes a second byte from 128 on: client ids of 115 bytes and more. */
START_TEST(connect_is_one_whole_packet_at_every_length)
{
        char id[MQTT_CLIENT_ID_MAX + 2];

        for (size_t n = 1; n <= MQTT_CLIENT_ID_MAX; n++) {
                _cleanup_free_ uint8_t *packet = NULL;
                size_t size = 0;
                MqttFrame frame;

                memset(id, 'x', n);
                id[n] = '\0';
                ck_assert_int_eq(mqtt_connect_make(id, 0x1234, &packet, &size), 0);
                mqtt_frame_init(&frame, size);
                ck_assert_int_eq(mqtt_frame_feed(&frame, packet, size), 0);
                ck_assert(mqtt_frame_between_packets(&frame));
                ck_assert_uint_eq(frame.packets, 1);
                ck_assert_uint_eq(frame.announced, n + 12);
                ck_assert_mem_eq(packet + size - n, id, n);
                ck_assert_uint_eq(packet[size - n - 2], n >> 8);
                ck_assert_uint_eq(packet[size - n - 1], n & 0xff);
                ck_assert_uint_eq(packet[size - n - 4], 0x12);
                ck_assert_uint_eq(packet[size - n - 3], 0x34);
        }
}
END_TEST

START_TEST(client_id_out_of_range_is_refused)
{
        uint8_t *packet = NULL;
        size_t size = 0;
        char id[MQTT_CLIENT_ID_MAX + 2];

        memset(id, 'x', sizeof(id) - 1);
        id[sizeof(id) - 1] = '\0';
        ck_assert_int_eq(mqtt_connect_make("", 60, &packet, &size), -EINVAL);
        ck_assert_int_eq(mqtt_connect_make(id, 60, &packet, &size), -EINVAL);
        ck_assert_ptr_null(packet);
}
END_TEST

#define BYTES(s) (s), sizeof(s) - 1

static const struct {
        const char *bytes;
        size_t size;
        int result;
        int code;
} answers[] = {
        {BYTES(""), 0, 0},
        {BYTES("\x20"), 0, 0},
        {BYTES("\x20\x02\x00"), 0, 0},
        {BYTES("\x20\x02\x00\x00"), 1, 0},
        {BYTES("\x20\x02\x01\x00"), 1, 0},
        {BYTES("\x20\x02\x00\x05"), 1, 5},
        {BYTES("\x20\x02\x00\xff"), 1, 255},
        {BYTES("\x20\x02\x00\x07\xd0\x00"), 1, 7}, /* what follows is not its business */
        {BYTES("\x21\x02\x00\x00"), -EBADMSG, 0},
        {BYTES("\x20\x03\x00\x00\x00"), -EBADMSG, 0}, /* as MQTT 5 answers */
        {BYTES("\x20\x82\x00\x00\x00"), -EBADMSG, 0},
        {BYTES("\x20\x02\x02\x00"), -EBADMSG, 0},
        {BYTES("\x90\x03\x00\x01\x00"), -EBADMSG, 0},
        {BYTES("HTTP/1.1 400 Bad Request"), -EBADMSG, 0},
};

START_TEST(connack_is_read_in_any_pieces)
{
        for (size_t chunk = 1; chunk <= 8; chunk++) {
                MqttConnack c = {};
                int r = 0;

                for (size_t i = 0; i < answers[_i].size && r == 0; i += chunk)
                        r = mqtt_connack_feed(&c, (const uint8_t *) answers[_i].bytes + i,
                                              answers[_i].size - i < chunk ? answers[_i].size - i
                                                                           : chunk);
                ck_assert_int_eq(r, answers[_i].result);
                if (r == 1)
                        ck_assert_int_eq(mqtt_connack_code(&c), answers[_i].code);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("mqtt-connect");
        TCase *t = tcase_create("mqtt-connect");

        tcase_add_test(t, connect_is_as_the_standard_writes_it);
        tcase_add_test(t, connect_is_one_whole_packet_at_every_length);
        tcase_add_test(t, client_id_out_of_range_is_refused);
        tcase_add_loop_test(t, connack_is_read_in_any_pieces, 0, ELEMENTSOF(answers));
        suite_add_tcase(s, t);
        return run_suite(s);
}

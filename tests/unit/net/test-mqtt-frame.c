/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/mqtt-frame.h"

#include <errno.h>

#include "tests/unit/net/run-suite.h"

#define MAX 1000U

typedef struct Case {
        const char *what;
        const char *bytes;
        size_t size;
        int result;
        unsigned packets;
        bool between;
        size_t announced;
} Case;

#define BYTES(s) (s), sizeof(s) - 1

static const Case cases[] = {
        {"nothing", BYTES(""), 0, 0, true, 0},
        {"PINGRESP", BYTES("\xd0\x00"), 0, 1, true, 0},
        {"CONNACK", BYTES("\x20\x02\x00\x00"), 0, 1, true, 2},
        {"two packets", BYTES("\x20\x02\x00\x00\xd0\x00"), 0, 2, true, 0},
        {"type alone", BYTES("\x30"), 0, 0, false, 0},
        {"half a length", BYTES("\x30\x80"), 0, 0, false, 0},
        {"half a body", BYTES("\x30\x04\x00"), 0, 0, false, 4},
        {"length of two bytes", BYTES("\x30\x80\x01"), 0, 0, false, 128},
        {"zero in two bytes", BYTES("\x30\x80\x00"), 0, 1, true, 0},
        {"exactly the limit", BYTES("\x30\xe5\x07"), 0, 0, false, 997},
        {"one over the limit", BYTES("\x30\xe6\x07"), -EMSGSIZE, 0, true, 998},
        {"256 MiB", BYTES("\x30\xff\xff\xff\x7f"), -EMSGSIZE, 0, true, 268435455},
        {"length of five bytes", BYTES("\x30\xff\xff\xff\xff\x01"), -EBADMSG, 0, true, 268435455},
        {"length of five bytes that are small", BYTES("\x30\x80\x80\x80\x80\x00"), -EBADMSG, 0,
         true, 0},
        {"reserved type 0", BYTES("\x00\x00"), -EBADMSG, 0, true, 0},
        {"reserved type 15", BYTES("\xf0\x00"), -EBADMSG, 0, true, 0},
        {"text", BYTES("HTTP/1.1 400 Bad Request"), 0, 0, false, 84},
        {"a right one, then a wrong one", BYTES("\xd0\x00\xff"), -EBADMSG, 1, true, 0},
};

static void check_case(const Case *t, size_t chunk) {
        MqttFrame f;
        int r = 0;

        mqtt_frame_init(&f, MAX);
        for (size_t i = 0; i < t->size && r == 0; i += chunk)
                r = mqtt_frame_feed(&f, (const uint8_t *) t->bytes + i,
                                    t->size - i < chunk ? t->size - i : chunk);
        ck_assert_msg(r == t->result, "%s: %d", t->what, r);
        ck_assert_msg(f.packets == t->packets, "%s: %lu packets", t->what, f.packets);
        ck_assert_msg(f.announced == t->announced, "%s: %zu", t->what, f.announced);
        if (r == 0)
                ck_assert_msg(mqtt_frame_between_packets(&f) == t->between, "%s", t->what);
}

START_TEST(packets_are_counted_however_they_are_cut)
{
        for (size_t chunk = 1; chunk <= 32; chunk++)
                check_case(&cases[_i], chunk);
}
END_TEST

START_TEST(stream_that_failed_does_not_recover)
{
        const Case *t = &cases[_i];
        MqttFrame f;

        if (t->result == 0)
                return;
        mqtt_frame_init(&f, MAX);
        ck_assert_int_eq(mqtt_frame_feed(&f, (const uint8_t *) t->bytes, t->size), t->result);
        ck_assert_int_lt(mqtt_frame_feed(&f, (const uint8_t *) "\xd0\x00", 2), 0);
        ck_assert_int_lt(mqtt_frame_feed(&f, (const uint8_t *) "\x00\x00\x00\x00", 4), 0);
}
END_TEST

START_TEST(body_is_passed_over_whatever_it_holds)
{
        uint8_t packet[3 + 200];
        MqttFrame f;

        memset(packet, 0xff, sizeof(packet));
        packet[0] = 0x30;
        packet[1] = 0xc8;
        packet[2] = 0x01;
        mqtt_frame_init(&f, sizeof(packet));
        for (unsigned i = 1; i <= 50; i++) {
                ck_assert_int_eq(mqtt_frame_feed(&f, packet, 100), 0);
                ck_assert(!mqtt_frame_between_packets(&f));
                ck_assert_int_eq(mqtt_frame_feed(&f, packet + 100, sizeof(packet) - 100), 0);
                ck_assert_uint_eq(f.packets, i);
                ck_assert_int_eq(f.type, MQTT_PACKET_PUBLISH);
                ck_assert(mqtt_frame_between_packets(&f));
        }
        mqtt_frame_init(&f, sizeof(packet) - 1);
        ck_assert_int_eq(mqtt_frame_feed(&f, packet, sizeof(packet)), -EMSGSIZE);
}
END_TEST

int main(void) {
        Suite *s = suite_create("mqtt-frame");
        TCase *t = tcase_create("stream");

        tcase_add_loop_test(t, packets_are_counted_however_they_are_cut, 0, ELEMENTSOF(cases));
        tcase_add_loop_test(t, stream_that_failed_does_not_recover, 0, ELEMENTSOF(cases));
        tcase_add_test(t, body_is_passed_over_whatever_it_holds);
        suite_add_tcase(s, t);
        return run_suite(s);
}

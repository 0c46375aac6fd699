/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/mqtt-subscribe.h"

#include <errno.h>

#include "daemon/net/mqtt-frame.h"
#include "tests/unit/net/run-suite.h"

START_TEST(subscribe_is_as_the_standard_writes_it)
{
        static const uint8_t expected[] = {0x82, 8, 0x12, 0x34, 0, 3, 'a', '/', 'b', 0};
        _cleanup_free_ uint8_t *packet = NULL;
        size_t size = 0;

        ck_assert_int_eq(mqtt_subscribe_make("a/b", 0x1234, &packet, &size), 0);
        ck_assert_uint_eq(size, sizeof(expected));
        ck_assert_mem_eq(packet, expected, size);
}
END_TEST

START_TEST(subscribe_is_one_whole_packet_at_every_length)
{
        char topic[MQTT_TOPIC_MAX + 2];

        for (size_t n = 1; n <= MQTT_TOPIC_MAX; n++) {
                _cleanup_free_ uint8_t *packet = NULL;
                size_t size = 0;
                MqttFrame frame;

                memset(topic, 'x', n);
                topic[n] = '\0';
                ck_assert_int_eq(mqtt_subscribe_make(topic, 1, &packet, &size), 0);
                mqtt_frame_init(&frame, size);
                ck_assert_int_eq(mqtt_frame_feed(&frame, packet, size), 0);
                ck_assert(mqtt_frame_between_packets(&frame));
                ck_assert_uint_eq(frame.packets, 1);
                ck_assert_uint_eq(frame.announced, n + 5);
                ck_assert_uint_eq(packet[size - n - 3], n >> 8);
                ck_assert_uint_eq(packet[size - n - 2], n & 0xff);
        }
}
END_TEST

START_TEST(topic_out_of_range_is_refused)
{
        char topic[MQTT_TOPIC_MAX + 2];
        uint8_t *packet = NULL;
        size_t size = 0;

        memset(topic, 'x', sizeof(topic) - 1);
        topic[sizeof(topic) - 1] = '\0';
        ck_assert_int_eq(mqtt_subscribe_make("", 1, &packet, &size), -EINVAL);
        ck_assert_int_eq(mqtt_subscribe_make(topic, 1, &packet, &size), -EINVAL);
        ck_assert_int_eq(mqtt_subscribe_make("a", 0, &packet, &size), -EINVAL);
        ck_assert_ptr_null(packet);
}
END_TEST

static const struct {
        uint8_t bytes[MQTT_SUBACK_SIZE];
        int expected;
        bool granted;
} subacks[] = {
        {{0x90, 3, 0x01, 0x02, 0}, 1, true},
        {{0x90, 3, 0x01, 0x02, 1}, 1, true},
        {{0x90, 3, 0x01, 0x02, 0x80}, 1, false},
        {{0x90, 3, 0x01, 0x02, 3}, -EBADMSG, false},
        {{0x90, 3, 0x01, 0x02, 0x81}, -EBADMSG, false},
        {{0x91, 3, 0x01, 0x02, 0}, -EBADMSG, false},
        {{0x90, 4, 0x01, 0x02, 0}, -EBADMSG, false},
        {{0x90, 3, 0x01, 0x03, 0}, -EBADMSG, false},
        {{0x90, 3, 0x02, 0x02, 0}, -EBADMSG, false},
        {{0x30, 3, 0x01, 0x02, 0}, -EBADMSG, false},
};

START_TEST(suback_is_read_whole_and_byte_by_byte)
{
        MqttSuback whole = {.packet_id = 0x0102}, slow = {.packet_id = 0x0102};
        int r = 0;

        ck_assert_int_eq(mqtt_suback_feed(&whole, subacks[_i].bytes, MQTT_SUBACK_SIZE),
                         subacks[_i].expected);
        for (size_t i = 0; r == 0 && i < MQTT_SUBACK_SIZE; i++)
                r = mqtt_suback_feed(&slow, &subacks[_i].bytes[i], 1);
        ck_assert_int_eq(r, subacks[_i].expected);
        if (r == 1) {
                ck_assert_int_eq(mqtt_suback_is_granted(&whole), subacks[_i].granted);
                ck_assert_int_eq(mqtt_suback_is_granted(&slow), subacks[_i].granted);
        }
}
END_TEST

int main(void) {
        Suite *s = suite_create("mqtt-subscribe");
        TCase *t = tcase_create("mqtt-subscribe");

        tcase_add_test(t, subscribe_is_as_the_standard_writes_it);
        tcase_add_test(t, subscribe_is_one_whole_packet_at_every_length);
        tcase_add_test(t, topic_out_of_range_is_refused);
        tcase_add_loop_test(t, suback_is_read_whole_and_byte_by_byte, 0, ELEMENTSOF(subacks));
        suite_add_tcase(s, t);
        return run_suite(s);
}

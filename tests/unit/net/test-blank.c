/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/blank.h"

#include "daemon/net/mqtt-frame.h"
#include "tests/unit/net/run-suite.h"

#define HEADER_AND_TOPIC (sizeof(topic) - 1 + sizeof(uint16_t))

static const char topic[] = "$fleetprovd/blank";

/* About every length at which the length itself grows (MQTT 3.1.1, table 2.4). */
static const size_t sizes[] = {BLANK_FROM_BYTES, 4000, 16383, 16384, 131072, 2097151, 2097152};

START_TEST(blank_is_one_packet_of_that_size)
{
        uint8_t begin[BLANK_BEGIN_MAX], *body;
        size_t zeroes, n = blank_begin(sizes[_i], begin, &zeroes);
        MqttFrame f;

        mqtt_frame_init(&f, SIZE_MAX);
        ck_assert_uint_le(n, BLANK_BEGIN_MAX);
        ck_assert_int_eq(mqtt_frame_feed(&f, begin, n), 0);
        ck_assert_int_eq(f.type, MQTT_PACKET_PUBLISH);
        ck_assert_uint_eq(f.announced, sizes[_i]);
        ck_assert_uint_eq(f.longest, sizes[_i]);
        ck_assert_uint_eq(f.left, zeroes);
        body = calloc(1, zeroes);
        ck_assert_ptr_nonnull(body);
        ck_assert_int_eq(mqtt_frame_feed(&f, body, zeroes - 1), 0);
        ck_assert_uint_eq(f.packets, 0);
        ck_assert_int_eq(mqtt_frame_feed(&f, body, 1), 0);
        ck_assert_uint_eq(f.packets, 1);
        free(body);
        ck_assert(mqtt_frame_between_packets(&f));
}
END_TEST

START_TEST(blank_is_known_by_its_topic)
{
        uint8_t begin[BLANK_BEGIN_MAX];
        size_t zeroes, n = blank_begin(BLANK_FROM_BYTES, begin, &zeroes);

        ck_assert_uint_ge(n, HEADER_AND_TOPIC);
        ck_assert(
                blank_is_topic((const char *) begin + n - (sizeof(topic) - 1), sizeof(topic) - 1));
        ck_assert_mem_eq(begin + n - HEADER_AND_TOPIC, "\0\x11", sizeof(uint16_t));
        ck_assert(!blank_is_topic(topic, sizeof(topic) - 2));
        ck_assert(!blank_is_topic("$aws/certificates", sizeof(topic) - 1));
        ck_assert(!blank_is_topic("", 0));
}
END_TEST

/* What follows a long packet in one piece must not hide it. */
START_TEST(longest_publish_is_remembered)
{
        static const uint8_t pingresp[] = {0xd0, 0}, puback[] = {0x40, 2, 0, 1},
                             publish[] = {0x30, 3, 0, 1, 'a'};
        MqttFrame f;

        mqtt_frame_init(&f, SIZE_MAX);
        ck_assert_int_eq(mqtt_frame_feed(&f, puback, sizeof(puback)), 0);
        ck_assert_uint_eq(f.longest, 0);
        ck_assert_int_eq(mqtt_frame_feed(&f, publish, sizeof(publish)), 0);
        ck_assert_int_eq(mqtt_frame_feed(&f, pingresp, sizeof(pingresp)), 0);
        ck_assert_int_eq(mqtt_frame_feed(&f, puback, sizeof(puback)), 0);
        ck_assert_uint_eq(f.longest, 3);
}
END_TEST

int main(void) {
        Suite *s = suite_create("blank");
        TCase *t = tcase_create("packet");

        tcase_add_loop_test(t, blank_is_one_packet_of_that_size, 0, ELEMENTSOF(sizes));
        tcase_add_test(t, blank_is_known_by_its_topic);
        tcase_add_test(t, longest_publish_is_remembered);
        suite_add_tcase(s, t);
        return run_suite(s);
}

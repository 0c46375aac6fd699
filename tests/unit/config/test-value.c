/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-value.h"

#include <errno.h>

#include "daemon/config/config-specifier.h"
#include "tests/unit/config/suite.h"

START_TEST(booleans_are_those_of_systemd)
{
        static const struct {
                const char *text;
                int expected;
        } rows[] = {{"1", 1}, {"yes", 1}, {"Y", 1},       {"true", 1},  {"T", 1},  {"ON", 1},
                    {"0", 0}, {"no", 0},  {"N", 0},       {"false", 0}, {"f", 0},  {"off", 0},
                    {"", -1}, {"2", -1},  {"enable", -1}, {"yes ", -1}, {"01", -1}};

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                bool b = false;
                int r = config_parse_boolean(rows[i].text, &b);

                ck_assert_msg((r < 0 ? -1 : b) == rows[i].expected, "'%s'", rows[i].text);
        }
}
END_TEST

START_TEST(time_spans_are_those_of_systemd)
{
        static const struct {
                const char *text;
                usec_t expected;
        } rows[] = {{"30", 30 * USEC_PER_SEC},
                    {"0", 0},
                    {"90s", 90 * USEC_PER_SEC},
                    {"1min 30s", 90 * USEC_PER_SEC},
                    {"1min30s", 90 * USEC_PER_SEC},
                    {"2 h", 2 * USEC_PER_HOUR},
                    {"1.5h", 90 * USEC_PER_MINUTE},
                    {"0.25s", 250 * USEC_PER_MSEC},
                    {"1.0000001s", USEC_PER_SEC},
                    {"500ms", 500 * USEC_PER_MSEC},
                    {"7us", 7},
                    {"7\xc2\xb5s", 7},
                    {"7\xce\xbcs", 7},
                    {"3usec", 3},
                    {"1m", USEC_PER_MINUTE},
                    {"1M", 2629800 * USEC_PER_SEC},
                    {"2months", 2 * 2629800 * USEC_PER_SEC},
                    {"1day 1hour 1minute 1second 1msec",
                     USEC_PER_DAY + USEC_PER_HOUR + USEC_PER_MINUTE + USEC_PER_SEC + USEC_PER_MSEC},
                    {"1w", 7 * USEC_PER_DAY},
                    {"1y", 31557600 * USEC_PER_SEC},
                    {"infinity", USEC_INFINITY}};
        static const struct {
                const char *text;
                int expected;
        } bad[] = {{"", -EINVAL},
                   {"abc", -EINVAL},
                   {"-1", -EINVAL},
                   {"1.", -EINVAL},
                   {".5", -EINVAL},
                   {"1 fortnight", -EINVAL},
                   {"1s,2s", -EINVAL},
                   {"Infinity", -EINVAL},
                   {"infinity 1s", -EINVAL},
                   {"0x10", -EINVAL},
                   {"18446744073709551615us", -ERANGE},
                   {"18446744073709551616us", -ERANGE},
                   {"600000y", -ERANGE},
                   {"18446744073709551614us 1us", -ERANGE}};
        usec_t span;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                span = 42;
                ck_assert_msg(config_parse_usec(rows[i].text, &span) == 0, "'%s'", rows[i].text);
                ck_assert_msg(span == rows[i].expected, "'%s' is %llu", rows[i].text,
                              (unsigned long long) span);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                span = 42;
                ck_assert_msg(config_parse_usec(bad[i].text, &span) == bad[i].expected, "'%s'",
                              bad[i].text);
                ck_assert_uint_eq(span, 42);
        }
}
END_TEST

START_TEST(sizes_have_units_to_the_base_of_1024)
{
        uint64_t n = 0;

        ck_assert_int_eq(config_parse_size("0", &n), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(config_parse_size("10000", &n), 0);
        ck_assert_uint_eq(n, 10000);
        ck_assert_int_eq(config_parse_size("4K", &n), 0);
        ck_assert_uint_eq(n, 4096);
        ck_assert_int_eq(config_parse_size("2T", &n), 0);
        ck_assert_uint_eq(n, (uint64_t) 2 << 40);
        ck_assert_int_eq(config_parse_size("18446744073709551615", &n), 0);
        ck_assert_uint_eq(n, UINT64_MAX);
        ck_assert_int_eq(config_parse_size("18446744073709551616", &n), -ERANGE);
        ck_assert_int_eq(config_parse_size("18446744073709551615K", &n), -ERANGE);
        ck_assert_int_eq(config_parse_size("", &n), -EINVAL);
        ck_assert_int_eq(config_parse_size("K", &n), -EINVAL);
        ck_assert_int_eq(config_parse_size("4k", &n), -EINVAL);
        ck_assert_int_eq(config_parse_size("4KB", &n), -EINVAL);
        ck_assert_int_eq(config_parse_size("-4", &n), -EINVAL);
        ck_assert_int_eq(config_parse_size("4 K", &n), -EINVAL);
}
END_TEST

START_TEST(a_port_is_1_to_65535)
{
        uint16_t port = 0;

        ck_assert_int_eq(config_parse_port("1", &port), 0);
        ck_assert_int_eq(config_parse_port("65535", &port), 0);
        ck_assert_uint_eq(port, 65535);
        ck_assert_int_eq(config_parse_port("0", &port), -ERANGE);
        ck_assert_int_eq(config_parse_port("65536", &port), -ERANGE);
        ck_assert_int_eq(config_parse_port("8883 ", &port), -EINVAL);
        ck_assert_int_eq(config_parse_port("mqtts", &port), -EINVAL);
        ck_assert_uint_eq(port, 65535);
}
END_TEST

START_TEST(a_host_is_a_name_or_an_address_alone)
{
        static const char *const good[] = {
                "localhost", "a.b-c.example.com",     "127.0.0.1",    "::1", "2001:db8::7",
                "my_host",   "xn--bcher-kva.example", "1host.example"};
        static const char *const bad[] = {"",
                                          ".",
                                          "a..b",
                                          "a.",
                                          "-a.example",
                                          "a-.example",
                                          "http://a",
                                          "a:8883",
                                          "[::1]",
                                          "a b",
                                          "a/b",
                                          "1.2.3",
                                          "1.2.3.256",
                                          ("b\xc3\xbc"
                                           "cher.example"),
                                          "a%b",
                                          "a,b"};
        char label[CONFIG_HOST_LABEL_MAX + 2];

        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                ck_assert_msg(config_host_is_valid(good[i]), "'%s'", good[i]);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                ck_assert_msg(!config_host_is_valid(bad[i]), "'%s'", bad[i]);
        memset(label, 'a', sizeof(label));
        label[CONFIG_HOST_LABEL_MAX + 1] = '\0';
        ck_assert(!config_host_is_valid(label));
        label[CONFIG_HOST_LABEL_MAX] = '\0';
        ck_assert(config_host_is_valid(label));
}
END_TEST

START_TEST(a_host_of_more_than_253_bytes_is_none)
{
        char host[CONFIG_HOST_MAX + 2];

        for (size_t i = 0; i < sizeof(host); i++)
                host[i] = i % 2 == 0 ? 'a' : '.';
        host[CONFIG_HOST_MAX] = '\0';
        ck_assert(config_host_is_valid(host));
        memcpy(host + CONFIG_HOST_MAX, "a", 2);
        ck_assert(!config_host_is_valid(host));
}
END_TEST

START_TEST(a_template_name_has_1_to_36_of_its_characters)
{
        ck_assert(config_template_name_is_valid("a"));
        ck_assert(config_template_name_is_valid("Fleet_Template-1"));
        ck_assert(config_template_name_is_valid("123456789012345678901234567890123456"));
        ck_assert(!config_template_name_is_valid("1234567890123456789012345678901234567"));
        ck_assert(!config_template_name_is_valid(""));
        ck_assert(!config_template_name_is_valid("+"));
        ck_assert(!config_template_name_is_valid("a/b"));
        ck_assert(!config_template_name_is_valid("a b"));
        ck_assert(!config_template_name_is_valid("\xc3\xa4"));
}
END_TEST

START_TEST(a_client_id_has_no_dollar_in_front_and_no_wildcard)
{
        char id[CONFIG_CLIENT_ID_MAX + 2];

        ck_assert(config_client_id_is_valid("gw-7"));
        ck_assert(config_client_id_is_valid("g$"));
        ck_assert(!config_client_id_is_valid(""));
        ck_assert(!config_client_id_is_valid("$g"));
        ck_assert(!config_client_id_is_valid("g+"));
        ck_assert(!config_client_id_is_valid("g#"));
        ck_assert(!config_client_id_is_valid("g\x01"));
        ck_assert(!config_client_id_is_valid("g\xff"));
        memset(id, 'a', sizeof(id));
        id[CONFIG_CLIENT_ID_MAX + 1] = '\0';
        ck_assert(!config_client_id_is_valid(id));
        id[CONFIG_CLIENT_ID_MAX] = '\0';
        ck_assert(config_client_id_is_valid(id));
}
END_TEST

START_TEST(a_bus_is_a_word_or_an_address_that_starts_nothing)
{
        ck_assert(config_bus_is_valid("system"));
        ck_assert(config_bus_is_valid("session"));
        ck_assert(config_bus_is_valid("none"));
        ck_assert(config_bus_is_valid("unix:path=/run/bus"));
        ck_assert(config_bus_is_valid("tcp:host=localhost,port=1"));
        ck_assert(!config_bus_is_valid(""));
        ck_assert(!config_bus_is_valid("unix:"));
        ck_assert(!config_bus_is_valid("/run/bus"));
        ck_assert(!config_bus_is_valid("unixexec:path=/bin/sh"));
        ck_assert(!config_bus_is_valid("unix:path=/run/bus;unixexec:path=/bin/sh"));
}
END_TEST

START_TEST(a_credential_is_the_name_of_a_file)
{
        ck_assert(config_credential_name_is_valid("claim.key"));
        ck_assert(!config_credential_name_is_valid(""));
        ck_assert(!config_credential_name_is_valid("."));
        ck_assert(!config_credential_name_is_valid(".."));
        ck_assert(!config_credential_name_is_valid("a/b"));
}
END_TEST

START_TEST(text_is_utf8_without_control_characters)
{
        static const struct {
                const char *text;
                size_t size, bad;
        } rows[] = {{"abc\t", 4, 4},
                    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, 9},
                    {"a\0b", 3, 1},
                    {"a\nb", 3, 1},
                    {"\x7f", 1, 0},
                    {"\xc2\x85", 2, 0},         /* a C1 control character */
                    {"ab\x80", 3, 2},           /* a lone continuation */
                    {"\xc0\x80", 2, 0},         /* overlong */
                    {"\xe0\x80\x80", 3, 0},     /* overlong */
                    {"\xed\xa0\x80", 3, 0},     /* a surrogate */
                    {"\xf0\x80\x80\x80", 4, 0}, /* overlong */
                    {"\xf4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
                    {"\xf5\x80\x80\x80", 4, 0},
                    {"a\xe2\x82", 3, 1}, /* cut off */
                    {"\xe2\x28\xa1", 3, 0}};

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                ck_assert_uint_eq(config_text_check(rows[i].text, rows[i].size), rows[i].bad);
}
END_TEST

START_TEST(specifiers_are_put_in)
{
        char host[] = "gw", id[] = "0123456789abcdef0123456789abcdef";
        const Specifiers s = {host, id}, none = {};
        static const struct {
                const char *text, *expected;
        } rows[] = {{"", ""},
                    {"plain", "plain"},
                    {"%H", "gw"},
                    {"%m", "0123456789abcdef0123456789abcdef"},
                    {"a%%b", "a%b"},
                    {"%%H", "%H"},
                    {"%H-%m-%H", "gw-0123456789abcdef0123456789abcdef-gw"}};
        static const char *const bad[] = {"%", "a%", "%h", "%n", "%1", "%%%"};

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *out = NULL, *why = NULL;

                ck_assert_int_eq(specifiers_expand(&s, rows[i].text, &out, &why), 0);
                ck_assert_str_eq(out, rows[i].expected);
                ck_assert_ptr_null(why);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                _cleanup_free_ char *out = NULL, *why = NULL;

                ck_assert_msg(specifiers_expand(&s, bad[i], &out, &why) == -EINVAL, "%s", bad[i]);
                ck_assert_ptr_null(out);
                ck_assert_ptr_nonnull(why);
        }
        for (size_t i = 0; i < 2; i++) {
                _cleanup_free_ char *out = NULL, *why = NULL;

                ck_assert_int_eq(specifiers_expand(&none, i ? "%m" : "%H", &out, &why), -EINVAL);
                ck_assert_ptr_nonnull(why);
        }
}
END_TEST

int main(void) {
        TCase *t = tcase_create("values");

        tcase_add_test(t, booleans_are_those_of_systemd);
        tcase_add_test(t, time_spans_are_those_of_systemd);
        tcase_add_test(t, sizes_have_units_to_the_base_of_1024);
        tcase_add_test(t, a_port_is_1_to_65535);
        tcase_add_test(t, a_host_is_a_name_or_an_address_alone);
        tcase_add_test(t, a_host_of_more_than_253_bytes_is_none);
        tcase_add_test(t, a_template_name_has_1_to_36_of_its_characters);
        tcase_add_test(t, a_client_id_has_no_dollar_in_front_and_no_wildcard);
        tcase_add_test(t, a_bus_is_a_word_or_an_address_that_starts_nothing);
        tcase_add_test(t, a_credential_is_the_name_of_a_file);
        tcase_add_test(t, text_is_utf8_without_control_characters);
        tcase_add_test(t, specifiers_are_put_in);
        return suite_run("configuration values", t);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/base/utf8.h"

#include <string.h>

#include "protocol/base/why.h"
#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))

static const struct {
        const char *text;
        bool valid;
} texts[] = {
        {"", true},
        {"plain", true},
        {"\xc2\x80", true},          /* U+0080, the first of two bytes */
        {"\xdf\xbf", true},          /* U+07FF */
        {"\xe0\xa0\x80", true},      /* U+0800 */
        {"\xed\x9f\xbf", true},      /* U+D7FF */
        {"\xee\x80\x80", true},      /* U+E000 */
        {"\xef\xbf\xbf", true},      /* U+FFFF */
        {"\xf0\x90\x80\x80", true},  /* U+10000 */
        {"\xf4\x8f\xbf\xbf", true},  /* U+10FFFF, the last one */
        {"\xf4\x90\x80\x80", false}, /* above it */
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\x80", false},             /* begins in the middle */
        {"\xc0\xaf", false},         /* overlong '/' */
        {"\xc1\xbf", false},         /* overlong */
        {"\xe0\x9f\xbf", false},     /* overlong */
        {"\xf0\x8f\xbf\xbf", false}, /* overlong */
        {"\xed\xa0\x80", false},     /* a surrogate */
        {"\xed\xbf\xbf", false},     /* a surrogate */
        {"\xc3", false},             /* cut */
        {"\xe2\x82", false},         /* cut */
        {"\xf0\x9f\x98", false},     /* cut */
        {"\xe2\x82\x41", false},     /* third byte */
        {"\xf0\x9f\x98\x41", false}, /* fourth byte */
        {"\xc3\x41", false},
        {"a\xc3\xa4z\xe2\x82\xac", true},
        {"a\xc3\xa4z\xe2\x82", false},
};

START_TEST(utf8_is_what_rfc_3629_says)
{
        ck_assert_int_eq(protocol_utf8_is_valid(texts[_i].text, strlen(texts[_i].text)),
                         texts[_i].valid);
}
END_TEST

START_TEST(what_lies_behind_the_text_is_not_read)
{
        ck_assert(!protocol_utf8_is_valid("\xc3\xa4", 1));
        ck_assert(!protocol_utf8_is_valid("\xe2\x82\xac", 2));
        ck_assert(!protocol_utf8_is_valid("\xf0\x9f\x98\x80", 3));
        ck_assert(protocol_utf8_is_valid("a\xff", 1));
}
END_TEST

START_TEST(no_character_is_cut_in_two)
{
        static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"; /* 1, 2, 3, 4 bytes */
        static const size_t cuts[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

        for (size_t max = 0; max < sizeof(cuts) / sizeof(cuts[0]); max++)
                ck_assert_uint_eq(protocol_utf8_cut(text, strlen(text), max), cuts[max]);
}
END_TEST

static void assert_shown(const char *name, size_t size, const char *shown) {
        ProtocolShownName s = protocol_show_name(name, size);

        ck_assert_str_eq(s.text, shown);
}

START_TEST(names_are_shown_without_harm)
{
        char name[PROTOCOL_SHOWN_NAME_MAX + 2] = "",
                                            cut[PROTOCOL_SHOWN_NAME_MAX + sizeof("...")] = "";

        assert_shown("thingName", 9, "thingName");
        assert_shown("a\x1b[2J\xc3\xa4\0b", 9, "a?[2J???b");
        assert_shown("", 0, "");
        memset(name, 'n', PROTOCOL_SHOWN_NAME_MAX);
        assert_shown(name, PROTOCOL_SHOWN_NAME_MAX, name);
        strcat(strcpy(cut, name), "...");
        name[PROTOCOL_SHOWN_NAME_MAX] = 'n';
        assert_shown(name, PROTOCOL_SHOWN_NAME_MAX + 1, cut);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/base text");
        TCase *c = tcase_create("utf8");

        tcase_add_loop_test(c, utf8_is_what_rfc_3629_says, 0, N(texts));
        tcase_add_test(c, what_lies_behind_the_text_is_not_read);
        tcase_add_test(c, no_character_is_cut_in_two);
        tcase_add_test(c, names_are_shown_without_harm);
        suite_add_tcase(s, c);
        return suite_run(s);
}

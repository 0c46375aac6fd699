/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/answers-seen.h"

#include "tests/unit/protocol-aws/suite.h"

/* The test vectors of FNV-1a, 64 bits, as its authors give them. */
static const struct {
        const char *text;
        uint64_t hash;
} vectors[] = {
        {"", UINT64_C(0xcbf29ce484222325)},
        {"a", UINT64_C(0xaf63dc4c8601ec8c)},
        {"b", UINT64_C(0xaf63df4c8601f1a5)},
        {"foobar", UINT64_C(0x85944171f73967e8)},
};

START_TEST(hashes_are_fnv_1a)
{
        ck_assert_uint_eq(
                answers_hash(ANSWERS_HASH_START, vectors[_i].text, strlen(vectors[_i].text)),
                vectors[_i].hash);
}
END_TEST

START_TEST(pieces_are_chained)
{
        ck_assert_uint_eq(answers_hash(answers_hash(ANSWERS_HASH_START, "foo", 3), "bar", 3),
                          answers_hash(ANSWERS_HASH_START, "foobar", 6));
        ck_assert_uint_ne(answers_hash(ANSWERS_HASH_START, "a\0b", 3),
                          answers_hash(ANSWERS_HASH_START, "a\0c", 3));
}
END_TEST

START_TEST(an_answer_is_known_again_by_another_request)
{
        AnswersSeen a = {};

        ck_assert(!answers_seen_elsewhere(&a, 1, 7));
        answers_seen_add(&a, 1, 7);
        ck_assert(!answers_seen_elsewhere(&a, 1, 7)); /* its own */
        ck_assert(answers_seen_elsewhere(&a, 2, 7));
        ck_assert(!answers_seen_elsewhere(&a, 2, 8));
        answers_seen_reset(&a);
        ck_assert(!answers_seen_elsewhere(&a, 2, 7));
}
END_TEST

START_TEST(the_last_ones_are_remembered)
{
        AnswersSeen a = {};

        for (uint64_t i = 0; i < ANSWERS_SEEN_MAX + 1; i++)
                answers_seen_add(&a, 1, i);
        ck_assert(!answers_seen_elsewhere(&a, 2, 0)); /* the oldest went */
        for (uint64_t i = 1; i < ANSWERS_SEEN_MAX + 1; i++)
                ck_assert(answers_seen_elsewhere(&a, 2, i));
}
END_TEST

int main(void) {
        Suite *s = suite_create("provider/answers-seen");
        TCase *c = tcase_create("answers-seen");

        tcase_add_loop_test(c, hashes_are_fnv_1a, 0, (int) ELEMENTSOF(vectors));
        tcase_add_test(c, pieces_are_chained);
        tcase_add_test(c, an_answer_is_known_again_by_another_request);
        tcase_add_test(c, the_last_ones_are_remembered);
        suite_add_tcase(s, c);
        return suite_run(s);
}

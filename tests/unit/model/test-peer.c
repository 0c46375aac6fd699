/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/peer.h"

#include "tests/unit/model/people.h"
#include "tests/unit/protocol-aws/suite.h"

START_TEST(a_peer_is_door_user_and_groups)
{
        static const gid_t gids[] = {5, 6};
        _cleanup_peer_ Peer *p = peer_new("box", 7, gids, 2, true), *copy = peer_copy(p),
                            *bare = peer_new(DOOR_MAIN, 7, NULL, 0, false);

        ck_assert_str_eq(copy->door, "box");
        ck_assert_uint_eq(copy->uid, 7);
        ck_assert_uint_eq(copy->n_gids, 2);
        ck_assert_uint_eq(copy->gids[1], 6);
        ck_assert(copy->privileged);
        ck_assert_ptr_ne(copy->gids, p->gids);
        ck_assert_ptr_null(bare->gids);
        ck_assert_ptr_null(peer_free(NULL));
}
END_TEST

START_TEST(an_owner_is_door_and_user)
{
        static const gid_t gid = 5;
        _cleanup_peer_ Peer *a = person(7), *same = peer_new(DOOR_MAIN, 7, &gid, 1, true),
                            *other = person(8), *boxed = person_at("box", 7);

        ck_assert(peer_same_owner(a, same));
        ck_assert(!peer_same_owner(a, other));
        ck_assert(!peer_same_owner(a, boxed));
}
END_TEST

/* The rule lets in root, 1000 and 1001, and the groups 0, 20 and 21. */
static const struct {
        const char *door;
        uid_t uid;
        gid_t gids[3];
        size_t n_gids;
        bool privileged;
        bool allowed;
} callers[] = {
        {DOOR_MAIN, 1000, {}, 0, false, true},
        {DOOR_MAIN, 1001, {}, 0, false, true},
        {DOOR_MAIN, 1002, {}, 0, false, false},
        {DOOR_MAIN, 1002, {20}, 1, false, true},
        {DOOR_MAIN, 1002, {7, 8, 21}, 3, false, true},
        {DOOR_MAIN, 1002, {7, 8, 9}, 3, false, false},
        {DOOR_MAIN, 20, {}, 0, false, false}, /* a uid is no gid */
        {DOOR_MAIN, 1002, {1000}, 1, false, false},
        {DOOR_MAIN, 1002, {}, 0, true, true},
        {DOOR_MAIN, 0, {}, 0, false, true},
        {DOOR_MAIN, 1002, {0}, 1, false, true},
        /* another door: its users are other people, whatever their numbers */
        {"box", 1000, {}, 0, false, false},
        {"box", 1002, {20}, 1, false, false},
        {"box", 0, {}, 0, false, false},
        {"box", 0, {0}, 1, false, false},
        {"box", 1002, {0}, 1, false, false},
        {"box", 0, {0, 20}, 2, false, false},
        {"box", 1000, {20}, 1, true, false},
        {"mainly", 0, {}, 0, false, false},
};

START_TEST(a_rule_lets_in_whom_it_names)
{
        static uid_t uids[] = {0, 1000, 1001};
        static gid_t gids[] = {0, 20, 21};
        const AccessRule rule = {uids, ELEMENTSOF(uids), gids, ELEMENTSOF(gids)};
        _cleanup_peer_ Peer *p = peer_new(callers[_i].door, callers[_i].uid, callers[_i].gids,
                                          callers[_i].n_gids, callers[_i].privileged);

        ck_assert_int_eq(access_rule_allows(&rule, p), callers[_i].allowed);
}
END_TEST

START_TEST(an_empty_rule_lets_in_the_privileged_alone)
{
        static const gid_t gid = 0;
        _cleanup_peer_ Peer *user = peer_new(DOOR_MAIN, 0, &gid, 1, false),
                            *root = peer_new(DOOR_MAIN, 0, &gid, 1, true);
        AccessRule rule = {};

        ck_assert(!access_rule_allows(&rule, user));
        ck_assert(access_rule_allows(&rule, root));
        rule.uids = calloc(1, sizeof(uid_t));
        rule.n_uids = 1;
        access_rule_done(&rule);
        ck_assert_ptr_null(rule.uids);
        ck_assert_uint_eq(rule.n_uids, 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/peer");
        TCase *c = tcase_create("peer");

        tcase_add_test(c, a_peer_is_door_user_and_groups);
        tcase_add_test(c, an_owner_is_door_and_user);
        tcase_add_loop_test(c, a_rule_lets_in_whom_it_names, 0, (int) ELEMENTSOF(callers));
        tcase_add_test(c, an_empty_rule_lets_in_the_privileged_alone);
        suite_add_tcase(s, c);
        return suite_run(s);
}

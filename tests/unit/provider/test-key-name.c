/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>

#include "daemon/provider/key-name.h"

#define JOB "0123456789abcdef00ff10ee20dd30cc"

static KeyName name_of(const char *door, uid_t uid) {
        _cleanup_peer_ Peer *owner = peer_new(door, uid, NULL, 0, false);
        KeyName name;

        ck_assert_ptr_nonnull(owner);
        ck_assert_int_eq(key_name_make(JOB, owner, &name), 0);
        return name;
}

/* Tokens have keys of that name: another way of making it loses them. */
START_TEST(a_name_follows_from_job_and_owner)
{
        static const uint8_t id[KEY_NAME_ID_SIZE] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
                                                     0xcd, 0xef, 0x00, 0xff, 0x10, 0xee,
                                                     0x20, 0xdd, 0x30, 0xcc};
        KeyName name = name_of("main", 1000);

        ck_assert_mem_eq(name.id, id, sizeof(id));
        /* printf main/1000 | sha256sum */
        ck_assert_str_eq(name.label, "fleetprovd-040ffaaba1c52c48983c244e49646168-" JOB);
}
END_TEST

START_TEST(another_owner_has_another_label)
{
        KeyName name = name_of("main", 1000), uid = name_of("main", 1001),
                door = name_of("sensors", 1000);

        ck_assert_str_ne(name.label, uid.label);
        ck_assert_str_ne(name.label, door.label);
        ck_assert_mem_eq(name.id, uid.id, sizeof(name.id));
}
END_TEST

static const char *const bad[] = {"", "0123456789abcdef00ff10ee20dd30c", JOB "0",
                                  "0123456789ABCDEF00FF10EE20DD30CC",
                                  "0123456789abcdef00ff10ee20dd30cg"};

START_TEST(what_is_no_jobs_id_is_refused)
{
        _cleanup_peer_ Peer *owner = peer_new("main", 0, NULL, 0, true);
        KeyName name;

        ck_assert_int_eq(key_name_make(bad[_i], owner, &name), -EINVAL);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("provider: key-name");
        TCase *tc = tcase_create("names");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_test(tc, a_name_follows_from_job_and_owner);
        tcase_add_test(tc, another_owner_has_another_label);
        tcase_add_loop_test(tc, what_is_no_jobs_id_is_refused, 0, ELEMENTSOF(bad));
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed > 0;
}

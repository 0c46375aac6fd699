/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/model/people.h"

#include <check.h>

Peer *person_at(const char *door, uid_t uid) {
        Peer *p = peer_new(door, uid, NULL, 0, false);

        ck_assert_ptr_nonnull(p);
        return p;
}

Peer *person(uid_t uid) {
        return person_at(DOOR_MAIN, uid);
}

Job *job_in(Peer *owner, const char *profile, const char *key) {
        JobSpec *spec = job_spec_new(OPERATION_PROVISION, profile);
        Job *job;

        ck_assert_ptr_nonnull(spec);
        ck_assert_int_eq(free_and_strdup(&spec->key, key), 0);
        ck_assert_int_eq(job_new(owner, spec, 1, 1, &job), 0);
        return job;
}

Job *job_of(Peer *owner, const char *key) {
        return job_in(owner, "p", key);
}

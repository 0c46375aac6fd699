/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/ipc/vocabulary.h"

#include "protocol/ipc/names.h"
#include "tests/unit/protocol-aws/suite.h"

/* An enumeration, its words in their order, and its two functions, all as int. */
typedef struct Vocabulary {
        const char *words[8];
        int max;
        const char *(*to_string)(int value);
        int (*from_string)(const char *s);
} Vocabulary;

#define ADAPT(name, Type)                              \
        static const char *name##_text(int value) {    \
                return name##_to_string((Type) value); \
        }                                              \
        static int name##_value(const char *s) {       \
                return (int) name##_from_string(s);    \
        }

ADAPT(operation, Operation)
ADAPT(job_state, JobState)
ADAPT(job_phase, JobPhase)
ADAPT(session_state, SessionState)
ADAPT(key_type, KeyType)
ADAPT(key_source, KeySource)

static const Vocabulary vocabularies[] = {
        {{"provision", "create-certificate-from-csr", "create-keys-and-certificate",
          "register-thing", "rotate"},
         OPERATION_MAX,
         operation_text,
         operation_value},
        {{"queued", "running", "succeeded", "failed", "cancelled", "expired"},
         JOB_STATE_MAX,
         job_state_text,
         job_state_value},
        {{"", "keygen", "create", "register", "poll", "verify", "backoff"},
         JOB_PHASE_MAX,
         job_phase_text,
         job_phase_value},
        {{"offline", "connecting", "subscribing", "ready", "backoff"},
         SESSION_STATE_MAX,
         session_state_text,
         session_state_value},
        {{"ec-p256", "ec-p384", "rsa-2048", "rsa-3072"},
         KEY_TYPE_MAX,
         key_type_text,
         key_type_value},
        {{"daemon", "cloud", "caller"}, KEY_SOURCE_MAX, key_source_text, key_source_value},
};
#define N_VOCABULARIES (int) (sizeof(vocabularies) / sizeof(vocabularies[0]))

START_TEST(words_stand_for_their_values_both_ways)
{
        const Vocabulary *v = vocabularies + _i;

        for (int i = 0; i < v->max; i++) {
                ck_assert_ptr_nonnull(v->words[i]);
                ck_assert_str_eq(v->to_string(i), v->words[i]);
                ck_assert_int_eq(v->from_string(v->words[i]), i);
        }
        ck_assert_ptr_null(v->words[v->max]); /* the list here is whole */
}
END_TEST

START_TEST(other_values_and_words_are_invalid)
{
        static const char *const strange[] = {NULL, "Provision", "queued ", "backof", "none", "x"};
        const Vocabulary *v = vocabularies + _i;

        ck_assert_ptr_null(v->to_string(v->max));
        ck_assert_ptr_null(v->to_string(-1));
        ck_assert_ptr_null(v->to_string(-EINVAL));
        for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
                ck_assert_int_eq(v->from_string(strange[i]), -EINVAL);
}
END_TEST

START_TEST(four_states_are_an_end)
{
        static const bool final[JOB_STATE_MAX] = {[JOB_SUCCEEDED] = true,
                                                  [JOB_FAILED] = true,
                                                  [JOB_CANCELLED] = true,
                                                  [JOB_EXPIRED] = true};

        for (JobState s = 0; s < JOB_STATE_MAX; s++)
                ck_assert_int_eq(job_state_is_final(s), final[s]);
        ck_assert(!job_state_is_final(JOB_STATE_INVALID));
}
END_TEST

START_TEST(names_are_as_published)
{
        ck_assert_str_eq(IPC_BUS_NAME, "io.fleetprov.Provisioner1");
        ck_assert_str_eq(IPC_MANAGER_PATH, "/io/fleetprov/Provisioner1");
        ck_assert_str_eq(IPC_PROFILE_PREFIX, "/io/fleetprov/Provisioner1/profile");
        ck_assert_str_eq(IPC_JOB_PREFIX, "/io/fleetprov/Provisioner1/job");
        ck_assert_str_eq(IPC_MANAGER_INTERFACE, "io.fleetprov.Provisioner1.Manager");
        ck_assert_str_eq(IPC_PROFILE_INTERFACE, "io.fleetprov.Provisioner1.Profile");
        ck_assert_str_eq(IPC_JOB_INTERFACE, "io.fleetprov.Provisioner1.Job");
        ck_assert_str_eq(IPC_DEFAULT_SOCKET, "/run/fleetprovd/fleetprovd.sock");
}
END_TEST

int main(void) {
        Suite *s = suite_create("ipc/vocabulary");
        TCase *c = tcase_create("vocabulary");

        tcase_add_loop_test(c, words_stand_for_their_values_both_ways, 0, N_VOCABULARIES);
        tcase_add_loop_test(c, other_values_and_words_are_invalid, 0, N_VOCABULARIES);
        tcase_add_test(c, four_states_are_an_end);
        tcase_add_test(c, names_are_as_published);
        suite_add_tcase(s, c);
        return suite_run(s);
}

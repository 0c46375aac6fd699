/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Twenty applications at once get twenty right and different identities. */

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

#define APPLICATIONS 20U
#define USERS 5U
#define FIRST_UID 12001U

/* What each application has got, in memory that all of them share. */
typedef struct Got {
        char certificate[129];
        char thing[65];
} Got;

typedef struct Application {
        const char *socket;
        Got *got;
        unsigned number;
} Application;

static void note(char *to, size_t size, const char *text) {
        ck_assert_ptr_nonnull(text);
        ck_assert_uint_lt(strlen(text), size);
        memcpy(to, text, strlen(text) + 1);
}

/* Every third brings its own request, every third wants the cloud's key. */
static void run_application(void *userdata) {
        const Application *a = userdata;
        _cleanup_free_ char *serial = NULL, *csr_key = NULL, *csr = NULL, *made_key = NULL;
        fleetprov_client *own = agent_open(a->socket);
        fleetprov_result *result;

        ck_assert_int_ge(asprintf(&serial, "application-%u", a->number), 0);
        if (a->number % 3 == 1)
                identity_make_csr(&csr_key, &csr);
        result = agent_result(
                own, agent_submit(own, &(Wish){.serial = serial,
                                               .key = serial,
                                               .csr = csr,
                                               .key_source = a->number % 3 == 2 ? "cloud" : NULL}));
        if (!csr)
                made_key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        identity_assert_pair(fleetprov_result_get_certificate_pem(result), csr ? csr_key : made_key,
                             NULL);
        note(a->got->certificate, sizeof(a->got->certificate),
             fleetprov_result_get_certificate_id(result));
        note(a->got->thing, sizeof(a->got->thing), fleetprov_result_get_thing_name(result));
        fleetprov_result_free(result);
        /* Nobody sees the others' jobs: each user has a fifth of them at most. */
        if (geteuid() != 0)
                ck_assert_uint_le(agent_count_jobs(own, 1), APPLICATIONS / USERS);
        fleetprov_client_free(own);
}

static pid_t start_application(Application *a) {
        uid_t uid = FIRST_UID + a->number % USERS;

        return process_fork_as(uid, uid, NULL, 0, run_application, a);
}

static void check_all(const Got *got) {
        for (unsigned i = 0; i < APPLICATIONS; i++) {
                _cleanup_free_ char *state = cloud_certificate_state(&cloud, got[i].certificate);

                ck_assert_str_eq(state, "ACTIVE");
                ck_assert_str_eq(got[i].thing, place_text(&d.place, "thing-application-%u", i));
                for (unsigned j = 0; j < i; j++)
                        ck_assert_str_ne(got[i].certificate, got[j].certificate);
        }
}

START_TEST(twenty_applications_get_twenty_identities)
{
        static const char *const formats[] = {"json", "cbor"};
        const size_t before = cloud_count_certificates(&cloud);
        Application applications[APPLICATIONS];
        pid_t pids[APPLICATIONS];
        Got *got = mmap(NULL, APPLICATIONS * sizeof(Got), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        ck_assert_ptr_ne(got, MAP_FAILED);
        daemon_run(&d, &cloud, "",
                   place_text(&cloud.place,
                              "PayloadFormat=%s\nAllowUsers=root 12001 12002 12003 12004 12005",
                              formats[_i]));
        ck_assert_int_eq(chmod(d.socket, 0666), 0);
        for (unsigned i = 0; i < APPLICATIONS; i++) {
                applications[i] = (Application){.socket = d.socket, .got = got + i, .number = i};
                pids[i] = start_application(applications + i);
        }
        for (unsigned i = 0; i < APPLICATIONS; i++)
                process_join(pids[i]);
        check_all(got);
        ck_assert_uint_eq(cloud_count_certificates(&cloud) - before, APPLICATIONS);
        ck_assert_int_eq(munmap(got, APPLICATIONS * sizeof(Got)), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: many applications");
        TCase *tc = stage_shared(suite, "many");

        tcase_add_loop_test(tc, twenty_applications_get_twenty_identities, 0, 2);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* fleetprovctl rotate, for a directory that provision filled: when it is due, and what is left of
 * it where it, or the daemon, is killed. At each moment the directory holds a whole identity that
 * is in force, and a rerun mints no second one. */

#include <signal.h>
#include <unistd.h>

#include "tests/integration/lib/kill-point.h"
#include "tests/integration/lib/stage.h"

#define ROTATES "RotationTemplate=FleetRotation"
#define WORDS_MAX 16

static const char *dir, *ctl_log;
static char *said; /* by the last run */

static void setup(void) {
        stage_start("", ROTATES);
        dir = place_path(&d.place, "identity");
        ctl_log = place_path(&d.place, "ctl.log");
}

static void teardown(void) {
        free(TAKE_PTR(said));
}

/* --- running it */

typedef struct Words {
        const char *words[WORDS_MAX + 1];
} Words;

/* fleetprovctl VERB --out=DIR -p SerialNumber=rotated … */
static Words words_of(const char *verb, const char *a, const char *b) {
        return (Words){{FLEETPROVCTL, place_text(&d.place, "--socket=%s", d.socket), "--timeout=60",
                        verb, place_text(&d.place, "--out=%s", dir), "-p", "SerialNumber=rotated",
                        a, a ? b : NULL, NULL}};
}

static int run(const char *verb, const char *a, const char *b) {
        Words w = words_of(verb, a, b);

        free(TAKE_PTR(said));
        return process_run(w.words, NULL, &said);
}

static void must_run(const char *verb, const char *a, const char *b) {
        int status = run(verb, a, b);

        ck_assert_msg(status == 0, "%s: exit %d: %s", verb, status, said);
}

/* --- what DIR holds */

static const char *current(void) {
        static char name[64];
        ssize_t n = readlink(place_text(&d.place, "%s/current", dir), name, sizeof(name) - 1);

        ck_assert_int_gt(n, 0);
        name[n] = '\0';
        return name;
}

/* "certificateId": "…" of configuration.json */
static const char *certificate_id(void) {
        _cleanup_free_ char *text =
                file_read(place_text(&d.place, "%s/configuration.json", dir), NULL);
        const char *at = text ? strstr(text, "\"certificateId\": \"") : NULL;

        ck_assert_ptr_nonnull(at);
        return place_text(&d.place, "%.64s", at + strlen("\"certificateId\": \""));
}

/* A whole identity, which the cloud lets in. */
static void must_be_in_force(void) {
        _cleanup_free_ char *certificate =
                file_read(place_text(&d.place, "%s/certificate.pem", dir), NULL);
        _cleanup_free_ char *key = file_read(place_text(&d.place, "%s/private-key.pem", dir), NULL);
        _cleanup_free_ char *state = cloud_certificate_state(&cloud, certificate_id());

        ck_assert_ptr_nonnull(certificate);
        ck_assert_ptr_nonnull(key);
        identity_assert_pair(certificate, key, NULL);
        ck_assert_str_eq(state, "ACTIVE");
}

/* --- when it is due */

static const struct {
        const char *a, *b;
        bool due;
} dues[] = {
        {NULL, NULL, true},
        {"--if-older-than=1d", NULL, false},
        {"--if-expires-within=4w", NULL, false},
        {"--if-older-than=30d", "--if-expires-within=1month", false},
        {"--if-expires-within=200y", NULL, true},
        {"--if-older-than=1s", NULL, true}, /* the cloud dates certificates back */
        {"--if-older-than=1d", "--if-expires-within=infinity", true},
};

START_TEST(it_is_done_when_it_is_due)
{
        const char *before;

        must_run("provision", "--id=device", NULL);
        before = place_text(&d.place, "%s", current());
        must_run("rotate", dues[_i].a, dues[_i].b);
        must_be_in_force();
        ck_assert_int_eq(strcmp(before, current()) != 0, dues[_i].due);
        ck_assert_uint_eq(stage_certificates(), dues[_i].due ? 2 : 1);
        if (!dues[_i].due)
                ck_assert_ptr_nonnull(strstr(said, "Not due"));
        ck_assert_int_eq(file_exists(place_text(&d.place, "%s/previous/certificate.pem", dir)),
                         dues[_i].due);
        ck_assert_uint_eq(folder_count(d.state, ".secret"), 0);
}
END_TEST

START_TEST(rotation_after_rotation)
{
        must_run("provision", NULL, NULL);
        for (size_t n = 2; n <= 4; n++) {
                must_run("rotate", "aws", NULL);
                must_be_in_force();
                ck_assert_uint_eq(stage_certificates(), n);
        }
        /* The provisioning, and the last two rotations. */
        ck_assert_uint_eq(agent_count_jobs(client, 1), 3);
}
END_TEST

START_TEST(directory_that_holds_nothing_is_not_made)
{
        ck_assert_int_eq(run("rotate", NULL, NULL), 1);
        ck_assert_ptr_nonnull(strstr(said, "fill it first"));
        ck_assert(!file_exists(dir));
        ck_assert_uint_eq(stage_certificates(), 0);
}
END_TEST

/* --- what fails leaves the old one in force */

START_TEST(failed_rotation_leaves_the_old_one_and_is_gone_on_with)
{
        const char *before;

        must_run("provision", NULL, NULL);
        before = place_text(&d.place, "%s", current());
        cloud_add(&cloud, "reject=403:ACCESS_DENIED:no", "--operation=register");
        ck_assert_int_eq(run("rotate", NULL, NULL), 1);
        ck_assert_str_eq(current(), before);
        must_be_in_force();
        must_run("rotate", NULL, NULL);
        ck_assert_str_ne(current(), before);
        must_be_in_force();
        ck_assert_uint_eq(stage_certificates(), 2); /* the one that was made is used */
}
END_TEST

/* --- killed */

/* Each run begins where the one before was killed, one call later: until one has so many no more.
 */
#define STRIDES 6

START_TEST(killed_at_any_step_and_run_again)
{
        unsigned n = 1 + (unsigned) _i;
        bool killed = true;

        must_run("provision", NULL, NULL);
        for (size_t made = 1; killed; made++, n += STRIDES) {
                Words w = words_of("rotate", NULL, NULL);
                const char *before = place_text(&d.place, "%s", current());
                int status = 0;

                killed = kill_point_run(w.words, ctl_log, n, &status);
                ck_assert_int_eq(status, 0);
                must_be_in_force();
                ck_assert_uint_le(stage_certificates(), made + 1);
                if (killed)
                        must_run("rotate", NULL, NULL);
                must_be_in_force();
                ck_assert_str_ne(current(), before);
                ck_assert_msg(stage_certificates() == made + 1,
                              "killed before call %u: %zu certificates, not %zu", n,
                              stage_certificates(), made + 1);
                ck_assert_uint_eq(folder_count(d.state, ".secret"), 0);
        }
        ck_assert_uint_gt(n, 2 * STRIDES);
}
END_TEST

/* The daemon is killed while the command waits, which then finds it again. */
static const struct {
        const char *fault, *operation, *phase;
        size_t made;
} points[] = {
        {"delay=3000", "--operation=create-csr", "create", 3},
        {"drop", "--operation=register", "register", 2},
        {"activation-delay=3000", "--operation=register", "backoff", 2},
};

static JobId wait_for_rotation(const char *phase) {
        JobId id;

        WAIT_FOR(agent_count_jobs(client, 0) == 1);
        for (unsigned tries = 0;;) {
                fleetprov_job *job;
                bool there;

                id = agent_first_job(client);
                job = agent_job(client, id);
                there = streq(fleetprov_job_get_phase(job), phase);
                fleetprov_job_free(job);
                if (there)
                        return id;
                ck_assert(process_pause(&tries));
        }
}

START_TEST(daemon_is_killed_meanwhile)
{
        Words w;
        pid_t pid;
        int status;

        must_run("provision", NULL, NULL);
        /* The first job is out of the way. */
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, agent_first_job(client)),
                         FLEETPROV_OK);
        cloud_add(&cloud, points[_i].fault, points[_i].operation);
        w = words_of("rotate", NULL, NULL);
        pid = process_start(w.words, ctl_log, NULL);
        (void) wait_for_rotation(points[_i].phase);
        must_be_in_force();
        stage_restart(true);
        status = process_wait(pid);
        ck_assert_int_eq(status, 0);
        must_be_in_force();
        ck_assert_uint_ge(stage_certificates(), 2);
        ck_assert_uint_le(stage_certificates(), points[_i].made);
        ck_assert_uint_eq(folder_count(d.state, ".secret"), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("ctl: rotate");
        TCase *tc = stage_shared(suite, "rotate");

        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_set_timeout(tc, 300);
        tcase_add_loop_test(tc, it_is_done_when_it_is_due, 0, ELEMENTSOF(dues));
        tcase_add_test(tc, rotation_after_rotation);
        tcase_add_test(tc, directory_that_holds_nothing_is_not_made);
        tcase_add_test(tc, failed_rotation_leaves_the_old_one_and_is_gone_on_with);
        tcase_add_loop_test(tc, killed_at_any_step_and_run_again, 0, STRIDES);
        tcase_add_loop_test(tc, daemon_is_killed_meanwhile, 0, ELEMENTSOF(points));
        return stage_run(suite);
}

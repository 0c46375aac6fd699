/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The crash matrix. A dry run with a daemon that lists its fault points says which ones a job
 * passes, from the daemon's start to the last answer; then a daemon is killed at each of them, each
 * time it is passed, and started again, while an application goes its way.
 *
 * What is promised, for a kill at any point:
 *   - the job ends succeeded, and its application gets one identity, the same whenever it asks;
 *   - one certificate is made, and at most one more for the kill;
 *   - a certificate that was made and not delivered is on record. By its id where the daemon had
 *     kept its answer (`leftCertificates`). Killed between the service's work and that, the daemon
 *     cannot know the id: then the job's history says that one may have been made and left behind,
 *     and says so only where a certificate had been asked for;
 *   - once RegisterThing's answer is kept, it is not asked again, and no certificate is made: what
 * is left is to try it;
 *   - what is promised of a registration with Azure DPS stands in azure.h;
 *   - a single RegisterThing whose answer was lost has spent its token, and nothing brings the
 *     answer back: the job fails with the service's word for that, and its history says what may
 *     have been done.
 *
 * One operation and key source a program run: its name is the argument. */

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "tests/integration/crash/azure.h"
#include "tests/integration/crash/life.h"
#include "tests/integration/crash/points.h"
#include "tests/integration/lib/rotation.h"

/* Most of a case is waiting, for the session above all. */
#define WORKERS 6U

static const Ask asks[] = {
        {"provision-daemon-key", FLEETPROV_OPERATION_PROVISION, "daemon", false, false},
        {"provision-cloud-key", FLEETPROV_OPERATION_PROVISION, "cloud", false, false},
        {"provision-csr", FLEETPROV_OPERATION_PROVISION, NULL, true, false},
        {"provision-next", FLEETPROV_OPERATION_PROVISION, NULL, true, .follows = true},
        {"provision-verified", FLEETPROV_OPERATION_PROVISION, "daemon", false, false, true},
        {"asked-again", FLEETPROV_OPERATION_PROVISION, "daemon", .fails_first = true},
        {"released", FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR, NULL, true, .releases = true},
        {"create-from-csr", FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR, NULL, true, false},
        {"create-keys", FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE, NULL, false, false},
        {"rotate", FLEETPROV_OPERATION_ROTATE, NULL},
        {"register-thing", FLEETPROV_OPERATION_REGISTER_THING, NULL, false, true},
        {"azure-key", FLEETPROV_OPERATION_PROVISION, .device = DEVICE_WITH_KEY},
        {"azure-group", FLEETPROV_OPERATION_PROVISION, .device = DEVICE_OF_GROUP},
        {"azure-x509", FLEETPROV_OPERATION_PROVISION, .device = DEVICE_WITH_CERTIFICATE},
        {"azure-csr", FLEETPROV_OPERATION_PROVISION, .brings_csr = true, .device = DEVICE_WITH_KEY,
         .issued = true},
        {"azure-issued", FLEETPROV_OPERATION_PROVISION, .device = DEVICE_WITH_KEY, .issued = true},
};

static const Ask *ask; /* of this run */

/* --- one life ----------------------------------------------------------------------------------
 */

typedef struct Case {
        Daemon daemon;
        const char *name; /* of client, thing and key */
        char *csr, *csr_key, *token;
        Identity old;
        Record record;
        Application application;
        Got *got;
} Case;

/* What the request brings comes from another daemon, that of the stage. */
static bool needs_stage(void) {
        return ask->brings_token || ask->operation == FLEETPROV_OPERATION_ROTATE;
}

/* A token of a certificate that some other job made. */
static char *make_token(const char *csr) {
        fleetprov_result *result;
        char *token;

        result = agent_result(
                client,
                agent_submit(client,
                             &(Wish){.operation = FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR,
                                     .csr = csr}));
        token = agent_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN);
        fleetprov_result_free(result);
        return token;
}

static void make_what_it_brings(Case *c) {
        Application *a = &c->application;

        if (ask->operation == FLEETPROV_OPERATION_ROTATE) {
                c->old = rotation_first_identity(c->name);
                a->certificate = c->old.certificate;
                a->certificate_key = c->old.private_key;
        }
        if (!ask->brings_csr && !ask->brings_token)
                return;
        identity_make_csr_for(ask->device == DEVICE_OF_AWS ? NULL : c->name, &c->csr_key, &c->csr);
        if (ask->brings_csr) {
                a->csr = c->csr;
                a->csr_key = c->csr_key;
        } else
                a->token = c->token = make_token(c->csr);
}

static const char *profile_of(Case *c) {
        const char *more = ask->verified                                  ? "VerifyCertificate=yes"
                           : ask->operation == FLEETPROV_OPERATION_ROTATE ? "RotationTemplate="
                                                                            "FleetRotation"
                                                                          : "";

        if (ask->device != DEVICE_OF_AWS)
                return azure_profile(&c->daemon, ask, c->name);
        return cloud_profile(&cloud, "aws",
                             place_text(&c->daemon.place, "ClientId=%s\nResponseTimeoutSec=60\n%s",
                                        c->name, more));
}

static void case_begin(Case *c, unsigned number, Got *got) {
        const bool registers = ask->device == DEVICE_OF_AWS &&
                               ask->operation != FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR &&
                               ask->operation != FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE;

        *c = (Case){.got = got};
        daemon_make(&c->daemon);
        c->name = place_text(&c->daemon.place, "%s%s-%u", azure_prefix(ask->device), ask->name,
                             number);
        c->daemon.program = FLEETPROVD_FAULTS;
        daemon_configure(&c->daemon, profile_of(c));
        c->application = (Application){.ask = ask,
                                       .socket = c->daemon.socket,
                                       .key = c->name,
                                       .serial = registers ? c->name : NULL,
                                       .got = got};
        make_what_it_brings(c);
}

/* A rotation has a session of its own. */
static const char *client_of(const Case *c) {
        return ask->operation == FLEETPROV_OPERATION_ROTATE
                       ? place_text(&cloud.place, "fleetprovd-rotate-%s", c->got->job)
                       : c->name;
}

static void case_end(Case *c) {
        if (c->daemon.pid > 0)
                daemon_kill(&c->daemon);
        daemon_done(&c->daemon);
        free(c->csr);
        free(c->csr_key);
        free(c->token);
        identity_done(&c->old);
}

/* --- the dry run -------------------------------------------------------------------------------
 */

/* What is before it is as it is for others. */
static unsigned find_begin(const Points *points) {
        if (ask->fails_first || ask->follows)
                return points_find(points, "before-write-job-new", 2);
        if (ask->releases)
                return points_find(points, "before-unlink-job", 1);
        return points_find(points,
                           needs_stage() ? "before-write-secret-new" : "before-write-job-new", 1);
}

static void discover(Points *points) {
        Got *got = got_new(1);
        Case c;

        case_begin(&c, 0, got);
        c.daemon.fault_list = place_path(&c.daemon.place, "points");
        daemon_start(&c.daemon);
        join(application_start(&c.application));
        ck_assert(got->over);
        ck_assert_int_eq(got->state, FLEETPROV_STATE_SUCCEEDED);
        ck_assert_uint_eq(got->n_left + got->n_perhaps, 0);
        points_read(points, c.daemon.fault_list);
        points->job = find_begin(points);
        case_end(&c);
}

/* --- a kill ------------------------------------------------------------------------------------
 */

/* The daemon dies at the point, and another one takes its place, whatever the application does. */
static void live_through(Case *c, const char *point) {
        pid_t application;
        int status;

        c->daemon.fault = point;
        daemon_start_unheard(&c->daemon);
        application = application_start(&c->application);
        WAIT_FOR(has_ended(c->daemon.pid) || has_ended(application));
        if (!has_ended(c->daemon.pid)) /* it is dying slowly, or not at all */
                (void) sleep(1);
        ck_assert_msg(has_ended(c->daemon.pid), "%s was not passed", point);
        status = process_wait(c->daemon.pid);
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                      "%s: the daemon ended with wait status %#x", point, (unsigned) status);
        daemon_assert_log_is_sane(&c->daemon);
        c->record = record_read(&c->daemon);
        c->daemon.fault = NULL;
        daemon_start(&c->daemon);
        join(application);
        ck_assert(c->got->over);
}

/* What people see who ask. */
static void check_show(const Case *c) {
        const char *const argv[] = {
                FLEETPROVCTL, place_text(&cloud.place, "--socket=%s", c->daemon.socket),
                "--json=off", "show",
                c->name,      NULL};
        const char *const environment[] = {"COLUMNS=400", NULL};
        _cleanup_free_ char *output = NULL;

        ck_assert_int_eq(process_run(argv, environment, &output), 0);
        ck_assert_msg(strstr(output, c->got->n_left > 0 ? c->got->left[0] : "may have been made"),
                      "%s", output);
}

/* What is registered can be used: nothing of that kind is lost, since it is kept before. */
static void check_registered(const Case *c, const char *point) {
        const char *const operation = "\"operation\":\"register\"";
        const char *const outcome = "\"outcome\":\"accepted\"";
        size_t all = client_count(&cloud, client_of(c), operation, outcome), known;

        known = client_count(&cloud, client_of(c), operation,
                             place_text(&cloud.place, "%s*%s", outcome, c->got->certificate));
        if (ask->follows)
                known += client_count(&cloud, client_of(c), operation,
                                      place_text(&cloud.place, "%s*%s", outcome, c->got->before));
        for (unsigned i = 0; i < c->got->n_left; i++)
                known += client_count(&cloud, client_of(c), operation,
                                      place_text(&cloud.place, "%s*%s", outcome, c->got->left[i]));
        ck_assert_msg(known == all, "%s: %zu things are registered, the job knows of %zu", point,
                      all, known);
}

static void check_certificates(const Case *c, const char *point) {
        const Got *got = c->got;
        size_t made =
                client_count(&cloud, client_of(c), "\"operation\":\"create-", "certificateId");

        if (ask->operation == FLEETPROV_OPERATION_REGISTER_THING) {
                ck_assert_uint_eq(made + got->n_left + got->n_perhaps, 0);
                return;
        }
        made -= ask->follows;
        ck_assert_msg(made >= 1 && made <= 2, "%s: %zu certificates", point, made);
        ck_assert_uint_eq(client_count(&cloud, client_of(c), "create-", got->certificate), 1);
        for (unsigned i = 0; i < got->n_left; i++) {
                ck_assert_str_ne(got->left[i], got->certificate);
                ck_assert_uint_eq(client_count(&cloud, client_of(c), "create-", got->left[i]), 1);
        }
        ck_assert_msg(got->n_left <= made - 1 && got->n_left + got->n_perhaps >= made - 1 &&
                              got->n_perhaps <= 1,
                      "%s: %zu made, %u left, %u perhaps", point, made, got->n_left,
                      got->n_perhaps);
        if (got->went_on) /* whatever it had kept it can name */
                ck_assert_msg(got->n_left == made - 1 && got->n_perhaps == 0,
                              "%s: %zu made, %u left, %u perhaps", point, made, got->n_left,
                              got->n_perhaps);
        check_registered(c, point);
        /* What RegisterThing brought is kept before its certificate is tried. */
        if (strstr(point, "probe"))
                ck_assert(got->tried_alone);
        if (got->tried_alone)
                ck_assert_uint_eq(made, 1);
        /* Where it failed before, its certificate stands from then on, and RegisterThing is asked
         * for while the line that says so is being written. */
        if (!c->record.asked && !ask->fails_first)
                ck_assert_uint_eq(got->n_left + got->n_perhaps, 0);
        if (made > 1 && !ask->releases)
                check_show(c);
}

/* Not in the application's eyes alone: it may have been told too early. */
static void check_released(const Case *c) {
        fleetprov_client *other = agent_open(c->daemon.socket);

        ck_assert_int_eq(agent_find(other, "aws", c->name, NULL), FLEETPROV_NO_SUCH_JOB);
        fleetprov_client_free(other);
}

static void check_delivery(const Case *c, const char *point) {
        const bool brings_secret = ask->operation == FLEETPROV_OPERATION_PROVISION
                                           ? !ask->brings_csr
                                           : ask->operation != FLEETPROV_OPERATION_REGISTER_THING;
        const Got *got = c->got;
        size_t registered = client_count(&cloud, client_of(c), "\"operation\":\"register\"",
                                         "\"outcome\":\"accepted\"");

        if (ask->brings_token && got->state == FLEETPROV_STATE_FAILED) {
                ck_assert_uint_eq(registered, 1);
                ck_assert_str_eq(got->error, "server-refused");
                ck_assert_str_eq(got->service_code, "InvalidCertificateOwnershipToken");
                return;
        }
        ck_assert_msg(got->state == FLEETPROV_STATE_SUCCEEDED, "%s: %s %s", point,
                      fleetprov_state_to_string(got->state), got->error);
        /* Acknowledged, they are gone: the second time there are none, and on the disk neither. */
        ck_assert_uint_eq(folder_count(c->daemon.state, ".secret"), 0);
        ck_assert_uint_eq(folder_count(c->daemon.state, ".new"), 0);
        ck_assert_uint_eq(got->n_delivered, brings_secret);
        if (got->thing[0]) {
                ck_assert_str_eq(got->thing, place_text(&cloud.place, "thing-%s", c->name));
                ck_assert_uint_ge(registered, 1);
                if (got->tried_alone)
                        ck_assert_uint_eq(registered, 1);
        }
        if (ask->verified)
                ck_assert_uint_ge(client_count(&cloud,
                                               place_text(&cloud.place, "thing-%s", c->name),
                                               "\"role\":\"device\"", "\"outcome\":\"accepted\""),
                                  1);
        if (got->thing[0] && got->certificate[0]) {
                _cleanup_free_ char *state = cloud_certificate_state(&cloud, got->certificate);

                ck_assert_str_eq(state, "ACTIVE");
        }
        if (c->old.certificate_id) {
                _cleanup_free_ char *state = cloud_certificate_state(&cloud, c->old.certificate_id);

                ck_assert_str_eq(state, "ACTIVE");
        }
        if (ask->releases)
                check_released(c);
}

static void kill_at(const Points *points, unsigned i, Got *got) {
        _cleanup_free_ char *point = NULL;
        Case c;

        ck_assert_int_gt(asprintf(&point, "%s:%u", points->names[i], points->pass[i]), 0);
        case_begin(&c, i + 1, got);
        live_through(&c, point);
        printf("%s: %s, %u left behind by name, %u perhaps\n", point,
               fleetprov_state_to_string(got->state), got->n_left, got->n_perhaps);
        (void) fflush(stdout);
        if (ask->device != DEVICE_OF_AWS)
                azure_check(&c.daemon, &c.application, point, &c.record);
        else {
                check_delivery(&c, point);
                check_certificates(&c, point);
        }
        case_end(&c);
}

/* --- all of them -------------------------------------------------------------------------------
 */

typedef struct Share {
        const Points *points;
        unsigned first; /* and each WORKERSth from there on */
        Got *got;
} Share;

static void run_share(void *userdata) {
        const Share *share = userdata;

        if (needs_stage()) /* a client does not survive a fork */
                client = agent_open(d.socket);
        for (unsigned i = share->first; i < share->points->n; i += WORKERS)
                kill_at(share->points, i, share->got + i);
}

/* A daemon that was killed between the answer and its store has spent the token, or knows nothing
 * of the operation, and could not know: the service calls that a breach. Nothing else is to be
 * forgiven. */
static void forgive_what_was_not_known(void) {
        const char *path = place_path(&cloud.place, "breaches");
        const char *which = ask->device == DEVICE_OF_AWS ? "\"breach\":\"token-spent\""
                                                         : "\"breach\":\"registered-anew\"";
        _cleanup_free_ char *text = file_read(path, NULL);

        ck_assert_ptr_nonnull(text);
        ck_assert_msg(file_count_lines(path, which, NULL) ==
                              file_count_lines(path, "\"breach\"", NULL),
                      "the cloud notes: %.800s", text);
        cloud_forget_breaches(&cloud);
}

START_TEST(killed_at_each_point_the_job_ends_well)
{
        Share shares[WORKERS];
        pid_t pids[WORKERS];
        Points points = {};
        Got *got;

        if (needs_stage())
                stage_start("", "ClientId=stage");
        discover(&points);
        got = got_new(points.n);
        for (unsigned i = 0; i < WORKERS; i++) {
                /* The daemon's start is the same for all: one of them tries it. */
                shares[i] = (Share){
                        .points = &points, .first = (ask == asks ? 0 : points.job) + i, .got = got};
                pids[i] = process_fork_as(geteuid(), getegid(), NULL, 0, run_share, shares + i);
        }
        for (unsigned i = 0; i < WORKERS; i++)
                join(pids[i]);
        printf("%s: killed at each of %u points\n", ask->name,
               points.n - (ask == asks ? 0 : points.job));
        free(points.text);
        forgive_what_was_not_known();
}
END_TEST

int main(int argc, char **argv) {
        Suite *suite = suite_create("daemon: killed at each point");
        TCase *tc;

        for (size_t i = 0; i < ELEMENTSOF(asks); i++)
                if (argc == 2 && streq(asks[i].name, argv[1]))
                        ask = asks + i;
        if (!ask) {
                fputs("usage: test-crash-matrix OPERATION; see the file\n", stderr);
                return 2;
        }
        tc = (ask->device == DEVICE_OF_AWS ? stage_alone : stage_alone_dps)(suite, ask->name);
        tcase_set_timeout(tc, KILL_TEST_PATIENCE_SEC);
        tcase_add_test(tc, killed_at_each_point_the_job_ends_well);
        return stage_run(suite);
}

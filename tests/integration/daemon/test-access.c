/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who may submit, and who sees what. Runs as root, and as users of its own making. */

#include <stdio.h>
#include <sys/stat.h>

#include "tests/integration/lib/raw.h"
#include "tests/integration/lib/stage.h"

#define ALLOWED 12001U
#define STRANGER 12002U
#define MEMBER 12003U
#define GROUP 12100U

static void start(const char *more) {
        stage_start("", more);
        ck_assert_int_eq(chmod(d.socket, 0666), 0);
}

static void as(uid_t uid, void (*function)(void *), void *userdata) {
        process_as_user(uid, uid, NULL, 0, function, userdata);
}

static void must_be_denied(void *userdata) {
        const char *socket = userdata;
        fleetprov_client *own = agent_open(socket);
        fleetprov_error *error;

        ck_assert_int_eq(agent_refused(own, &(Wish){.serial = "x"}, &error),
                         FLEETPROV_ACCESS_DENIED);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "AllowUsers="));
        fleetprov_error_free(error);
        ck_assert_int_eq(
                agent_refused(own,
                              &(Wish){.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
                              NULL),
                FLEETPROV_ACCESS_DENIED);
        ck_assert_int_eq(agent_reload(own, NULL), FLEETPROV_ACCESS_DENIED);
        fleetprov_client_free(own);
}

static void must_be_served(void *userdata) {
        const char *socket = userdata;
        fleetprov_client *own = agent_open(socket);
        fleetprov_result *result;

        result = agent_result(own, agent_submit(own, &(Wish){.serial = "served"}));
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 1);
        fleetprov_result_free(result);
        fleetprov_client_free(own);
}

static char *socket_path(void) {
        return (char *) (uintptr_t) d.socket;
}

START_TEST(users_that_are_not_named_are_refused)
{
        start("AllowUsers=root 12001");
        as(STRANGER, must_be_denied, socket_path());
        as(ALLOWED, must_be_served, socket_path());
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
}
END_TEST

START_TEST(nobody_but_root_may_unless_somebody_is_named)
{
        start("");
        as(ALLOWED, must_be_denied, socket_path());
        must_be_served(socket_path());
}
END_TEST

START_TEST(members_of_a_named_group_are_served)
{
        const gid_t groups[] = {GROUP};

        start("AllowGroups=12100");
        process_as_user(MEMBER, MEMBER, groups, 1, must_be_served, socket_path());
        process_as_user(STRANGER, GROUP, NULL, 0, must_be_served, socket_path());
        as(MEMBER, must_be_denied, socket_path());
}
END_TEST

START_TEST(those_who_are_denied_may_still_read_the_status)
{
        start("");
        process_as_user(STRANGER, STRANGER, NULL, 0, must_be_denied, socket_path());
        daemon_wait_session(&d, "aws", "ready");
}
END_TEST

/* --- foreign jobs --- */

typedef struct Foreign {
        const char *socket;
        const char *path; /* of root's job */
        JobId id;
} Foreign;

static void must_not_be_listed(sd_bus *bus, const Foreign *f) {
        const char *const paths[] = {IPC_JOB_PREFIX, f->path};

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
                const char *text = "";

                if (sd_bus_call_method(bus, IPC_BUS_NAME, paths[i],
                                       "org.freedesktop.DBus.Introspectable", "Introspect", &error,
                                       &reply, NULL) < 0)
                        continue;
                ck_assert_int_ge(sd_bus_message_read(reply, "s", &text), 0);
                ck_assert_ptr_null(strstr(text, f->id.text));
                ck_assert_ptr_null(strstr(text, IPC_JOB_INTERFACE));
        }
}

static void must_see_nothing(void *userdata) {
        static const AgentCall calls[] = {
                fleetprov_client_get_job, fleetprov_client_get_result, fleetprov_client_acknowledge,
                fleetprov_client_cancel,  fleetprov_client_release,
        };
        const Foreign *f = userdata;
        fleetprov_client *own = agent_open(f->socket);
        sd_bus *bus = raw_open(place_text(&d.place, "unix:path=%s", f->socket), false);

        ck_assert_uint_eq(agent_count_jobs(own, 1), 0);
        ck_assert_int_eq(agent_find(own, "aws", "roots-own", NULL), FLEETPROV_NO_SUCH_JOB);
        for (size_t i = 0; i < ELEMENTSOF(calls); i++)
                ck_assert_int_eq(agent_call(own, calls[i], f->id), FLEETPROV_NO_SUCH_JOB);
        /* As for a path where nothing is. */
        raw_refused(bus, "org.freedesktop.DBus.Error.UnknownObject", f->path,
                    "org.freedesktop.DBus.Properties", "Get", "ss", IPC_JOB_INTERFACE, "State");
        raw_refused(bus, "org.freedesktop.DBus.Error.UnknownObject",
                    IPC_JOB_PREFIX "/00000000000000000000000000000000",
                    "org.freedesktop.DBus.Properties", "Get", "ss", IPC_JOB_INTERFACE, "State");
        must_not_be_listed(bus, f);
        sd_bus_flush_close_unref(bus);
        fleetprov_client_free(own);
}

START_TEST(foreign_jobs_cannot_be_told_from_none)
{
        Foreign f = {.socket = NULL};

        start("AllowUsers=root 12001");
        f.socket = d.socket;
        f.id = agent_submit(client, &(Wish){.serial = "roots", .key = "roots-own"});
        f.path = place_text(&d.place, IPC_JOB_PREFIX "/%s", f.id.text);
        fleetprov_result_free(agent_result(client, f.id));
        as(ALLOWED, must_see_nothing, &f);
        as(STRANGER, must_see_nothing, &f);
        /* Nothing of what they tried has changed it. */
        fleetprov_result_free(agent_result(client, f.id));
}
END_TEST

START_TEST(root_sees_what_everybody_has)
{
        start("AllowUsers=root 12001");
        as(ALLOWED, must_be_served, socket_path());
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
}
END_TEST

/* --- signals --- */

static int on_any_signal(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        size_t *n = userdata;

        if (sd_bus_message_is_signal(m, IPC_MANAGER_INTERFACE, NULL) > 0)
                ++*n;
        return 0;
}

/* Hears signals while somebody else (or it itself) gets an identity. */
static size_t count_signals(const char *socket, void (*provision)(const char *)) {
        sd_bus *bus = raw_open(place_text(&d.place, "unix:path=%s", socket), false);
        size_t n = 0;

        ck_assert_int_ge(sd_bus_add_filter(bus, NULL, on_any_signal, &n), 0);
        sd_bus_message_unref(
                raw_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "ListJobs", "b", 1));
        provision(socket);
        /* Signals come before the answer to what is asked after them. */
        sd_bus_message_unref(
                raw_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "ListJobs", "b", 1));
        while (sd_bus_process(bus, NULL) > 0)
                ;
        sd_bus_flush_close_unref(bus);
        return n;
}

static void provision_here(const char *socket) {
        must_be_served((char *) (uintptr_t) socket);
}

static void provision_elsewhere(const char *socket) {
        /* The other process waits for this file. */
        const char *go = place_text(&d.place, "%s-heard/go", socket);
        const char *done = place_text(&d.place, "%s-heard/done", socket);
        FILE *f = fopen(go, "w");

        ck_assert_ptr_nonnull(f);
        fclose(f);
        WAIT_FOR(file_exists(done));
}

static void must_hear_nothing(void *userdata) {
        ck_assert_uint_eq(count_signals(userdata, provision_elsewhere), 0);
}

static void must_hear_its_own(void *userdata) {
        ck_assert_uint_ge(count_signals(userdata, provision_here), 3);
}

START_TEST(signals_reach_only_those_who_see_the_job)
{
        const char *folder, *done;
        pid_t pid;

        start("AllowUsers=root 12001");
        folder = place_text(&d.place, "%s-heard", d.socket);
        done = place_text(&d.place, "%s/done", folder);
        ck_assert_int_eq(mkdir(folder, 0777), 0);
        ck_assert_int_eq(chmod(folder, 0777), 0);
        pid = process_fork_as(ALLOWED, ALLOWED, NULL, 0, must_hear_nothing, socket_path());
        WAIT_FOR(file_exists(place_text(&d.place, "%s/go", folder)));
        must_be_served(socket_path());
        fclose(fopen(done, "w"));
        process_join(pid);
        as(ALLOWED, must_hear_its_own, socket_path());
}
END_TEST

/* --- what is fixed --- */

START_TEST(what_the_profile_fixes_no_job_can_change)
{
        fleetprov_result *result;

        start("Parameter.SerialNumber=fixed");
        ck_assert_int_eq(agent_refused(client, &(Wish){.serial = "other"}, NULL),
                         FLEETPROV_BAD_PARAMETER);
        result = agent_result(client, agent_submit(client, &(Wish){}));
        ck_assert_str_eq(fleetprov_result_get_thing_name(result), "thing-fixed");
        fleetprov_result_free(result);
}
END_TEST

START_TEST(where_to_and_as_whom_are_no_options)
{
        static const char *const names[] = {"template", "endpoint", "client-id", "Certificate",
                                            "pkcs11-uri"};
        sd_bus *bus;

        start("");
        bus = raw_open(place_text(&d.place, "unix:path=%s", d.socket), false);
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                raw_refused(bus, "BadParameter", IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit",
                            "ssa{sv}", "provision", "aws", 1, names[i], "s", "x");
        sd_bus_flush_close_unref(bus);
}
END_TEST

static void submit_and_leave(void *userdata) {
        fleetprov_client *own = agent_open(userdata);

        (void) agent_submit(own, &(Wish){.serial = "later", .key = "later"});
        fleetprov_client_free(own);
}

START_TEST(rules_are_asked_again_when_a_job_starts)
{
        const fleetprov_error *error;
        fleetprov_job *job;
        JobId id;

        cloud_stop(&cloud);
        start("AllowUsers=root 12001");
        as(ALLOWED, submit_and_leave, socket_path());
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
        daemon_configure(&d, cloud_profile(&cloud, "aws", "AllowUsers=root"));
        ck_assert_int_eq(agent_reload(client, NULL), FLEETPROV_OK);
        cloud_again(&cloud);
        id = agent_first_job(client);
        job = agent_wait(client, id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        error = fleetprov_job_get_error(job);
        ck_assert_int_eq(fleetprov_error_get_code(error), FLEETPROV_ACCESS_DENIED);
        fleetprov_job_free(job);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: access");
        TCase *tc = stage_shared(suite, "access");

        tcase_add_test(tc, users_that_are_not_named_are_refused);
        tcase_add_test(tc, nobody_but_root_may_unless_somebody_is_named);
        tcase_add_test(tc, members_of_a_named_group_are_served);
        tcase_add_test(tc, those_who_are_denied_may_still_read_the_status);
        tcase_add_test(tc, foreign_jobs_cannot_be_told_from_none);
        tcase_add_test(tc, root_sees_what_everybody_has);
        tcase_add_test(tc, signals_reach_only_those_who_see_the_job);
        tcase_add_test(tc, what_the_profile_fixes_no_job_can_change);
        tcase_add_test(tc, where_to_and_as_whom_are_no_options);
        tc = stage_alone(suite, "access without cloud");
        tcase_add_test(tc, rules_are_asked_again_when_a_job_starts);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* How the daemon is started and ended: options, what systemd passes and is told, and what stands in
 * the way. */

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/integration/lib/stage.h"

#define EXIT_USAGE 2

static int run_with(const char *option, char **ret_output) {
        const char *const arguments[] = {option, NULL};

        return daemon_run_once(arguments, NULL, ret_output);
}

START_TEST(version_and_help_are_printed)
{
        _cleanup_free_ char *version = NULL, *help = NULL, *short_help = NULL;

        ck_assert_int_eq(run_with("--version", &version), 0);
        ck_assert_str_eq(version, "fleetprovd " PROJECT_VERSION "\n");
        ck_assert_int_eq(run_with("--help", &help), 0);
        ck_assert_ptr_nonnull(strstr(help, "--state-directory=DIR"));
        ck_assert_int_eq(run_with("-h", &short_help), 0);
        ck_assert_str_eq(help, short_help);
}
END_TEST

static const char *const misuses[] = {"--nonsense", "argument", "--log-level=loud", "--version=1",
                                      "--config"};

START_TEST(misuse_is_told)
{
        _cleanup_free_ char *output = NULL;

        ck_assert_int_eq(run_with(misuses[_i], &output), EXIT_USAGE);
        ck_assert_uint_gt(strlen(output), 10);
}
END_TEST

/* Starts a second daemon; its exit status. */
static int run_second(const char *state, const char *socket, char **ret_output) {
        const char *const arguments[] = {place_text(&d.place, "--config=%s", d.config),
                                         place_text(&d.place, "--state-directory=%s", state),
                                         place_text(&d.place, "--socket=%s", socket), "--bus=none",
                                         NULL};

        return daemon_run_once(arguments, NULL, ret_output);
}

START_TEST(second_daemon_is_refused)
{
        _cleanup_free_ char *output = NULL, *other = NULL;

        stage_start("", "");
        ck_assert_int_eq(run_second(d.state, place_path(&d.place, "other"), &output), 1);
        ck_assert_ptr_nonnull(strstr(output, d.state));
        /* And on the same socket. */
        ck_assert_int_eq(mkdir(place_path(&d.place, "state-2"), 0700), 0);
        ck_assert_int_eq(run_second(place_path(&d.place, "state-2"), d.socket, &other), 1);
        ck_assert_ptr_nonnull(strstr(other, d.socket));
        /* The first has not noticed. */
        fleetprov_result_free(
                agent_result(client, agent_submit(client, &(Wish){.serial = "first"})));
}
END_TEST

START_TEST(bad_state_directories_are_told)
{
        _cleanup_free_ char *missing = NULL, *file = NULL;
        const char *path;

        daemon_make(&d);
        daemon_configure(&d, "");
        ck_assert_int_eq(run_second("/nonexistent/deep/state", d.socket, &missing), 1);
        ck_assert_ptr_nonnull(strstr(missing, "/nonexistent/deep"));
        path = place_write(&d.place, "no-directory", 0600, "");
        ck_assert_int_eq(run_second(path, d.socket, &file), 1);
        ck_assert_ptr_nonnull(strstr(file, path));
        ck_assert(!file_exists(d.socket));
}
END_TEST

typedef struct WithoutRights {
        const char *state;
        int program; /* opened by root: another user may not reach the folder that it was built in
                      */
} WithoutRights;

static void start_without_rights(void *userdata) {
        const WithoutRights *w = userdata;
        const char *const argv[] = {place_text(&d.place, "/proc/self/fd/%d", w->program),
                                    place_text(&d.place, "--config=%s", d.config),
                                    place_text(&d.place, "--state-directory=%s", w->state),
                                    place_text(&d.place, "--socket=%s/socket-2", d.place.dir),
                                    "--bus=none",
                                    NULL};
        _cleanup_free_ char *output = NULL;

        ck_assert_int_eq(process_run(argv, NULL, &output), 1);
        ck_assert_ptr_nonnull(strstr(output, w->state));
        ck_assert_ptr_null(strstr(output, "Sanitizer"));
}

START_TEST(unwritable_state_directory_is_told)
{
        WithoutRights w = {.program = open(FLEETPROVD, O_PATH)};

        if (geteuid() != 0)
                return;
        ck_assert_int_ge(w.program, 0);
        daemon_make(&d);
        (void) place_write(&d.place, "fleetprovd.conf", 0644, "");
        w.state = d.state;
        process_as_user(12001, 12001, NULL, 0, start_without_rights, &w);
        (void) close(w.program);
}
END_TEST

START_TEST(stale_socket_is_replaced)
{
        stage_start("", "");
        daemon_kill(&d);
        ck_assert(file_exists(d.socket));
        fleetprov_client_free(client);
        daemon_start(&d);
        client = agent_open(d.socket);
        fleetprov_status_free(agent_status(client));
        daemon_stop(&d);
        ck_assert(!file_exists(d.socket));
}
END_TEST

START_TEST(service_manager_is_told)
{
        int status;

        daemon_make(&d);
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        daemon_start_without_wait(&d);
        daemon_wait_notify(&d, "READY=1");
        ck_assert_int_eq(kill(d.pid, SIGHUP), 0);
        daemon_wait_notify(&d, "RELOADING=1");
        daemon_wait_notify(&d, "READY=1");
        ck_assert_int_eq(kill(d.pid, _i == 0 ? SIGTERM : SIGINT), 0);
        daemon_wait_notify(&d, "STOPPING=1");
        status = process_wait(d.pid);
        d.pid = 0;
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(socket_of_the_service_manager_is_served)
{
        const char *const argv[] = {
                "systemd-socket-activate",
                place_text(&cloud.place, "--listen=%s/activated", cloud.place.dir),
                FLEETPROVD,
                place_text(&cloud.place, "--config=%s/activated.conf", cloud.place.dir),
                place_text(&cloud.place, "--state-directory=%s/activated-state", cloud.place.dir),
                "--bus=none",
                "--socket=/nonexistent/socket",
                NULL};
        const char *socket = place_path(&cloud.place, "activated");
        const char *log = place_path(&cloud.place, "activated.log");
        pid_t pid;

        (void) place_write(&cloud.place, "activated.conf", 0600, cloud_profile(&cloud, "aws", ""));
        pid = process_start(argv, log, NULL);
        client = agent_open_soon(socket);
        fleetprov_result_free(
                agent_result(client, agent_submit(client, &(Wish){.serial = "activated"})));
        (void) process_end(pid, SIGTERM);
        ck_assert(!file_has(log, "Sanitizer"));
        /* systemd's socket is systemd's to remove. */
        ck_assert(file_exists(socket));
}
END_TEST

START_TEST(environment_names_the_state_directory)
{
        const char *const argv[] = {
                FLEETPROVD, place_text(&cloud.place, "--config=%s/env.conf", cloud.place.dir),
                "--bus=none", place_text(&cloud.place, "--socket=%s/env.sock", cloud.place.dir),
                NULL};
        const char *state = place_path(&cloud.place, "env-state");
        const char *const environment[] = {
                place_text(&cloud.place, "STATE_DIRECTORY=%s", state),
                /* What Paho and libcurl would obey. */
                "http_proxy=http://127.0.0.1:1/", "https_proxy=http://127.0.0.1:1/",
                place_text(&cloud.place, "MQTT_C_CLIENT_TRACE=%s/trace", cloud.place.dir), NULL};
        int status;
        pid_t pid;

        (void) place_write(&cloud.place, "env.conf", 0600, cloud_profile(&cloud, "aws", ""));
        pid = process_start(argv, place_path(&cloud.place, "env.log"), environment);
        client = agent_open_soon(place_path(&cloud.place, "env.sock"));
        fleetprov_result_free(
                agent_result(client, agent_submit(client, &(Wish){.serial = "environment"})));
        status = process_end(pid, SIGTERM);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert_uint_eq(folder_count(state, ".job"), 1);
        ck_assert(!file_exists(place_path(&cloud.place, "trace")));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: start");
        TCase *tc = stage_shared(suite, "start");

        tcase_add_test(tc, version_and_help_are_printed);
        tcase_add_loop_test(tc, misuse_is_told, 0, ELEMENTSOF(misuses));
        tcase_add_test(tc, second_daemon_is_refused);
        tcase_add_test(tc, bad_state_directories_are_told);
        tcase_add_test(tc, unwritable_state_directory_is_told);
        tcase_add_test(tc, stale_socket_is_replaced);
        tcase_add_loop_test(tc, service_manager_is_told, 0, 2);
        tcase_add_test(tc, socket_of_the_service_manager_is_served);
        tcase_add_test(tc, environment_names_the_state_directory);
        return stage_run(suite);
}

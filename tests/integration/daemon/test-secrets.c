/* SPDX-License-Identifier: GPL-2.0-or-later */

/* No secret leaves the daemon but as a descriptor: not in its log at level debug, not in its state
 * directory, not in any message. */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/integration/lib/raw.h"
#include "tests/integration/lib/stage.h"

static void must_be_nowhere(const char *secret) {
        Trace trace = identity_trace(secret);
        _cleanup_free_ char *path = folder_find_bytes(d.place.dir, trace.text, strlen(trace.text));

        ck_assert_msg(!path, "%s holds a secret", path);
}

static const char *job_path(JobId id) {
        return place_text(&d.place, IPC_JOB_PREFIX "/%s", id.text);
}

/* The message as it travels, read without regard to its meaning: the strings of it. */
static void strings_of(sd_bus_message *m, const char *secret, size_t *n_fds) {
        const char *contents, *text;
        char type;
        int r;

        while ((r = sd_bus_message_peek_type(m, &type, &contents)) > 0) {
                if (strchr("aver", type)) {
                        ck_assert_int_gt(sd_bus_message_enter_container(m, type, contents), 0);
                        strings_of(m, secret, n_fds);
                        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
                } else if (strchr("sog", type)) {
                        ck_assert_int_gt(sd_bus_message_read_basic(m, type, &text), 0);
                        ck_assert_msg(!strstr(text, secret), "a message holds a secret");
                } else {
                        uint64_t unused;

                        ck_assert_int_gt(sd_bus_message_read_basic(m, type, &unused), 0);
                        *n_fds += type == 'h';
                }
        }
        ck_assert_int_eq(r, 0);
}

/* Everything that can be asked about the job; the descriptors that came. */
static size_t ask_for_everything(JobId id, const char *secret) {
        sd_bus *bus = raw_open(place_text(&d.place, "unix:path=%s", d.socket), false);
        Trace trace = identity_trace(secret);
        sd_bus_message *answers[] = {
                raw_call(bus, job_path(id), IPC_JOB_INTERFACE, "GetDetails", NULL),
                raw_call(bus, job_path(id), IPC_JOB_INTERFACE, "GetResult", NULL),
                raw_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "ListJobs", "b", 1),
                raw_call(bus, job_path(id), "org.freedesktop.DBus.Properties", "GetAll", "s",
                         IPC_JOB_INTERFACE),
                raw_call(bus, IPC_PROFILE_PREFIX "/aws", "org.freedesktop.DBus.Properties",
                         "GetAll", "s", IPC_PROFILE_INTERFACE),
        };
        size_t n_fds = 0;

        for (size_t i = 0; i < ELEMENTSOF(answers); i++) {
                strings_of(answers[i], trace.text, &n_fds);
                sd_bus_message_unref(answers[i]);
        }
        sd_bus_flush_close_unref(bus);
        return n_fds;
}

static void must_be_sealed(const fleetprov_result *result, int kind) {
        const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
        int fd = fleetprov_result_dup_secret_fd(result, kind);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & seals, seals);
        ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        close(fd);
}

static const Wish wishes[] = {
        {.serial = "daemons-key"},
        {.serial = "clouds-key", .key_source = "cloud"},
        {.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
};

START_TEST(secrets_travel_as_descriptors_alone)
{
        _cleanup_free_ char *key = NULL, *token = NULL;
        const bool has_token = wishes[_i].operation != FLEETPROV_OPERATION_PROVISION;
        fleetprov_result *result;
        JobId id;

        stage_start("", "");
        id = agent_submit(client, wishes + _i);
        result = agent_result(client, id);
        key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        must_be_sealed(result, FLEETPROV_SECRET_PRIVATE_KEY);
        if (has_token) {
                token = agent_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN);
                must_be_sealed(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN);
        }
        fleetprov_result_free(result);
        ck_assert_uint_eq(ask_for_everything(id, key), has_token ? 2 : 1);
        must_be_nowhere(key);
        if (token) {
                (void) ask_for_everything(id, token);
                must_be_nowhere(token);
        }
        stage_restart(true);
        must_be_nowhere(key);
        ck_assert_uint_eq(ask_for_everything(id, key), has_token ? 2 : 1);
}
END_TEST

/* Tokens on the way, which no result brings: the cloud holds the answer back meanwhile. */
START_TEST(tokens_that_are_handed_in_are_sealed_too)
{
        _cleanup_free_ char *token = NULL;
        fleetprov_result *result;
        JobId id;

        stage_start("", "");
        result = agent_result(
                client,
                agent_submit(
                        client,
                        &(Wish){.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE}));
        token = agent_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN);
        fleetprov_result_free(result);
        cloud_add(&cloud, "delay=1000", "--operation=register");
        id = agent_submit(client, &(Wish){.operation = FLEETPROV_OPERATION_REGISTER_THING,
                                          .serial = "handed-in",
                                          .token = token,
                                          .token_size = strlen(token)});
        must_be_nowhere(token);
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "register");
        must_be_nowhere(token);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        must_be_nowhere(token);
}
END_TEST

START_TEST(failures_tell_no_secret)
{
        _cleanup_free_ char *claim = NULL;
        fleetprov_job *job;
        JobId id;

        stage_start("", "");
        cloud_add(&cloud, "wrong-types", "--operation=create-keys");
        id = agent_submit(client, &(Wish){.serial = "fails", .key_source = "cloud"});
        job = agent_wait(client, id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_ptr_null(
                strstr(fleetprov_error_get_message(fleetprov_job_get_error(job)), "BEGIN"));
        fleetprov_job_free(job);
        claim = file_read(place_text(&d.place, "%s/claim.key", cloud.place.dir), NULL);
        ck_assert_ptr_nonnull(claim);
        must_be_nowhere(claim);
        ck_assert(!file_has(d.log, "PRIVATE KEY"));
}
END_TEST

START_TEST(state_directory_is_for_the_daemon_alone)
{
        struct stat st;

        stage_start("", "");
        agent_wait_end(client, agent_submit(client, &(Wish){.serial = "modes"}),
                       FLEETPROV_STATE_SUCCEEDED);
        ck_assert_int_eq(stat(d.state, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0700);
        ck_assert_int_eq(stat(place_text(&d.place, "%s/state.key", d.state), &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        ck_assert_int_eq(stat(d.socket, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0007, 0);
}
END_TEST

/* --- what is handed in --- */

static int memfd_with(const void *data, size_t size, int seals) {
        int fd = memfd_create("token", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, data, size), (ssize_t) size);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
        return fd;
}

static void must_be_refused(sd_bus *bus, int fd) {
        raw_refused(bus, "BadParameter", IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit",
                    "ssa{sv}", "register-thing", "aws", 1, "ownership-token", "h", fd);
        close(fd);
}

START_TEST(descriptors_that_are_no_sealed_memfd_are_refused)
{
        static const uint8_t much[64 * 1024 + 1] = {1};
        const int all = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
        sd_bus *bus;
        int fds[2];

        stage_start("", "");
        bus = raw_open(place_text(&d.place, "unix:path=%s", d.socket), false);
        must_be_refused(bus, memfd_with("x", 1, F_SEAL_GROW | F_SEAL_SHRINK));
        must_be_refused(bus, memfd_with("x", 1, F_SEAL_WRITE | F_SEAL_GROW));
        must_be_refused(bus, memfd_with("", 0, all));
        must_be_refused(bus, memfd_with(much, sizeof(much), all));
        must_be_refused(bus, open("/dev/zero", O_RDONLY | O_CLOEXEC));
        must_be_refused(bus, open("/etc/passwd", O_RDONLY | O_CLOEXEC));
        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        must_be_refused(bus, fds[0]);
        close(fds[1]);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 0);
        sd_bus_flush_close_unref(bus);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: secrets");
        TCase *tc = stage_shared(suite, "secrets");

        tcase_add_loop_test(tc, secrets_travel_as_descriptors_alone, 0, ELEMENTSOF(wishes));
        tcase_add_test(tc, tokens_that_are_handed_in_are_sealed_too);
        tcase_add_test(tc, failures_tell_no_secret);
        tcase_add_test(tc, state_directory_is_for_the_daemon_alone);
        tcase_add_test(tc, descriptors_that_are_no_sealed_memfd_are_refused);
        return stage_run(suite);
}

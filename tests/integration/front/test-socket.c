/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The interface on a socket without a bus daemon, asked by sd-bus as a client, and by busctl and
 * gdbus as they are. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "daemon/base/secret.h"
#include "daemon/front/socket.h"
#include "tests/integration/front/client.h"
#include "tests/integration/front/stub.h"

#define SOME_UID 4242
#define OTHER_UID 4243

static Stub *stub;

static void setup(void) {
        stub = stub_start(NULL);
}

static void teardown(void) {
        stub_stop(stub);
}

/* Runs a shell command and gives back what it printed; it must succeed. $A is the address, $N the
 * name, $R the root object. */
static char *run(const char *command) {
        _cleanup_free_ char *whole = NULL;
        char *out = calloc(1, 65536);
        size_t n;
        FILE *f;

        ck_assert_int_gt(asprintf(&whole,
                                  "export A=unix:path=%s N=%s R=%s LSAN_OPTIONS=; exec 2>&1; %s",
                                  stub->socket, IPC_BUS_NAME, IPC_MANAGER_PATH, command),
                         0);
        f = popen(whole, "re");
        ck_assert_ptr_nonnull(f);
        n = fread(out, 1, 65535, f);
        out[n] = '\0';
        ck_assert_msg(pclose(f) == 0, "%s: %s", command, out);
        return out;
}

static void says(const char *command, const char *word) {
        _cleanup_free_ char *out = run(command);

        ck_assert_msg(strstr(out, word), "'%s' did not print '%s' but: %s", command, word, out);
}

START_TEST(busctl_works_as_it_is)
{
        says("busctl --address=$A call $N $R $N.Manager Submit 'ssa{sv}' provision '' 1 key s k",
             "o \"/io/fleetprov/Provisioner1/job/");
        says("busctl --address=$A call $N $R $N.Manager FindJob ss aws k", "Provisioner1/job/");
        says("busctl --address=$A tree $N", "Provisioner1/profile/second_2done");
        says("busctl --address=$A tree $N", "Provisioner1/job/");
        says("busctl --address=$A introspect $N $R", "a(osssssuutttus)");
        says("busctl --address=$A introspect $N $R/profile/aws", "\"example:8883\"");
        says("busctl --address=$A get-property $N $R $N.Manager Queued", "u 1");
        says("busctl --address=$A get-property $N $R $N.Manager State", "\"running\"");
        says("busctl --address=$A get-property $N $R $N.Manager DefaultProfile", "\"aws\"");
        says("busctl --address=$A get-property $N $R/profile/aws $N.Profile Claim", "CN=claim");
        says("busctl --address=$A get-property $N $R/profile/second_2done $N.Profile LastError",
             "name-resolution");
        says("busctl --address=$A call $N $R/profile/aws $N.Profile Check", "set it");
        says("busctl --address=$A call $N $R $N.Manager Reload && echo done", "done");
        says("busctl --address=$A call $N /org/freedesktop/DBus org.freedesktop.DBus ListNames",
             IPC_BUS_NAME);
        says("! busctl --address=$A call $N $R $N.Manager Submit 'ssa{sv}' provision aws 1 nope s "
             "x",
             "option 'nope' is unknown");
}
END_TEST

START_TEST(gdbus_works_as_it_is)
{
        if (access("/usr/bin/gdbus", X_OK) < 0)
                return;
        says("gdbus introspect --address $A -d $N -o $R", "ListJobs");
        says("gdbus call --address $A -d $N -o $R -m $N.Manager.Submit provision aws "
             "\"{'key': <'k'>}\"",
             "Provisioner1/job/");
        says("gdbus call --address $A -d $N -o $R -m $N.Manager.ListJobs true", "queued");
}
END_TEST

static void submit_as_myself(void *userdata) {
        sd_bus *bus = client_connect(stub->address);
        _cleanup_free_ char *path = client_submit(bus, userdata, "Done");
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *details = NULL;
        uint32_t owner;

        details = client_call(bus, path, "org.freedesktop.DBus.Properties", "Get", "ss",
                              IPC_JOB_INTERFACE, "Owner");
        ck_assert_int_gt(sd_bus_message_read(details, "v", "u", &owner), 0);
        ck_assert_uint_eq(owner, getuid());
        client_close(bus);
}

static char *introspect(sd_bus *bus, const char *path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m =
                client_call(bus, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL);
        const char *xml;

        ck_assert_int_gt(sd_bus_message_read(m, "s", &xml), 0);
        return strdup(xml);
}

/* The caller is not root and has no job; root has the one at `path`. */
static void sees_nothing(void *userdata) {
        static const char *const methods[] = {"GetDetails", "GetResult", "Acknowledge", "Cancel",
                                              "Release"};
        const char *path = userdata;
        sd_bus *bus = client_connect(stub->address);
        _cleanup_free_ char *xml = introspect(bus, IPC_JOB_PREFIX);

        ck_assert_uint_eq(client_count_jobs(bus), 0);
        ck_assert_ptr_null(strstr(xml, path + strlen(IPC_JOB_PREFIX "/")));
        for (size_t i = 0; i < ELEMENTSOF(methods); i++) {
                client_refused(bus, path, IPC_JOB_INTERFACE, methods[i], "NoSuchJob", NULL);
                client_refused(bus, IPC_JOB_PREFIX "/0123456789abcdef0123456789abcdef",
                               IPC_JOB_INTERFACE, methods[i], "NoSuchJob", NULL);
        }
        client_refused(bus, path, "org.freedesktop.DBus.Properties", "Get",
                       SD_BUS_ERROR_UNKNOWN_OBJECT, "ss", IPC_JOB_INTERFACE, "State");
        client_refused(bus, path, "org.freedesktop.DBus.Properties", "GetAll",
                       SD_BUS_ERROR_UNKNOWN_OBJECT, "s", IPC_JOB_INTERFACE);
        client_refused(bus, path, "org.freedesktop.DBus.Introspectable", "Introspect",
                       SD_BUS_ERROR_UNKNOWN_OBJECT, NULL);
        client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "FindJob", "NoSuchJob", "ss",
                       "aws", "mine");
        client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Reload", "AccessDenied",
                       NULL);
        client_close(bus);
}

START_TEST(foreign_job_is_invisible)
{
        sd_bus *bus = client_connect(stub->address);
        _cleanup_free_ char *path = client_submit(bus, "mine", "Done");

        stub_open_to_all(stub);
        as_user(SOME_UID, SOME_UID, sees_nothing, path);
        as_user(SOME_UID, SOME_UID, submit_as_myself, (void *) (uintptr_t) "theirs");
        ck_assert_uint_eq(client_count_jobs(bus), 2); /* root sees all */
        as_user(OTHER_UID, OTHER_UID, sees_nothing, path);
        client_close(bus);
}
END_TEST

START_TEST(results_are_fresh_sealed_memfds)
{
        sd_bus *bus = client_connect(stub->address);
        _cleanup_free_ char *path = client_submit(bus, "k", "Done");
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *gone = NULL, *done = NULL;
        ino_t inodes[2];

        for (size_t i = 0; i < 2; i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m =
                        client_call(bus, path, IPC_JOB_INTERFACE, "GetResult", NULL);
                _cleanup_secret_ Secret *secret = NULL;
                const char *name;
                struct stat st;
                int fd = -1;

                ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "{sv}"), 0);
                while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                        ck_assert_int_gt(sd_bus_message_read(m, "s", &name), 0);
                        if (streq(name, "privateKey"))
                                ck_assert_int_gt(sd_bus_message_read(m, "v", "h", &fd), 0);
                        else
                                ck_assert_int_ge(sd_bus_message_skip(m, "v"), 0);
                        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
                }
                ck_assert_int_ge(fd, 0);
                ck_assert_int_eq(secret_from_memfd(fd, 1000, &secret), 0);
                ck_assert_str_eq(secret_text(secret), STUB_KEY);
                ck_assert_int_eq(fstat(fd, &st), 0);
                inodes[i] = st.st_ino;
        }
        ck_assert_uint_ne(inodes[0], inodes[1]);
        done = client_call(bus, path, IPC_JOB_INTERFACE, "Acknowledge", NULL);
        gone = client_call(bus, path, IPC_JOB_INTERFACE, "GetResult", NULL);
        client_close(bus);
}
END_TEST

static const char *bus_asks(sd_bus *bus, sd_bus_message **m, const char *member, const char *name) {
        const char *answer;

        *m = client_call(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", member,
                         name ? "s" : NULL, name);
        ck_assert_int_gt(sd_bus_message_read(*m, "s", &answer), 0);
        return answer;
}

/* What D-Bus libraries ask a bus for before they talk to a service. */
START_TEST(socket_answers_as_a_bus_would)
{
        sd_bus *bus = client_connect(stub->address);
        sd_bus_message *m = NULL;
        const char *own;
        int yes;

        ck_assert_int_ge(sd_bus_get_unique_name(bus, &own), 0);
        ck_assert_str_eq(bus_asks(bus, &m, "GetNameOwner", IPC_BUS_NAME), ":1.0");
        sd_bus_message_unref(m);
        ck_assert_str_eq(bus_asks(bus, &m, "GetNameOwner", own), own);
        sd_bus_message_unref(m);
        ck_assert_uint_eq(strlen(bus_asks(bus, &m, "GetId", NULL)), 32);
        sd_bus_message_unref(m);
        client_refused(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
                       SD_BUS_ERROR_NAME_HAS_NO_OWNER, "s", "org.example.Other");
        client_refused(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "StartServiceByName",
                       SD_BUS_ERROR_SERVICE_UNKNOWN, "su", "org.example.Other", 0);
        for (int i = 0; i < 2; i++) {
                m = client_call(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                "NameHasOwner", "s", i ? IPC_BUS_NAME : "org.example.Other");
                ck_assert_int_gt(sd_bus_message_read(m, "b", &yes), 0);
                ck_assert_int_eq(yes, i);
                sd_bus_message_unref(m);
        }
        sd_bus_message_unref(client_call(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                         "StartServiceByName", "su", IPC_BUS_NAME, 0));
        sd_bus_message_unref(client_call(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                         "ListActivatableNames", NULL));
        client_close(bus);
}
END_TEST

START_TEST(job_tells_its_details_and_properties)
{
        sd_bus *bus = client_connect(stub->address);
        _cleanup_free_ char *path = client_submit(bus, "k", "Line");
        static const char *const properties[][2] = {
                {"Operation", "provision"}, {"Profile", "aws"}, {"State", "queued"}, {"Phase", ""}};
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *all = NULL;
        const char *name, *value;
        unsigned seen = 0;

        m = client_call(bus, path, IPC_JOB_INTERFACE, "GetDetails", NULL);
        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "{sv}"), 0);
        while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
                ck_assert_int_gt(sd_bus_message_read(m, "s", &name), 0);
                seen += streq(name, "id") || streq(name, "key") || streq(name, "waitingFor") ||
                        streq(name, "history") || streq(name, "parameters");
                ck_assert_int_ge(sd_bus_message_skip(m, "v"), 0);
                ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        }
        ck_assert_uint_eq(seen, 5);
        for (size_t i = 0; i < ELEMENTSOF(properties); i++) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *p =
                        client_call(bus, path, "org.freedesktop.DBus.Properties", "Get", "ss",
                                    IPC_JOB_INTERFACE, properties[i][0]);

                ck_assert_int_gt(sd_bus_message_read(p, "v", "s", &value), 0);
                ck_assert_str_eq(value, properties[i][1]);
        }
        all = client_call(bus, IPC_MANAGER_PATH, "org.freedesktop.DBus.Properties", "GetAll", "s",
                          IPC_MANAGER_INTERFACE);
        client_close(bus);
}
END_TEST

START_TEST(errors_name_what_where_and_the_mend)
{
        sd_bus *bus = client_connect(stub->address);
        _cleanup_free_ char *path = client_submit(bus, "k", NULL);

        client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit", "BadParameter",
                       "ssa{sv}", "provision", "aws", 1, "csr", "i", 5);
        client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit", "BadParameter",
                       "ssa{sv}", "private", "aws", 0);
        client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit", "AccessDenied",
                       "ssa{sv}", "provision", "closed", 0);
        client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit",
                       SD_BUS_ERROR_INVALID_ARGS, "s", "provision");
        client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Nonsense",
                       SD_BUS_ERROR_UNKNOWN_METHOD, NULL);
        client_refused(bus, path, IPC_JOB_INTERFACE, "GetResult", "NotFinished", NULL);
        client_refused(bus, "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
                       SD_BUS_ERROR_ACCESS_DENIED, "su", IPC_BUS_NAME, 0);
        client_close(bus);
}
END_TEST

typedef struct Heard {
        unsigned added, changed, removed, before_reply;
        bool replied;
} Heard;

static int on_signal(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Heard *heard = userdata;

        ck_assert_str_eq(sd_bus_message_get_sender(m), ":1.0");
        heard->added += sd_bus_message_is_signal(m, IPC_MANAGER_INTERFACE, "JobAdded") > 0;
        heard->changed += sd_bus_message_is_signal(m, IPC_MANAGER_INTERFACE, "JobChanged") > 0;
        heard->removed += sd_bus_message_is_signal(m, IPC_MANAGER_INTERFACE, "JobRemoved") > 0;
        heard->before_reply += !heard->replied;
        return 0;
}

static int on_reply(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Heard *heard = userdata;

        ck_assert(!sd_bus_message_is_method_error(m, NULL));
        heard->replied = true;
        return 0;
}

static void process(sd_bus *bus) {
        int r;

        r = sd_bus_process(bus, NULL);
        ck_assert_int_ge(r, 0);
        if (r == 0)
                ck_assert_int_ge(sd_bus_wait(bus, USEC_PER_SEC), 0);
}

START_TEST(answer_of_submit_precedes_its_signals)
{
        static const char *const how[] = {"Done", "Later"};
        Heard heard = {};
        sd_bus *bus = client_connect(stub->address);

        ck_assert_int_ge(sd_bus_match_signal(bus, NULL, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                             IPC_MANAGER_INTERFACE, NULL, on_signal, &heard),
                         0);
        ck_assert_int_ge(sd_bus_call_method_async(bus, NULL, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                                  IPC_MANAGER_INTERFACE, "Submit", on_reply, &heard,
                                                  "ssa{sv}", "provision", "aws", 1, "parameters",
                                                  "a{ss}", 2, how[_i], "yes", "Burst", "20"),
                         0);
        while (heard.changed < 20)
                process(bus);
        ck_assert(heard.replied);
        ck_assert_uint_eq(heard.before_reply, 0);
        ck_assert_uint_eq(heard.added, 1);
        client_close(bus);
}
END_TEST

/* What a raw client reads first is the answer to its first call. */
START_TEST(no_signal_before_the_first_answer)
{
        sd_bus *bus = client_connect(stub->address);
        int fd = raw_connect(stub->socket, true);
        char data[65536];
        size_t size;
        _cleanup_free_ uint8_t *m =
                raw_message("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", "", 0, &size);
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reload = NULL, *again = NULL;
        ssize_t n;

        free(client_submit(bus, "k", NULL));
        reload = client_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Reload", NULL);
        ck_assert_uint_eq(client_count_jobs(bus), 1);
        n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
        ck_assert(n < 0 || !memmem(data, (size_t) n, "JobChanged", 10));
        ck_assert(raw_write(fd, m, size));
        do {
                n = recv(fd, data, sizeof(data), 0);
                ck_assert_int_gt(n, 0);
                ck_assert_ptr_null(memmem(data, (size_t) n, "JobChanged", 10));
        } while (!memmem(data, (size_t) n, ":1.", 3));
        again = client_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Reload", NULL);
        n = recv(fd, data, sizeof(data), 0);
        ck_assert_int_gt(n, 0);
        ck_assert_ptr_nonnull(memmem(data, (size_t) n, "JobChanged", 10));
        close(fd);
        client_close(bus);
}
END_TEST

static void hears_nothing(void *userdata) {
        const int *control = userdata;
        sd_bus *bus = client_connect(stub->address);
        Heard heard = {};
        char byte;

        ck_assert_int_ge(sd_bus_match_signal(bus, NULL, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                             IPC_MANAGER_INTERFACE, NULL, on_signal, &heard),
                         0);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        ck_assert_int_eq(write(control[1], "x", 1), 1);
        ck_assert_int_eq(read(control[2], &byte, 1), 1); /* root has done much meanwhile */
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        while (sd_bus_process(bus, NULL) > 0)
                ;
        ck_assert_uint_eq(heard.added + heard.changed + heard.removed, 0);
        client_close(bus);
        ck_assert_int_eq(write(control[1], "x", 1), 1);
}

START_TEST(signals_of_foreign_jobs_are_not_heard)
{
        int ready[2], stay[2], control[3];
        sd_bus *bus;
        char byte;
        pid_t pid;

        stub_open_to_all(stub);
        ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
        ck_assert_int_eq(pipe2(stay, O_CLOEXEC), 0);
        control[1] = ready[1];
        control[2] = stay[0];
        pid = fork();
        if (pid == 0) {
                as_user(SOME_UID, SOME_UID, hears_nothing, control);
                _exit(0);
        }
        close(ready[1]);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
        bus = client_connect(stub->address);
        {
                _cleanup_free_ char *path = client_submit(bus, "k", NULL);
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *cancelled = NULL, *released = NULL;

                cancelled = client_call(bus, path, IPC_JOB_INTERFACE, "Cancel", NULL);
                released = client_call(bus, path, IPC_JOB_INTERFACE, "Release", NULL);
        }
        client_close(bus);
        ck_assert_int_eq(write(stay[1], "x", 1), 1);
        ck_assert_int_eq(read(ready[0], &byte, 1), 1);
}
END_TEST

/* Calls that are never answered: the client is gone before, or the daemon ends before. */
START_TEST(unanswered_calls_hurt_nobody)
{
        sd_bus *gone = client_connect(stub->address), *stays = client_connect(stub->address);
        Heard heard = {};

        for (unsigned i = 0; i < 8; i++) {
                ck_assert_int_ge(sd_bus_call_method_async(i & 1 ? gone : stays, NULL, IPC_BUS_NAME,
                                                          IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE,
                                                          "Submit", on_reply, &heard, "ssa{sv}",
                                                          "provision", "aws", 1, "parameters",
                                                          "a{ss}", 1, "Never", "yes"),
                                 0);
        }
        ck_assert_int_ge(sd_bus_flush(gone), 0);
        ck_assert_int_ge(sd_bus_flush(stays), 0);
        sd_bus_close_unref(gone);
        ck_assert_uint_eq(client_count_jobs(stays), 0);
        ck_assert(!heard.replied);
        sd_bus_close_unref(stays);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/socket");
        TCase *good = tcase_create("good");
        SRunner *runner;
        int failed;

        if (getuid() != 0)
                return 77; /* other users are played by setuid() */
        tcase_add_checked_fixture(good, setup, teardown);
        tcase_set_timeout(good, 60);
        tcase_add_test(good, busctl_works_as_it_is);
        tcase_add_test(good, gdbus_works_as_it_is);
        tcase_add_test(good, foreign_job_is_invisible);
        tcase_add_test(good, results_are_fresh_sealed_memfds);
        tcase_add_test(good, socket_answers_as_a_bus_would);
        tcase_add_test(good, job_tells_its_details_and_properties);
        tcase_add_test(good, errors_name_what_where_and_the_mend);
        tcase_add_loop_test(good, answer_of_submit_precedes_its_signals, 0, 2);
        tcase_add_test(good, no_signal_before_the_first_answer);
        tcase_add_test(good, signals_of_foreign_jobs_are_not_heard);
        tcase_add_test(good, unanswered_calls_hurt_nobody);
        suite_add_tcase(suite, good);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}

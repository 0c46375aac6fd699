/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The interface on a bus, by a private dbus-daemon: absent at start, restarted, callers of several
 * users and groups, and many who come at once. */

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/base/macro.h"
#include "daemon/front/bus-peer.h"
#include "daemon/front/link.h"
#include "tests/integration/front/client.h"
#include "tests/integration/front/stub.h"
#include "tests/integration/lib/answers.h"

/* dbus-daemon turns away users whom the user database does not know. */
#define SOME_UID 1

/* Nearly a session bus, but for all users. */
static const char configuration[] =
        "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
        " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
        "<busconfig><type>session</type><listen>unix:path=%s/bus</listen>\n"
        "<auth>EXTERNAL</auth><policy context=\"default\"><allow user=\"*\"/><allow own=\"*\"/>\n"
        "<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/></policy>\n"
        "<limit name=\"max_match_rules_per_connection\">5000</limit>\n"
        "<limit name=\"max_connections_per_user\">5000</limit></busconfig>\n";

static char directory[sizeof("/tmp/front-bus-XXXXXX")];
static char *address, *config_path, *bus_path;
static pid_t bus_pid;
static Stub *stub;

static void start_bus(void) {
        bus_pid = fork();
        ck_assert_int_ge(bus_pid, 0);
        if (bus_pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (!freopen("/dev/null", "w", stderr))
                        _exit(127);
                (void) execlp("dbus-daemon", "dbus-daemon", "--nofork", "--nopidfile",
                              "--config-file", config_path, NULL);
                _exit(127);
        }
        for (int i = 0; i < 1000 && !socket_answers(bus_path); i++)
                (void) poll(NULL, 0, 10);
        ck_assert(socket_answers(bus_path));
        ck_assert_int_eq(chmod(bus_path, 0666), 0);
}

static void stop_bus(void) {
        ck_assert_int_eq(kill(bus_pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(bus_pid, NULL, 0), bus_pid);
        (void) unlink(bus_path);
}

static void setup(void) {
        FILE *f;

        memcpy(directory, "/tmp/front-bus-XXXXXX", sizeof(directory));
        ck_assert_ptr_nonnull(mkdtemp(directory));
        ck_assert_int_eq(chmod(directory, 0755), 0);
        ck_assert_int_gt(asprintf(&address, "unix:path=%s/bus", directory), 0);
        ck_assert_int_gt(asprintf(&bus_path, "%s/bus", directory), 0);
        ck_assert_int_gt(asprintf(&config_path, "%s/bus.conf", directory), 0);
        f = fopen(config_path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_gt(fprintf(f, configuration, directory), 0);
        (void) fclose(f);
}

static void teardown(void) {
        stub_stop(stub);
        stop_bus();
        ck_assert_int_eq(unlink(config_path), 0);
        ck_assert_int_eq(rmdir(directory), 0);
        free(address);
        free(bus_path);
        free(config_path);
}

/* Until somebody other than `former` (or NULL) has the daemon's name on this bus. */
static void wait_for_owner(sd_bus *bus, const char *former) {
        for (;;) {
                _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
                const char *owner;

                if (sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                       "org.freedesktop.DBus", "GetNameOwner", NULL, &m, "s",
                                       IPC_BUS_NAME) >= 0) {
                        ck_assert_int_gt(sd_bus_message_read(m, "s", &owner), 0);
                        if (!former || !streq(owner, former))
                                return;
                }
                (void) poll(NULL, 0, 10);
        }
}

static void wait_for_name(sd_bus *bus) {
        wait_for_owner(bus, NULL);
}

static sd_bus *start_both(void) {
        sd_bus *bus;

        start_bus();
        stub = stub_start(address);
        bus = client_connect(address);
        wait_for_name(bus);
        return bus;
}

START_TEST(bus_that_comes_later_is_found)
{
        sd_bus *bus, *direct;
        char *path;

        stub = stub_start(address);
        direct = client_connect(stub->address); /* the socket does not wait for it */
        path = client_submit(direct, "k", NULL);
        start_bus();
        bus = client_connect(address);
        wait_for_name(bus);
        ck_assert_uint_eq(client_count_jobs(bus), 1);
        client_close(bus);
        client_close(direct);
        free(path);
}
END_TEST

START_TEST(bus_that_restarts_is_found_again)
{
        sd_bus *bus = start_both();
        char *path = client_submit(bus, "k", NULL);

        for (unsigned i = 0; i < 3; i++) {
                sd_bus_close_unref(bus);
                stop_bus();
                start_bus();
                bus = client_connect(address);
                wait_for_name(bus);
                ck_assert_uint_eq(client_count_jobs(bus), 1);
        }
        client_close(bus);
        free(path);
}
END_TEST

START_TEST(calls_that_wait_outlive_the_bus)
{
        sd_bus *bus = start_both();

        for (unsigned i = 0; i < 4; i++)
                ck_assert_int_ge(sd_bus_call_method_async(bus, NULL, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                                          IPC_MANAGER_INTERFACE, "Submit", NULL,
                                                          NULL, "ssa{sv}", "provision", "aws", 1,
                                                          "parameters", "a{ss}", 1, "Never", "yes"),
                                 0);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        sd_bus_close_unref(bus);
        stop_bus();
        start_bus();
        bus = client_connect(address);
        wait_for_name(bus);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        client_close(bus);
}
END_TEST

static void is_an_ordinary_user(void *userdata) {
        sd_bus *bus = client_connect(address);
        char *path;

        ck_assert_uint_eq(client_count_jobs(bus), 0);
        client_refused(bus, userdata, IPC_JOB_INTERFACE, "GetDetails", "NoSuchJob", NULL);
        client_refused(bus, userdata, "org.freedesktop.DBus.Properties", "GetAll",
                       SD_BUS_ERROR_UNKNOWN_OBJECT, "s", IPC_JOB_INTERFACE);
        client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Reload", "AccessDenied",
                       NULL);
        path = client_submit(bus, "mine", "Done");
        ck_assert_uint_eq(client_count_jobs(bus), 1);
        client_close(bus);
        free(path);
}

static void is_refused(_unused_ void *userdata) {
        sd_bus *bus = client_connect(address);

        client_refused(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "ListJobs", "AccessDenied",
                       "b", 1);
        client_close(bus);
}

START_TEST(callers_are_who_the_bus_says)
{
        sd_bus *bus = start_both();
        char *path = client_submit(bus, "k", NULL);

        as_user(SOME_UID, SOME_UID, is_an_ordinary_user, path);
        as_user(65534, 65534, is_refused, NULL);
        ck_assert_uint_eq(client_count_jobs(bus), 2);
        client_close(bus);
        free(path);
}
END_TEST

typedef struct Order {
        unsigned next;
        unsigned n;
} Order;

static int on_ordered(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Order *o = userdata;
        uint64_t cookie;

        ck_assert_int_ge(sd_bus_message_get_reply_cookie(m, &cookie), 0);
        /* All are of the same shape, so cookies tell the order in which they were asked. */
        ck_assert_uint_gt((unsigned) cookie, o->next);
        o->next = (unsigned) cookie;
        o->n++;
        return 0;
}

/* The first calls of a sender are held until it is known who that is, and stay in order. */
START_TEST(held_calls_keep_their_order)
{
        sd_bus *bus = start_both();

        for (unsigned round = 0; round < 20; round++) {
                sd_bus *fresh = client_connect(address);
                Order order = {};

                for (unsigned i = 0; i < 40; i++) {
                        ck_assert_int_ge(sd_bus_call_method_async(fresh, NULL, IPC_BUS_NAME,
                                                                  IPC_MANAGER_PATH,
                                                                  IPC_MANAGER_INTERFACE, "ListJobs",
                                                                  on_ordered, &order, "b", 1),
                                         0);
                        /* Some of them come before, some after, some with the bus's answer. */
                        if (i == round * 2)
                                ck_assert_int_ge(sd_bus_flush(fresh), 0);
                }
                while (order.n < 40) {
                        int r = sd_bus_process(fresh, NULL);

                        ck_assert_int_ge(r, 0);
                        if (r == 0)
                                ck_assert_int_ge(sd_bus_wait(fresh, USEC_PER_SEC), 0);
                }
                client_close(fresh);
        }
        client_close(bus);
}
END_TEST

static int on_any_answer(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        unsigned *n = userdata;

        (*n)++;
        return 0;
}

/* One who sends without end before he is known gets an answer to each, if only "later". */
START_TEST(held_calls_are_bounded)
{
        sd_bus *bus = start_both(), *fresh = client_connect(address);
        unsigned n = 0, sent = 4 * BUS_PEERS_HELD_MAX;

        for (unsigned i = 0; i < sent; i++)
                ck_assert_int_ge(sd_bus_call_method_async(fresh, NULL, IPC_BUS_NAME,
                                                          IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE,
                                                          "ListJobs", on_any_answer, &n, "b", 1),
                                 0);
        while (n < sent) {
                int r = sd_bus_process(fresh, NULL);

                ck_assert_int_ge(r, 0);
                if (r == 0)
                        ck_assert_int_ge(sd_bus_wait(fresh, USEC_PER_SEC), 0);
        }
        client_close(fresh);
        client_close(bus);
}
END_TEST

static int on_refused_answer(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        unsigned *n = userdata;

        /* Those that have no answer get one from sd-bus when it is closed. */
        *n += sd_bus_message_is_method_error(m, IPC_ERROR_PREFIX "QueueFull") > 0;
        return 0;
}

static void is_served(void *userdata) {
        sd_bus *bus = client_connect(address);

        free(client_submit(bus, "mine", "Done"));
        client_close(bus);
}

/* Calls that wait are bounded for each user, over all his connections, and leave others a place. */
START_TEST(one_user_does_not_take_all_places)
{
        /* A bus lets a connection have some hundred calls under way. */
        sd_bus *bus = start_both(), *all[] = {client_connect(address), client_connect(address),
                                              client_connect(address), client_connect(address)};
        const unsigned beyond = 10;
        unsigned n = 0;

        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                ck_assert_uint_eq(client_count_jobs(all[i]), 0); /* they are known from now on */
        for (unsigned i = 0; i < LINK_BUS_CALLS_PER_USER_MAX + beyond; i++)
                ck_assert_int_ge(sd_bus_call_method_async(
                                         all[i % ELEMENTSOF(all)], NULL, IPC_BUS_NAME,
                                         IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit",
                                         on_refused_answer, &n, "ssa{sv}", "provision", "aws", 1,
                                         "parameters", "a{ss}", 1, "Never", "yes"),
                                 0);
        while (n < beyond)
                for (size_t i = 0; i < ELEMENTSOF(all); i++) {
                        ck_assert_int_ge(sd_bus_process(all[i], NULL), 0);
                        ck_assert_int_ge(sd_bus_wait(all[i], 10 * USEC_PER_MSEC), 0);
                }
        ck_assert_uint_eq(n, beyond);
        as_user(SOME_UID, SOME_UID, is_served, NULL);
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                client_close(all[i]);
        client_close(bus);
}
END_TEST

/* More senders than are remembered, those that left among them. */
START_TEST(many_senders_are_served)
{
        sd_bus *bus = start_both(), *open[BUS_PEERS_MAX + 40];

        for (size_t i = 0; i < ELEMENTSOF(open); i++) {
                open[i] = client_connect(address);
                ck_assert_uint_eq(client_count_jobs(open[i]), 0);
                if (i % 3 == 0) {
                        client_close(open[i]);
                        open[i] = NULL;
                }
        }
        for (size_t i = 0; i < ELEMENTSOF(open); i++)
                if (open[i]) {
                        ck_assert_uint_eq(client_count_jobs(open[i]), 0);
                        client_close(open[i]);
                }
        client_close(bus);
}
END_TEST

typedef struct Heard {
        unsigned added, before_reply;
        bool replied;
} Heard;

static int on_added(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Heard *heard = userdata;

        heard->added++;
        heard->before_reply += !heard->replied;
        return 0;
}

static int on_reply(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Heard *heard = userdata;

        heard->replied = true;
        return 0;
}

START_TEST(answer_of_submit_precedes_its_signals)
{
        sd_bus *bus = start_both();
        Heard heard = {};

        ck_assert_int_ge(sd_bus_match_signal(bus, NULL, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                             IPC_MANAGER_INTERFACE, "JobAdded", on_added, &heard),
                         0);
        ck_assert_int_ge(sd_bus_call_method_async(bus, NULL, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                                  IPC_MANAGER_INTERFACE, "Submit", on_reply, &heard,
                                                  "ssa{sv}", "provision", "aws", 0),
                         0);
        while (heard.added == 0) {
                int r = sd_bus_process(bus, NULL);

                ck_assert_int_ge(r, 0);
                if (r == 0)
                        ck_assert_int_ge(sd_bus_wait(bus, USEC_PER_SEC), 0);
        }
        ck_assert_uint_eq(heard.before_reply, 0);
        client_close(bus);
}
END_TEST

/* The other one had the name first: ours becomes the owner when he leaves. */
START_TEST(name_is_waited_for)
{
        sd_bus *other, *bus;
        const char *former;
        char *copy;

        start_bus();
        other = client_connect(address);
        ck_assert_int_ge(sd_bus_request_name(other, IPC_BUS_NAME, 0), 0);
        stub = stub_start(address);
        bus = client_connect(stub->address);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        client_close(bus);
        ck_assert_int_ge(sd_bus_get_unique_name(other, &former), 0);
        former = copy = strdup(former);
        client_close(other);
        bus = client_connect(address);
        wait_for_owner(bus, former);
        free(copy);
        ck_assert_uint_eq(client_count_jobs(bus), 0);
        client_close(bus);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/bus");
        TCase *tcase = tcase_create("bus");
        SRunner *runner;
        int failed;

        if (getuid() != 0)
                return 77; /* other users are played by setuid() */
        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, bus_that_comes_later_is_found);
        tcase_add_test(tcase, bus_that_restarts_is_found_again);
        tcase_add_test(tcase, calls_that_wait_outlive_the_bus);
        tcase_add_test(tcase, callers_are_who_the_bus_says);
        tcase_add_test(tcase, held_calls_keep_their_order);
        tcase_add_test(tcase, held_calls_are_bounded);
        tcase_add_test(tcase, one_user_does_not_take_all_places);
        tcase_add_test(tcase, many_senders_are_served);
        tcase_add_test(tcase, answer_of_submit_precedes_its_signals);
        tcase_add_test(tcase, name_is_waited_for);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The same interface on a message bus, which may be absent, and may restart. */

#include <signal.h>
#include <stdio.h>

#include "tests/integration/lib/bus-daemon.h"
#include "tests/integration/lib/raw.h"
#include "tests/integration/lib/stage.h"

static BusDaemon bus_daemon;

static void start_on_bus(bool with_bus) {
        daemon_make(&d);
        bus_daemon_make(&bus_daemon, &d.place);
        if (with_bus)
                bus_daemon_start(&bus_daemon);
        d.bus = bus_daemon.address;
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        daemon_start(&d);
}

static void provision_on_bus(const char *serial) {
        fleetprov_client *own;
        fleetprov_result *result;

        WAIT_FOR(bus_daemon_has_us(&bus_daemon));
        own = agent_open(bus_daemon.address);
        result = agent_result(own, agent_submit(own, &(Wish){.serial = serial}));
        identity_assert(&cloud, result, serial, NULL, NULL);
        fleetprov_result_free(result);
        fleetprov_client_free(own);
}

START_TEST(bus_and_socket_show_the_same_jobs)
{
        start_on_bus(true);
        provision_on_bus("by-bus");
        client = agent_open(d.socket);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
        agent_wait_end(client, agent_first_job(client), FLEETPROV_STATE_SUCCEEDED);
        bus_daemon_stop(&bus_daemon);
}
END_TEST

START_TEST(bus_that_restarts_ends_nothing)
{
        start_on_bus(true);
        provision_on_bus("before");
        bus_daemon_stop(&bus_daemon);
        client = agent_open(d.socket);
        fleetprov_result_free(
                agent_result(client, agent_submit(client, &(Wish){.serial = "meanwhile"})));
        bus_daemon_start(&bus_daemon);
        provision_on_bus("after");
        ck_assert_uint_eq(agent_count_jobs(client, 1), 3);
        bus_daemon_stop(&bus_daemon);
}
END_TEST

START_TEST(bus_that_comes_later_is_joined)
{
        start_on_bus(false); /* READY all the same */
        client = agent_open(d.socket);
        fleetprov_result_free(
                agent_result(client, agent_submit(client, &(Wish){.serial = "without"})));
        bus_daemon_start(&bus_daemon);
        provision_on_bus("with");
        bus_daemon_stop(&bus_daemon);
}
END_TEST

/* --- the published interface --- */

/* Members of the interface, one a line, sorted: "method Submit ss…", out of XML. */
static char *members(const char *xml_path, const char *interface) {
        /* Whatever parses XML independently of us will do. */
        static const char script[] =
                "import sys, xml.etree.ElementTree as e\n"
                "lines = []\n"
                "for i in e.parse(sys.argv[1]).getroot().iter('interface'):\n"
                "  if i.get('name') != sys.argv[2]: continue\n"
                "  for m in i:\n"
                "    if m.tag not in ('method', 'signal', 'property'): continue\n"
                "    args = [(a.get('name'), a.get('type'), a.get('direction') or 'out') for a in "
                "m if a.tag == 'arg']\n"
                "    lines.append(str((m.tag, m.get('name'), m.get('type'), m.get('access'), "
                "args)))\n"
                "print('\\n'.join(sorted(lines)))\n";
        const char *const argv[] = {"python3", "-c", script, xml_path, interface, NULL};
        char *output;

        ck_assert_int_eq(process_run(argv, NULL, &output), 0);
        ck_assert_uint_gt(strlen(output), 1);
        return output;
}

static void must_be_as_published(sd_bus *bus, const char *path, const char *interface) {
        _cleanup_free_ char *told = raw_introspect(bus, path), *own = NULL, *published = NULL;
        const char *file = place_write(&d.place, "introspection.xml", 0600, told);

        own = members(file, interface);
        published = members(place_text(&d.place, SOURCE_ROOT "/protocol/ipc/%s.xml", interface),
                            interface);
        ck_assert_str_eq(own, published);
}

START_TEST(introspection_is_what_was_published)
{
        fleetprov_client *own;
        sd_bus *bus;
        JobId id;

        start_on_bus(true);
        WAIT_FOR(bus_daemon_has_us(&bus_daemon));
        own = agent_open(bus_daemon.address);
        id = agent_submit(own, &(Wish){.serial = "published"});
        agent_wait_end(own, id, FLEETPROV_STATE_SUCCEEDED);
        fleetprov_client_free(own);
        /* On the bus, and on the socket. */
        bus = _i == 0 ? raw_open(bus_daemon.address, true)
                      : raw_open(place_text(&d.place, "unix:path=%s", d.socket), false);
        must_be_as_published(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE);
        must_be_as_published(bus, IPC_PROFILE_PREFIX "/aws", IPC_PROFILE_INTERFACE);
        must_be_as_published(bus, place_text(&d.place, IPC_JOB_PREFIX "/%s", id.text),
                             IPC_JOB_INTERFACE);
        sd_bus_flush_close_unref(bus);
        bus_daemon_stop(&bus_daemon);
}
END_TEST

START_TEST(busctl_works_as_it_is)
{
        static const char *const verbs[][6] = {
                {"tree", IPC_BUS_NAME},
                {"introspect", IPC_BUS_NAME, IPC_MANAGER_PATH},
                {"get-property", IPC_BUS_NAME, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Version"},
                {"call", IPC_BUS_NAME, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "ListJobs"},
        };

        start_on_bus(true);
        WAIT_FOR(bus_daemon_has_us(&bus_daemon));
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                const char *argv[16] = {
                        "busctl", "--no-pager",
                        _i == 0 ? place_text(&d.place, "--address=%s", bus_daemon.address)
                                : place_text(&d.place, "--address=unix:path=%s", d.socket)};
                _cleanup_free_ char *output = NULL;
                size_t n = 3;

                for (size_t j = 0; j < ELEMENTSOF(verbs[i]) && verbs[i][j]; j++)
                        argv[n++] = verbs[i][j];
                if (streq(verbs[i][0], "call")) {
                        argv[n++] = "b";
                        argv[n++] = "true";
                }
                ck_assert_msg(process_run(argv, NULL, &output) == 0, "%s: %s", verbs[i][0], output);
        }
        bus_daemon_stop(&bus_daemon);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: bus");
        TCase *tc = stage_shared(suite, "bus");

        tcase_add_test(tc, bus_and_socket_show_the_same_jobs);
        tcase_add_test(tc, bus_that_restarts_ends_nothing);
        tcase_add_test(tc, bus_that_comes_later_is_joined);
        tcase_add_loop_test(tc, introspection_is_what_was_published, 0, 2);
        tcase_add_loop_test(tc, busctl_works_as_it_is, 0, 2);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Who may do what: each caller on each way in, against each verb. The callers are real users, and
 * root of a real user namespace for the container. Runs as root. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/integration/lib/bus-daemon.h"
#include "tests/integration/lib/container.h"
#include "tests/integration/lib/raw.h"
#include "tests/integration/lib/stage.h"

/* A bus daemon serves only users that there are: these are on every Debian (base-passwd). */
#define DAEMON 1U /* the daemon's own user, which is not root here */
#define OWNER 2U  /* whose job the others try */
#define ALLOWED 3U
#define MEMBER 5U
#define STRANGER 7U
#define GROUP 12100U
#define OVERFLOW 65534U /* include/linux/highuid.h */

#define RULE "AllowUsers=root 2 3\nAllowGroups=12100"

typedef enum Way {
        MAIN, /* socket */
        BUS,
        DOOR,
} Way;

static const char *const way_names[] = {"main socket", "bus", "door"};

/* The table. The job is one of OWNER's at the main door, which has ended well. A letter for each of
 * `verbs` below: status, profiles, submit, submit to a profile that the door does not list, list,
 * show, result, acknowledge, cancel, release, reload, check.
 *     +  it is done, or seen      d  access-denied       -  no-such-job
 *     1  2  so many are seen      p  not-initialized     .  is not seen
 *     x  no answer: the connection is closed */
static const struct Row {
        const char *who;
        Way way;
        uid_t uid;
        gid_t group; /* supplementary; 0: none */
        const char *outcomes;
} rows[] = {
        {"root", MAIN, 0, 0, "+2++++++++++"},
        {"the daemon's own user", MAIN, DAEMON, 0, "+2++++++++++"},
        {"the owner", MAIN, OWNER, 0, "+2++++++++d+"},
        {"an allowed user", MAIN, ALLOWED, 0, "+2++.-----d+"},
        {"a group member", MAIN, MEMBER, GROUP, "+2++.-----d+"},
        {"another user", MAIN, STRANGER, 0, "+2dd.-----dd"},
        {"a container's root", MAIN, CONTAINER_ROOT, 0, "+2dd.-----dd"},
        {"the overflow uid", MAIN, OVERFLOW, 0, "xxxxxxxxxxxx"},

        {"root", BUS, 0, 0, "+2++++++++++"},
        {"the daemon's own user", BUS, DAEMON, 0, "+2++++++++++"},
        {"the owner", BUS, OWNER, 0, "+2++++++++d+"},
        {"an allowed user", BUS, ALLOWED, 0, "+2++.-----d+"},
        {"a group member", BUS, MEMBER, GROUP, "+2++.-----d+"},
        {"another user", BUS, STRANGER, 0, "+2dd.-----dd"},
        {"the overflow uid", BUS, OVERFLOW, 0, "dddddddddddd"},

        /* Nobody is anybody there. */
        {"root", DOOR, 0, 0, "+1+p.-----d+"},
        {"the daemon's own user", DOOR, DAEMON, 0, "+1+p.-----d+"},
        {"the owner at the main door", DOOR, OWNER, 0, "+1+p.-----d+"},
        {"an allowed user", DOOR, ALLOWED, 0, "+1+p.-----d+"},
        {"a group member", DOOR, MEMBER, GROUP, "+1+p.-----d+"},
        {"another user", DOOR, STRANGER, 0, "+1+p.-----d+"},
        {"a container's root", DOOR, CONTAINER_ROOT, 0, "+1+p.-----d+"},
        {"the overflow uid", DOOR, OVERFLOW, 0, "xxxxxxxxxxxx"},
};

/* --- the verbs --- */

typedef struct Try {
        const struct Row *row;
        const char *address;
        const char *job; /* its path */
        sd_bus *bus;
} Try;

/* The letter of an answer; the answer, where there is one, is the caller's. */
static char letter_of(const Try *t, const char *path, const char *interface, const char *member,
                      sd_bus_message **ret, const char *types, ...) {
        static const struct {
                const char *error;
                char letter;
        } letters[] = {{"AccessDenied", 'd'}, {"NoSuchJob", '-'}, {"NotInitialized", 'p'}};
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        const size_t prefix = strlen(IPC_ERROR_PREFIX);
        va_list args;
        int r;

        if (!t->bus ||
            sd_bus_message_new_method_call(t->bus, &m, IPC_BUS_NAME, path, interface, member) < 0)
                return 'x'; /* closed by now */
        va_start(args, types);
        if (types)
                ck_assert_int_ge(sd_bus_message_appendv(m, types, args), 0);
        va_end(args);
        r = sd_bus_call(t->bus, m, 0, &error, &reply);
        if (r >= 0) {
                if (ret)
                        *ret = TAKE_PTR(reply);
                return '+';
        }
        if (!error.name || strncmp(error.name, IPC_ERROR_PREFIX, prefix) != 0)
                return r == -ECONNRESET || r == -ENOTCONN || r == -EPIPE ? 'x' : '?';
        for (size_t i = 0; i < ELEMENTSOF(letters); i++)
                if (streq(error.name + prefix, letters[i].error))
                        return letters[i].letter;
        return '?';
}

static char get(const Try *t, const char *property, sd_bus_message **ret) {
        return letter_of(t, IPC_MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get", ret, "ss",
                         IPC_MANAGER_INTERFACE, property);
}

static char try_status(const Try *t) {
        return get(t, "State", NULL);
}

static char try_profiles(const Try *t) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        const char *path;
        char n = '0', letter = get(t, "Profiles", &m);

        if (!m)
                return letter;
        ck_assert_int_ge(sd_bus_message_enter_container(m, 'v', "ao"), 0);
        ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "o"), 0);
        while (sd_bus_message_read(m, "o", &path) > 0)
                n++;
        return n;
}

static char submit(const Try *t, const char *profile) {
        return letter_of(t, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit", NULL, "ssa{sv}",
                         "create-keys-and-certificate", profile, 0);
}

static char try_submit(const Try *t) {
        return submit(t, "aws");
}

static char try_submit_elsewhere(const Try *t) {
        return submit(t, "office");
}

static char try_list(const Try *t) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        char letter = letter_of(t, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "ListJobs", &m, "b", 1);
        const char *path;

        if (!m)
                return letter;
        letter = '.';
        ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "(osssssuutttus)"), 0);
        while (sd_bus_message_enter_container(m, 'r', "osssssuutttus") > 0) {
                ck_assert_int_ge(sd_bus_message_read(m, "o", &path), 0);
                if (streq(path, t->job))
                        letter = '+';
                ck_assert_int_ge(sd_bus_message_skip(m, "sssssuutttus"), 0);
                ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        }
        return letter;
}

static char try_job(const Try *t, const char *member) {
        return letter_of(t, t->job, IPC_JOB_INTERFACE, member, NULL, NULL);
}

static char try_show(const Try *t) {
        return try_job(t, "GetDetails");
}

static char try_result(const Try *t) {
        return try_job(t, "GetResult");
}

static char try_acknowledge(const Try *t) {
        return try_job(t, "Acknowledge");
}

static char try_cancel(const Try *t) {
        return try_job(t, "Cancel");
}

static char try_release(const Try *t) {
        return try_job(t, "Release");
}

static char try_reload(const Try *t) {
        return letter_of(t, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Reload", NULL, NULL);
}

static char try_check(const Try *t) {
        return letter_of(t, IPC_PROFILE_PREFIX "/aws", IPC_PROFILE_INTERFACE, "Check", NULL, NULL);
}

static const struct {
        const char *name;
        char (*try)(const Try *t);
} verbs[] = {
        {"status", try_status}, {"profiles", try_profiles},
        {"submit", try_submit}, {"submit elsewhere", try_submit_elsewhere},
        {"list", try_list},     {"show", try_show},
        {"result", try_result}, {"acknowledge", try_acknowledge},
        {"cancel", try_cancel}, {"release", try_release},
        {"reload", try_reload}, {"check", try_check},
};

/* NULL: closed before a word was said. */
static sd_bus *open_bus(const Try *t) {
        sd_bus *opened = NULL;

        ck_assert_int_ge(sd_bus_new(&opened), 0);
        ck_assert_int_ge(sd_bus_set_address(opened, t->address), 0);
        ck_assert_int_ge(sd_bus_set_bus_client(opened, t->row->way == BUS), 0);
        return sd_bus_start(opened) >= 0 ? opened : sd_bus_close_unref(opened);
}

static void try_all(void *userdata) {
        Try *t = userdata;

        t->bus = open_bus(t);
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                char letter = verbs[i].try(t);

                ck_assert_msg(letter == t->row->outcomes[i],
                              "%s at the %s: %s gives '%c', not '%c'", t->row->who,
                              way_names[t->row->way], verbs[i].name, letter, t->row->outcomes[i]);
        }
        sd_bus_close_unref(t->bus);
}

/* --- the stage --- */

static BusDaemon bus;

static void give_job(void *userdata) {
        fleetprov_client *own = agent_open(d.socket);
        JobId id = agent_submit(own, &(Wish){.profile = "aws", .serial = "owned"});

        fleetprov_result_free(agent_result(own, id));
        fleetprov_client_free(own);
}

static const char *make_job(void) {
        JobId id;

        process_as_user(OWNER, OWNER, NULL, 0, give_job, NULL);
        id = agent_first_job(client);
        return place_text(&d.place, IPC_JOB_PREFIX "/%s", id.text);
}

static void start(void) {
        daemon_make(&d);
        bus_daemon_make(&bus, &d.place);
        bus_daemon_start(&bus);
        d.bus = bus.address;
        d.user = DAEMON;
        daemon_add_door(&d, "sensors");
        daemon_configure(&d, place_text(&d.place, "[Socket sensors]\nProfiles=aws\n%s%s",
                                        cloud_profile(&cloud, "aws", RULE),
                                        cloud_profile(&cloud, "office", RULE)));
        /* The claim's key is its user's, or root's to read. */
        ck_assert_int_eq(chown(place_path(&cloud.place, "claim.key"), DAEMON, DAEMON), 0);
        daemon_start(&d);
        ck_assert_int_eq(chmod(d.socket, 0666), 0);
        ck_assert_int_eq(chmod(d.door_socket, 0666), 0);
        client = agent_open(d.socket);
        WAIT_FOR(bus_daemon_has_us(&bus));
}

START_TEST(each_caller_may_what_the_table_says)
{
        const struct Row *row = rows + _i;
        Try t = {.row = row};

        ck_assert_uint_eq(strlen(row->outcomes), ELEMENTSOF(verbs));
        start();
        t.job = make_job();
        t.address = row->way == BUS ? bus.address
                                    : place_text(&d.place, "unix:path=%s",
                                                 row->way == DOOR ? d.door_socket : d.socket);
        if (row->uid == CONTAINER_ROOT)
                container_run(try_all, &t);
        else
                process_as_user(row->uid, row->uid, &row->group, row->group != 0, try_all, &t);
        bus_daemon_stop(&bus);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: access table");
        TCase *tc = stage_shared(suite, "table");

        tcase_add_loop_test(tc, each_caller_may_what_the_table_says, 0, (int) ELEMENTSOF(rows));
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A door beside the main one: a socket that is passed by name, and what [Socket NAME] makes of it.
 * Who may do what there stands in test-access-table.c. Runs as root. */

#include <stdio.h>
#include <sys/stat.h>

#include "tests/integration/lib/container.h"
#include "tests/integration/lib/raw.h"
#include "tests/integration/lib/stage.h"

#define USER 12021U
#define OTHER 12022U

static void configure(const char *daemon, const char *doors) {
        daemon_configure(&d, place_text(&d.place, "[Daemon]\n%s\n%s\n%s%s", daemon, doors,
                                        cloud_profile(&cloud, "aws", "AllowUsers=root"),
                                        cloud_profile(&cloud, "office", "")));
}

static void start(const char *daemon, const char *doors) {
        daemon_make(&d);
        daemon_add_door(&d, "sensors");
        configure(daemon, doors);
        daemon_start(&d);
        ck_assert_int_eq(chmod(d.door_socket, 0666), 0);
        client = agent_open(d.socket);
}

static fleetprov_client *enter(void) {
        return agent_open(d.door_socket);
}

static JobId make_keys(fleetprov_client *own, const char *profile, const char *key) {
        return agent_submit(own,
                            &(Wish){.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE,
                                    .profile = profile,
                                    .key = key});
}

static int refused(fleetprov_client *own, const char *profile) {
        return agent_refused(own,
                             &(Wish){.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE,
                                     .profile = profile},
                             NULL);
}

/* --- owners --- */

START_TEST(one_user_at_two_doors_is_two_owners)
{
        fleetprov_client *own;
        JobId here, there;

        start("", "[Socket sensors]\nProfiles=aws");
        own = enter();
        here = make_keys(client, "aws", "device");
        there = make_keys(own, "aws", "device");
        ck_assert_str_ne(here.text, there.text);
        fleetprov_result_free(agent_result(client, here));
        fleetprov_result_free(agent_result(own, there));
        ck_assert_uint_eq(agent_count_jobs(own, 1), 1);
        ck_assert_int_eq(agent_call(own, fleetprov_client_get_result, here), FLEETPROV_NO_SUCH_JOB);
        ck_assert_int_eq(agent_call(own, fleetprov_client_release, here), FLEETPROV_NO_SUCH_JOB);
        /* Root of the main door sees all. */
        ck_assert_uint_eq(agent_count_jobs(client, 1), 2);
        ck_assert_int_eq(agent_call(client, fleetprov_client_get_result, there), FLEETPROV_OK);
        fleetprov_client_free(own);
}
END_TEST

static void provision_inside(void *userdata) {
        fleetprov_client *own = enter();
        fleetprov_result *result;

        result = agent_result(
                own,
                agent_submit(own, &(Wish){.profile = "aws", .serial = "inside", .key = "device"}));
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 1);
        fleetprov_result_free(result);
        fleetprov_client_free(own);
}

START_TEST(container_gets_its_identity_and_the_log_says_who)
{
        start("", "[Socket sensors]\nProfiles=aws");
        container_run(provision_inside, NULL);
        ck_assert(file_has(d.log, "for sensors/200000"));
        /* Its job is still its own, and no second one, after a new start. */
        stage_restart(false);
        container_run(provision_inside, NULL);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
        ck_assert_int_eq(agent_find(client, "aws", "device", NULL), FLEETPROV_NO_SUCH_JOB);
}
END_TEST

static void fill_quota(void *userdata) {
        fleetprov_client *own = enter();

        (void) make_keys(own, "aws", NULL);
        ck_assert_int_eq(refused(own, "aws"), FLEETPROV_QUEUE_FULL);
        fleetprov_client_free(own);
}

START_TEST(quota_is_each_owners)
{
        start("MaxJobsPerUser=1", "[Socket sensors]\nProfiles=aws");
        fill_quota(NULL);
        process_as_user(USER, USER, NULL, 0, fill_quota, NULL);
        container_run(fill_quota, NULL);
        /* The main door's root has lost nothing by it. */
        (void) make_keys(client, "aws", NULL);
}
END_TEST

static void must_find_it_full(void *userdata) {
        fleetprov_client *own = enter();

        ck_assert_int_eq(refused(own, "aws"), FLEETPROV_QUEUE_FULL);
        fleetprov_client_free(own);
}

START_TEST(users_of_a_door_have_a_part_of_the_places_together)
{
        start("MaxJobs=4\nMaxJobsPerUser=1", "[Socket sensors]\nProfiles=aws");
        fill_quota(NULL);
        process_as_user(USER, USER, NULL, 0, fill_quota, NULL);
        process_as_user(OTHER, OTHER, NULL, 0, must_find_it_full, NULL);
        (void) make_keys(client, "aws", NULL);
}
END_TEST

/* --- profiles --- */

/* As for a name that nobody ever gave to a profile, at an object of it, too. */
static void must_not_exist(fleetprov_client *own, const char *profile) {
        sd_bus *bus = raw_open(place_text(&d.place, "unix:path=%s", d.door_socket), false);
        _cleanup_free_ char *xml = raw_introspect(bus, IPC_PROFILE_PREFIX);
        const char *path = place_text(&d.place, IPC_PROFILE_PREFIX "/%s", profile);

        ck_assert_int_eq(refused(own, profile), FLEETPROV_NOT_INITIALIZED);
        ck_assert_ptr_null(strstr(xml, profile));
        raw_refused(bus, "org.freedesktop.DBus.Error.UnknownObject", path,
                    "org.freedesktop.DBus.Properties", "Get", "ss", IPC_PROFILE_INTERFACE,
                    "Endpoint");
        raw_refused(bus, "org.freedesktop.DBus.Error.UnknownObject", path, IPC_PROFILE_INTERFACE,
                    "Check", NULL);
        sd_bus_flush_close_unref(bus);
}

START_TEST(profile_that_is_not_listed_does_not_exist)
{
        fleetprov_client *own;
        fleetprov_status *status;

        start("DefaultProfile=office", "[Socket sensors]\nProfiles=aws");
        own = enter();
        must_not_exist(own, "office");
        must_not_exist(own, "nowhere");
        status = agent_status(own);
        ck_assert_uint_eq(fleetprov_status_get_n_profiles(status), 1);
        ck_assert_str_eq(fleetprov_status_get_default_profile(status), "aws");
        fleetprov_status_free(status);
        /* And the one that is listed is meant by no name. */
        fleetprov_result_free(agent_result(own, make_keys(own, NULL, "device")));
        ck_assert_int_eq(agent_find(own, "aws", "device", NULL), FLEETPROV_OK);
        ck_assert_int_eq(agent_find(own, "office", "device", NULL), FLEETPROV_NO_SUCH_JOB);
        fleetprov_client_free(own);
}
END_TEST

START_TEST(door_without_a_section_has_no_profile)
{
        fleetprov_client *own;

        start("", "");
        ck_assert(file_has(d.log, "Socket 'sensors' has no section [Socket sensors]"));
        own = enter();
        must_not_exist(own, "aws");
        ck_assert_int_eq(refused(own, NULL), FLEETPROV_NOT_INITIALIZED);
        ck_assert_int_eq(agent_reload(own, NULL), FLEETPROV_ACCESS_DENIED);
        /* Until it has one. */
        configure("", "[Socket sensors]\nProfiles=office\n[Socket shed]\nProfiles=aws");
        ck_assert_int_eq(agent_reload(client, NULL), FLEETPROV_OK);
        fleetprov_result_free(agent_result(own, make_keys(own, "office", NULL)));
        ck_assert(file_has(d.log, "[Socket shed] waits for a socket"));
        fleetprov_client_free(own);
}
END_TEST

START_TEST(job_of_a_profile_that_the_door_lists_no_more_fails)
{
        const fleetprov_error *error;
        fleetprov_client *own;
        fleetprov_job *job;
        JobId id;

        cloud_stop(&cloud);
        start("", "[Socket sensors]\nProfiles=aws office");
        own = enter();
        id = make_keys(own, "aws", NULL);
        configure("", "[Socket sensors]\nProfiles=office");
        ck_assert_int_eq(agent_reload(client, NULL), FLEETPROV_OK);
        ck_assert_int_eq(refused(own, "aws"), FLEETPROV_NOT_INITIALIZED);
        cloud_again(&cloud);
        job = agent_wait(own, id);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        error = fleetprov_job_get_error(job);
        ck_assert_int_eq(fleetprov_error_get_code(error), FLEETPROV_NOT_INITIALIZED);
        fleetprov_job_free(job);
        fleetprov_client_free(own);
}
END_TEST

/* --- what can be overheard --- */

static int on_any_signal(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        size_t *n = userdata;

        *n += sd_bus_message_is_signal(m, IPC_MANAGER_INTERFACE, NULL) > 0;
        return 0;
}

static uint32_t get_counter(sd_bus *bus, const char *name) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        uint32_t n = UINT32_MAX;

        ck_assert_int_ge(sd_bus_get_property_trivial(bus, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                                     IPC_MANAGER_INTERFACE, name, &error, 'u', &n),
                         0);
        return n;
}

START_TEST(door_neither_hears_nor_counts_what_others_do)
{
        fleetprov_client *own;
        size_t heard = 0;
        sd_bus *bus;

        start("", "[Socket sensors]\nProfiles=aws");
        bus = raw_open(place_text(&d.place, "unix:path=%s", d.door_socket), false);
        ck_assert_int_ge(sd_bus_add_filter(bus, NULL, on_any_signal, &heard), 0);
        ck_assert_uint_eq(get_counter(bus, "Finished"), 0);
        fleetprov_result_free(agent_result(client, make_keys(client, "aws", NULL)));
        ck_assert_uint_eq(get_counter(bus, "Finished"), 0);
        while (sd_bus_process(bus, NULL) > 0)
                ;
        ck_assert_uint_eq(heard, 0);
        own = enter();
        fleetprov_result_free(agent_result(own, make_keys(own, "aws", NULL)));
        ck_assert_uint_eq(get_counter(bus, "Finished"), 1);
        while (sd_bus_process(bus, NULL) > 0)
                ;
        ck_assert_uint_ge(heard, 3);
        fleetprov_client_free(own);
        sd_bus_flush_close_unref(bus);
}
END_TEST

/* --- connections --- */

#define CONNECTIONS 100

START_TEST(connections_of_a_door_shut_nobody_out_elsewhere)
{
        sd_bus *connections[CONNECTIONS];
        fleetprov_client *own;

        start("", "[Socket sensors]\nProfiles=aws");
        for (size_t i = 0; i < CONNECTIONS; i++)
                connections[i] =
                        raw_open(place_text(&d.place, "unix:path=%s", d.door_socket), false);
        /* Root's own places are not used up, though it is the same uid. */
        for (int i = 0; i < 4; i++) {
                own = agent_open(d.socket);
                fleetprov_status_free(agent_status(own));
                fleetprov_client_free(own);
        }
        for (size_t i = 0; i < CONNECTIONS; i++)
                sd_bus_close_unref(connections[i]);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: doors");
        TCase *tc = stage_shared(suite, "doors");

        tcase_add_test(tc, one_user_at_two_doors_is_two_owners);
        tcase_add_test(tc, container_gets_its_identity_and_the_log_says_who);
        tcase_add_test(tc, quota_is_each_owners);
        tcase_add_test(tc, users_of_a_door_have_a_part_of_the_places_together);
        tcase_add_test(tc, profile_that_is_not_listed_does_not_exist);
        tcase_add_test(tc, door_without_a_section_has_no_profile);
        tcase_add_test(tc, door_neither_hears_nor_counts_what_others_do);
        tcase_add_test(tc, connections_of_a_door_shut_nobody_out_elsewhere);
        tc = stage_alone(suite, "doors without cloud");
        tcase_add_test(tc, job_of_a_profile_that_the_door_lists_no_more_fails);
        return stage_run(suite);
}

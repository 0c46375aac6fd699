/* SPDX-License-Identifier: GPL-2.0-or-later */

/* While large keys are being made, the daemon answers. */

#include "tests/integration/lib/raw.h"
#include "tests/integration/lib/stage.h"

static sd_bus *bus;

static void read_everything(void) {
        static const char *const properties[] = {"Version",  "State",    "Queued",        "Running",
                                                 "Finished", "Profiles", "DefaultProfile"};

        sd_bus_message_unref(
                raw_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "ListJobs", "b", 1));
        for (size_t i = 0; i < ELEMENTSOF(properties); i++)
                sd_bus_message_unref(raw_call(bus, IPC_MANAGER_PATH,
                                              "org.freedesktop.DBus.Properties", "Get", "ss",
                                              IPC_MANAGER_INTERFACE, properties[i]));
        sd_bus_message_unref(raw_call(bus, IPC_PROFILE_PREFIX "/aws",
                                      "org.freedesktop.DBus.Properties", "GetAll", "s",
                                      IPC_PROFILE_INTERFACE));
}

/* Whether the job is (still) at its key. */
static bool makes_key(JobId id) {
        fleetprov_job *job = agent_job(client, id);
        bool is = streq(fleetprov_job_get_phase(job), "keygen");

        fleetprov_job_free(job);
        return is;
}

static bool is_over(JobId id) {
        fleetprov_job *job = agent_job(client, id);
        bool is = fleetprov_state_is_final(fleetprov_job_get_state(job));

        fleetprov_job_free(job);
        return is;
}

START_TEST(reads_are_answered_while_keys_are_made)
{
        enum {
                JOBS = 3
        };
        unsigned answered = 0;
        JobId ids[JOBS];

        stage_start("", "KeyType=rsa-3072");
        daemon_wait_session(&d, "aws", "ready");
        bus = raw_open(place_text(&d.place, "unix:path=%s", d.socket), false);
        for (unsigned i = 0; i < JOBS; i++)
                ids[i] = agent_submit(client, &(Wish){.serial = place_text(&d.place, "k%u", i)});
        for (unsigned i = 0; i < JOBS; i++) {
                while (!is_over(ids[i])) {
                        bool before = makes_key(ids[i]);

                        read_everything();
                        answered += before && makes_key(ids[i]);
                }
                agent_wait_end(client, ids[i], FLEETPROV_STATE_SUCCEEDED);
        }
        /* A whole round of reads fits between two looks at the same key. */
        ck_assert_uint_gt(answered, 0);
        sd_bus_flush_close_unref(bus);
}
END_TEST

START_TEST(other_profiles_go_on_while_keys_are_made)
{
        _cleanup_free_ char *key = NULL, *csr = NULL;
        JobId slow, quick;

        stage_start(cloud_profile(&cloud, "quick", ""), "");
        daemon_wait_session(&d, "aws", "ready");
        daemon_wait_session(&d, "quick", "ready");
        identity_make_csr(&key, &csr);
        slow = agent_submit(client,
                            &(Wish){.profile = "aws", .serial = "slow", .key_type = "rsa-3072"});
        quick = agent_submit(client, &(Wish){.profile = "quick", .serial = "quick", .csr = csr});
        agent_wait_end(client, quick, FLEETPROV_STATE_SUCCEEDED);
        agent_wait_end(client, slow, FLEETPROV_STATE_SUCCEEDED);
}
END_TEST

START_TEST(ends_well_while_keys_are_made)
{
        JobId id;

        stage_start("", "KeyType=rsa-3072");
        daemon_wait_session(&d, "aws", "ready");
        id = agent_submit(client, &(Wish){.serial = "end"});
        agent_wait_state(client, id, FLEETPROV_STATE_RUNNING, "keygen");
        stage_restart(false);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: busy");
        TCase *tc = stage_shared(suite, "busy");

        tcase_add_test(tc, reads_are_answered_while_keys_are_made);
        tcase_add_test(tc, other_profiles_go_on_while_keys_are_made);
        tcase_add_test(tc, ends_well_while_keys_are_made);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Another state key, in a daemon's life: StateKey= as a credential, replaced by another one while a
 * result waits for its caller, and a start at which the wrong one is given. */

#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

#define SECRETS 3 /* results that wait */

static const char *credentials;

/* As the service manager hands one over. */
static void give_credential(const char *name, const char *content) {
        (void) place_write(&d.place, place_text(&d.place, "credentials/%s", name), 0400, content);
}

static void configure(const char *keys) {
        daemon_configure(&d, place_text(&d.place, "[Daemon]\n%s\n%s", keys,
                                        cloud_profile(&cloud, "aws", "")));
}

static void make(void) {
        daemon_make(&d);
        credentials = place_path(&d.place, "credentials");
        ck_assert_int_eq(mkdir(credentials, 0700), 0);
        ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", credentials, 1), 0);
        give_credential("first", "0123456789abcdef0123456789abcdef");
        give_credential("second", "some other bytes, which are stretched to a key");
}

static void again(const char *keys) {
        fleetprov_client_free(client);
        daemon_stop(&d);
        configure(keys);
        daemon_start(&d);
        client = agent_open(d.socket);
}

/* Its key is handed out, and fits its certificate. */
static void assert_delivers(JobId id, const char *serial) {
        fleetprov_result *result = agent_result(client, id);

        identity_assert(&cloud, result, serial, NULL, "ec-p256");
        fleetprov_result_free(result);
}

static void provision_all(JobId ids[static SECRETS]) {
        for (unsigned i = 0; i < SECRETS; i++)
                ids[i] = agent_submit(client, &(Wish){.serial = place_text(&d.place, "k-%u", i),
                                                      .key = place_text(&d.place, "key-%u", i)});
        for (unsigned i = 0; i < SECRETS; i++)
                agent_wait_end(client, ids[i], FLEETPROV_STATE_SUCCEEDED);
}

static size_t count_log(const char *text) {
        return file_count_lines(d.log, text, NULL);
}

START_TEST(credential_takes_the_place_of_another)
{
        JobId ids[SECRETS];

        make();
        configure("StateKey=credential:first");
        daemon_start(&d);
        client = agent_open(d.socket);
        provision_all(ids);
        ck_assert(!file_exists(place_text(&d.place, "%s/state.key", d.state)));
        again("StateKey=credential:second\nFormerStateKey=credential:first");
        assert_delivers(ids[0], "k-0"); /* resealed or not */
        WAIT_FOR(count_log("it may be removed") > 0);
        again("StateKey=credential:second");
        ck_assert_uint_eq(count_log("stand aside"), 0);
        for (unsigned i = 0; i < SECRETS; i++)
                assert_delivers(ids[i], place_text(&d.place, "k-%u", i));
}
END_TEST

START_TEST(wrong_credential_is_named_and_costs_nothing)
{
        JobId ids[SECRETS], id;

        make();
        configure("StateKey=credential:first");
        daemon_start(&d);
        client = agent_open(d.socket);
        provision_all(ids);
        again("StateKey=credential:second");
        ck_assert_uint_eq(count_log("sealed with the state key"), SECRETS);
        ck_assert_uint_eq(count_log("3 jobs stand aside"), 1);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 0);
        again("StateKey=credential:second\nFormerStateKey=credential:first");
        for (unsigned i = 0; i < SECRETS; i++)
                assert_delivers(ids[i], place_text(&d.place, "k-%u", i));
        /* And the same request finds the same job again. */
        id = agent_submit(client, &(Wish){.serial = "k-1", .key = "key-1"});
        ck_assert_str_eq(id.text, ids[1].text);
}
END_TEST

START_TEST(credential_that_is_not_there_ends_the_start)
{
        _cleanup_free_ char *output = NULL;

        make();
        configure("StateKey=credential:third");
        ck_assert_int_eq(
                daemon_run_once(
                        (const char *const[]){place_text(&d.place, "--config=%s", d.config),
                                              place_text(&d.place, "--state-directory=%s", d.state),
                                              "--bus=none", NULL},
                        NULL, &output),
                1);
        ck_assert_msg(strstr(output, "credentials/third") != NULL, "%s", output);
        ck_assert(!file_exists(place_text(&d.place, "%s/state.key", d.state)));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: state key");
        TCase *tc = stage_shared(suite, "state key");

        tcase_add_test(tc, credential_takes_the_place_of_another);
        tcase_add_test(tc, wrong_credential_is_named_and_costs_nothing);
        tcase_add_test(tc, credential_that_is_not_there_ends_the_start);
        return stage_run(suite);
}

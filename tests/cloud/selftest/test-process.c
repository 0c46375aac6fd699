/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "daemon/base/macro.h"
#include "tests/cloud/selftest/suites.h"

#define CASE_TIMEOUT_SEC 120

/* The mosquitto that the cloud started, by the only child of its process. */
static pid_t broker_of(const CloudProcess *process) {
        _cleanup_free_ char *path = NULL;
        int broker = 0;
        FILE *file;

        ck_assert_int_ge(asprintf(&path, "/proc/%d/task/%d/children", process->pid, process->pid),
                         0);
        file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fscanf(file, "%d", &broker), 1);
        fclose(file);
        return broker;
}

/* Waits for the end of a process that is not our child. */
static void await_end(pid_t pid) {
        struct timespec pause = {.tv_nsec = 10000000};

        while (kill(pid, 0) == 0 || errno != ESRCH)
                nanosleep(&pause, NULL);
}

START_TEST(nothing_is_left_when_the_cloud_ends)
{
        int signo = _i ? SIGKILL : SIGTERM;
        CloudProcess process = {};
        int status;
        pid_t broker;

        cloud_start(&process, NULL);
        broker = broker_of(&process);
        status = cloud_signal(&process, signo);
        if (signo == SIGTERM)
                ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        await_end(broker);
        cloud_stop(&process);
}
END_TEST

START_TEST(the_cloud_ends_when_its_broker_does)
{
        CloudProcess process = {};
        int status;

        cloud_start(&process, NULL);
        ck_assert_int_eq(kill(broker_of(&process), SIGKILL), 0);
        status = cloud_signal(&process, 0);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
        cloud_stop(&process);
}
END_TEST

START_TEST(a_restart_keeps_claim_and_authority_and_forgets_the_devices)
{
        CloudProcess process = {};
        EVP_PKEY *key = exchange_make_key("ec-p256");
        json_t *created;
        Client client;
        Topic topic;

        cloud_start(&process, NULL);
        ck_assert_int_eq(client_connect(&client, &process, "claim", "c", true), 0);
        exchange_subscribe(&client, FORMAT_JSON, "FleetTemplate");
        created =
                exchange_request(&client, TOPIC_CSR(FORMAT_JSON), exchange_csr(key, false), &topic);
        exchange_save(&process, "device", created, key);
        assert_accepted(exchange_request(&client, TOPIC_REGISTER(FORMAT_JSON, "FleetTemplate"),
                                         exchange_registration(created, "p1"), &topic),
                        &topic);
        client_close(&client);
        cloud_signal(&process, SIGTERM);
        cloud_restart(&process);
        ck_assert_int_eq(client_connect(&client, &process, "claim", "c", true), 0);
        client_close(&client);
        ck_assert_int_eq(client_connect(&client, &process, "device", "p1", true), 7);
        client_close(&client);
        json_decref(created);
        EVP_PKEY_free(key);
        cloud_stop(&process);
}
END_TEST

START_TEST(the_server_s_key_can_be_of_either_kind)
{
        CloudProcess process = {};
        Client client;

        cloud_start(&process, _i ? "--server-key=rsa" : "--server-key=ecdsa");
        ck_assert_int_eq(client_connect(&client, &process, "claim", "c", true), 0);
        client_close(&client);
        cloud_stop(&process);
}
END_TEST

START_TEST(secrets_are_readable_by_their_owner_alone)
{
        static const char *const names[] = {"claim.key", "cloud/server.key", "cloud/device-ca.key",
                                            "cloud/control"};
        CloudProcess process = {};
        struct stat st;

        cloud_start(&process, NULL);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = cloud_path(&process, names[i]);

                ck_assert_int_eq(stat(path, &st), 0);
                ck_assert_uint_eq(st.st_mode & 0077, 0);
        }
        cloud_stop(&process);
}
END_TEST

START_TEST(a_fault_for_no_cloud_says_so)
{
        CloudProcess nowhere = {.dir = (char[]){"/nonexistent"}};

        ck_assert_int_eq(cloud_try_fault(&nowhere, "status", NULL), 3);
}
END_TEST

TCase *process_tests(void) {
        TCase *test_case = tcase_create("process");

        tcase_set_timeout(test_case, CASE_TIMEOUT_SEC);
        tcase_add_loop_test(test_case, nothing_is_left_when_the_cloud_ends, 0, 2);
        tcase_add_test(test_case, the_cloud_ends_when_its_broker_does);
        tcase_add_test(test_case, a_restart_keeps_claim_and_authority_and_forgets_the_devices);
        tcase_add_loop_test(test_case, the_server_s_key_can_be_of_either_kind, 0, 2);
        tcase_add_test(test_case, secrets_are_readable_by_their_owner_alone);
        tcase_add_test(test_case, a_fault_for_no_cloud_says_so);
        return test_case;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* fleetprovctl as a script sees it: the identities it writes, the objects it prints. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/ctl/run-ctl.h"

static void write_file(const char *name, const char *text) {
        int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t) strlen(text));
        close(fd);
}

static json_t *parse(void) {
        json_error_t error;
        json_t *o = json_loads(text_out, JSON_REJECT_DUPLICATES, &error);

        ck_assert_msg(o != NULL, "%s in: %s", error.text, text_out);
        return o;
}

static const char *member(const json_t *o, const char *name) {
        const char *s = json_string_value(json_object_get(o, name));

        ck_assert_msg(s != NULL, "no string %s", name);
        return s;
}

/* Every member of the object is on the list. */
static void only(json_t *o, const char *const *names) {
        const char *name;
        json_t *value;

        json_object_foreach(o, name, value) {
                size_t i = 0;

                while (names[i] && strcmp(names[i], name) != 0)
                        i++;
                ck_assert_msg(names[i] != NULL, "unknown member %s", name);
        }
}

static const char *const job_members[] = {"id",
                                          "key",
                                          "operation",
                                          "profile",
                                          "owner",
                                          "state",
                                          "phase",
                                          "attempts",
                                          "created",
                                          "started",
                                          "finished",
                                          "parameters",
                                          "thingName",
                                          "certificateId",
                                          "certificatePem",
                                          "deviceConfiguration",
                                          "deviceId",
                                          "assignedHub",
                                          "registrationState",
                                          "privateKeyUri",
                                          "files",
                                          "leftCertificates",
                                          "error",
                                          NULL};
static const char *const error_members[] = {
        "code",         "phase",      "message",   "statusCode", "errorCode",
        "errorMessage", "trackingId", "retriable", "cause",      NULL};

START_TEST(provision_writes_files_and_one_line_of_json)
{
        json_t *o, *files;
        struct stat st;

        ck_assert_int_eq(ctl_run("provision -p SerialNumber=7 --id=k --out=id --json=short"), 0);
        ck_assert_ptr_eq(strchr(text_out, '\n'), text_out + strlen(text_out) - 1);
        o = parse();
        only(o, job_members);
        ck_assert_str_eq(member(o, "state"), "succeeded");
        ck_assert_str_eq(member(o, "key"), "k");
        ck_assert_str_eq(member(json_object_get(o, "parameters"), "SerialNumber"), "7");
        ck_assert_str_eq(member(json_object_get(o, "deviceConfiguration"), "url"), "https://x");
        ck_assert_int_eq(member(o, "created")[10], 'T');
        files = json_object_get(o, "files");
        ck_assert_int_eq(stat(member(files, "privateKey"), &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
        ck_assert_int_eq(stat(member(files, "certificate"), &st), 0);
        ck_assert_ptr_null(json_object_get(files, "ownershipToken"));
        ck_assert_ptr_null(strstr(text_out, "PRIVATE KEY"));
        json_decref(o);

        o = json_load_file("id/configuration.json", 0, NULL);
        ck_assert_str_eq(member(o, "provider"), "aws-iot");
        ck_assert_str_eq(member(o, "endpoint"), "iot.aws.example:8883");
        ck_assert_str_eq(member(o, "thingName"), "thing-1");
        ck_assert_ptr_null(json_object_get(o, "files"));
        json_decref(o);
}
END_TEST

START_TEST(failed_provision_prints_its_object_all_the_same)
{
        json_t *o, *error;

        ck_assert_int_eq(ctl_run("provision -p outcome=fail --json=short"), 1);
        o = parse();
        only(o, job_members);
        ck_assert_str_eq(member(o, "state"), "failed");
        error = json_object_get(o, "error");
        only(error, error_members);
        ck_assert_str_eq(member(error, "code"), "server-refused");
        ck_assert_int_eq(json_integer_value(json_object_get(error, "statusCode")), 400);
        ck_assert(json_is_false(json_object_get(error, "retriable")));
        ck_assert_str_eq(member(json_object_get(error, "cause"), "code"), "throttled");
        json_decref(o);
        ck_assert_int_eq(ctl_run("provision -p outcome=denied --json=short"), 5);
        o = parse();
        only(o, job_members);
        ck_assert_str_eq(member(json_object_get(o, "error"), "code"), "access-denied");
        json_decref(o);
        ck_assert_int_eq(ctl_run("provision --socket=/nonexistent --json=short"), 3);
        o = parse();
        ck_assert_str_eq(member(json_object_get(o, "error"), "code"), "connect-failed");
        json_decref(o);
}
END_TEST

START_TEST(daily_script_never_gets_a_second_identity)
{
        ck_assert_int_eq(ctl_run("provision --id=k --out=id"), 0);
        ck_assert_int_eq(ctl_run("provision --id=k --out=id --json=short"), 0);
        json_t *o = parse();
        ck_assert_ptr_nonnull(json_object_get(json_object_get(o, "files"), "privateKey"));
        json_decref(o);
        ck_assert_int_eq(ctl_run("list --all --json=short"), 0);
        o = parse();
        ck_assert_uint_eq(json_array_size(o), 1);
        json_decref(o);
        /* Elsewhere the secrets are gone, and it says what to do. */
        ck_assert_int_eq(ctl_run("provision --id=k --out=other --json=short"), 1);
        ck_assert_ptr_nonnull(strstr(text_err, "result-gone"));
        ck_assert_ptr_nonnull(strstr(text_err, "release"));
        o = parse();
        ck_assert_str_eq(member(json_object_get(o, "error"), "code"), "result-gone");
        json_decref(o);
        /* Nor is another job's identity taken for it, not even to be replaced. */
        ck_assert_int_eq(ctl_run("provision --id=k2 --out=id2"), 0);
        ck_assert_int_eq(ctl_run("provision --id=k --out=id2 --replace"), 1);
        ck_assert_ptr_nonnull(strstr(text_err, "result-gone"));
        /* A damaged directory does not count as holding it. */
        ck_assert_int_eq(unlink("id/current/private-key.pem"), 0);
        ck_assert_int_eq(ctl_run("provision --id=k --out=id"), 1);
}
END_TEST

START_TEST(other_identity_is_replaced_on_request_alone)
{
        ck_assert_int_eq(ctl_run("provision --id=one --out=id"), 0);
        ck_assert_int_eq(ctl_run("provision --id=two --out=id"), 1);
        ck_assert_ptr_nonnull(strstr(text_err, "--replace"));
        ck_assert_int_eq(ctl_run("provision --out=id"), 1);
        /* Refused before anything was submitted. */
        ck_assert_int_eq(ctl_run("list --all --json=short"), 0);
        json_t *o = parse();
        ck_assert_uint_eq(json_array_size(o), 1);
        json_decref(o);
        ck_assert_int_eq(ctl_run("provision --id=two --out=id --replace"), 0);
        ck_assert_int_eq(access("id/previous/private-key.pem", R_OK), 0);
        ck_assert_int_eq(ctl_run("provision --id=three --keep"), 2);
        ck_assert_int_eq(ctl_run("provision --id=three"), 0);
        ck_assert_int_eq(ctl_run("result three --out=id"), 8);
        ck_assert_int_eq(ctl_run("result three --out=id2"), 0);
}
END_TEST

START_TEST(unwritable_directory_is_found_before_anything_is_submitted)
{
        ck_assert_int_eq(symlink("/tmp", "link"), 0);
        ck_assert_int_eq(ctl_run("provision --id=k --out=link/x --json=short"), 1);
        ck_assert_ptr_nonnull(strstr(text_err, "symbolic link"));
        json_t *o = parse();
        ck_assert_str_eq(member(json_object_get(o, "error"), "code"), "storage");
        json_decref(o);
        ck_assert_int_eq(ctl_run("list --all --json=short"), 0);
        ck_assert_str_eq(text_out, "[]\n");
}
END_TEST

START_TEST(success_that_cannot_be_written_is_exit_8)
{
        /* In the way is found only when the link is to be made. */
        ck_assert_int_eq(mkdir("id", 0755), 0);
        write_file("id/certificate.pem", "mine");
        ck_assert_int_eq(ctl_run("provision --id=k --out=id --json=short"), 8);
        ck_assert_ptr_nonnull(strstr(text_err, "fleetprovctl result "));
        json_t *o = parse();
        ck_assert_str_eq(member(o, "state"), "succeeded");
        json_decref(o);
        /* It was not acknowledged, so it can be fetched. */
        ck_assert_int_eq(ctl_run("result k --out=id3"), 0);
        ck_assert_int_eq(access("id3/private-key.pem", R_OK), 0);
}
END_TEST

START_TEST(single_operations_lead_to_a_thing)
{
        write_file("csr.pem", "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n"
                              "-----END CERTIFICATE REQUEST-----\n");
        ck_assert_int_eq(ctl_run("create-certificate --csr=csr.pem --out=c --json=short"), 0);
        ck_assert_int_eq(access("c/ownership-token", R_OK), 0);
        ck_assert_int_eq(access("c/private-key.pem", F_OK), -1);
        ck_assert_int_eq(ctl_run("register-thing -p SerialNumber=1 --token-file=c/ownership-token"),
                         0);
        ck_assert_ptr_nonnull(strstr(text_out, "thing-1"));
        ck_assert_int_eq(ctl_run("create-keys --out=k"), 0);
        ck_assert_int_eq(access("k/private-key.pem", R_OK), 0);
        write_file("bad.pem", "-----BEGIN SOMETHING-----\n");
        ck_assert_int_eq(ctl_run("provision --csr=bad.pem"), 2);
        ck_assert_ptr_nonnull(strstr(text_err, "csr"));
}
END_TEST

START_TEST(kept_result_can_be_fetched_again)
{
        ck_assert_int_eq(ctl_run("provision --id=k --out=a --keep"), 0);
        ck_assert_int_eq(ctl_run("result k --out=b"), 0);
        ck_assert_int_eq(ctl_run("result k --out=c"), 1);
        ck_assert_ptr_nonnull(strstr(text_err, "result-gone"));
}
END_TEST

START_TEST(job_is_named_by_id_key_or_profile_and_key)
{
        ck_assert_int_eq(ctl_run("provision --id=k"), 0);
        ck_assert_int_eq(ctl_run("show k"), 0);
        ck_assert_int_eq(ctl_run("show aws/k"), 0);
        ck_assert_int_eq(ctl_run("show 00000000000000000000000000000001 --json=short"), 0);
        json_t *o = parse();
        only(o, job_members);
        ck_assert_str_eq(member(o, "thingName"), "thing-1");
        json_decref(o);
        ck_assert_int_eq(ctl_run("show azure/k"), 1);
        ck_assert_int_eq(ctl_run("provision azure --id=k"), 0);
        ck_assert_int_eq(ctl_run("show k"), 2);
        ck_assert_ptr_nonnull(strstr(text_err, "aws/k"));
        ck_assert_ptr_nonnull(strstr(text_err, "azure/k"));
}
END_TEST

START_TEST(jobs_are_waited_for_cancelled_and_released)
{
        ck_assert_int_eq(ctl_run("provision --no-wait --id=s -p outcome=slow"), 0);
        ck_assert_int_eq(ctl_run("provision --no-wait --id=h -p outcome=hang --json=short"), 0);
        ck_assert_int_eq(ctl_run("result h"), 1);
        ck_assert_ptr_nonnull(strstr(text_err, "not-finished"));
        ck_assert_int_eq(ctl_run("release h"), 1);
        ck_assert_int_eq(ctl_run("wait h --timeout=0.1 --json=short"), 4);
        json_t *o = parse();
        ck_assert_str_eq(member(o, "state"), "queued");
        /* Programs are told why it waits, too. */
        ck_assert_str_eq(member(json_object_get(o, "error"), "code"), "name-resolution");
        json_decref(o);
        ck_assert_int_eq(ctl_run("cancel h"), 0);
        ck_assert_int_eq(ctl_run("wait s h --json=short"), 6);
        ck_assert_ptr_nonnull(strstr(text_out, "}\n{"));
        ck_assert_int_eq(ctl_run("release h"), 0);
        ck_assert_int_eq(ctl_run("show h"), 1);
}
END_TEST

START_TEST(status_and_lists_have_their_shape)
{
        static const char *const status_members[] = {"version",  "state",    "queued", "running",
                                                     "finished", "profiles", NULL};
        static const char *const profile_members[] = {
                "name",           "provider", "endpoint",  "session",
                "connectedSince", "claim",    "lastError", NULL};
        json_t *o, *profiles;

        ck_assert_int_eq(ctl_run("status --json=short"), 0);
        o = parse();
        only(o, status_members);
        profiles = json_object_get(o, "profiles");
        ck_assert_uint_eq(json_array_size(profiles), 2);
        only(json_array_get(profiles, 0), profile_members);
        only(json_array_get(profiles, 1), profile_members);
        ck_assert_str_eq(member(json_object_get(json_array_get(profiles, 0), "claim"), "notAfter"),
                         "2030-03-17T17:46:40.000Z");
        json_decref(o);
        ck_assert_int_eq(ctl_run("provision --id=a-rather-long-key-that-a-narrow-table-would-cut"),
                         0);
        ck_assert_int_eq(ctl_run("list --no-legend"), 0);
        ck_assert_ptr_nonnull(strstr(text_out, "a-rather-long-key-that-a-narrow-table-would-cut"));
        ck_assert_ptr_nonnull(strstr(text_out, "00000000000000000000000000000001"));
        ck_assert_ptr_null(strstr(text_out, "STATE"));
        ck_assert_int_eq(ctl_run("list --json=pretty"), 0);
        o = parse();
        only(json_array_get(o, 0), job_members);
        ck_assert_ptr_null(json_object_get(json_array_get(o, 0), "certificatePem"));
        json_decref(o);
}
END_TEST

START_TEST(escape_sequences_of_the_cloud_reach_no_terminal)
{
        ck_assert_int_eq(ctl_run("provision -p outcome=fail"), 1);
        ck_assert_ptr_null(strchr(text_err, '\x1b'));
        ck_assert_ptr_nonnull(strstr(text_err, "\\x1b[31m"));
        ck_assert_int_eq(ctl_run("show 00000000000000000000000000000001"), 0);
        ck_assert_ptr_null(strchr(text_out, '\x1b'));
}
END_TEST

START_TEST(interrupted_waiting_leaves_the_job_and_says_how_to_find_it)
{
        int out, err, status;
        pid_t pid;

        ck_assert_int_eq(ctl_run("provision --no-wait --id=h -p outcome=hang"), 0);
        pid = ctl_start("wait h", &out, &err);
        /* It handles the signal only from when it waits; before that the default kills it, too. */
        for (int i = 0; i < 200; i++) {
                struct timespec nap = {.tv_nsec = 20000000};
                char name[64], line[256];
                unsigned long long caught = 0;
                FILE *f;

                snprintf(name, sizeof(name), "/proc/%d/status", (int) pid);
                f = fopen(name, "re");
                while (f && fgets(line, sizeof(line), f))
                        sscanf(line, "SigCgt: %llx", &caught);
                if (f)
                        fclose(f);
                if (caught & (1ULL << (SIGINT - 1)))
                        break;
                nanosleep(&nap, NULL);
        }
        kill(pid, SIGINT);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ctl_slurp(out, text_out);
        ctl_slurp(err, text_err);
        ck_assert(WIFSIGNALED(status));
        ck_assert_int_eq(WTERMSIG(status), SIGINT);
        ck_assert_ptr_nonnull(strstr(text_err, "fleetprovctl wait "));
        ck_assert_int_eq(ctl_run("show h --json=short"), 0);
        ck_assert_ptr_nonnull(strstr(text_out, "\"queued\""));
}
END_TEST

START_TEST(monitor_prints_an_object_for_each_event)
{
        int out, err, status;
        pid_t pid = ctl_start("monitor --timeout=3 --json=short", &out, &err);
        struct timespec nap = {.tv_nsec = 50000000};

        /* Its first call has been answered when it has jobs to tell of: try until one shows. */
        for (int i = 0; i < 40; i++) {
                nanosleep(&nap, NULL);
                ctl_run("provision");
                if (lseek(out, 0, SEEK_END) > 0)
                        break;
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ctl_slurp(out, text_out);
        ctl_slurp(err, text_err);
        ck_assert_int_eq(WEXITSTATUS(status), 4);
        ck_assert_ptr_nonnull(strstr(text_out, "\"event\":\"job-changed\""));
        ck_assert_ptr_nonnull(strstr(text_out, "\"state\":\"succeeded\""));
}
END_TEST

int main(void) {
        Suite *s = suite_create("ctl: fleetprovctl");
        TCase *t = tcase_create("against a stub");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(t, ctl_setup, ctl_teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, provision_writes_files_and_one_line_of_json);
        tcase_add_test(t, failed_provision_prints_its_object_all_the_same);
        tcase_add_test(t, daily_script_never_gets_a_second_identity);
        tcase_add_test(t, other_identity_is_replaced_on_request_alone);
        tcase_add_test(t, unwritable_directory_is_found_before_anything_is_submitted);
        tcase_add_test(t, success_that_cannot_be_written_is_exit_8);
        tcase_add_test(t, single_operations_lead_to_a_thing);
        tcase_add_test(t, kept_result_can_be_fetched_again);
        tcase_add_test(t, job_is_named_by_id_key_or_profile_and_key);
        tcase_add_test(t, jobs_are_waited_for_cancelled_and_released);
        tcase_add_test(t, status_and_lists_have_their_shape);
        tcase_add_test(t, escape_sequences_of_the_cloud_reach_no_terminal);
        tcase_add_test(t, interrupted_waiting_leaves_the_job_and_says_how_to_find_it);
        tcase_add_test(t, monitor_prints_an_object_for_each_event);
        suite_add_tcase(s, t);
        runner = srunner_create(s);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

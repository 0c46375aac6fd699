/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/selftest/cloud-process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "daemon/base/macro.h"

#define ARGUMENTS_MAX 16
#define STATUS_NOT_RUN 127

/* A child that runs the program with its standard output on the pipe, and dies with us. */
static pid_t spawn(char **arguments, int *ret_fd) {
        pid_t parent = getpid(), pid;
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent &&
                    dup2(fds[1], STDOUT_FILENO) >= 0)
                        execv(arguments[0], arguments);
                _exit(STATUS_NOT_RUN);
        }
        close(fds[1]);
        *ret_fd = fds[0];
        return pid;
}

static void start_in(CloudProcess *cloud, const char *option) {
        _cleanup_free_ char *dir = NULL;
        char program[] = FLEET_CLOUD, port[] = "--port=0", names[] = "--claims=2",
             dps[] = "--dps-port=0";
        _cleanup_free_ char *more = option ? strdup(option) : NULL;
        FILE *out;
        int fd;

        ck_assert_int_ge(asprintf(&dir, "--dir=%s", cloud->dir), 0);
        cloud->pid = spawn((char *[]){program, dir, port, names, dps, more, NULL}, &fd);
        out = fdopen(fd, "r");
        ck_assert_ptr_nonnull(out);
        ck_assert_msg(fscanf(out, "ready %d %d", &cloud->port, &cloud->dps_port) == 2,
                      "the cloud does not start");
        fclose(out);
}

void cloud_start(CloudProcess *cloud, const char *option) {
        cloud->dir = strdup("/tmp/cloud-selftest-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(cloud->dir));
        start_in(cloud, option);
}

void cloud_restart(CloudProcess *cloud) {
        start_in(cloud, NULL);
}

int cloud_signal(CloudProcess *cloud, int signo) {
        int status;

        ck_assert_int_eq(kill(cloud->pid, signo), 0);
        ck_assert_int_eq(waitpid(cloud->pid, &status, 0), cloud->pid);
        cloud->pid = 0;
        return status;
}

void cloud_stop(CloudProcess *cloud) {
        char rm[] = "/bin/rm", options[] = "-rf";
        int fd;

        if (cloud->pid > 0)
                cloud_signal(cloud, SIGTERM);
        waitpid(spawn((char *[]){rm, options, cloud->dir, NULL}, &fd), NULL, 0);
        close(fd);
        free(cloud->dir);
        cloud->dir = NULL;
}

/* Its exit status; what it prints is added to *ret_output. */
static int run_fault(const CloudProcess *cloud, va_list list, char **ret_output) {
        char program[] = FLEET_CLOUD_FAULT;
        char *arguments[ARGUMENTS_MAX] = {program};
        _cleanup_free_ char *dir = NULL;
        size_t n = 2, size = 0;
        const char *argument;
        int fd, status;
        FILE *out;
        pid_t pid;

        ck_assert_int_ge(asprintf(&dir, "--dir=%s", cloud->dir), 0);
        arguments[1] = dir;
        while ((argument = va_arg(list, const char *))) {
                ck_assert_uint_lt(n, ARGUMENTS_MAX - 1);
                arguments[n] = strdup(argument);
                ck_assert_ptr_nonnull(arguments[n++]);
        }
        pid = spawn(arguments, &fd);
        out = fdopen(fd, "r");
        *ret_output = NULL;
        if (getdelim(ret_output, &size, '\0', out) < 0 && *ret_output)
                (*ret_output)[0] = '\0';
        fclose(out);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        while (n > 2)
                free(arguments[--n]);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

char *cloud_fault(const CloudProcess *cloud, ...) {
        char *output;
        va_list list;
        int status;

        va_start(list, cloud);
        status = run_fault(cloud, list, &output);
        va_end(list);
        ck_assert_int_eq(status, 0);
        return output;
}

int cloud_try_fault(const CloudProcess *cloud, ...) {
        _cleanup_free_ char *output = NULL;
        va_list list;
        int status;

        va_start(list, cloud);
        status = run_fault(cloud, list, &output);
        va_end(list);
        return status;
}

json_int_t cloud_breaches(const CloudProcess *cloud, const char *breach) {
        _cleanup_free_ char *text = cloud_fault(cloud, "status", NULL);
        json_t *status = json_loads(text, 0, NULL);
        json_t *count = json_object_get(json_object_get(status, "breaches"), breach);
        json_int_t n;

        ck_assert_msg(json_is_integer(count), "%s is no breach", breach);
        n = json_integer_value(count);
        json_decref(status);
        return n;
}

size_t cloud_journal_count(const CloudProcess *cloud, const char *text, const char *text2) {
        _cleanup_free_ char *path = cloud_path(cloud, "journal.jsonl");
        _cleanup_free_ char *line = NULL;
        FILE *journal = fopen(path, "r");
        size_t size = 0, n = 0;

        ck_assert_ptr_nonnull(journal);
        while (getline(&line, &size, journal) > 0)
                if (strstr(line, text) && (!text2 || strstr(line, text2)))
                        n++;
        fclose(journal);
        return n;
}

char *cloud_path(const CloudProcess *cloud, const char *name) {
        char *path;

        ck_assert_int_ge(asprintf(&path, "%s/%s", cloud->dir, name), 0);
        return path;
}

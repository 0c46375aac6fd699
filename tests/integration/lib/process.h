/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Programs that a test starts: each dies with the test, even when that crashes, and each wait has
 * an end. What goes wrong here fails the test. */

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/base/macro.h"

/* Beyond this a test has failed. Generous: machines that test are busy. */
#define PATIENCE_SEC 30U

/* Waits until the condition holds, looking again and again. */
#define WAIT_FOR(condition)                                                                  \
        do {                                                                                 \
                unsigned _tries = 0;                                                         \
                while (!(condition))                                                         \
                        ck_assert_msg(process_pause(&_tries), "never came: %s", #condition); \
        } while (0)

/* The same for what takes so many seconds by itself, and the patience on top of that. */
#define WAIT_LONG_FOR(seconds, condition)                                          \
        do {                                                                       \
                unsigned _tries = 0, _ends = 0;                                    \
                while (!(condition))                                               \
                        if (!process_pause(&_tries)) {                             \
                                ck_assert_msg(_ends++ <= (seconds) / PATIENCE_SEC, \
                                              "never came: %s", #condition);       \
                                _tries = 0;                                        \
                        }                                                          \
        } while (0)

/* False when the patience is at its end. */
bool process_pause(unsigned *tries);

/* Starts argv[0] with output and errors appended to the file `log` (NULL: ours). `environment`:
 * NAME=VALUE texts that are added, up to a NULL; may be NULL. */
pid_t process_start(const char *const argv[], const char *log, const char *const environment[]);

/* Waits for the end; the wait status. */
int process_wait(pid_t pid);

/* Sends a signal, and waits for the end. Nothing where pid is 0. */
int process_end(pid_t pid, int signo);

/* Runs to the end: the exit status, or 128 and the signal. What was written is *ret_output, the
 * caller's to free; NULL: not wanted. */
int process_run(const char *const argv[], const char *const environment[], char **ret_output);

/* Runs the function as that user, with these groups alone, in a process of its own. Its Check
 * assertions count. Needs root. */
void process_as_user(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups,
                     void (*function)(void *), void *userdata);

/* The same, without waiting; process_join() waits, and hands a failure on. */
pid_t process_fork_as(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups,
                      void (*function)(void *), void *userdata);
void process_join(pid_t pid);

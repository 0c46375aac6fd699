/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "tests/unit/store/fixture.h"

/* The life of a job, cut off by SIGKILL before each of the steps that it takes on the disk. What
 * was told as durable by then must be there at the next start, what comes after it may, and nothing
 * else: no half of anything. (That the steps reach the disk in this order, and not only the kernel,
 * is what the flushes are for: the order of those is tested in test-store.c.) */

typedef enum Stage {
        STAGE_NONE,      /* not there yet */
        STAGE_QUEUED,    /* with a secret that it brought */
        STAGE_SPENT,     /* without it */
        STAGE_RUNNING,   /* with another one */
        STAGE_SUCCEEDED, /* still with that */
        STAGE_ERASED,
        STAGE_REMOVED,
        STAGE_MAX,
} Stage;

typedef struct Life {
        unsigned steps_left; /* before the blow falls; 0: none does */
        int told_fd;         /* a byte for each change that was told as durable */
        int result;
} Life;

static int on_step(DiskStep step, const char *name, void *userdata) {
        Life *life = userdata;

        if (life->steps_left > 0 && --life->steps_left == 0)
                (void) kill(getpid(), SIGKILL);
        return 0;
}

static void on_done(int error, void *userdata) {
        Life *life = userdata;

        life->result = error;
}

static void settle(sd_event *event, Life *life) {
        while (life->result == 1)
                if (sd_event_run(event, UINT64_MAX) < 0)
                        _exit(1);
        if (life->result < 0 || write(life->told_fd, "", 1) != 1)
                _exit(1);
        life->result = 1;
}

static void advance(Store *s, Job *j, Stage stage, Life *life) {
        _cleanup_(job_secrets_done) JobSecrets secrets = {};

        switch (stage) {
        case STAGE_QUEUED:
                secrets.ownership_token = secret_new("token", 5);
                store_create(s, j, &secrets, on_done, life);
                break;
        case STAGE_SPENT:
                job_set_state(j, JOB_RUNNING, PHASE_CREATE, 5, 5, "started");
                store_spend_secrets(s, j, on_done, life);
                break;
        case STAGE_RUNNING:
                secrets.private_key = secret_new("key", 3);
                job_set_state(j, JOB_RUNNING, PHASE_REGISTER, 10, 10, "registering");
                j->secrets_stored = true;
                store_update(s, j, &secrets, on_done, life);
                break;
        case STAGE_SUCCEEDED:
                job_set_state(j, JOB_SUCCEEDED, PHASE_NONE, 20, 20, "done");
                store_update(s, j, NULL, on_done, life);
                break;
        case STAGE_ERASED:
                j->acknowledged = true;
                store_erase_secrets(s, j, on_done, life);
                break;
        case STAGE_REMOVED:
                store_remove(s, j, on_done, life);
                break;
        case STAGE_NONE:
        case STAGE_MAX:
                _exit(1);
        }
}

/* In a process of its own. The opening takes no step that counts. */
static void live(Job *j, unsigned steps, int told_fd) {
        Life life = {.told_fd = told_fd, .result = 1};
        sd_event *event;
        char *why = NULL;
        Store *s;

        if (sd_event_new(&event) < 0 ||
            store_open_hooked(event, fixture_directory(), NULL, NULL, on_step, &life, &s, &why) < 0)
                _exit(1);
        life.steps_left = steps;
        for (Stage stage = STAGE_QUEUED; stage < STAGE_MAX; stage++) {
                advance(s, j, stage, &life);
                settle(event, &life);
        }
        store_free(s);
        sd_event_unref(event);
        job_free(j);
        _exit(0);
}

/* True when it was killed. */
static bool run_life(Job *j, unsigned steps, unsigned *ret_told) {
        char bytes[STAGE_MAX];
        int fds[2], status;
        ssize_t n;
        pid_t pid;

        ck_assert_int_eq(pipe(fds), 0);
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0)
                live(j, steps, fds[1]);
        close(fds[1]);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        n = read(fds[0], bytes, sizeof(bytes));
        ck_assert_int_ge(n, 0);
        close(fds[0]);
        *ret_told = (unsigned) n;
        if (WIFSIGNALED(status)) {
                ck_assert_int_eq(WTERMSIG(status), SIGKILL);
                return true;
        }
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        return false;
}

static void on_job(Job *job, void *userdata) {
        Job **found = userdata;

        ck_assert_ptr_null(*found);
        *found = job;
}

typedef struct Opened {
        int error;
        bool key, token;
} Opened;

static void on_secrets(int error, const JobSecrets *secrets, void *userdata) {
        Opened *opened = userdata;

        *opened = (Opened){.error = error};
        if (secrets) {
                opened->key = secrets->private_key != NULL;
                opened->token = secrets->ownership_token != NULL;
        }
}

/* Opens what is left, and checks that it is whole. */
static Stage look(const Job *original) {
        _cleanup_free_ char *why = NULL;
        _cleanup_job_ Job *j = NULL;
        Opened opened = {.error = 1};
        sd_event *event;
        Store *s;

        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(store_open(event, fixture_directory(), NULL, NULL, &s, &why), 0);
        ck_assert_int_eq(store_load(s, on_job, &j), 0);
        ck_assert_uint_eq(fixture_count_names(".new"), 0);
        ck_assert_uint_eq(fixture_count_names("damaged"), 0);
        ck_assert_uint_eq(fixture_count_names(".secret"), j && j->secrets_stored ? 1 : 0);
        store_read_secrets(s, original, on_secrets, &opened);
        while (opened.error == 1)
                ck_assert_int_ge(sd_event_run(event, UINT64_MAX), 0);
        store_free(s);
        sd_event_unref(event);

        ck_assert_int_eq(opened.error, j && j->secrets_stored ? 0 : -ENOENT);
        if (!j)
                return fixture_count_names(original->id) == 0 ? STAGE_NONE : STAGE_MAX;
        if (j->state == JOB_QUEUED) {
                /* The line may come after its secrets, never before them. */
                ck_assert(opened.token || opened.key);
                return STAGE_QUEUED;
        }
        if (j->phase == PHASE_CREATE) {
                ck_assert_int_eq(opened.error, -ENOENT);
                return STAGE_SPENT;
        }
        ck_assert(j->acknowledged ? !opened.key : opened.key);
        if (j->state == JOB_RUNNING)
                return STAGE_RUNNING;
        return j->acknowledged ? STAGE_ERASED : STAGE_SUCCEEDED;
}

START_TEST(a_job_survives_a_kill_before_any_step)
{
        unsigned steps;

        for (steps = 1;; steps++) {
                _cleanup_job_ Job *j = fixture_plain_job();
                unsigned told;
                bool killed;
                Stage stage;

                killed = run_life(j, steps, &told);
                stage = look(j);
                if (!killed) {
                        ck_assert_int_eq(stage, STAGE_NONE);
                        break;
                }
                ck_assert_msg(stage == told || stage == told + 1 ||
                                      /* going: its secrets first */
                                      (stage == STAGE_NONE && told + 1 >= STAGE_REMOVED),
                              "killed before step %u: told %u, found %u", steps, told, stage);
                fixture_teardown();
                fixture_setup();
        }
        ck_assert_uint_gt(steps, 20);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, a_job_survives_a_kill_before_any_step);
}

int main(void) {
        return fixture_main("store, killed", add_tests);
}

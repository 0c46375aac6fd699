/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/store.h"

#include <errno.h>
#include <systemd/sd-id128.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/worker.h"
#include "daemon/crypto/why.h"
#include "daemon/store/commit.h"
#include "daemon/store/directory.h"
#include "daemon/store/latches.h"
#include "daemon/store/load.h"
#include "daemon/store/reseal.h"
#include "daemon/store/uptime.h"

/* A job has one change under way, seldom two; the jobs are bounded by MaxJobs. */
#define STORE_QUEUE_MAX ((size_t) 64 * 1024)

/* A start has 2^32 serials of its own: none is given twice, and none wants a flush. */
#define STORE_SERIALS_PER_START_BITS 32U

struct Store {
        Directory directory;
        StateKeys keys;
        JobClock clock; /* but for the present time */
        uint64_t next_serial;
        sd_event *event;
        Reseal *reseal; /* NULL: nothing is, or was */
        Worker *worker;
        ChangeList staged; /* the disk's thread; so is `room` */
        Room room;

        sd_event_source *refused_source;
        ChangeList refused; /* by the worker; still to be told */
};

static JobClock store_clock(const Store *s) {
        JobClock clock = s->clock;

        clock.now_boot = clock_boot_usec();
        return clock;
}

/* Where /proc shows processes alone (ProcSubset=pid), systemd says it by the unit. */
static void read_boot_id(Store *s) {
        const char *told = getenv("FLEETPROVD_BOOT_ID");
        sd_id128_t id;
        int r;

        r = sd_id128_get_boot(&id);
        if (r < 0 && told && sd_id128_from_string(told, &id) >= 0)
                r = 0;
        if (r < 0)
                log_warning_errno(r, "cannot tell this boot from another; deadlines and retention "
                                     "count from the boot clock alone");
        else
                (void) sd_id128_to_string(id, s->clock.boot_id);
}

static void on_change_run(void *p) {
        Change *c = p;

        if (c->error >= 0)
                LIST_APPEND(changes, &c->store->staged, c);
}

static void on_lot_flush(void *userdata) {
        Store *s = userdata;
        CommitContext context = {
                .disk = &s->directory.disk, .keys = &s->keys, .clock = &s->clock, .room = &s->room};

        commit_changes(&context, &s->staged);
}

static void on_lot_told(void *userdata) {
        Store *s = userdata;

        room_tidy(&s->room, &s->directory.disk);
}

static void change_tell(const Change *c) {
        if (c->secrets_done)
                c->secrets_done(c->error, c->error < 0 ? NULL : &c->secrets, c->userdata);
        else if (c->done)
                c->done(c->error, c->userdata);
}

static void on_change_complete(void *p, void *userdata) {
        change_tell(p);
}

static void on_change_destroy(void *p) {
        Change *c = p;

        if (!c->submitting)
                change_free(c);
}

static const WorkerTaskType change_task = {
        .run = on_change_run, .complete = on_change_complete, .destroy = on_change_destroy};

static void tell_refused(Store *s) {
        ChangeList list = s->refused;
        Change *c, *next;

        s->refused = (ChangeList){};
        LIST_FOREACH_SAFE(changes, c, next, &list) {
                change_tell(c);
                change_free(c);
        }
}

static int on_refused_defer(sd_event_source *source, void *userdata) {
        tell_refused(userdata);
        return 0;
}

/* Takes the change. One that the worker does not take is told from the loop like the others:
 * nobody is called back from within his own call. */
static void submit(Store *s, Change *c, int error) {
        c->store = s;
        c->error = error;
        c->submitting = true;
        if (error >= 0)
                error = worker_submit(s->worker, &change_task, c, NULL);
        c->submitting = false;
        if (error >= 0)
                return;
        c->error = error;
        LIST_APPEND(changes, &s->refused, c);
        (void) sd_event_source_set_enabled(s->refused_source, SD_EVENT_ONESHOT);
}

/* Fills in what the disk's thread needs of the job. */
static int prepare(const Store *s, Change *c, const Job *job, const JobSecrets *secrets) {
        JobClock clock = store_clock(s);
        SecretsMark mark = SECRETS_AS_JOB_SAYS;
        int r;

        if (c->type == CHANGE_ERASE || c->type == CHANGE_SPEND)
                mark = SECRETS_ERASED;
        else if (secrets) {
                mark = SECRETS_STORED;
                r = job_secrets_copy(secrets, &c->secrets);
                if (r < 0)
                        return r;
                c->has_secrets = true;
        }
        if (c->has_secrets || c->type == CHANGE_READ) {
                r = secret_context_make(job, &c->context);
                if (r < 0)
                        return r;
        }
        switch (c->type) {
        case CHANGE_CREATE:
        case CHANGE_REWRITE:
                return job_record_make(job, &clock, mark, &c->lines, &c->lines_size);
        case CHANGE_UPDATE:
        case CHANGE_NOTE:
        case CHANGE_ERASE:
        case CHANGE_SPEND:
                return job_record_make_state(job, &clock, mark, &c->lines, &c->lines_size);
        case CHANGE_REMOVE:
        case CHANGE_READ:
        case CHANGE_RESEAL:
        case CHANGE_TYPE_MAX:
                break;
        }
        return 0;
}

static void ask_change(Store *s, Change *c, const Job *job, const JobSecrets *secrets,
                       StoreDone done, void *userdata) {
        if (!c) {
                done(-ENOMEM, userdata);
                return;
        }
        c->done = done;
        c->userdata = userdata;
        submit(s, c, prepare(s, c, job, secrets));
}

static void ask(Store *s, ChangeType type, const Job *job, const JobSecrets *secrets,
                StoreDone done, void *userdata) {
        ask_change(s, change_new(type, job->id), job, secrets, done, userdata);
}

static void ask_expecting(Store *s, ChangeType type, const Job *job, StoreDone done,
                          void *userdata) {
        Change *c = change_new(type, job->id);

        if (c)
                c->expects_secrets = true;
        ask_change(s, c, job, NULL, done, userdata);
}

void store_create(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                  void *userdata) {
        if (secrets && job_secrets_is_empty(secrets))
                secrets = NULL;
        ask(s, CHANGE_CREATE, job, secrets, done, userdata);
}

void store_create_asking(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask_expecting(s, CHANGE_CREATE, job, done, userdata);
}

void store_rewrite(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                   void *userdata) {
        if (secrets && job_secrets_is_empty(secrets))
                secrets = NULL;
        ask(s, CHANGE_REWRITE, job, secrets, done, userdata);
}

void store_update(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                  void *userdata) {
        if (secrets && job_secrets_is_empty(secrets))
                ask(s, CHANGE_ERASE, job, NULL, done, userdata);
        else
                ask(s, CHANGE_UPDATE, job, secrets, done, userdata);
}

void store_note(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(s, CHANGE_NOTE, job, NULL, done, userdata);
}

void store_note_asking(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask_expecting(s, CHANGE_NOTE, job, done, userdata);
}

void store_erase_secrets(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(s, CHANGE_ERASE, job, NULL, done, userdata);
}

void store_spend_secrets(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(s, CHANGE_SPEND, job, NULL, done, userdata);
}

void store_remove(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(s, CHANGE_REMOVE, job, NULL, done, userdata);
}

void store_read_secrets(Store *s, const Job *job, StoreSecretsDone done, void *userdata) {
        Change *c;

        c = change_new(CHANGE_READ, job->id);
        if (!c) {
                done(-ENOMEM, NULL, userdata);
                return;
        }
        c->secrets_done = done;
        c->userdata = userdata;
        submit(s, c, prepare(s, c, job, NULL));
}

static int open_all(Store *s, sd_event *event, const char *directory, const char *state_key,
                    const char *former, DiskHook hook, void *hook_userdata, char **ret_why) {
        const WorkerOptions worker = {.name = "disk",
                                      .queue_max = STORE_QUEUE_MAX,
                                      .flush = on_lot_flush,
                                      .tidy = on_lot_told,

                                      .userdata = s};
        int r;

        s->event = event; /* outlives the store */
        r = directory_open(directory, hook, hook_userdata, &s->directory, ret_why);
        if (r < 0)
                return r;
        r = state_keys_load(&s->directory.disk, state_key, former, s->directory.has_secrets,
                            &s->keys, ret_why);
        if (r < 0)
                return r;
        s->next_serial = (uint64_t) s->directory.starts << STORE_SERIALS_PER_START_BITS;
        read_boot_id(s);
        s->clock = store_clock(s);
        uptime_begin(&s->directory.disk, &s->clock);
        r = sd_event_add_defer(event, &s->refused_source, on_refused_defer, s);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->refused_source, SD_EVENT_OFF);
        return r < 0 ? r : worker_new(event, &worker, &s->worker);
}

int store_open(sd_event *event, const char *directory, const char *state_key, const char *former,
               Store **ret, char **ret_why) {
        return store_open_hooked(event, directory, state_key, former, NULL, NULL, ret, ret_why);
}

int store_open_hooked(sd_event *event, const char *directory, const char *state_key,
                      const char *former, DiskHook hook, void *hook_userdata, Store **ret,
                      char **ret_why) {
        _cleanup_(store_freep) Store *s = calloc(1, sizeof(Store));
        _cleanup_free_ char *reason = NULL;
        int r;

        if (!s) {
                *ret_why = NULL;
                return -ENOMEM;
        }
        directory_init(&s->directory);
        r = open_all(s, event, directory, state_key, former, hook, hook_userdata, &reason);
        if (r < 0) {
                if (!reason)
                        (void) why(&reason, r, "cannot open the state directory %s: %s", directory,
                                   strerrordesc_np(-r));
                *ret_why = TAKE_PTR(reason);
                return r;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

Store *store_free(Store *s) {
        if (!s)
                return NULL;
        while (s->worker && (worker_pending(s->worker) > 0 || s->refused.changes_first)) {
                worker_drain(s->worker);
                tell_refused(s);
        }
        worker_free(s->worker);
        room_done(&s->room, &s->directory.disk);
        reseal_free(s->reseal);
        sd_event_source_disable_unref(s->refused_source);
        state_keys_done(&s->keys);
        directory_done(&s->directory);
        free(s);
        return NULL;
}

static int reseal_one(void *userdata, const FormerSecrets *secrets, StoreDone done,
                      void *done_userdata) {
        Change *c = change_new(CHANGE_RESEAL, secrets->id);

        if (!c)
                return -ENOMEM;
        c->done = done;
        c->userdata = done_userdata;
        submit(userdata, c, secret_context_copy(&secrets->context, &c->context));
        return 0;
}

static size_t count_pending(void *userdata) {
        return store_pending(userdata);
}

static const ResealOps reseal_ops = {.reseal = reseal_one, .pending = count_pending};

int store_load(Store *s, void (*on_job)(Job *job, void *userdata), void *userdata) {
        _cleanup_(former_list_done) FormerList former = {};
        _cleanup_(job_list_done) JobList list = {};
        JobClock clock = store_clock(s);
        int r;

        r = load_jobs(&s->directory, &s->keys, &clock, &list, &former);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n; i++) {
                if (list.jobs[i]->serial >= s->next_serial)
                        s->next_serial = list.jobs[i]->serial + 1;
                on_job(TAKE_PTR(list.jobs[i]), userdata);
        }
        return reseal_new(s->event, &reseal_ops, s, &s->keys, &former, &s->reseal);
}

uint64_t store_next_serial(Store *s) {
        return s->next_serial++;
}

void store_note_uptime(Store *s) {
        JobClock clock = store_clock(s);

        uptime_note(s->worker, &s->directory.disk, &clock);
}

usec_t store_busy_since(Store *s) {
        return worker_busy_since(s->worker);
}

size_t store_pending(const Store *s) {
        return worker_pending(s->worker);
}

int store_latches_new(const Store *s, const TokenLatchStore **ret, void **ret_userdata) {
        return latches_new(&s->directory.disk, ret, ret_userdata);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "tests/unit/manager/bench.h"

#define FILES_MAX 4096

typedef struct Ask Ask;
struct Ask {
        AskType type;
        File file; /* as it will be */
        JobSecrets secrets;
        StoreDone done;
        StoreSecretsDone read_done;
        void *userdata;
        LIST_LINK(Ask, asks);
};

typedef struct Asks {
        LIST_HEAD(Ask, asks);
} Asks;

static Asks asks;
static size_t n_asks;
static File files[FILES_MAX];
static size_t n_files;
static JobSecrets secrets_of[FILES_MAX];

static size_t find(const char *id) {
        size_t i = 0;

        while (i < n_files && !streq(files[i].id, id))
                i++;
        return i;
}

const File *disk_file(const char *id) {
        size_t i = find(id);

        return i < n_files ? files + i : NULL;
}

const JobSecrets *disk_secrets(const char *id) {
        size_t i = find(id);

        ck_assert_uint_lt(i, n_files);
        return secrets_of + i;
}

size_t disk_pending(void) {
        return n_asks;
}

AskType disk_next(void) {
        ck_assert_ptr_nonnull(asks.asks_first);
        return asks.asks_first->type;
}

static void ask(AskType type, const Job *job, const JobSecrets *secrets, StoreDone done,
                StoreSecretsDone read_done, void *userdata) {
        Ask *a = calloc(1, sizeof(Ask));

        ck_assert_ptr_nonnull(a);
        a->type = type;
        memcpy(a->file.id, job->id, sizeof(a->file.id));
        a->file.state = job->state;
        a->file.attempts = job->attempts;
        a->file.cancel = job->cancel_requested;
        a->file.acknowledged = job->acknowledged;
        a->file.secrets_marked = secrets || (job->secrets_stored && type != ASK_ERASE);
        a->file.secrets = secrets != NULL;
        if (secrets)
                ck_assert_int_eq(job_secrets_copy(secrets, &a->secrets), 0);
        a->done = done;
        a->read_done = read_done;
        a->userdata = userdata;
        LIST_APPEND(asks, &asks, a);
        n_asks++;
}

static void erase(size_t i) {
        job_secrets_done(secrets_of + i);
        files[i].secrets = false;
}

/* -ENOENT for what is not there, as the store has it. */
static int carry_out(Ask *a) {
        size_t i = find(a->file.id);
        bool there = i < n_files, had = there && files[i].secrets;

        switch (a->type) {
        case ASK_READ:
                return had ? job_secrets_copy(secrets_of + i, &a->secrets) : -ENOENT;
        case ASK_REMOVE:
                if (!there)
                        return 0;
                erase(i);
                files[i] = files[--n_files];
                secrets_of[i] = secrets_of[n_files];
                secrets_of[n_files] = (JobSecrets){};
                return 0;
        case ASK_UPDATE:
        case ASK_NOTE:
        case ASK_ERASE:
                if (!there)
                        return -ENOENT;
                break;
        case ASK_CREATE:
        case ASK_REWRITE:
                if (!there) {
                        ck_assert_uint_lt(n_files, FILES_MAX);
                        i = n_files++;
                }
                break;
        }
        files[i] = a->file;
        files[i].secrets = a->type != ASK_ERASE && (had || a->file.secrets);
        if (a->file.secrets || a->type == ASK_ERASE) {
                job_secrets_done(secrets_of + i);
                secrets_of[i] = a->secrets;
                a->secrets = (JobSecrets){};
        }
        return 0;
}

void disk_answer(int error) {
        Ask *a = asks.asks_first;

        ck_assert_ptr_nonnull(a);
        LIST_REMOVE(asks, &asks, a);
        n_asks--;
        if (error >= 0)
                error = carry_out(a);
        if (a->read_done)
                a->read_done(error, error < 0 ? NULL : &a->secrets, a->userdata);
        else
                a->done(error, a->userdata);
        job_secrets_done(&a->secrets);
        free(a);
}

void disk_settle(void) {
        bench_run();
        while (asks.asks_first) {
                disk_answer(0);
                bench_run();
        }
}

/* --- store.h */

int store_open(sd_event *event, const char *directory, const char *state_key, const char *former,
               Store **ret, char **ret_why) {
        *ret = NULL;
        return 0;
}

Store *store_free(Store *s) {
        while (asks.asks_first)
                disk_answer(0);
        while (n_files > 0)
                erase(--n_files);
        return NULL;
}

int store_load(Store *s, void (*on_job)(Job *job, void *userdata), void *userdata) {
        return 0;
}

uint64_t store_next_serial(Store *s) {
        return 1;
}

void store_create(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                  void *userdata) {
        ask(ASK_CREATE, job, secrets, done, NULL, userdata);
}

void store_update(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                  void *userdata) {
        ask(ASK_UPDATE, job, secrets, done, NULL, userdata);
}

void store_note(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(ASK_NOTE, job, NULL, done, NULL, userdata);
}

/* The room that is made is the store's matter. */
void store_note_asking(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(ASK_NOTE, job, NULL, done, NULL, userdata);
}

void store_create_asking(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(ASK_CREATE, job, NULL, done, NULL, userdata);
}

void store_rewrite(Store *s, const Job *job, const JobSecrets *secrets, StoreDone done,
                   void *userdata) {
        ask(ASK_REWRITE, job, secrets, done, NULL, userdata);
}

void store_erase_secrets(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(ASK_ERASE, job, NULL, done, NULL, userdata);
}

/* That nobody waits for the erasing is the store's matter. */
void store_spend_secrets(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(ASK_ERASE, job, NULL, done, NULL, userdata);
}

void store_remove(Store *s, const Job *job, StoreDone done, void *userdata) {
        ask(ASK_REMOVE, job, NULL, done, NULL, userdata);
}

void store_read_secrets(Store *s, const Job *job, StoreSecretsDone done, void *userdata) {
        ask(ASK_READ, job, NULL, NULL, done, userdata);
}

void store_note_uptime(Store *s) {
}

usec_t store_busy_since(Store *s) {
        return USEC_INFINITY;
}

size_t store_pending(const Store *s) {
        return n_asks;
}

/* Tokens are on no bench. */
int store_latches_new(const Store *s, const TokenLatchStore **ret, void **ret_userdata) {
        return -EOPNOTSUPP;
}

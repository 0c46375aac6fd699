/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/load.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/base/log.h"
#include "daemon/store/file-name.h"
#include "daemon/store/job-file.h"
#include "daemon/store/secret-file.h"
#include "daemon/store/set-aside.h"

typedef struct Names {
        char (*jobs)[IPC_JOB_ID_LENGTH + 1];
        size_t n_jobs;
        char (*secrets)[IPC_JOB_ID_LENGTH + 1];
        size_t n_secrets;
        char (*taken_back)[IPC_JOB_ID_LENGTH + 1];
        size_t n_taken_back;
} Names;

typedef struct Load {
        const Disk *disk;
        const StateKeys *keys;
        const JobClock *clock;
        FormerList former;
        MissingKey missing;
        bool swept;  /* something was unlinked or renamed */
        bool synced; /* what was read is durable */
} Load;

static void names_done(Names *n) {
        free(n->jobs);
        free(n->secrets);
        free(n->taken_back);
}

void former_secrets_done(FormerSecrets *s) {
        secret_context_done(&s->context);
}

void former_list_done(FormerList *l) {
        for (size_t i = 0; i < l->n; i++)
                former_secrets_done(l->items + i);
        free(l->items);
        *l = (FormerList){};
}

void job_list_done(JobList *l) {
        for (size_t i = 0; i < l->n; i++)
                job_free(l->jobs[i]);
        free(l->jobs);
        *l = (JobList){};
}

static int names_add(char (**list)[IPC_JOB_ID_LENGTH + 1], size_t *n, const char *id) {
        char(*longer)[IPC_JOB_ID_LENGTH + 1];

        /* Doubled each time, at the powers of two. */
        if ((*n & (*n - 1)) == 0) {
                longer = reallocarray(*list, *n == 0 ? 1 : 2 * *n, sizeof(**list));
                if (!longer)
                        return -ENOMEM;
                *list = longer;
        }
        memcpy((*list)[(*n)++], id, sizeof(**list));
        return 0;
}

static int on_name(const char *name, void *userdata) {
        char id[IPC_JOB_ID_LENGTH + 1];
        Names *names = userdata;
        FileKind kind;

        kind = file_name_kind(name, id);
        if (kind == FILE_KIND_JOB)
                return names_add(&names->jobs, &names->n_jobs, id);
        if (kind == FILE_KIND_SECRET)
                return names_add(&names->secrets, &names->n_secrets, id);
        return 0;
}

static int compare_ids(const void *a, const void *b) {
        return strcmp(a, b);
}

static void log_job(int level, const char *id, const char *text) {
        const LogField field = {"FLEETPROV_JOB", id};

        log_message(level, &field, 1, "job %s: %s", id, text);
}

/* Its secrets go along: who repairs the one by hand needs the other. */
static void give_up(Load *load, const char *id, const char *reason, const char *text) {
        log_job(LOG_ERR, id, text);
        set_aside(load->disk, id, reason);
        load->swept = true;
}

static void erase_secrets(Load *load, const char *id) {
        FileName name = file_name_make(id, FILE_KIND_SECRET);
        int r = 0;

        /* The line that says so was read, but a daemon that was killed may not have flushed it. */
        if (!load->synced)
                r = disk_sync_all(load->disk);
        load->synced = r >= 0;
        if (r >= 0)
                r = disk_erase(load->disk, name.text);
        if (r < 0 && r != -ENOENT)
                log_warning_errno(r, "cannot erase %s", name.text);
        load->swept = true;
}

static bool has_secrets(const Names *names, const char *id) {
        return names->n_secrets > 0 &&
               bsearch(id, names->secrets, names->n_secrets, sizeof(*names->secrets), compare_ids);
}

static int note_former(Load *load, const Job *j, SecretContext *context) {
        FormerList *l = &load->former;
        FormerSecrets *longer;

        /* Doubled each time, at the powers of two. */
        if ((l->n & (l->n - 1)) == 0) {
                longer = reallocarray(l->items, l->n == 0 ? 1 : 2 * l->n, sizeof(*longer));
                if (!longer)
                        return -ENOMEM;
                l->items = longer;
        }
        l->items[l->n] = (FormerSecrets){.context = *context};
        memcpy(l->items[l->n++].id, j->id, sizeof(j->id));
        *context = (SecretContext){};
        return 0;
}

/* They open, and as this job's: id, owner, operation and profile are sealed with them, so that one
 * who edits the record finds that its secrets do not go along. */
static int open_secrets(Load *load, const Job *j, const Secret *file) {
        _cleanup_(secret_context_done) SecretContext context = {};
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        int r;

        r = secret_context_make(j, &context);
        if (r >= 0)
                r = secret_file_unseal(load->keys, &context, file->data, file->size, &secrets);
        if (r >= 0 && !secret_file_is_current(load->keys, file->data, file->size))
                r = note_former(load, j, &context);
        return r;
}

static void give_up_without_key(Load *load, const char *id, const char *key_id) {
        _cleanup_free_ char *text = NULL;

        if (asprintf(&text,
                     "set aside: its secrets are sealed with the state key %s, which is not here; "
                     "it is taken back at a start at which that key is named by StateKey= or "
                     "FormerStateKey=",
                     key_id) < 0)
                text = NULL;
        give_up(load, id, SET_ASIDE_UNKNOWN_KEY, text ? text : "set aside: unknown state key");
        if (load->missing.n_jobs++ == 0)
                memcpy(load->missing.id, key_id, sizeof(load->missing.id));
}

static void secrets_are_gone(Job *j) {
        log_job(LOG_WARNING, j->id, "its secrets are gone from the disk");
        j->secrets_stored = false;
        j->secrets_erased = true;
}

/* 1; 0: the job was set aside. */
static int check_secrets(Load *load, Job *j) {
        FileName name = file_name_make(j->id, FILE_KIND_SECRET);
        char key_id[SEAL_KEY_ID_LENGTH + 1] = "";
        _cleanup_secret_ Secret *file = NULL;
        int r;

        r = disk_read(load->disk, name.text, SECRET_FILE_MAX, &file);
        if (r >= 0 && secret_file_is_erased(file->data, file->size)) {
                /* A full disk, and a crash before the line that says so. */
                erase_secrets(load, j->id);
                secrets_are_gone(j);
                return 1;
        }
        if (r >= 0)
                r = secret_file_check(load->keys, file->data, file->size, key_id);
        if (r >= 0)
                r = open_secrets(load, j, file);
        if (r >= 0)
                return 1;
        if (r == -ENOMEM)
                return r;
        if (r == -ENOKEY)
                give_up_without_key(load, j->id, key_id);
        else
                give_up(load, j->id, SET_ASIDE_DAMAGED,
                        "set aside: its sealed secrets are not those that were sealed for it; "
                        "they or its record were damaged, exchanged or edited");
        return 0;
}

/* Likewise. */
static int settle_secrets(Load *load, const Names *names, Job *j) {
        bool there = has_secrets(names, j->id);

        if (!j->secrets_stored) {
                if (there)
                        erase_secrets(load, j->id);
                return 1;
        }
        if (there)
                return check_secrets(load, j);
        secrets_are_gone(j);
        return 1;
}

/* 1 and a job, or 0: it was set aside. */
static int load_job(Load *load, const Names *names, const char *id, Job **ret) {
        _cleanup_free_ char *reason = NULL, *text = NULL;
        _cleanup_secret_ Secret *file = NULL;
        _cleanup_job_ Job *j = NULL;
        int r;

        r = job_file_read(load->disk, id, &file);
        if (r >= 0)
                r = job_record_read(secret_text(file), file->size, load->clock, &j, &reason);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && !streq(j->id, id)) {
                r = -EBADMSG;
                reason = strdup("it is the file of another job");
        }
        if (r < 0) {
                if (asprintf(&text, "set aside, cannot be read: %s",
                             reason ? reason : strerrordesc_np(-r)) < 0)
                        text = NULL;
                give_up(load, id,
                        r == -EPROTONOSUPPORT ? SET_ASIDE_LATER_VERSION : SET_ASIDE_DAMAGED,
                        text ? text : "set aside, cannot be read");
                return 0;
        }
        r = settle_secrets(load, names, j);
        if (r > 0)
                *ret = TAKE_PTR(j);
        return r;
}

static int compare_jobs(const void *a, const void *b) {
        const Job *x = *(Job *const *) a, *y = *(Job *const *) b;

        if (x->serial != y->serial)
                return x->serial < y->serial ? -1 : 1;
        return strcmp(x->id, y->id);
}

static bool was_taken_back(const Names *names, const Job *j) {
        for (size_t i = 0; i < names->n_taken_back; i++)
                if (streq(names->taken_back[i], j->id))
                        return true;
        return false;
}

/* Behind the others: where its key was asked for again meanwhile, that job is the one that its
 * caller knows. */
static void move_taken_back(const Names *names, JobList *l) {
        for (size_t i = 0, end = l->n; names->n_taken_back > 0 && i < end;) {
                Job *j = l->jobs[i];

                if (!was_taken_back(names, j)) {
                        i++;
                        continue;
                }
                memmove(l->jobs + i, l->jobs + i + 1, (l->n - i - 1) * sizeof(Job *));
                l->jobs[l->n - 1] = j;
                end--;
        }
}

static int load_all(Load *load, Names *names, JobList *ret) {
        _cleanup_(job_list_done) JobList list = {};

        if (names->n_secrets > 0)
                qsort(names->secrets, names->n_secrets, sizeof(*names->secrets), compare_ids);
        if (names->n_jobs > 0) {
                qsort(names->jobs, names->n_jobs, sizeof(*names->jobs), compare_ids);
                list.jobs = calloc(names->n_jobs, sizeof(Job *));
                if (!list.jobs)
                        return -ENOMEM;
        }
        for (size_t i = 0; i < names->n_jobs; i++) {
                int r = load_job(load, names, names->jobs[i], list.jobs + list.n);

                if (r < 0)
                        return r;
                list.n += (size_t) r;
        }
        for (size_t i = 0; i < names->n_secrets; i++)
                if (names->n_jobs == 0 || !bsearch(names->secrets[i], names->jobs, names->n_jobs,
                                                   sizeof(*names->jobs), compare_ids))
                        erase_secrets(load, names->secrets[i]);
        if (list.n > 0)
                qsort(list.jobs, list.n, sizeof(Job *), compare_jobs);
        move_taken_back(names, &list);
        *ret = list;
        list = (JobList){};
        return 0;
}

static int on_taken_back(const char *id, void *userdata) {
        Names *names = userdata;

        return names_add(&names->taken_back, &names->n_taken_back, id);
}

static void say_missing(const MissingKey *missing) {
        if (missing->n_jobs > 0)
                log_error("%zu jobs stand aside, since their secrets are sealed with state keys "
                          "that are not here, such as %s; name it with FormerStateKey= and start "
                          "again, and they are taken back.",
                          missing->n_jobs, missing->id);
}

int load_jobs(const Directory *directory, const StateKeys *keys, const JobClock *clock,
              JobList *ret, FormerList *ret_former) {
        Load load = {.disk = &directory->disk, .keys = keys, .clock = clock};
        _cleanup_(names_done) Names names = {};
        int r;

        r = set_aside_take_back(directory, keys, on_taken_back, &names, &load.missing);
        if (r >= 0)
                r = directory_each(directory, on_name, &names);
        if (r >= 0)
                r = load_all(&load, &names, ret);
        if (r < 0) {
                former_list_done(&load.former);
                return r;
        }
        say_missing(&load.missing);
        if (load.swept)
                /* Where it does not become durable, the next start does it again. */
                (void) disk_sync_directory(&directory->disk);
        *ret_former = load.former;
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Keys that were made for jobs in a token (KeyStore=), and are of use to nobody any more: since
 * their job was cancelled, or failed without a certificate, or is forgotten without having had a
 * result. Such a key is removed, and one whose certificate was ever to be fetched never is: it may
 * be in use, and is the device's.
 *
 * That the job's result has the key's URI says that there may be one: it stands there from before
 * the key is made until it is removed. So each start, and each time that the token comes back,
 * finds what is still to be removed. Only where the job itself is forgotten meanwhile, or KeyStore=
 * is another one, it is left to people, who are told. */

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/crypto/token-key.h"
#include "daemon/manager/manager-internal.h"
#include "daemon/provider/job-run.h"
#include "daemon/provider/key-name.h"

/* A token that failed is asked again. */
#define RETRY_USEC (5 * USEC_PER_MINUTE)

/* How long one who has the job forgotten waits for the token. */
#define PATIENCE_USEC (10 * USEC_PER_SEC)

/* --- what may be asked */

Failure *job_keys_refuse(const JobSpec *spec, const Profile *profile) {
        if (!profile->key_store)
                return NULL;
        if (spec->key_source == KEY_SOURCE_CLOUD)
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Option 'key-source': profile '%s' has its keys made in a token "
                                   "(KeyStore=), which the cloud cannot; leave it out",
                                   profile->name);
        if (spec->operation == OPERATION_CREATE_KEYS_AND_CERTIFICATE)
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Operation '%s' has the cloud make the key, and profile '%s' "
                                   "has its keys made in a token (KeyStore=); use provision",
                                   operation_to_string(spec->operation), profile->name);
        return NULL;
}

/* --- on the thread of the tokens */

struct KeyRemoval {
        Token *store;
        KeyName name;
        int error;
        char *why;
        Job *job; /* loop thread only; NULL: nobody waits for it any more */
};

static void removal_run(void *task) {
        KeyRemoval *r = task;

        r->error =
                token_key_destroy(r->store, r->name.label, r->name.id, sizeof(r->name.id), &r->why);
}

static void removal_destroy(void *task) {
        KeyRemoval *r = task;

        token_unref(r->store);
        free(r->why);
        free(r);
}

static void on_removed(Job *job, int error, const char *why);

static void removal_complete(void *task, void *userdata) {
        KeyRemoval *r = task;

        if (!r->job)
                return;
        r->job->errand->key_removal = NULL;
        on_removed(r->job, r->error, r->why);
}

static const WorkerTaskType removal_type = {
        .run = removal_run, .complete = removal_complete, .destroy = removal_destroy};

void job_keys_forget(JobErrand *errand) {
        errand->key_timer = sd_event_source_disable_unref(errand->key_timer);
        if (errand->key_removal)
                errand->key_removal->job = NULL;
        errand->key_removal = NULL;
}

/* --- on the loop */

static void say(const Job *job, int level, const char *what, const char *why) {
        const LogField fields[] = {{"FLEETPROV_JOB", job->id},
                                   {"FLEETPROV_KEY", job->spec->key},
                                   {"FLEETPROV_PROFILE", job->spec->profile}};

        log_message(level, fields, ELEMENTSOF(fields), "Job %s: the key %s %s%s%s", job->id,
                    job->result.private_key_uri, what, why ? ": " : "", why ? why : "");
}

static void leave_to_people(const Job *job, const char *why) {
        say(job, LOG_WARNING,
            "may be left in its token, where nobody uses it; remove it by the token's own tools",
            why);
}

/* Whoever waited for it goes on. */
static bool settle(Job *job) {
        JobErrand *errand = job->errand;
        void (*then)(Job * job, void *userdata) = errand->key_settled;

        if (!then)
                return false;
        job_keys_forget(errand);
        errand->key_settled = NULL;
        then(job, errand->key_userdata);
        return true;
}

static void on_noted(Job *job, int error, void *userdata) {
        if (error < 0) /* the next start looks for it once more */
                log_warning_errno(error, "Job %s: that its key was removed is not on record",
                                  job->id);
}

/* Its certificate is of no use without the key, nor is what would have it registered. */
static void note_removed(Job *job) {
        free(TAKE_PTR(job->result.private_key_uri));
        (void) job_give_up_certificate(job);
        change_commit(&(Change){.job = job,
                                .state = job->state,
                                .phase = job->phase,
                                .failure = failure_copy(job->failure),
                                .secrets = job->secrets_stored ? SECRETS_ERASE : SECRETS_KEEP,
                                .acknowledged = job->acknowledged,
                                .done = on_noted});
}

static int on_retry_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *job = userdata;

        job->errand->key_timer = sd_event_source_disable_unref(job->errand->key_timer);
        job_keys_end(job);
        return 0;
}

/* In the meantime the job may have been asked for again: then its next try makes a key anew. */
static void on_removed(Job *job, int error, const char *why) {
        JobErrand *errand = job->errand;

        if (error >= 0) {
                if (job->result.private_key_uri)
                        say(job, LOG_NOTICE, "was removed from its token: nobody can use it", NULL);
                if (!settle(job) && job_has_unused_key(job) && !errand->creating)
                        note_removed(job);
                return;
        }
        if (errand->key_settled) {
                leave_to_people(job, why ? why : strerrordesc_np(-error));
                (void) settle(job);
                return;
        }
        say(job, LOG_WARNING, "cannot be removed from its token yet; it is tried again",
            why ? why : strerrordesc_np(-error));
        errand->key_timer = sd_event_source_disable_unref(errand->key_timer);
        (void) sd_event_add_time_relative(errand->manager->event, &errand->key_timer,
                                          CLOCK_BOOTTIME, RETRY_USEC, 0, on_retry_timer, job);
}

/* NULL: the key is in no token that the profile names now; *ret_wait: it may yet come. */
static Token *store_of(const Job *job, const KeyName *name, bool *ret_wait) {
        const Slot *s = job->errand->slot;
        _cleanup_free_ char *uri = NULL;

        *ret_wait = s && s->profile->key_store && !s->key_store;
        if (!s || !s->key_store ||
            token_key_uri_of(s->key_store, name->label, name->id, sizeof(name->id), &uri) < 0)
                return NULL;
        return streq_ptr(uri, job->result.private_key_uri) ? s->key_store : NULL;
}

static int order_removal(Job *job, Token *store, const KeyName *name) {
        KeyRemoval *r = calloc(1, sizeof(KeyRemoval));
        int k;

        if (!r)
                return -ENOMEM;
        *r = (KeyRemoval){.store = token_ref(store), .name = *name, .job = job};
        k = worker_submit(job->errand->manager->tokens, &removal_type, r, NULL);
        if (k >= 0)
                job->errand->key_removal = r;
        return k;
}

static void begin(Job *job) {
        bool wait = false;
        Token *store;
        KeyName name;
        int r;

        r = key_name_make(job->id, job->owner, &name);
        store = r >= 0 ? store_of(job, &name, &wait) : NULL;
        if (store)
                r = order_removal(job, store, &name);
        if (r < 0) {
                on_removed(job, r, NULL);
                return;
        }
        if (store || wait) /* job_keys_sweep() comes back to one that waits */
                return;
        leave_to_people(job, NULL);
        (void) settle(job);
}

void job_keys_end(Job *job) {
        const JobErrand *errand = job->errand;

        if (job_has_unused_key(job) && !job_may_use_key_again(job) && !errand->key_removal &&
            !errand->releasing && !errand->creating)
                begin(job);
}

void job_keys_sweep(Slot *s) {
        Job *job;

        for (job = job_table_first(s->manager->jobs); job; job = job_table_next(job)) {
                if (!job->errand || job->errand->slot != s)
                        continue;
                if (job->errand->key_settled && !job->errand->key_removal)
                        begin(job);
                else
                        job_keys_end(job);
        }
}

static int on_patience_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Job *job = userdata;

        leave_to_people(job, "the token is not there, or does not answer");
        (void) settle(job);
        return 0;
}

bool job_keys_settle(Job *job, void (*then)(Job *job, void *userdata), void *userdata) {
        JobErrand *errand = job->errand;

        if (!job_has_unused_key(job))
                return false;
        errand->key_settled = then;
        errand->key_userdata = userdata;
        errand->key_timer = sd_event_source_disable_unref(errand->key_timer);
        (void) sd_event_add_time_relative(errand->manager->event, &errand->key_timer,
                                          CLOCK_BOOTTIME, PATIENCE_USEC, 0, on_patience_timer, job);
        if (!errand->key_removal)
                begin(job); /* may be over at once, and all of the job with it */
        return true;
}

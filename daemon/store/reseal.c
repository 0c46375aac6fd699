/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/reseal.h"

#include <errno.h>

#include "daemon/base/log.h"

#define RESEAL_LOT_MAX ((size_t) 8) /* under way at a time */
#define RESEAL_PAUSE_USEC (10 * USEC_PER_MSEC)
#define RESEAL_RETRY_USEC (10 * USEC_PER_MINUTE) /* after the disk refused */

struct Reseal {
        const ResealOps *ops;
        void *userdata;
        const StateKeys *keys;
        FormerList list;
        size_t next, under_way;
        size_t failed; /* of this round; they stand in front of the list */
        size_t lost;   /* that do not open any more */
        int error;     /* of the last that failed */
        sd_event_source *timer;
};

static void say_what_may_go(const StateKeys *keys) {
        for (size_t i = 1; i < keys->n; i++)
                log_notice("Nothing is sealed with the former state key %s (%s) any more, all is "
                           "with %s: it may be removed.",
                           keys->keys[i]->id, keys->names[i], keys->keys[0]->id);
}

static void wait_until(Reseal *r, usec_t delay_usec) {
        int k = sd_event_source_set_time_relative(r->timer, delay_usec);

        if (k >= 0)
                k = sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
        if (k < 0)
                log_warning_errno(k, "Secrets are sealed anew at the next start only");
}

static void come_round(Reseal *r) {
        if (r->failed == 0 && r->lost == 0)
                say_what_may_go(r->keys);
        if (r->failed == 0)
                return;
        log_warning_errno(r->error,
                          "%zu jobs' secrets are still sealed with a former state key; tried again "
                          "in a while",
                          r->failed);
        r->list.n = r->failed;
        r->next = r->failed = 0;
        wait_until(r, RESEAL_RETRY_USEC);
}

static bool is_lost(int error) {
        return error == -EBADMSG || error == -ENOKEY;
}

/* Takes the secrets. What was erased or set aside meanwhile needs no key any more. */
static void note_result(Reseal *r, int error, FormerSecrets *secrets) {
        if (is_lost(error)) {
                r->lost++;
                log_warning_errno(error,
                                  "job %s: its secrets cannot be sealed anew; the former state key "
                                  "is wanted as long as they are there",
                                  secrets->id);
        } else if (error < 0 && error != -ENOENT) {
                r->error = error;
                r->list.items[r->failed++] = *secrets;
                *secrets = (FormerSecrets){};
        }
        former_secrets_done(secrets);
}

static void next_step(Reseal *r) {
        if (r->under_way > 0)
                return;
        if (r->next < r->list.n)
                wait_until(r, RESEAL_PAUSE_USEC);
        else
                come_round(r);
}

typedef struct Errand {
        Reseal *reseal;
        FormerSecrets secrets;
} Errand;

static void on_resealed(int error, void *userdata) {
        Errand *errand = userdata;
        Reseal *r = errand->reseal;

        r->under_way--;
        note_result(r, error, &errand->secrets);
        free(errand);
        next_step(r);
}

static void begin_one(Reseal *r) {
        FormerSecrets secrets = r->list.items[r->next];
        Errand *errand = calloc(1, sizeof(Errand));
        int k = -ENOMEM;

        r->list.items[r->next++] = (FormerSecrets){};
        if (errand) {
                *errand = (Errand){.reseal = r, .secrets = secrets};
                k = r->ops->reseal(r->userdata, &errand->secrets, on_resealed, errand);
        }
        if (k >= 0) {
                r->under_way++;
                return;
        }
        free(errand);
        note_result(r, k, &secrets);
}

static void go_on(Reseal *r) {
        /* Whoever waits for the disk goes first. */
        if (r->ops->pending(r->userdata) == 0)
                while (r->under_way < RESEAL_LOT_MAX && r->next < r->list.n)
                        begin_one(r);
        next_step(r);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        go_on(userdata);
        return 0;
}

int reseal_new(sd_event *event, const ResealOps *ops, void *userdata, const StateKeys *keys,
               FormerList *list, Reseal **ret) {
        Reseal *r;
        int k;

        *ret = NULL;
        if (list->n == 0) {
                say_what_may_go(keys);
                return 0;
        }
        r = calloc(1, sizeof(Reseal));
        if (!r)
                return -ENOMEM;
        *r = (Reseal){.ops = ops, .userdata = userdata, .keys = keys, .list = *list};
        *list = (FormerList){};
        k = sd_event_add_time_relative(event, &r->timer, CLOCK_BOOTTIME, 0, 0, on_timer, r);
        if (k < 0) {
                reseal_free(r);
                return k;
        }
        log_notice("%zu jobs' secrets are sealed with a former state key: they are sealed anew "
                   "with %s.",
                   r->list.n, keys->keys[0]->id);
        *ret = r;
        return 0;
}

Reseal *reseal_free(Reseal *r) {
        if (!r)
                return NULL;
        sd_event_source_disable_unref(r->timer);
        former_list_done(&r->list);
        free(r);
        return NULL;
}

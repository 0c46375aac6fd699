/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Device keys of a lane's jobs: made in memory, or in the token of KeyStore=, where the key of an
 * earlier try or life is found again. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/crypto/certificate.h"
#include "daemon/provider/key-place.h"
#include "daemon/provider/lane-internal.h"

static bool is_in_token(const Lane *lane) {
        return lane->job->run->exchange.key_in_token;
}

static void failed(Lane *lane, int error, const char *why) {
        if (!is_in_token(lane)) {
                aws_exchange_broken(lane, error, "Making a key", NULL);
                return;
        }
        aws_exchange_event(
                lane, key_place_may_come(error) ? EXCHANGE_EVENT_KEY_LATER : EXCHANGE_EVENT_BROKEN,
                key_place_failure(lane->profile, error, why));
}

void aws_key_place(Lane *lane) {
        Failure *failure = NULL;
        int r;

        r = key_place_choose(lane->job, lane->profile, lane->key_store, &failure);
        if (r < 0)
                aws_exchange_event(lane,
                                   key_place_may_come(r) ? EXCHANGE_EVENT_KEY_LATER
                                                         : EXCHANGE_EVENT_BROKEN,
                                   failure);
        else if (r == 0)
                aws_exchange_event(lane, EXCHANGE_EVENT_STORED, NULL);
        else
                lane->options.ops->store(lane->options.userdata, lane->job, NULL, NULL);
}

/* 1: it does; 0: it does not. */
static int fits_certificate(const Job *job, const MadeKey *made) {
        _cleanup_certificate_ Certificate *certificate = NULL;
        const char *pem = job->result.certificate_pem;
        int r;

        r = pem ? certificate_parse(pem, strlen(pem), &certificate, NULL) : -EINVAL;
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        return certificate_carries_key(certificate, made->spki, made->spki_size);
}

static void gone(Lane *lane) {
        Job *job = lane->job;

        (void) job_add_history(job, clock_real_usec(), job->state, job->phase,
                               "the certificate's key is not in the token any more");
        aws_exchange_event(lane, EXCHANGE_EVENT_KEY_GONE, NULL);
}

static void on_made(MadeKey *made, void *userdata) {
        Lane *lane = userdata;
        JobRun *run = lane->job->run;
        int fits = 1;

        lane->key_order = NULL;
        if (made->error >= 0 && exchange_looks_for_key(&run->exchange))
                fits = fits_certificate(lane->job, made);
        if (made->error == -ENOKEY || fits == 0)
                gone(lane);
        else if (made->error < 0 || fits < 0)
                failed(lane, made->error < 0 ? made->error : fits, made->why);
        else {
                job_run_take_key(run, made);
                aws_exchange_event(lane, EXCHANGE_EVENT_KEY_MADE, NULL);
        }
}

static int on_patience_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Lane *lane = userdata;

        lane->key_order = key_order_forget(lane->key_order);
        aws_exchange_event(lane, EXCHANGE_EVENT_KEY_LATER, key_place_silence(lane->profile));
        return 0;
}

void aws_key_make(Lane *lane) {
        Worker *worker = is_in_token(lane) ? lane->options.tokens : lane->options.crypto;
        KeyWish wish = {.type = job_run_key_type(lane->job, lane->profile),
                        .common_name = lane->job->id};
        int r = 0;

        if (is_in_token(lane)) {
                wish.store = lane->key_store;
                wish.existing = exchange_looks_for_key(&lane->job->run->exchange);
                r = key_name_make(lane->job->id, lane->job->owner, &wish.name);
                if (r >= 0)
                        r = sd_event_add_time_relative(lane->options.event, &lane->response_timer,
                                                       CLOCK_BOOTTIME, KEY_PLACE_PATIENCE_USEC, 0,
                                                       on_patience_timer, lane);
        }
        if (r >= 0)
                r = key_order_new(worker, &wish, on_made, lane, &lane->key_order);
        if (r < 0)
                failed(lane, r, NULL);
}

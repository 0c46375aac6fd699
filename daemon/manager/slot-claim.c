/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A profile's claim, whose files are watched. One that is not there yet is waited for. One that
 * changed is taken up when it is whole, and the former serves until the new one has connected: what
 * the service refuses is put aside, and tried again when its files change, or after a while. */

#include <errno.h>
#include <libgen.h>
#include <sys/inotify.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

/* Certificate and key are replaced one after the other: let the dust settle. */
#define CLAIM_DEBOUNCE_USEC (200 * USEC_PER_MSEC)

/* A certificate may be registered or activated in the cloud after it came here. Each try costs the
 * session a moment. */
#define CLAIM_RETRY_USEC (5 * 60 * USEC_PER_SEC)

/* A cloud may say no by dropping the connection upon CONNECT, without a word: where the policy does
 * not allow iot:Connect, or the certificate is not active. So does a bad network, now and then: so
 * many in a row are a refusal. */
#define CLAIM_DROPS_MAX 3U

/* A token may come at any time, and nobody tells. Each look costs a moment, and never a PIN that
 * was refused before. */
#define CLAIM_TOKEN_RETRY_USEC (2 * USEC_PER_SEC)

/* One that hangs never answers. Whoever waits for it to be read hears of that before he gives up
 * himself (25 s, sd_bus_call(3)); and when it answers after all, the claim is taken up. */
#define CLAIM_TOKEN_PATIENCE_USEC (15 * USEC_PER_SEC)

#define CLAIM_EVENTS                                                                         \
        (IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | \
         IN_MOVE_SELF)
#define ANCESTOR_EVENTS (IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF)

static void log_claim(const Slot *s, int level, const char *text, const Failure *failure) {
        const LogField fields[] = {
                {"FLEETPROV_PROFILE", s->profile->name},
                {"FLEETPROV_ERROR", failure ? error_code_to_string(failure->code) : NULL}};

        log_message(level, fields, ELEMENTSOF(fields), "Profile %s: %s%s", s->profile->name, text,
                    failure_message(failure));
}

static int on_retry_timer(sd_event_source *source, uint64_t usec, void *userdata);

static void retry_later(Slot *s, usec_t usec) {
        s->claim_retry_timer = sd_event_source_disable_unref(s->claim_retry_timer);
        (void) sd_event_add_time_relative(s->manager->event, &s->claim_retry_timer, CLOCK_BOOTTIME,
                                          usec, 0, on_retry_timer, s);
}

static void retry_token(Slot *s) {
        usec_t usec = CLAIM_TOKEN_RETRY_USEC;

        for (unsigned i = 0; i < s->claim_failures && usec < CLAIM_RETRY_USEC; i++)
                usec *= 2;
        if (usec < CLAIM_RETRY_USEC)
                s->claim_failures++;
        retry_later(s, usec);
}

/* The old pair serves on where the new files are no pair (yet). */
static void keep_without_claim(Slot *s, Failure *failure) {
        if (!streq_ptr(failure_message(failure),
                       s->status.last_error ? failure_message(s->status.last_error) : NULL))
                log_claim(s, LOG_WARNING, "", failure);
        if (s->claim)
                failure_free(failure);
        else
                slot_set_status_error(s, failure);
        if (profile_uses_token(s->profile))
                retry_token(s);
}

/* --- which one serves */

static void open_session(Slot *s) {
        int r;

        (void) slot_describe(s);
        if (s->profile->provider == PROVIDER_AZURE_DPS)
                slot_forget_tries(s);
        r = way_open(s->way, s->claim);
        if (r < 0)
                log_error_errno(r, "Profile %s: cannot take up its claim", s->profile->name);
        slot_refresh_status(s);
        dispatch_end_waits(s);
}

static void stop_retrying(Slot *s) {
        s->refused_claim = claim_free(s->refused_claim);
        s->claim_retry_timer = sd_event_source_disable_unref(s->claim_retry_timer);
}

/* Takes both; no claim: the failure says why. */
static void choose(Slot *s, Claim *fresh, Failure *failure) {
        _cleanup_claim_ Claim *claim = fresh;

        if (!claim) {
                keep_without_claim(s, failure);
                return;
        }
        if (s->refused_claim && claim_equal(claim, s->refused_claim))
                return;
        stop_retrying(s);
        s->claim_failures = 0;
        if (claim_equal(claim, s->claim))
                return;
        if (s->claim_connected) {
                claim_free(s->former_claim);
                s->former_claim = TAKE_PTR(s->claim);
        }
        claim_free(s->claim);
        s->claim = TAKE_PTR(claim);
        s->claim_connected = false;
        s->claim_drops = 0;
        open_session(s);
}

/* Whoever waited for it to be read is served, or refused. */
static void end_wait(Slot *s) {
        s->claim_patience_timer = sd_event_source_disable_unref(s->claim_patience_timer);
        if (!s->claim_awaited)
                return;
        s->claim_awaited = false;
        held_submit(s->manager, &s->held);
        reload_claim_read(s->manager);
}

/* Likewise. */
static void take_up(Slot *s, Claim *fresh, Failure *failure) {
        choose(s, fresh, failure);
        claim_expiry_look(s);
        end_wait(s);
}

static Failure *token_is_silent(const Slot *s) {
        return failure_new(ERROR_NOT_INITIALIZED,
                           "Profile %s: the token does not answer; look at the token and its "
                           "reader",
                           s->profile->name);
}

static int on_claim_patience_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Slot *s = userdata;
        Failure *failure = token_is_silent(s);

        log_claim(s, LOG_WARNING, "", failure);
        slot_set_status_error(s, failure);
        end_wait(s);
        return 0;
}

/* Where memory is short. Blocks, for an encrypted key up to two seconds. */
static void load_now(Slot *s) {
        Claim *claim = NULL;
        Failure *failure = NULL;

        /* A token that does not answer would hold the loop; its queue is full of those who wait. */
        if (profile_uses_token(s->profile))
                failure = token_is_silent(s);
        else
                (void) claim_load(s->profile, NULL, &claim, &failure);
        take_up(s, claim, failure);
}

static void forget_loaded(Slot *s) {
        s->claim_order = claim_order_forget(s->claim_order);
        s->loaded_claim = claim_free(s->loaded_claim);
        s->loaded_failure = failure_free(s->loaded_failure);
        s->claim_is_loaded = s->claim_is_stale = false;
}

static void load_soon(Slot *s) {
        s->claim_is_stale = false;
        log_debug("Profile %s: reading its claim", s->profile->name);
        if (claim_order_new(s, &s->claim_order) < 0)
                load_now(s);
}

/* A job may have begun in the meantime. */
void slot_claim_loaded(Slot *s, Claim *claim, Token *key_store, Failure *failure) {
        log_debug("Profile %s: its claim is read", s->profile->name);
        if (key_store) { /* else the one that was there may come back */
                token_unref(s->key_store);
                s->key_store = key_store;
                job_keys_sweep(s);
        }
        s->claim_order = NULL;
        s->loaded_claim = claim;
        s->loaded_failure = failure;
        s->claim_is_loaded = true;
        s->claim_due = true;
        dispatch_kick(s->manager);
}

static void touch(Slot *s);

static int on_retry_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Slot *s = userdata;

        stop_retrying(s);
        touch(s);
        return 0;
}

static void fall_back(Slot *s) {
        log_claim(s, LOG_WARNING, "the former claim serves on, since the new one is not taken: ",
                  way_last_error(s->way));
        claim_free(s->refused_claim);
        s->refused_claim = TAKE_PTR(s->claim);
        s->claim = TAKE_PTR(s->former_claim);
        s->claim_connected = true;
        s->claim_refused = false;
        open_session(s);
        retry_later(s, CLAIM_RETRY_USEC);
}

/* What another claim can mend; a network that is down is no claim's fault. Nor is a clock that is
 * wrong, but where it is only not known to be right, that may be so for ever, and the former claim
 * was let in by it: where it is wrong since, that one is refused as well, and the jobs wait on. */
static bool is_about_the_claim(const Failure *failure) {
        ErrorCode code = failure ? failure->code : ERROR_CONNECTION_LOST;

        return code == ERROR_CREDENTIALS_REFUSED || code == ERROR_PERMISSION_DENIED_BY_POLICY ||
               code == ERROR_TLS_TRUST || code == ERROR_TLS_FAILED || code == ERROR_NOT_INITIALIZED;
}

/* Of a claim that has not connected yet. Called once for each session that failed; a registrar is
 * refused in words. */
static bool is_refusal(Slot *s, const Failure *failure) {
        if (s->way.lane && failure && failure->code == ERROR_CONNECTION_LOST)
                return ++s->claim_drops >= CLAIM_DROPS_MAX;
        s->claim_drops = 0;
        return is_about_the_claim(failure);
}

/* A session waits before it tries again; a registrar waits for a job. */
static bool has_failed(Way way) {
        return way_state(way) == (way.registrar ? SESSION_OFFLINE : SESSION_BACKOFF);
}

bool slot_claim_is_refused(const Slot *s) {
        return s->claim_refused && s->former_claim;
}

void slot_claim_session_changed(Slot *s) {
        if (way_state(s->way) == SESSION_READY) {
                s->claim_connected = true;
                s->claim_refused = false;
                s->former_claim = claim_free(s->former_claim);
                claim_expiry_look(s);
        } else if (s->former_claim && has_failed(s->way) && is_refusal(s, way_last_error(s->way))) {
                s->claim_refused = true;
                if (s->way.registrar)
                        s->claim_due = true; /* before the job is begun again */
                else
                        touch(s); /* not from within the session's own change */
        }
}

/* --- the files */

static int on_claim_inotify(sd_event_source *source, const struct inotify_event *event,
                            void *userdata) {
        touch(userdata);
        return 0;
}

/* A file is replaced by rename, so its folder is what is watched; while that is missing, the
 * nearest one above it, in which it can appear. */
static void watch_file(Slot *s, size_t i, const char *file) {
        _cleanup_free_ char *path = strdup(file);
        uint32_t events = CLAIM_EVENTS;
        char *folder = path;
        int r;

        if (!path)
                return;
        do {
                folder = dirname(folder);
                r = sd_event_add_inotify(s->manager->event, &s->claim_watch[i], folder,
                                         events | IN_ONLYDIR, on_claim_inotify, s);
                events = ANCESTOR_EVENTS;
        } while ((r == -ENOENT || r == -ENOTDIR) && folder[1] != '\0');
        if (r < 0)
                log_warning_errno(r,
                                  "Profile %s: changes of %s are not noticed; reload after a "
                                  "change",
                                  s->profile->name, file);
}

static void watch(Slot *s) {
        const char *files[CLAIM_FILES] = {};

        claim_files(s->profile, files);
        for (size_t i = 0; i < CLAIM_FILES; i++) {
                s->claim_watch[i] = sd_event_source_disable_unref(s->claim_watch[i]);
                if (files[i] && files[i][0] == '/')
                        watch_file(s, i, files[i]);
        }
}

/* Taking up a claim in mid-exchange would cost the answer. */
void slot_claim_settle(Slot *s) {
        if (!s->claim_due || way_job(s->way) || s->preparing)
                return;
        s->claim_due = false;
        if (slot_claim_is_refused(s))
                fall_back(s);
        if (s->claim_order) /* it will be looked at again when that is read */
                return;
        if (s->claim_is_loaded) {
                s->claim_is_loaded = false;
                take_up(s, TAKE_PTR(s->loaded_claim), TAKE_PTR(s->loaded_failure));
                if (!s->claim_is_stale)
                        return;
        }
        /* Folders may have come, gone or changed places: look again, then read. */
        watch(s);
        load_soon(s);
}

static int on_claim_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Slot *s = userdata;

        s->claim_timer = sd_event_source_disable_unref(s->claim_timer);
        s->claim_is_stale = true;
        s->claim_due = true;
        dispatch_kick(s->manager); /* which settles it before it starts another job */
        return 0;
}

static void touch(Slot *s) {
        if (!s->claim_timer)
                (void) sd_event_add_time_relative(s->manager->event, &s->claim_timer,
                                                  CLOCK_BOOTTIME, CLAIM_DEBOUNCE_USEC, 0,
                                                  on_claim_timer, s);
}

/* --- life */

/* An encrypted key takes seconds, and others are to be served meanwhile; who needs the claim waits,
 * so that one who submits right after a start or a reload finds it. */
void slot_claim_begin(Slot *s) {
        watch(s);
        s->claim_awaited = true;
        if (profile_uses_token(s->profile))
                (void) sd_event_add_time_relative(s->manager->event, &s->claim_patience_timer,
                                                  CLOCK_BOOTTIME, CLAIM_TOKEN_PATIENCE_USEC, 0,
                                                  on_claim_patience_timer, s);
        load_soon(s);
}

void slot_claim_end(Slot *s) {
        for (size_t i = 0; i < CLAIM_FILES; i++)
                s->claim_watch[i] = sd_event_source_disable_unref(s->claim_watch[i]);
        s->claim_timer = sd_event_source_disable_unref(s->claim_timer);
        s->claim_patience_timer = sd_event_source_disable_unref(s->claim_patience_timer);
        stop_retrying(s);
        forget_loaded(s);
        s->claim = claim_free(s->claim);
        s->key_store = token_unref(s->key_store);
        s->former_claim = claim_free(s->former_claim);
        s->claim_connected = s->claim_refused = s->claim_due = s->claim_awaited = false;
        s->claim_failures = 0;
}

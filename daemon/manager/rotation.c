/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Rotations. The certificate that a rotation was handed is its claim, so each has a session of its
 * own, beside the profile's: opened when it is its turn, closed when it leaves. One at a time in a
 * profile; the claim's session and its jobs go on meanwhile.
 *
 * - The client ids of the session, and of the connection that tries the new certificate, are made
 *   of the job's: nobody else's, and above all not the thing's, whose device is connected while its
 *   certificate is rotated.
 * - That the certificate is refused, again and again, ends the job: nothing that time brings would
 *   change it. A network that is away does not; but whoever waits behind it gets a turn, too.
 * - A session that breaks in mid-exchange is opened again for the same job. One that waits between
 *   two tries leaves, and comes back in its turn. */

#include <errno.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/manager/manager-internal.h"
#include "daemon/provider/key-place.h"

/* A certificate that was made a moment ago may not be known everywhere yet. */
#define ROTATION_REFUSALS_MAX 3U

/* Tries of a session before the next in turn may have one. */
#define ROTATION_YIELD_AFTER 3U

/* Tries that fail while the claim's session with the same service is well. */
#define ROTATION_FAILURES_MAX 8U

#define CLIENT_ID_FORMAT "fleetprovd-rotate-%s"
#define VERIFY_CLIENT_ID_FORMAT "fleetprovd-verify-%s"

int rotation_init(Slot *s) {
        s->rotation.queue = queue_new();
        return s->rotation.queue ? 0 : -ENOMEM;
}

static void close_session(Rotation *r) {
        r->lane = lane_free(r->lane);
        job_secrets_done(&r->secrets);
        r->profile = (Profile){}; /* its texts are others' */
        free(TAKE_PTR(r->client_id));
        free(TAKE_PTR(r->verify_client_id));
}

void rotation_done(Slot *s) {
        s->rotation.key = rotation_key_forget(s->rotation.key);
        close_session(&s->rotation);
        s->rotation.queue = queue_free(s->rotation.queue);
}

/* --- whose turn it is */

static bool is_at_work(const Rotation *r) {
        return r->lane && lane_job(r->lane);
}

static void leave(Slot *s) {
        s->rotation.key = rotation_key_forget(s->rotation.key);
        s->rotation.job = NULL;
        s->rotation.preparing = s->rotation.without_session = false;
        dispatch_kick(s->manager); /* which closes the session */
}

void rotation_forget(Slot *s, Job *job) {
        if (s->rotation.job == job)
                leave(s);
}

/* Its thing is registered: what is left is to try the certificate. */
static bool is_registered(const Job *job) {
        return job->result.thing_name != NULL;
}

bool rotation_put_back(Slot *s, const Job *job, usec_t delay_usec) {
        if (s->rotation.job != job)
                return false;
        if (delay_usec == 0 || is_registered(job)) /* that wait is short */
                return true;
        leave(s);
        return false;
}

/* Between two tries. */
static bool is_waiting(const Rotation *r) {
        return r->job->errand->wait_timer != NULL;
}

/* One that waits comes back by itself. */
static void give_up_turn(Slot *s, DispatchPlace place) {
        Job *job = s->rotation.job;
        bool waits = is_waiting(&s->rotation);

        leave(s);
        if (!waits)
                dispatch_enqueue(job, place);
}

bool rotation_stand_down(Slot *s) {
        Rotation *r = &s->rotation;

        if (is_at_work(r) || r->preparing)
                return false;
        if (r->job)
                give_up_turn(s, DISPATCH_FIRST);
        close_session(r);
        return true;
}

/* --- its session */

static Failure *refused_certificate(const Rotation *r, const Failure *why) {
        return failure_with_cause(
                failure_new(
                        failure_code(why),
                        "%s does not let the certificate in that is to be rotated: %s; where it "
                        "was revoked or has expired, have a new identity provisioned",
                        r->profile.endpoint, failure_message(why)),
                failure_copy(why));
}

static Failure *unreachable(const Rotation *r, const Failure *why) {
        Failure *f;

        f = failure_new(failure_code(why),
                        "%s lets the profile's claim in, and not the certificate that is to be "
                        "rotated, %u times: %s",
                        r->profile.endpoint, r->failures, failure_message(why));
        if (f)
                f->retriable = true;
        return failure_with_cause(f, failure_copy(why));
}

static bool speaks_of_certificate(const Failure *why) {
        ErrorCode code = failure_code(why);

        return code == ERROR_CREDENTIALS_REFUSED || code == ERROR_TLS_FAILED ||
               (code == ERROR_SERVER_REFUSED && why && !why->retriable);
}

/* NULL: it may yet come to something. */
static Failure *why_hopeless(const Slot *s, const Failure *why) {
        const Rotation *r = &s->rotation;

        if (failure_code(why) == ERROR_PERMISSION_DENIED_BY_POLICY ||
            r->refusals >= (is_registered(r->job) ? 1 : ROTATION_REFUSALS_MAX))
                return refused_certificate(r, why);
        if (r->failures >= ROTATION_FAILURES_MAX && way_state(s->way) == SESSION_READY)
                return unreachable(r, why);
        return NULL;
}

static void on_session_failed(Slot *s) {
        Rotation *r = &s->rotation;
        const Failure *why = lane_last_error(r->lane);
        Failure *hopeless;

        r->failures++;
        r->refusals = speaks_of_certificate(why) ? r->refusals + 1 : 0;
        hopeless = why_hopeless(s, why);
        if (hopeless && is_registered(r->job)) {
                /* A template may end the old certificate when it registers the new one. */
                failure_free(hopeless);
                r->without_session = true;
                dispatch_kick(s->manager);
        } else if (hopeless)
                ending_begin(r->job, JOB_FAILED, hopeless, NULL,
                             "the certificate that is to be rotated gets no session");
        else if (r->failures >= ROTATION_YIELD_AFTER && queue_size(r->queue) > 0)
                give_up_turn(s, DISPATCH_LAST);
}

void rotation_session_changed(Slot *s) {
        Rotation *r = &s->rotation;

        /* A job at work is told by its lane. */
        if (!r->job || is_at_work(r))
                return;
        if (lane_state(r->lane) == SESSION_BACKOFF)
                on_session_failed(s);
}

/* --- beginning */

static int make_profile(Slot *s, const Job *job) {
        Rotation *r = &s->rotation;

        if (asprintf(&r->client_id, CLIENT_ID_FORMAT, job->id) < 0) {
                r->client_id = NULL;
                return -ENOMEM;
        }
        if (asprintf(&r->verify_client_id, VERIFY_CLIENT_ID_FORMAT, job->id) < 0) {
                r->verify_client_id = NULL;
                return -ENOMEM;
        }
        r->profile = *s->profile;
        r->profile.verify_certificate = true;
        if (!r->profile.verify_client_id)
                r->profile.verify_client_id = r->verify_client_id;
        r->profile.template_name = r->profile.rotation_template;
        r->profile.client_id = r->client_id;
        if (job->spec->key_source != KEY_SOURCE_INVALID)
                r->profile.key_source = job->spec->key_source;
        return 0;
}

static int make_lane(Slot *s, const Job *job) {
        const LaneOptions options = {
                .event = s->manager->event,
                .network = s->manager->network,
                .crypto = s->manager->crypto,
                .tokens = s->manager->tokens,
                .ops = &dispatch_lane_ops,
                .userdata = s->manager,
        };
        int r;

        r = make_profile(s, job);
        return r < 0 ? r : lane_new(&options, &s->rotation.profile, &s->rotation.lane);
}

/* The claim's files may be gone from a device that has its identity. */
static int get_way(const Slot *s, Secret **ret_trusted, Secret **ret_proxy_credentials,
                   Failure **ret_failure) {
        _cleanup_secret_ Secret *trusted = NULL, *credentials = NULL;

        if (!s->claim)
                return claim_load_way(s->profile, ret_trusted, ret_proxy_credentials, ret_failure);
        trusted = secret_copy(s->claim->trusted);
        credentials = secret_copy(s->claim->proxy_credentials);
        if (!trusted || !credentials != !s->claim->proxy_credentials)
                return -ENOMEM;
        *ret_trusted = TAKE_PTR(trusted);
        *ret_proxy_credentials = TAKE_PTR(credentials);
        return 0;
}

/* `key`: in a token, in the place of the one among the secrets. */
static int open_session(Slot *s, const Job *job, const JobSecrets *secrets, TokenKey *key,
                        Failure **ret_failure) {
        _cleanup_secret_ Secret *trusted = NULL, *credentials = NULL, *certificate = NULL;
        Rotation *r = &s->rotation;
        LaneClaim claim;
        int k;

        k = get_way(s, &trusted, &credentials, ret_failure);
        if (k < 0)
                return k;
        certificate = secret_new(job->spec->certificate, strlen(job->spec->certificate));
        if (!certificate || (secrets && job_secrets_copy(secrets, &r->secrets) < 0))
                return -ENOMEM;
        claim = (LaneClaim){.trusted = trusted,
                            .certificate = certificate,
                            .private_key = key ? NULL : r->secrets.claim_key,
                            .token_key = key,
                            .key_store = s->key_store,
                            .proxy_credentials = credentials};
        k = make_lane(s, job);
        if (k >= 0)
                k = lane_open(r->lane, &claim);
        return k;
}

static void go_on(Slot *s, Job *job, const JobSecrets *secrets, TokenKey *key) {
        Failure *failure = NULL;
        int r;

        s->rotation.failures = s->rotation.refusals = 0;
        r = open_session(s, job, secrets, key, &failure);
        if (r < 0)
                ending_begin(job, JOB_FAILED,
                             failure ? failure
                                     : failure_from_errno(r, "Cannot open a session to rotate in"),
                             NULL, "this machine failed");
}

static void on_key_found(Slot *s, TokenKey *key, int error, const char *why) {
        Job *job = s->rotation.job;
        Failure *failure;

        s->rotation.key = NULL;
        s->rotation.preparing = false;
        if (error >= 0) {
                go_on(s, job, NULL, key);
                return;
        }
        failure = error == -ENOKEY || error == -EKEYREJECTED
                          ? failure_new(ERROR_KEY_MISMATCH,
                                        "Option 'private-key' is missing, and KeyStore= of "
                                        "[Profile %s] has not the certificate's key: %s",
                                        s->profile->name, why ? why : strerrordesc_np(-error))
                          : key_place_failure(s->profile, error, why);
        ending_begin(job, JOB_FAILED, failure, NULL,
                     "the certificate that is to be rotated has no key in the token");
}

/* What is stored of the job, if anything is, waits with it. */
static void look_in_token(Slot *s, Job *job, const JobSecrets *secrets) {
        int r;

        r = secrets ? job_secrets_copy(secrets, &s->rotation.secrets) : 0;
        if (r >= 0)
                r = rotation_key_find(s, job, on_key_found, &s->rotation.key);
        if (r < 0)
                on_key_found(s, NULL, r, r == -ENODEV ? "the token is not there" : NULL);
}

static void on_secrets_read(Job *job, int error, const JobSecrets *secrets, void *userdata) {
        Slot *s = job->errand->slot;

        if (!s || s->rotation.job != job || !s->rotation.preparing)
                return;
        if ((error >= 0 && !secrets->claim_key) || (error == -ENOENT && !job->secrets_stored)) {
                if (s->profile->key_store) {
                        look_in_token(s, job, error < 0 ? NULL : secrets);
                        return;
                }
                error = -ENOKEY;
        }
        s->rotation.preparing = false;
        if (error < 0) {
                ending_begin(job, JOB_FAILED,
                             failure_new(ERROR_STORAGE,
                                         "The private key of the certificate that is to be rotated "
                                         "cannot be read back from disk: %s",
                                         strerrordesc_np(-error)),
                             NULL, "its key cannot be read back");
                return;
        }
        go_on(s, job, secrets, NULL);
}

static Failure *refused_now(const Slot *s, const Job *job) {
        Failure *f;

        if (!s->profile->rotation_template)
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Profile '%s' has no RotationTemplate= any more",
                                   s->profile->name);
        f = job_keys_refuse(job->spec, s->profile);
        return f ? f : doors_refuse(s->manager, s->profile, job->owner);
}

static void prepare(Slot *s, Job *job) {
        Failure *failure = refused_now(s, job);

        if (failure) {
                ending_begin(job, JOB_FAILED, failure, NULL,
                             "the profile does not allow it any more");
                return;
        }
        s->rotation.job = job;
        s->rotation.preparing = true;
        if (errand_read_secrets(job, on_secrets_read, NULL) < 0) {
                s->rotation.preparing = false;
                ending_begin(job, JOB_FAILED, NULL, NULL, "out of memory");
        }
}

static void start(Slot *s) {
        Rotation *r = &s->rotation;
        Job *job = r->job;
        int k;

        r->failures = r->refusals = 0;
        r->without_session = false;
        job->attempts++;
        k = lane_start(r->lane, job, job->run ? NULL : &r->secrets);
        job_secrets_done(&r->secrets);
        if (k < 0)
                ending_begin(job, JOB_FAILED,
                             failure_from_errno(k, "Cannot begin to work at the job"), NULL,
                             "this machine failed");
}

static bool can_start(const Rotation *r) {
        if (r->preparing || is_waiting(r) || is_at_work(r))
                return false;
        return r->without_session || lane_is_free(r->lane);
}

/* Whether there is one will be known in a moment. */
static bool awaits_token(const Slot *s) {
        return s->profile->key_store && !s->key_store && s->claim_awaited;
}

void rotation_run(Slot *s) {
        Rotation *r = &s->rotation;
        size_t begun = 0;
        Job *job;

        if (s->throttled_until > clock_boot_usec() || s->next_profile ||
            s->manager->n_unwritten > 0 || awaits_token(s))
                return;
        if (r->job && can_start(r))
                start(s);
        while (!r->job && (job = queue_take(r->queue))) {
                close_session(r);
                if (begun++ == MANAGER_CHORES_MAX) {
                        (void) queue_return(r->queue, job);
                        dispatch_kick(s->manager);
                        return;
                }
                prepare(s, job);
        }
        if (!r->job)
                close_session(r);
}

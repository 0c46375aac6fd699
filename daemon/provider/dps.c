/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/dps.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "daemon/base/chance.h"
#include "daemon/base/clock.h"
#include "daemon/provider/dps-internal.h"
#include "daemon/provider/lane.h"
#include "protocol/base/wipe.h"
#include "protocol/dps/request.h"
#include "protocol/dps/topic.h"

static void tell(Registrar *r, AssignmentEventType type, Failure *failure) {
        const RegistrarEvent event = {type, USEC_INFINITY, failure};

        registrar_event(r, &event);
}

void registrar_broken(Registrar *r, int error, const char *what, const char *detail) {
        Failure *failure;

        if (error == -EINVAL || error == -E2BIG)
                failure = failure_new(ERROR_BAD_PARAMETER, "%s: %s", what,
                                      detail ? detail : "it cannot be built");
        else
                failure = failure_from_errno(error, "%s", what);
        tell(r, ASSIGNMENT_EVENT_BROKEN, failure);
}

/* --- requests */

static int build_register(const Registrar *r, char **ret_payload, size_t *ret_size,
                          char **ret_why) {
        const DpsSettings *s = &r->profile->dps;
        const DpsRegistration registration = {
                .registration_id = registrar_id_of(r->profile, r->job->spec),
                .payload = s->payload              ? s->payload
                           : r->job->spec->payload ? r->job->spec->payload
                                                   : s->default_payload,
                .issuance = dps_issuance_of_version(s->api_version),
                .csr = r->job->run->csr,
        };

        return dps_request_register(&registration, ret_payload, ret_size, ret_why);
}

static int publish(Registrar *r, DpsRequest request, char **ret_why) {
        _cleanup_free_ char *topic = NULL;
        char *payload = NULL;
        size_t size = 0;
        int k;

        (void) snprintf(r->rid, sizeof(r->rid), "%016" PRIx64 "%016" PRIx64, chance_draw(),
                        chance_draw());
        if (request == DPS_REQUEST_QUERY)
                k = dps_topic_query(r->rid, r->job->result.operation_id, &topic);
        else
                k = dps_topic_register(r->rid, &topic);
        if (k >= 0 && request == DPS_REQUEST_REGISTER)
                k = build_register(r, &payload, &size, ret_why);
        if (k >= 0)
                k = registrar_set_timer(r, r->profile->response_timeout_usec);
        if (k >= 0)
                k = connection_publish(r->connection, topic, payload, size);
        protocol_wipe_free(payload);
        return k;
}

static void request(Registrar *r) {
        DpsRequest what = dps_request_of(r);
        _cleanup_free_ char *why = NULL;
        int k;

        if (!r->connection) {
                tell(r, ASSIGNMENT_EVENT_NOT_SENT, failure_copy(r->last_error));
                return;
        }
        k = publish(r, what, &why);
        /* -ENOTCONN: the connection's end will be told with its reason. */
        if (k < 0 && k != -ENOTCONN)
                registrar_broken(r, k, dps_request_title(what), why);
}

/* --- effects */

static void set_last_error(Registrar *r, Failure *failure) {
        if (!failure && !r->last_error)
                return;
        failure_free(r->last_error);
        r->last_error = failure;
        r->options.ops->session_changed(r->options.userdata, r);
}

/* Lets go of what belongs to the job's try. */
static void drop(Registrar *r) {
        r->key_order = key_order_forget(r->key_order);
        r->timer = sd_event_source_disable_unref(r->timer);
        r->job = NULL;
        registrar_disconnect(r);
}

static void finish(Registrar *r, const AssignmentEffect *e, JobPhase phase) {
        Job *job = r->job;
        Failure *failure = job_run_final_failure(job->run, e->outcome);

        if (failure)
                failure->phase = phase;
        drop(r);
        if (e->outcome == JOB_SUCCEEDED)
                set_last_error(r, NULL);
        r->options.ops->finished(r->options.userdata, job, e->outcome, failure, &job->run->secrets,
                                 e->note);
}

static void put_back(Registrar *r, const AssignmentEffect *e, JobPhase phase) {
        Job *job = r->job;
        /* Where nothing was tried, what a former life came to stays. */
        const Failure *why = job->run->failure ? job->run->failure : job->failure;
        Failure *failure = failure_copy(why);

        if (failure && why == job->run->failure)
                failure->phase = phase;
        drop(r);
        r->options.ops->put_back(r->options.userdata, job, e->delay_usec, e->throttled, failure,
                                 e->note);
}

static void set_timer(Registrar *r, usec_t delay_usec) {
        int k = registrar_set_timer(r, delay_usec);

        if (k < 0)
                registrar_broken(r, k, "Setting a timer", NULL);
}

static void tell_progress(Registrar *r, const char *note) {
        r->options.ops->progress(r->options.userdata, r->job,
                                 assignment_phase(&r->job->run->assignment), note);
}

static void store(Registrar *r, const char *note) {
        bool key = r->job->run->assignment.step == ASSIGNMENT_STORING_KEY;

        r->options.ops->store(r->options.userdata, r->job, key ? &r->job->run->secrets : NULL,
                              note);
}

static void carry_out(Registrar *r, const AssignmentEffect *e, JobPhase phase_before) {
        if (e->forget_operation)
                dps_run_forget_operation(r->job);
        if (e->burn)
                registrar_disconnect(r);
        if (e->action != ASSIGNMENT_DO_NOTHING && e->action != ASSIGNMENT_DO_WAIT &&
            e->action != ASSIGNMENT_DO_FINISH &&
            assignment_phase(&r->job->run->assignment) != phase_before)
                tell_progress(r, e->note);

        switch (e->action) {
        case ASSIGNMENT_DO_NOTHING:
                return;
        case ASSIGNMENT_DO_PLACE_KEY:
                dps_key_place(r);
                return;
        case ASSIGNMENT_DO_MAKE_KEY:
                dps_key_make(r);
                return;
        case ASSIGNMENT_DO_STORE:
                store(r, e->note);
                return;
        case ASSIGNMENT_DO_NOTE:
                r->options.ops->note(r->options.userdata, r->job);
                return;
        case ASSIGNMENT_DO_CONNECT:
                registrar_connect(r);
                return;
        case ASSIGNMENT_DO_REGISTER:
        case ASSIGNMENT_DO_QUERY:
                request(r);
                return;
        case ASSIGNMENT_DO_PAUSE:
        case ASSIGNMENT_DO_GIVE_TIME:
                set_timer(r, e->delay_usec);
                return;
        case ASSIGNMENT_DO_WAIT:
                put_back(r, e, phase_before);
                return;
        case ASSIGNMENT_DO_FINISH:
                finish(r, e, phase_before);
                return;
        case ASSIGNMENT_ACTION_MAX:
                return;
        }
}

/* A token says when it ends by the clock of this machine. */
static bool clock_is_suspect(const Registrar *r) {
        return r->profile->dps.authentication != AUTHENTICATION_X509 &&
               !r->options.clock_is_synchronised();
}

static Failure *blame_clock(Failure *cause) {
        Failure *f =
                failure_new(ERROR_CREDENTIALS_REFUSED,
                            "The credentials were refused, and the clock of this machine is "
                            "not synchronised, as far as can be seen: a token that is made by a "
                            "wrong clock may be expired when it arrives. Let an NTP client "
                            "set the clock; fleetprovd.conf(5) says who is seen");

        if (f)
                f->retriable = true;
        return failure_with_cause(f, cause);
}

/* --- what the service says to wait */

/* What is left of it. A claim or a network that has changed brings the job back early. */
static usec_t wait_left(const Job *job) {
        int64_t left = (int64_t) (job->not_before_boot - clock_boot_usec());

        return job->not_before_boot != 0 && left > 0 ? (usec_t) left : USEC_INFINITY;
}

/* Keeps it in the job; false: there is nothing to wait for. */
static bool keep_wait(Job *job, const RegistrarEvent *event) {
        usec_t told = event->retry_after_usec;

        if (told == USEC_INFINITY && event->type == ASSIGNMENT_EVENT_ASSIGNING)
                told = ASSIGNMENT_POLL_USEC;
        if (told == USEC_INFINITY || told == 0)
                return false;
        job->not_before_boot = usec_add(clock_boot_usec(), told);
        return true;
}

void registrar_event(Registrar *r, const RegistrarEvent *event) {
        AssignmentEvent step = {.type = event->type,
                                .retry_after_usec = event->retry_after_usec,
                                .random = chance_draw()};
        Failure *failure = event->failure;
        AssignmentEffect e;
        JobPhase phase;
        JobRun *run;
        bool told;

        if (!r->job) {
                failure_free(failure);
                return;
        }
        run = r->job->run;
        told = keep_wait(r->job, event);
        if (event->type == ASSIGNMENT_EVENT_START)
                step.retry_after_usec = wait_left(r->job);
        phase = assignment_phase(&run->assignment);
        if (event->type == ASSIGNMENT_EVENT_CREDENTIALS_REFUSED && clock_is_suspect(r)) {
                step.clock_unset = true;
                failure = blame_clock(failure);
        }
        if (failure) {
                failure_free(run->failure);
                run->failure = failure;
                set_last_error(r, failure_copy(failure));
        }
        e = assignment_step(&run->assignment, &step);
        if (e.action != ASSIGNMENT_DO_NOTHING)
                r->timer = sd_event_source_disable_unref(r->timer);
        /* Whatever else is done puts it on record by itself, or ends the job. */
        if (told && e.action == ASSIGNMENT_DO_PAUSE)
                r->options.ops->told_to_wait(r->options.userdata, r->job);
        carry_out(r, &e, phase);
}

/* --- what the manager asks */

int registrar_new(const RegistrarOptions *options, const Profile *profile, Registrar **ret) {
        Registrar *r = calloc(1, sizeof(Registrar));

        if (!r)
                return -ENOMEM;
        r->options = *options;
        if (!r->options.clock_is_synchronised)
                r->options.clock_is_synchronised = clock_is_synchronised;
        r->profile = profile;
        *ret = r;
        return 0;
}

static void forget_claim(Registrar *r) {
        r->trusted = secret_free(r->trusted);
        r->certificate = secret_free(r->certificate);
        r->private_key = secret_free(r->private_key);
        r->token_key = token_key_unref(r->token_key);
        r->key_store = token_unref(r->key_store);
        r->symmetric_key = secret_free(r->symmetric_key);
        r->secondary_key = secret_free(r->secondary_key);
        r->proxy_credentials = secret_free(r->proxy_credentials);
}

Registrar *registrar_free(Registrar *r) {
        if (!r)
                return NULL;
        r->key_order = key_order_forget(r->key_order);
        r->timer = sd_event_source_disable_unref(r->timer);
        connection_free(r->connection);
        failure_free(r->last_error);
        forget_claim(r);
        free(r);
        return NULL;
}

int registrar_set_claim(Registrar *r, const RegistrarClaim *claim) {
        bool x509 = r->profile->dps.authentication == AUTHENTICATION_X509;

        if (!claim->trusted ||
            (x509 ? !claim->certificate || (!claim->private_key && !claim->token_key)
                  : !claim->symmetric_key))
                return -EINVAL;
        forget_claim(r);
        r->last_error = failure_free(r->last_error); /* it was another claim's */
        r->trusted = secret_copy(claim->trusted);
        r->certificate = secret_copy(claim->certificate);
        r->private_key = secret_copy(claim->private_key);
        r->token_key = token_key_ref(claim->token_key);
        r->key_store = token_ref(claim->key_store);
        r->symmetric_key = secret_copy(claim->symmetric_key);
        r->secondary_key = secret_copy(claim->secondary_key);
        r->proxy_credentials = secret_copy(claim->proxy_credentials);
        if (r->trusted && !r->certificate == !claim->certificate &&
            !r->private_key == !claim->private_key && !r->symmetric_key == !claim->symmetric_key &&
            !r->secondary_key == !claim->secondary_key &&
            !r->proxy_credentials == !claim->proxy_credentials)
                return 0;
        forget_claim(r);
        return -ENOMEM;
}

const Profile *registrar_profile(const Registrar *r) {
        return r->profile;
}

SessionState registrar_state(const Registrar *r) {
        return r->state;
}

const Failure *registrar_last_error(const Registrar *r) {
        return r->last_error;
}

usec_t registrar_connected_since_real(const Registrar *r) {
        return r->connected_since_real;
}

Job *registrar_job(const Registrar *r) {
        return r->job;
}

bool registrar_is_free(const Registrar *r) {
        return r->trusted && !r->job;
}

int registrar_start(Registrar *r, Job *job, const JobSecrets *secrets) {
        int k;

        k = dps_run_begin(r, job, secrets);
        if (k < 0)
                return k;
        r->job = job;
        tell(r, ASSIGNMENT_EVENT_START, NULL);
        return 0;
}

static void written(Registrar *r, AssignmentEventType type, int error, const char *what) {
        if (error >= 0)
                tell(r, type, NULL);
        else
                tell(r, ASSIGNMENT_EVENT_BROKEN,
                     failure_new(ERROR_STORAGE, "%s could not be written to disk: %s", what,
                                 strerrordesc_np(-error)));
}

void registrar_stored(Registrar *r, int error) {
        written(r, ASSIGNMENT_EVENT_STORED, error, "What the registration needs later");
}

void registrar_noted(Registrar *r, int error) {
        written(r, ASSIGNMENT_EVENT_NOTED, error, "That a certificate is asked for");
}

/* A connection that stands has time-outs of its own. */
void registrar_hurry(Registrar *r) {
        if (r->state == SESSION_CONNECTING)
                tell(r, ASSIGNMENT_EVENT_HURRY, NULL);
}

void registrar_cancel(Registrar *r) {
        tell(r, ASSIGNMENT_EVENT_CANCEL, NULL);
}

void registrar_expire(Registrar *r) {
        tell(r, ASSIGNMENT_EVENT_EXPIRED, NULL);
}

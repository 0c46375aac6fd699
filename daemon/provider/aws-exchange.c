/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Carries out what the exchange machine says for the job at work: makes keys, publishes, waits,
 * and hands the job back. */

#include <errno.h>

#include "daemon/base/chance.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/provider/lane-internal.h"
#include "protocol/aws/request.h"

const char *aws_exchange_title(AwsOperation operation) {
        switch (operation) {
        case AWS_OPERATION_CREATE_FROM_CSR:
                return "CreateCertificateFromCsr";
        case AWS_OPERATION_CREATE_KEYS:
                return "CreateKeysAndCertificate";
        case AWS_OPERATION_REGISTER:
                return "RegisterThing";
        case AWS_OPERATION_MAX:
        case AWS_OPERATION_INVALID:
                break;
        }
        return "?";
}

AwsOperation aws_exchange_operation(const JobRun *run) {
        if (run->exchange.step == EXCHANGE_REGISTERING)
                return AWS_OPERATION_REGISTER;
        return run->exchange.key_source == KEY_SOURCE_CLOUD ? AWS_OPERATION_CREATE_KEYS
                                                            : AWS_OPERATION_CREATE_FROM_CSR;
}

/* --- publishing */

static int on_response_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Lane *lane = userdata;
        const JobRun *run = lane->job->run;
        const char *title = aws_exchange_title(aws_exchange_operation(run));
        Failure *failure;

        if (run->saw_foreign_answer)
                failure = failure_new(ERROR_KEY_MISMATCH,
                                      "%s: the service answered with a certificate for another key "
                                      "and with none for this one",
                                      title);
        else
                failure = failure_new(
                        ERROR_TIMEOUT, "%s: no answer from %s within %g s (ResponseTimeoutSec=)",
                        title, lane->profile->endpoint,
                        (double) lane->profile->response_timeout_usec / (double) USEC_PER_SEC);
        if (failure)
                failure->retriable = true;
        aws_exchange_event(lane, EXCHANGE_EVENT_TIMEOUT, failure);
        return 0;
}

static int start_response_timer(Lane *lane) {
        lane->response_timer = sd_event_source_disable_unref(lane->response_timer);
        return sd_event_add_time_relative(lane->options.event, &lane->response_timer,
                                          CLOCK_BOOTTIME, lane->profile->response_timeout_usec, 0,
                                          on_response_timer, lane);
}

/* What the profile fixes stands above what the job brings, and that above the profile's defaults.
 */
static int effective_parameters(const Lane *lane, Parameters *ret) {
        int r;

        r = parameters_merge(ret, &lane->profile->default_parameters);
        if (r >= 0)
                r = parameters_merge(ret, &lane->job->spec->parameters);
        if (r >= 0)
                r = parameters_merge(ret, &lane->profile->fixed_parameters);
        return r;
}

static int build_register(const Lane *lane, AwsBuffer *ret, char **ret_why) {
        _cleanup_(parameters_done) Parameters parameters = {};
        _cleanup_free_ AwsParameter *list = NULL;
        const Secret *token = lane->job->run->secrets.ownership_token;
        int r;

        if (!token)
                return -ENOKEY;
        r = effective_parameters(lane, &parameters);
        if (r < 0)
                return r;
        list = calloc(parameters.n + 1, sizeof(AwsParameter));
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < parameters.n; i++)
                list[i] = (AwsParameter){parameters.items[i].name, parameters.items[i].value};
        return aws_request_register(lane->format, secret_text(token), token->size, list,
                                    parameters.n, ret, ret_why);
}

static int build_request(const Lane *lane, AwsOperation operation, AwsBuffer *ret, char **ret_why) {
        switch (operation) {
        case AWS_OPERATION_CREATE_FROM_CSR:
                return aws_request_create_from_csr(lane->format, lane->job->run->csr, ret, ret_why);
        case AWS_OPERATION_CREATE_KEYS:
                return aws_request_create_keys(lane->format, ret, ret_why);
        case AWS_OPERATION_REGISTER:
                return build_register(lane, ret, ret_why);
        case AWS_OPERATION_MAX:
        case AWS_OPERATION_INVALID:
                break;
        }
        return -EINVAL;
}

static int publish_request(Lane *lane, AwsOperation operation, char **ret_why) {
        _cleanup_(aws_buffer_wipe) AwsBuffer payload = {};
        _cleanup_free_ char *topic = NULL;
        int r;

        r = build_request(lane, operation, &payload, ret_why);
        if (r < 0)
                return r;
        r = aws_topic_build(operation, lane->format, lane->profile->template_name, AWS_SUFFIX_BARE,
                            &topic);
        if (r < 0)
                return r;
        r = start_response_timer(lane);
        if (r < 0)
                return r;
        r = connection_publish(lane->connection, topic, payload.data, payload.size);
        if (r < 0)
                return r;
        lane->asked_here = true;
        free(lane->last_topic);
        lane->last_topic = TAKE_PTR(topic);
        return 0;
}

void aws_exchange_broken(Lane *lane, int r, const char *what, const char *detail) {
        Failure *failure;

        if (r == -EINVAL || r == -E2BIG)
                failure = failure_new(ERROR_BAD_PARAMETER, "%s: %s", what,
                                      detail ? detail : "the request cannot be built");
        else
                failure = failure_from_errno(r, "%s", what);
        aws_exchange_event(lane, EXCHANGE_EVENT_BROKEN, failure);
}

static void carry_out(Lane *lane, const ExchangeEffect *e, JobPhase phase_before);

/* True: what it is about to ask must not be asked now, and the job has left the lane. */
static bool is_held(Lane *lane) {
        JobRun *run = lane->job->run;
        JobPhase phase = exchange_phase(&run->exchange);
        const Failure *why = NULL;
        usec_t wait = lane_right_wait(lane, run, &why);
        ExchangeEffect e;

        if (wait == 0)
                return false;
        e = exchange_hold(&run->exchange, wait);
        failure_free(run->failure);
        run->failure = failure_copy(why);
        carry_out(lane, &e, phase);
        return true;
}

/* True: what comes next on this connection could be anybody's, so nothing is asked on it, and the
 * job has left the lane. */
static bool is_distrusted(Lane *lane) {
        Failure *failure;

        if (clock_boot_usec() >= lane->distrusted_until)
                return false;
        failure = failure_new(ERROR_BAD_RESPONSE,
                              "%s sent what was no answer to any request; what it sends next could "
                              "not be told from that, so it is asked on another connection",
                              lane->profile->endpoint);
        /* The job's own failure, if it has one, says more about it. */
        aws_exchange_event(lane, EXCHANGE_EVENT_NOT_SENT,
                           lane->job->run->failure ? NULL : failure_copy(failure));
        lane_session_event(lane, SESSION_EVENT_BURN, failure);
        return true;
}

/* Asks, or asks for the right to hear the answer first. */
static void request(Lane *lane) {
        AwsOperation operation = aws_exchange_operation(lane->job->run);
        _cleanup_free_ char *why = NULL;
        int r;

        if (!lane->connection || lane->session.state != SESSION_READY) {
                aws_exchange_event(lane, EXCHANGE_EVENT_NOT_SENT, failure_copy(lane->last_error));
                return;
        }
        if (is_held(lane) || is_distrusted(lane))
                return;
        lane->request_serial++;
        lane->job->run->saw_foreign_answer = false;
        lane->publish_pending = !lane_is_subscribed(lane, operation);
        if (lane->publish_pending) {
                r = start_response_timer(lane);
                if (r >= 0)
                        r = lane_subscribe(lane, operation);
        } else
                r = publish_request(lane, operation, &why);
        /* -ENOTCONN: the connection's end is known below, and will be told here with its reason;
         * the job is at fault in nothing. The response timer runs in any case. */
        if (r < 0 && r != -ENOTCONN)
                aws_exchange_broken(lane, r, aws_exchange_title(operation), why);
}

void aws_exchange_on_subscribed(Lane *lane) {
        if (lane->job && lane->publish_pending)
                request(lane);
}

void aws_exchange_on_subscription_refused(Lane *lane, AwsOperation operation, Failure *failure) {
        if (lane->job && lane->publish_pending &&
            aws_exchange_operation(lane->job->run) == operation)
                aws_exchange_event(lane, EXCHANGE_EVENT_REFUSED_PERMANENT, failure);
        else
                failure_free(failure);
}

/* --- effects */

void aws_exchange_drop(Lane *lane) {
        lane->key_order = key_order_forget(lane->key_order);
        lane->response_timer = sd_event_source_disable_unref(lane->response_timer);
        lane->probe = probe_free(lane->probe);
        lane->publish_pending = false;
        lane->job = NULL;
}

static Failure *final_failure(const Lane *lane, const JobRun *run, const ExchangeEffect *e) {
        Failure *failure = job_run_final_failure(run, e->outcome);

        if (e->outcome != JOB_FAILED)
                return failure;
        if (e->verify_failed)
                return aws_verify_failure(lane, e, failure);
        return e->suspect_policy ? lane_dropped_publication(lane, failure) : failure;
}

static void finish(Lane *lane, const ExchangeEffect *e, JobPhase phase) {
        Job *job = lane->job;
        const JobRun *run = job->run;
        Failure *failure = final_failure(lane, run, e);

        if (failure)
                failure->phase = phase;
        if (e->leave_certificate)
                (void) job_note_left_certificate(job);
        else if (e->outcome == JOB_SUCCEEDED || e->verify_failed) /* it is the result */
                job_forget_left_certificate(job);
        aws_exchange_drop(lane);
        if (e->burn)
                lane_session_event(lane, SESSION_EVENT_BURN, failure_copy(run->failure));
        lane->options.ops->finished(lane->options.userdata, job, e->outcome, failure, &run->secrets,
                                    e->note);
}

static void put_back(Lane *lane, const ExchangeEffect *e, JobPhase phase) {
        Job *job = lane->job;
        Failure *failure = failure_copy(job->run->failure);
        usec_t delay_usec = e->delay_usec;

        if (failure)
                failure->phase = phase;
        if (e->throttled) {
                usec_t all_usec = backoff_next(&lane->throttle, chance_draw());

                delay_usec = delay_usec > all_usec ? delay_usec : all_usec;
        }
        aws_exchange_drop(lane);
        if (e->burn)
                lane_session_event(lane, SESSION_EVENT_BURN, failure_copy(failure));
        lane->options.ops->put_back(lane->options.userdata, job, delay_usec, e->throttled, failure,
                                    e->note);
}

static void tell_progress(Lane *lane, const char *note) {
        lane->options.ops->progress(lane->options.userdata, lane->job,
                                    exchange_phase(&lane->job->run->exchange), note);
}

static void carry_out(Lane *lane, const ExchangeEffect *e, JobPhase phase_before) {
        if (e->leave_certificate && e->action != EXCHANGE_DO_FINISH)
                (void) job_give_up_certificate(lane->job);

        switch (e->action) {
        case EXCHANGE_DO_NOTHING:
                return;
        case EXCHANGE_DO_PLACE_KEY:
                tell_progress(lane, e->note);
                aws_key_place(lane);
                return;
        case EXCHANGE_DO_MAKE_KEY:
                tell_progress(lane, e->note);
                aws_key_make(lane);
                return;
        case EXCHANGE_DO_NOTE:
                tell_progress(lane, e->note);
                if (is_held(lane))
                        return;
                lane->options.ops->note(lane->options.userdata, lane->job);
                return;
        case EXCHANGE_DO_CREATE:
        case EXCHANGE_DO_REGISTER:
                if (exchange_phase(&lane->job->run->exchange) != phase_before)
                        tell_progress(lane, e->note);
                request(lane);
                return;
        case EXCHANGE_DO_STORE:
                lane->options.ops->store(lane->options.userdata, lane->job,
                                         &lane->job->run->secrets, e->note);
                return;
        case EXCHANGE_DO_KEEP:
                /* The key stands on disk since before the thing was registered. */
                lane->options.ops->store(lane->options.userdata, lane->job, NULL, e->note);
                return;
        case EXCHANGE_DO_VERIFY:
                tell_progress(lane, e->note);
                aws_verify_begin(lane);
                return;
        case EXCHANGE_DO_WAIT:
        case EXCHANGE_DO_REQUEUE:
                put_back(lane, e, phase_before);
                return;
        case EXCHANGE_DO_FINISH:
                finish(lane, e, phase_before);
                return;
        case EXCHANGE_ACTION_MAX:
                return;
        }
}

void aws_exchange_event(Lane *lane, ExchangeEventType type, Failure *failure) {
        JobPhase phase;
        ExchangeEffect e;
        JobRun *run;

        if (!lane->job) {
                failure_free(failure);
                return;
        }
        run = lane->job->run;
        phase = exchange_phase(&run->exchange);
        if (failure) {
                failure_free(run->failure);
                run->failure = failure;
        }
        e = exchange_step(&run->exchange, type, chance_draw());
        if (e.action != EXCHANGE_DO_NOTHING)
                lane->response_timer = sd_event_source_disable_unref(lane->response_timer);
        carry_out(lane, &e, phase);
}

/* --- what the manager asks */

int lane_start(Lane *lane, Job *job, const JobSecrets *secrets) {
        int r;

        r = job_run_begin(job, lane->profile, secrets, clock_boot_usec());
        if (r < 0)
                return r;
        lane->job = job;
        aws_exchange_event(lane, EXCHANGE_EVENT_START, NULL);
        return 0;
}

void lane_noted(Lane *lane, int error) {
        if (error < 0)
                aws_exchange_event(lane, EXCHANGE_EVENT_BROKEN,
                                   failure_new(ERROR_STORAGE,
                                               "The disk takes nothing, so the cloud was asked for "
                                               "nothing: %s",
                                               strerrordesc_np(-error)));
        else
                aws_exchange_event(lane, EXCHANGE_EVENT_NOTED, NULL);
}

void lane_stored(Lane *lane, int error) {
        bool registered;

        if (error >= 0) {
                aws_exchange_event(lane, EXCHANGE_EVENT_STORED, NULL);
                return;
        }
        registered = lane->job && lane->job->run->exchange.step == EXCHANGE_KEEPING;
        aws_exchange_event(
                lane, EXCHANGE_EVENT_BROKEN,
                failure_new(ERROR_STORAGE, "The %s could not be written to disk, so %s: %s",
                            registered ? "registered thing" : "certificate",
                            registered ? "its certificate was not tried" : "it was not registered",
                            strerrordesc_np(-error)));
}

void lane_cancel(Lane *lane) {
        aws_exchange_event(lane, EXCHANGE_EVENT_CANCEL, NULL);
}

void lane_expire(Lane *lane) {
        aws_exchange_event(lane, EXCHANGE_EVENT_EXPIRED, NULL);
}

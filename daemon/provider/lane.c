/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/provider/lane.h"

#include <errno.h>

#include "daemon/base/chance.h"
#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/provider/lane-internal.h"

static void set_last_error(Lane *lane, Failure *failure) {
        failure_free(lane->last_error);
        lane->last_error = failure;
}

/* --- what the connection says */

static void subscribe_start(Lane *lane) {
        int r = lane_subscribe_start(lane);

        /* -ENOTCONN: `lost` is on its way, and says why. */
        if (r < 0 && r != -ENOTCONN)
                lane_session_event(lane, SESSION_EVENT_LOST,
                                   failure_from_errno(r, "Cannot subscribe"));
        else if (lane_start_is_subscribed(lane)) /* or a profile that needs no topic yet */
                lane_session_event(lane, SESSION_EVENT_SUBSCRIBED, NULL);
}

static void on_connection_connected(void *userdata) {
        lane_session_event(userdata, SESSION_EVENT_CONNECTED, NULL);
}

/* A topic of the start is what the session is for. Any other one concerns the job that wants it:
 * the session serves the others as before. */
static void on_subscription_refused(Lane *lane, const AwsTopic *topic, Failure *failure) {
        lane->subscriptions[topic->operation][topic->suffix] = SUBSCRIPTION_NONE;
        if (lane->session.state == SESSION_READY)
                aws_exchange_on_subscription_refused(lane, topic->operation, failure);
        else
                lane_session_event(lane, SESSION_EVENT_REFUSED, failure);
}

static void on_connection_subscribed(const char *topic, bool accepted, void *userdata) {
        Lane *lane = userdata;
        AwsTopic parsed;

        if (!aws_topic_parse(topic, strlen(topic), &parsed))
                return;
        if (!accepted) {
                on_subscription_refused(lane, &parsed,
                                        lane_refused_subscription(lane, topic, "refused", NULL));
                return;
        }
        lane->subscriptions[parsed.operation][parsed.suffix] = SUBSCRIPTION_HELD;
        if (lane->session.state == SESSION_SUBSCRIBING)
                subscribe_start(lane);
        else
                aws_exchange_on_subscribed(lane);
}

static void on_connection_message(const char *topic, size_t topic_size, const uint8_t *payload,
                                  size_t size, void *userdata) {
        Lane *lane = userdata;
        AwsTopic parsed;

        if (!aws_topic_parse(topic, topic_size, &parsed) || parsed.format != lane->format ||
            (parsed.operation == AWS_OPERATION_REGISTER &&
             !streq_ptr(parsed.template_name, lane->profile->template_name))) {
                log_warning("Profile %s: a message on a topic that nobody subscribed to, ignored.",
                            lane->profile->name);
                return;
        }
        aws_answer_on_message(lane, &parsed, payload, size);
}

static void on_connection_lost(Failure *failure, void *userdata) {
        Lane *lane = userdata;

        if (lane->session.state == SESSION_READY &&
            usec_sub(clock_boot_usec(), lane->connected_since_boot) >= SESSION_LASTED_USEC)
                lane_session_event(lane, SESSION_EVENT_PROVED, NULL);
        /* What came was no MQTT, or longer than anything that can be an answer: whoever asked has
         * his answer by that, and asking again would bring the same. */
        if (failure_code(failure) == ERROR_BAD_RESPONSE)
                aws_exchange_event(lane, EXCHANGE_EVENT_BAD_ANSWER, failure_copy(failure));
        if (lane->session.state == SESSION_READY && failure_code(failure) == ERROR_CONNECTION_LOST)
                failure = lane_right_dropped(lane, failure);
        lane_session_event(lane, SESSION_EVENT_LOST, failure);
}

static const ConnectionHandlers connection_handlers = {
        .connected = on_connection_connected,
        .subscribed = on_connection_subscribed,
        .message = on_connection_message,
        .lost = on_connection_lost,
};

static int connect_now(Lane *lane) {
        const Profile *p = lane->profile;
        ConnectionParameters parameters = {
                .road = road_of_profile(p, lane->trusted, lane->proxy_credentials),
                .client_id = p->client_id,
                .keep_alive_sec = p->keep_alive_sec,
                .connect_timeout_usec = p->connect_timeout_usec,
                /* A payload at its most, its topic, and the header. */
                .packet_max = AWS_PAYLOAD_MAX + 1024,
        };

        parameters.road.tls.certificate = lane->certificate;
        parameters.road.tls.private_key = lane->private_key;
        parameters.road.tls.token_key = lane->token_key;
        memset(lane->subscriptions, 0, sizeof(lane->subscriptions));
        answers_seen_reset(&lane->answers);
        lane->asked_here = false;
        lane->distrusted_until = 0;
        return connection_new(lane->options.network, &parameters, &connection_handlers, lane,
                              &lane->connection);
}

/* --- the session */

static int on_session_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Lane *lane = userdata;
        Failure *failure = NULL;

        if (lane->session.state == SESSION_SUBSCRIBING)
                failure = failure_new(ERROR_TIMEOUT,
                                      "%s did not answer a subscription within %g s "
                                      "(ResponseTimeoutSec=)",
                                      lane->profile->endpoint,
                                      (double) lane->session.subscribe_timeout_usec /
                                              (double) USEC_PER_SEC);
        lane_session_event(lane, SESSION_EVENT_TIMER, failure);
        return 0;
}

static void set_session_timer(Lane *lane, usec_t delay_usec) {
        sd_event *event = lane->options.event;
        int r;

        lane->session_timer = sd_event_source_disable_unref(lane->session_timer);
        log_debug("Profile %s: session %s for %.3f s at most", lane->profile->name,
                  session_state_to_string(lane->session.state),
                  (double) delay_usec / (double) USEC_PER_SEC);
        r = sd_event_add_time_relative(event, &lane->session_timer, CLOCK_BOOTTIME, delay_usec, 0,
                                       on_session_timer, lane);
        if (r < 0)
                log_error_errno(r, "Profile %s: cannot set a timer, the session stays down",
                                lane->profile->name);
}

static void log_session(const Lane *lane, SessionState before) {
        const LogField fields[] = {
                {"FLEETPROV_PROFILE", lane->profile->name},
                {"FLEETPROV_ERROR",
                 lane->last_error ? error_code_to_string(lane->last_error->code) : NULL},
        };
        SessionState now = lane->session.state;

        if (now == before)
                return;
        if (now == SESSION_READY)
                log_message(LOG_INFO, fields, ELEMENTSOF(fields),
                            "Profile %s: session with %s is ready.", lane->profile->name,
                            lane->profile->endpoint);
        else if (now == SESSION_BACKOFF && lane->last_error)
                log_message(LOG_WARNING, fields, ELEMENTSOF(fields), "Profile %s: %s",
                            lane->profile->name, failure_message(lane->last_error));
        else
                log_debug("Profile %s: session %s -> %s", lane->profile->name,
                          session_state_to_string(before), session_state_to_string(now));
}

/* A loss says more where it is one of several. */
static void explain_loss(Lane *lane, SessionState before) {
        _cleanup_free_ char *topic = lane_open_topic(lane);

        if (failure_code(lane->last_error) != ERROR_CONNECTION_LOST)
                return;
        if (before == SESSION_SUBSCRIBING && session_suspects_policy(&lane->session) && topic)
                lane->last_error = lane_refused_subscription(
                        lane, topic, "drops the connection upon", lane->last_error);
        else if (before == SESSION_READY && session_suspects_takeover(&lane->session))
                lane->last_error = lane_taken_over(lane, lane->last_error);
}

static void carry_out(Lane *lane, const SessionEffects *e);

static void step_session(Lane *lane, SessionEventType type) {
        const SessionState before = lane->session.state;
        const SessionEvent event = {
                .type = type,
                .generation = lane->session.generation,
                .random = chance_draw(),
                .dropped = type == SESSION_EVENT_LOST &&
                           failure_code(lane->last_error) == ERROR_CONNECTION_LOST,
                .lived_usec = before == SESSION_READY
                                      ? usec_sub(clock_boot_usec(), lane->connected_since_boot)
                                      : 0,
                .busy = lane->job && exchange_is_in_flight(&lane->job->run->exchange),
        };
        SessionEffects e = session_step(&lane->session, &event);

        if (type == SESSION_EVENT_LOST)
                explain_loss(lane, before);
        log_session(lane, before);
        carry_out(lane, &e);
        if (lane->session.state != before || e.calmed)
                lane->options.ops->session_changed(lane->options.userdata, lane);
}

/* For the job at work. Nothing went wrong where the session was closed or opened anew on purpose.
 */
static Failure *why_down(const Lane *lane) {
        if (lane->last_error)
                return failure_copy(lane->last_error);
        return failure_new(ERROR_CONNECTION_LOST, "The session with %s was closed",
                           lane->profile->endpoint);
}

static void carry_out(Lane *lane, const SessionEffects *e) {
        if (e->close)
                lane->connection = connection_free(lane->connection);
        if (e->stop_timer)
                lane->session_timer = sd_event_source_disable_unref(lane->session_timer);
        if (e->set_timer)
                set_session_timer(lane, e->delay_usec);
        if (e->went_down || e->close)
                lane->connected_since_real = 0;
        if (e->connect) {
                int r = connect_now(lane);

                if (r < 0)
                        lane_session_event(lane, SESSION_EVENT_LOST,
                                           failure_from_errno(r, "Cannot begin to connect to %s",
                                                              lane->profile->endpoint));
        }
        if (e->subscribe)
                subscribe_start(lane);
        if (e->became_ready) {
                lane->connected_since_real = clock_real_usec();
                lane->connected_since_boot = clock_boot_usec();
                set_last_error(lane, lane_lasting_trouble(lane));
        }
        if (e->calmed)
                set_last_error(lane, lane_lasting_trouble(lane));
        if (e->went_down)
                aws_exchange_event(lane, EXCHANGE_EVENT_LOST, why_down(lane));
}

void lane_session_event(Lane *lane, SessionEventType type, Failure *failure) {
        if (failure)
                set_last_error(lane, failure);
        step_session(lane, type);
}

/* --- what the manager sees */

int lane_new(const LaneOptions *options, const Profile *profile, Lane **ret) {
        Lane *lane = calloc(1, sizeof(Lane));

        if (!lane)
                return -ENOMEM;
        lane->options = *options;
        lane->profile = profile;
        lane->format =
                profile->payload_format == PAYLOAD_FORMAT_CBOR ? AWS_FORMAT_CBOR : AWS_FORMAT_JSON;
        session_init(&lane->session, profile->response_timeout_usec);
        lane->throttle = (Backoff){.base_usec = EXCHANGE_BACKOFF_BASE_USEC,
                                   .cap_usec = EXCHANGE_BACKOFF_CAP_USEC};
        lane_rights_reset(lane);
        *ret = lane;
        return 0;
}

void lane_change_profile(Lane *lane, const Profile *profile) {
        lane->profile = profile;
        lane->session.subscribe_timeout_usec = profile->response_timeout_usec;
}

static void forget_claim(Lane *lane) {
        lane->trusted = secret_free(lane->trusted);
        lane->certificate = secret_free(lane->certificate);
        lane->private_key = secret_free(lane->private_key);
        lane->proxy_credentials = secret_free(lane->proxy_credentials);
        lane->token_key = token_key_unref(lane->token_key);
        lane->key_store = token_unref(lane->key_store);
}

Lane *lane_free(Lane *lane) {
        if (!lane)
                return NULL;
        aws_exchange_drop(lane);
        connection_free(lane->connection);
        sd_event_source_disable_unref(lane->session_timer);
        failure_free(lane->last_error);
        free(lane->last_topic);
        lane_rights_reset(lane);
        forget_claim(lane);
        free(lane);
        return NULL;
}

int lane_open(Lane *lane, const LaneClaim *claim) {
        _cleanup_secret_ Secret *trusted = secret_copy(claim->trusted);
        _cleanup_secret_ Secret *certificate = secret_copy(claim->certificate);
        _cleanup_secret_ Secret *private_key = secret_copy(claim->private_key);
        _cleanup_secret_ Secret *proxy_credentials = secret_copy(claim->proxy_credentials);

        if (!trusted || !certificate || !private_key != !claim->private_key ||
            !proxy_credentials != !claim->proxy_credentials)
                return -ENOMEM;
        forget_claim(lane);
        lane->token_key = token_key_ref(claim->token_key);
        lane->key_store = token_ref(claim->key_store);
        lane->trusted = TAKE_PTR(trusted);
        lane->certificate = TAKE_PTR(certificate);
        lane->private_key = TAKE_PTR(private_key);
        lane->proxy_credentials = TAKE_PTR(proxy_credentials);
        set_last_error(lane, NULL);
        lane_rights_reset(lane);
        lane_session_event(lane, SESSION_EVENT_START, NULL);
        return 0;
}

void lane_close(Lane *lane, Failure *why) {
        lane_session_event(lane, SESSION_EVENT_STOP, why);
}

void lane_hurry(Lane *lane) {
        lane_session_event(lane, SESSION_EVENT_HURRY, NULL);
}

void lane_retry(Lane *lane) {
        lane_rights_retry(lane);
        lane_session_event(lane, SESSION_EVENT_RETRY, NULL);
}

void lane_answered(Lane *lane, AwsOperation operation) {
        lane_session_event(lane, SESSION_EVENT_PROVED, NULL);
        if (!lane_right_answered(lane, operation))
                return;
        set_last_error(lane, lane_lasting_trouble(lane));
        lane->options.ops->session_changed(lane->options.userdata, lane);
}

const Profile *lane_profile(const Lane *lane) {
        return lane->profile;
}

SessionState lane_state(const Lane *lane) {
        return lane->session.state;
}

usec_t lane_connected_since_real(const Lane *lane) {
        return lane->connected_since_real;
}

const Failure *lane_last_error(const Lane *lane) {
        return lane->last_error;
}

bool lane_is_free(const Lane *lane) {
        return lane->session.state == SESSION_READY && !lane->job;
}

Job *lane_job(const Lane *lane) {
        return lane->job;
}

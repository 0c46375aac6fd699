/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The connection that a registration is made on, from the login to its end, and the one timer that
 * runs beside it. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/provider/dps-internal.h"
#include "protocol/dps/request.h"
#include "protocol/dps/topic.h"

/* A payload at its most, its topic, and the header. */
#define PACKET_MAX (DPS_PAYLOAD_MAX + 2048)

static void tell(Registrar *r, AssignmentEventType type, Failure *failure) {
        const RegistrarEvent event = {type, USEC_INFINITY, failure};

        registrar_event(r, &event);
}

static void set_state(Registrar *r, SessionState state) {
        if (r->state == state)
                return;
        log_debug("Profile %s: connection %s -> %s", r->profile->name,
                  session_state_to_string(r->state), session_state_to_string(state));
        r->state = state;
        r->connected_since_real = state == SESSION_READY ? clock_real_usec() : 0;
        r->options.ops->session_changed(r->options.userdata, r);
}

void registrar_disconnect(Registrar *r) {
        r->connection = connection_free(r->connection);
        set_state(r, SESSION_OFFLINE);
}

/* --- timers */

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Registrar *r = userdata;
        Failure *failure;

        r->timer = sd_event_source_disable_unref(r->timer);
        if (r->job->run->assignment.step == ASSIGNMENT_PAUSING || r->state == SESSION_CONNECTING) {
                tell(r, ASSIGNMENT_EVENT_TIMER, NULL);
                return 0;
        }
        failure = failure_new(
                ERROR_TIMEOUT, "%s: no answer from %s within %g s (ResponseTimeoutSec=)",
                r->state == SESSION_SUBSCRIBING ? "The subscription"
                                                : dps_request_title(dps_request_of(r)),
                r->profile->endpoint,
                (double) r->profile->response_timeout_usec / (double) USEC_PER_SEC);
        if (failure)
                failure->retriable = true;
        tell(r, ASSIGNMENT_EVENT_TIMEOUT, failure);
        return 0;
}

int registrar_set_timer(Registrar *r, usec_t delay_usec) {
        r->timer = sd_event_source_disable_unref(r->timer);
        return sd_event_add_time_relative(r->options.event, &r->timer, CLOCK_BOOTTIME, delay_usec,
                                          0, on_timer, r);
}

/* --- what the connection says */

static void on_connection_connected(void *userdata) {
        Registrar *r = userdata;
        int k;

        set_state(r, SESSION_SUBSCRIBING);
        k = registrar_set_timer(r, r->profile->response_timeout_usec);
        if (k >= 0)
                k = connection_subscribe(r->connection, DPS_TOPIC_ANSWERS);
        /* -ENOTCONN: `lost` is on its way, and says why. */
        if (k < 0 && k != -ENOTCONN)
                registrar_broken(r, k, "Subscribing to the answers", NULL);
}

static void on_connection_subscribed(const char *topic, bool accepted, void *userdata) {
        Registrar *r = userdata;
        Failure *failure;

        r->timer = sd_event_source_disable_unref(r->timer);
        if (accepted) {
                set_state(r, SESSION_READY);
                tell(r, ASSIGNMENT_EVENT_CONNECTED, NULL);
                return;
        }
        registrar_disconnect(r);
        failure = failure_new(ERROR_PERMISSION_DENIED_BY_POLICY,
                              "%s refused the subscription to %s", r->profile->endpoint, topic);
        if (failure)
                failure->retriable = true;
        tell(r, ASSIGNMENT_EVENT_NOT_CONNECTED, failure);
}

static void on_connection_message(const char *topic, size_t topic_size, const uint8_t *payload,
                                  size_t size, void *userdata) {
        dps_on_message(userdata, topic, topic_size, payload, size);
}

static AssignmentEventType event_of_loss(const Registrar *r, const Failure *failure) {
        if (failure_code(failure) == ERROR_CREDENTIALS_REFUSED)
                return ASSIGNMENT_EVENT_CREDENTIALS_REFUSED;
        /* What came was no MQTT, or longer than anything that can be an answer. */
        if (failure_code(failure) == ERROR_BAD_RESPONSE &&
            assignment_is_in_flight(&r->job->run->assignment))
                return ASSIGNMENT_EVENT_BAD_ANSWER;
        return r->state == SESSION_READY ? ASSIGNMENT_EVENT_LOST : ASSIGNMENT_EVENT_NOT_CONNECTED;
}

static const char *what_to_check(const Registrar *r) {
        const bool secondary = r->job->run->assignment.secondary;

        switch (r->profile->dps.authentication) {
        case AUTHENTICATION_SYMMETRIC_KEY:
                return secondary ? "neither SymmetricKey= nor SecondaryKey= is a key of it"
                                 : "SymmetricKey= is no key of it";
        case AUTHENTICATION_GROUP_KEY:
                return secondary ? "neither SymmetricKey= nor SecondaryKey= is the group's"
                                 : "SymmetricKey= is not the group's";
        case AUTHENTICATION_X509:
                return "Certificate= is not what it asks for";
        case AUTHENTICATION_MAX:
        case AUTHENTICATION_INVALID:
                break;
        }
        return "";
}

/* In the words of this service. Takes it; gives another, or the same. */
static Failure *name_refusal(const Registrar *r, Failure *failure) {
        Failure *named;

        if (failure_code(failure) != ERROR_CREDENTIALS_REFUSED || failure->status_code == 0)
                return failure;
        named = failure_new(ERROR_CREDENTIALS_REFUSED,
                            "%s does not let registration id '%s' in (CONNACK %d): there is no "
                            "enrolment for it in ID scope %s, or %s, or this machine's clock is "
                            "wrong",
                            r->profile->endpoint, registrar_id_of(r->profile, r->job->spec),
                            failure->status_code, r->profile->dps.id_scope, what_to_check(r));
        if (!named)
                return failure;
        named->status_code = failure->status_code;
        failure_free(failure);
        return named;
}

static void on_connection_lost(Failure *lost, void *userdata) {
        Registrar *r = userdata;
        Failure *failure = name_refusal(r, lost);
        AssignmentEventType type = event_of_loss(r, failure);

        registrar_disconnect(r);
        tell(r, type, failure);
}

static const ConnectionHandlers connection_handlers = {
        .connected = on_connection_connected,
        .subscribed = on_connection_subscribed,
        .message = on_connection_message,
        .lost = on_connection_lost,
};

static int connect_now(Registrar *r) {
        const Profile *p = r->profile;
        _cleanup_free_ char *user_name = NULL;
        _cleanup_secret_ Secret *password = NULL;
        ConnectionParameters parameters = {
                .road = road_of_profile(p, r->trusted, r->proxy_credentials),
                .client_id = registrar_id_of(p, r->job->spec),
                .keep_alive_sec = p->keep_alive_sec,
                .connect_timeout_usec = p->connect_timeout_usec,
                .packet_max = PACKET_MAX,
        };
        int k;

        k = dps_login_make(r, &user_name, &password);
        if (k < 0)
                return k;
        parameters.road.tls.certificate = r->certificate;
        parameters.road.tls.private_key = r->private_key;
        parameters.road.tls.token_key = r->token_key;
        parameters.user_name = user_name;
        parameters.password = password;
        return connection_new(r->options.network, &parameters, &connection_handlers, r,
                              &r->connection);
}

void registrar_connect(Registrar *r) {
        int k;

        r->connection = connection_free(r->connection);
        set_state(r, SESSION_CONNECTING);
        k = connect_now(r);
        if (k >= 0)
                return;
        set_state(r, SESSION_OFFLINE);
        registrar_broken(r, k, "Connecting", NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/call.h"

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/front/encode.h"

struct FrontCall {
        Link *link; /* NULL once the connection is gone */
        sd_bus_message *message;
        uid_t uid; /* who calls; on a socket it is always the same */
        LIST_LINK(FrontCall, calls);
};

static void detach(FrontCall *call) {
        if (!call->link)
                return;
        LIST_REMOVE(calls, call->link, call);
        call->link->n_calls--;
        call->link = NULL;
}

/* Frees without an answer. */
static void consume(FrontCall *call) {
        Link *l = call->link;

        detach(call);
        sd_bus_message_unref(call->message);
        free(call);
        if (l)
                gate_resume(l->gate);
}

/* On a bus all callers share one connection: whoever has a part of the places has them all. */
static bool has_too_many(const Link *l, uid_t uid) {
        const FrontCall *call;
        size_t n = 0;

        LIST_FOREACH(calls, call, l)
                n += call->uid == uid;
        return n >= LINK_BUS_CALLS_PER_USER_MAX;
}

int front_call_new(Link *l, sd_bus_message *m, FrontCall **ret) {
        const Peer *peer = link_peer(l, m);
        uid_t uid = peer ? peer->uid : (uid_t) -1;
        FrontCall *call;

        *ret = NULL;
        if (!l->peer && has_too_many(l, uid))
                return call_refuse(m, failure_new(ERROR_QUEUE_FULL,
                                                  "%zu calls of user %u wait for their answers: "
                                                  "try later",
                                                  LINK_BUS_CALLS_PER_USER_MAX, (unsigned) uid));
        /* On a socket the gate has stopped reading before: what comes beyond was under way. */
        if (l->n_calls >= LINK_BUS_CALLS_MAX)
                return call_refuse(m, failure_new(ERROR_QUEUE_FULL,
                                                  "%zu calls wait for their answers: try later",
                                                  l->n_calls));
        call = calloc(1, sizeof(FrontCall));
        if (!call)
                return -ENOMEM;
        call->link = l;
        call->uid = uid;
        call->message = sd_bus_message_ref(m);
        LIST_APPEND(calls, l, call);
        l->n_calls++;
        *ret = call;
        return 1;
}

void front_calls_forget(Link *l) {
        while (l->calls_first)
                detach(l->calls_first);
}

int call_refuse(sd_bus_message *m, Failure *failure) {
        _cleanup_failure_ Failure *f = failure;
        _cleanup_free_ char *text = encode_clean(failure_message(f));
        const char *name = error_code_to_dbus(failure_code(f));

        int r;

        r = sd_bus_reply_method_errorf(m, name ? name : error_code_to_dbus(ERROR_INTERNAL_FAILURE),
                                       "%s", text ? text : failure_message(NULL));
        /* 0 would mean that the message is still to be dealt with. */
        return r < 0 ? r : 1;
}

/* The caller may be gone: that is no failure. */
static void sent(FrontCall *call, int r) {
        if (r >= 0 && call->link)
                call->link->greeted = true;
        if (r == -ENOBUFS && call->link)
                link_close(call->link);
        if (r < 0)
                log_debug("An answer could not be sent: %s", strerrordesc_np(-r));
}

void front_call_fail(FrontCall *call, Failure *failure) {
        sent(call, call_refuse(call->message, failure));
        consume(call);
}

FrontCall *front_call_free(FrontCall *call) {
        if (call)
                front_call_fail(call, failure_new(ERROR_INTERNAL_FAILURE,
                                                  "the daemon gave this call up: see its log"));
        return NULL;
}

void front_call_done(FrontCall *call) {
        sent(call, sd_bus_reply_method_return(call->message, NULL));
        consume(call);
}

/* Sends an answer that was built, or says why there is none. */
static void answer(FrontCall *call, sd_bus_message *reply, int r) {
        if (r >= 0) {
                sent(call, sd_bus_send(NULL, reply, NULL));
                consume(call);
        } else if (call->link)
                front_call_fail(call, failure_from_errno(r, "Cannot write the answer"));
        else
                consume(call);
}

void front_call_job(FrontCall *call, const Job *job) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        char path[ENCODE_JOB_PATH_SIZE];
        int r;

        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "o", encode_job_path(job, path));
        answer(call, reply, r);
}

void front_call_result(FrontCall *call, const Job *job, const JobSecrets *secrets) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = encode_result(reply, job, secrets);
        answer(call, reply, r);
}

void front_call_check(FrontCall *call, const FrontCheck *checks, size_t n) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(call->message, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sss)");
        for (size_t i = 0; r >= 0 && i < n; i++) {
                _cleanup_free_ char *text = encode_clean(checks[i].message);

                r = text ? sd_bus_message_append(reply, "(sss)", checks[i].check, checks[i].result,
                                                 text)
                         : -ENOMEM;
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        answer(call, reply, r);
}

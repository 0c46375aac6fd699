/* SPDX-License-Identifier: GPL-2.0-or-later */

/* VerifyCertificate=yes: whether the service lets the new certificate in. A registered thing is no
 * proof of it: a template may leave the certificate inactive, or give it a policy that does not
 * allow this client id, and a device would find that out in the field.
 *
 * The client id must not be in use, since a service throws off whoever is connected with it: the
 * claim session's is never taken. */

#include <errno.h>

#include "daemon/provider/lane-internal.h"

static const char *client_id_of(const Lane *lane) {
        return lane->profile->verify_client_id ? lane->profile->verify_client_id
                                               : lane->job->result.thing_name;
}

static Failure *check_client_id(const Lane *lane) {
        const char *id = client_id_of(lane), *thing = lane->job->result.thing_name;

        if (lane->job->spec->operation == OPERATION_ROTATE && streq(id, thing))
                return failure_new(ERROR_BAD_PARAMETER,
                                   "the client id \"%s\" is the thing's own, whose device is "
                                   "connected with it; set VerifyClientId= of [Profile %s] to "
                                   "another one, or take it out",
                                   id, lane->profile->name);
        if (!streq(id, lane->profile->client_id))
                return NULL;
        return failure_new(ERROR_BAD_PARAMETER,
                           "the client id \"%s\" is the one of the claim's own session, which a "
                           "second connection would throw off; set VerifyClientId= of [Profile %s]",
                           id, lane->profile->name);
}

/* An outage is the session's trouble and not the certificate's: the job waits for the session. */
static ExchangeEventType undecided_event(const Lane *lane) {
        return lane->session.state == SESSION_READY ? EXCHANGE_EVENT_VERIFY_UNDECIDED
                                                    : EXCHANGE_EVENT_NOT_SENT;
}

static ExchangeEventType event_of(const Lane *lane, ProbeVerdict verdict) {
        switch (verdict) {
        case PROBE_ACCEPTED:
                return EXCHANGE_EVENT_VERIFIED;
        case PROBE_REFUSED:
                return EXCHANGE_EVENT_VERIFY_REFUSED;
        case PROBE_UNDECIDED:
                return undecided_event(lane);
        case PROBE_BROKEN:
                break;
        }
        return EXCHANGE_EVENT_BROKEN;
}

static void on_probed(ProbeVerdict verdict, Failure *failure, void *userdata) {
        Lane *lane = userdata;

        lane->probe = probe_free(lane->probe);
        aws_exchange_event(lane, event_of(lane, verdict), failure);
}

static int start_probe(Lane *lane, const Secret *certificate) {
        const Profile *p = lane->profile;
        ProbeParameters parameters = {
                .road = road_of_profile(p, lane->trusted, lane->proxy_credentials),
                .client_id = client_id_of(lane),
                .timeout_usec = p->connect_timeout_usec,
                .client_id_name = "VerifyClientId=",
        };
        TlsParameters *tls = &parameters.road.tls;

        tls->certificate = certificate;
        tls->certificate_name = "the new certificate";
        tls->private_key = lane->job->run->secrets.private_key;
        tls->token_key = lane->job->run->token_key;
        tls->private_key_name = "its private key";
        return probe_new(lane->options.network, &parameters, on_probed, lane, &lane->probe);
}

void aws_verify_begin(Lane *lane) {
        const char *pem = lane->job->result.certificate_pem;
        _cleanup_secret_ Secret *certificate = NULL;
        Failure *failure = check_client_id(lane);
        int r;

        if (failure) {
                aws_exchange_event(lane, EXCHANGE_EVENT_BROKEN, failure);
                return;
        }
        certificate = pem ? secret_new(pem, strlen(pem)) : NULL;
        r = certificate ? start_probe(lane, certificate) : -ENOMEM;
        if (r < 0)
                aws_exchange_event(lane, EXCHANGE_EVENT_BROKEN,
                                   failure_from_errno(r, "Cannot try the certificate"));
}

/* A D-Bus error has one message: what the service said belongs into it. Without a key there is no
 * asking again: that would be another job, with another certificate. */
Failure *aws_verify_failure(const Lane *lane, const ExchangeEffect *e, Failure *cause) {
        const Job *job = lane->job;
        const char *why = e->verify_undecided
                                  ? "could not be tried, which does not say that it is bad"
                                  : "is not let in";
        const char *mend = e->verify_undecided ? "" : "mend the template or its policy, then ";
        const char *again = job->spec->key ? "ask again under the same key to have them tried "
                                             "again, or "
                                           : "";
        Failure *f;

        f = failure_new(ERROR_VERIFY_FAILED,
                        "Thing %s is registered, but its certificate %s: %s. Certificate and key "
                        "are kept: %s%sfetch them as a result",
                        job->result.thing_name, why, failure_message(cause), mend, again);
        /* Not what somebody has to mend first. */
        if (f && failure_code(cause) != ERROR_BAD_PARAMETER &&
            failure_code(cause) != ERROR_NOT_INITIALIZED)
                f->retriable = e->verify_undecided;
        return failure_with_cause(f, cause);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/manager/checkup.h"

#include <errno.h>
#include <stdio.h>

#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"
#include "protocol/aws/topic.h"

/* DPS lets a device in under its registration id alone, which a job may be using at that time. */
#define PROBES_CLAIM(c) ((c)->claim && (c)->profile->provider == PROVIDER_AWS_IOT)

Checkup *checkup_free(Checkup *c) {
        if (!c)
                return NULL;
        c->manager->checkup = NULL;
        check_files_forget(c->files);
        probe_free(c->probe);
        sd_event_source_disable_unref(c->pause);
        front_call_free(c->call);
        check_report_done(&c->report);
        claim_free(c->claim);
        secret_free(c->trusted);
        secret_free(c->proxy_credentials);
        for (size_t i = 0; i < c->n_topics; i++)
                free(c->topics[i]);
        free(c->client_id);
        profile_free(c->profile);
        free(c);
        return NULL;
}

/* The end, well or not: the caller touches the Checkup no more. */
static void answer(Checkup *c) {
        FrontCheck checks[CHECK_MAX];
        size_t n = 0;

        for (Check i = 0; i < CHECK_MAX; i++)
                if (c->report.lines[i].message)
                        checks[n++] = (FrontCheck){
                                .check = check_to_string(i),
                                .result = check_result_to_string(c->report.lines[i].result),
                                .message = c->report.lines[i].message,
                        };
        if (c->report.lost)
                front_call_fail(TAKE_PTR(c->call), NULL);
        else
                front_call_check(TAKE_PTR(c->call), checks, n);
        checkup_free(c);
}

static void give_up(Checkup *c, int error) {
        front_call_fail(TAKE_PTR(c->call), failure_from_errno(error, "Profile %s cannot be checked",
                                                              c->profile->name));
        checkup_free(c);
}

/* --- what the claim may do */

static bool answers_are_needed(const Profile *p, AwsOperation operation) {
        switch (operation) {
        case AWS_OPERATION_CREATE_FROM_CSR:
                return p->key_source == KEY_SOURCE_DAEMON;
        case AWS_OPERATION_CREATE_KEYS:
                return p->key_source == KEY_SOURCE_CLOUD;
        case AWS_OPERATION_REGISTER:
                return p->template_name != NULL;
        case AWS_OPERATION_MAX:
        case AWS_OPERATION_INVALID:
                break;
        }
        return false;
}

static int make_topics(Checkup *c) {
        const Profile *p = c->profile;
        AwsFormat format =
                p->payload_format == PAYLOAD_FORMAT_CBOR ? AWS_FORMAT_CBOR : AWS_FORMAT_JSON;

        for (AwsOperation op = 0; op < AWS_OPERATION_MAX; op++)
                for (AwsSuffix suffix = AWS_SUFFIX_ACCEPTED;
                     suffix <= AWS_SUFFIX_REJECTED && answers_are_needed(p, op); suffix++) {
                        int r = aws_topic_build(op, format, p->template_name, suffix,
                                                &c->topics[c->n_topics]);

                        if (r < 0)
                                return r;
                        c->n_topics++;
                }
        return 0;
}

static void say_rights(Checkup *c) {
        _cleanup_free_ char *statements = NULL, *names = NULL;

        if (c->n_refused == 0) {
                check_report_say(
                        &c->report, CHECK_SUBSCRIBE, CHECK_RESULT_OK,
                        "the claim may subscribe to its %zu topics; whether it may publish "
                        "shows with the first job",
                        c->n_topics);
                return;
        }
        for (size_t i = 0; i < c->n_refused; i++) {
                char *more;

                if (asprintf(&more, "%s%s%s", names ? names : "", i > 0 ? ", " : "",
                             c->refused[i]) < 0) {
                        c->report.lost = true;
                        return;
                }
                free(names);
                names = more;
        }
        if (check_policy_statements(c->profile->endpoint, c->refused, c->n_refused, &statements) <
            0) {
                c->report.lost = true;
                return;
        }
        check_report_say(&c->report, CHECK_SUBSCRIBE, CHECK_RESULT_FAILED,
                         "%s: the claim may not subscribe to %s; add to \"Statement\" of its "
                         "policy: %s",
                         error_code_to_string(ERROR_PERMISSION_DENIED_BY_POLICY), names,
                         statements);
}

/* --- the way to the server */

static int start_probe(Checkup *c);

static int on_pause(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Checkup *c = userdata;
        int r;

        c->pause = sd_event_source_disable_unref(c->pause);
        r = start_probe(c);
        if (r < 0)
                give_up(c, r);
        return 0;
}

/* Who drops the connection for one topic may grant the next. */
static void on_topic_refused(Checkup *c, size_t topic) {
        int r;

        c->refused[c->n_refused++] = c->topics[topic];
        c->first = topic + 1;
        if (c->first == c->n_topics) {
                say_rights(c);
                answer(c);
                return;
        }
        r = sd_event_add_time_relative(c->manager->event, &c->pause, CLOCK_BOOTTIME,
                                       CHECKUP_PAUSE_USEC, 1, on_pause, c);
        if (r < 0)
                give_up(c, r);
}

static bool is_in_session(const Checkup *c) {
        const Slot *s = slot_find(c->manager, c->profile->name);

        return s && way_state(s->way) == SESSION_READY;
}

/* Without a certificate of ours only the server is looked at, which then turns us away. */
static bool is_turned_away(const Checkup *c, bool linked, const Failure *f) {
        return !PROBES_CLAIM(c) && (linked || failure_code(f) == ERROR_CREDENTIALS_REFUSED);
}

/* free() both; *ret_proxy is NULL where there is none. */
static int name_way(const Profile *p, char **ret_server, char **ret_proxy) {
        char *server, *proxy = NULL;

        if (asprintf(&server, "%s port %u", profile_host(p), p->port) < 0)
                return -ENOMEM;
        if (p->proxy.host && !(proxy = proxy_text(&p->proxy))) {
                free(server);
                return -ENOMEM;
        }
        *ret_server = server;
        *ret_proxy = proxy;
        return 0;
}

static void on_probed(_unused_ ProbeVerdict verdict, Failure *failure, void *userdata) {
        Checkup *c = userdata;
        _cleanup_failure_ Failure *f = failure;
        _cleanup_free_ char *server = NULL, *proxy = NULL;
        const ProbeStage stage = probe_stage(c->probe);
        const size_t topic = c->first + probe_topic(c->probe);

        c->probe = probe_free(c->probe);
        if (name_way(c->profile, &server, &proxy) < 0) {
                give_up(c, -ENOMEM);
                return;
        }
        if (verdict != PROBE_ACCEPTED && !f) {
                give_up(c, -ENOMEM);
                return;
        }
        if (stage == PROBE_STAGE_SUBSCRIBE) {
                check_report_connection(&c->report, true, false, server, proxy, NULL);
                if (f && f->code == ERROR_PERMISSION_DENIED_BY_POLICY) {
                        on_topic_refused(c, topic);
                        return;
                }
                if (f)
                        check_report_failure(&c->report, CHECK_SUBSCRIBE, CHECK_RESULT_FAILED, f);
                else
                        say_rights(c);
        } else {
                check_report_connection(&c->report, stage != PROBE_STAGE_LINK, is_in_session(c),
                                        server, proxy, f);
                if (is_turned_away(c, stage != PROBE_STAGE_LINK, f))
                        check_report_say(
                                &c->report, CHECK_MQTT, CHECK_RESULT_WARNING,
                                c->profile->provider == PROVIDER_AWS_IOT
                                        ? "not tried: there is no claim to be let in with, see "
                                          "above"
                                        : "not tried: a device is let in there under its "
                                          "registration id alone, which a job may be using");
        }
        answer(c);
}

static int start_probe(Checkup *c) {
        const Profile *p = c->profile;
        const bool whole = PROBES_CLAIM(c);
        ProbeParameters parameters = {
                .road = road_of_profile(p, c->trusted, c->proxy_credentials),
                .client_id = c->client_id,
                .timeout_usec = p->connect_timeout_usec,
                .topics = (const char *const *) (c->topics + c->first),
                .n_topics = whole ? c->n_topics - c->first : 0,
                .link_only = !whole,
                .client_id_name = "ClientId=, behind which the check writes " CHECK_CLIENT_ID_END,
        };

        if (whole) {
                parameters.road.tls.certificate = c->claim->certificate;
                parameters.road.tls.private_key = c->claim->private_key;
                parameters.road.tls.token_key = c->claim->token_key;
        }
        return probe_new(c->manager->network, &parameters, on_probed, c, &c->probe);
}

/* Another profile's session would be thrown off. */
static bool is_in_use(const Manager *m, const char *client_id) {
        const Slot *s;

        LIST_FOREACH(slots, s, m)
                if (streq_ptr(s->profile->client_id, client_id) ||
                    streq_ptr(s->profile->verify_client_id, client_id) ||
                    streq_ptr(s->rotation.client_id, client_id) ||
                    streq_ptr(s->rotation.verify_client_id, client_id))
                        return true;
        return false;
}

void checkup_files_read(Checkup *c) {
        int r = 0;

        if (!c->trusted) {
                answer(c);
                return;
        }
        if (PROBES_CLAIM(c)) {
                r = make_topics(c);
                if (r >= 0)
                        r = check_client_id(c->profile->client_id, &c->client_id);
                if (r >= 0 && is_in_use(c->manager, c->client_id)) {
                        check_report_say(
                                &c->report, CHECK_MQTT, CHECK_RESULT_WARNING,
                                "not tried: the client id of the check, \"%s\", is another "
                                "profile's; set another ClientId= there",
                                c->client_id);
                        answer(c);
                        return;
                }
        }
        if (r >= 0)
                r = start_probe(c);
        if (r < 0)
                give_up(c, r);
}

/* --- the call */

static int begin(Manager *m, const Profile *p, FrontCall *call) {
        Checkup *c = calloc(1, sizeof(Checkup));
        int r;

        if (!c)
                return -ENOMEM;
        c->manager = m;
        c->profile = checkup_copy_profile(p);
        r = c->profile ? check_files_new(c, &c->files) : -ENOMEM;
        if (r < 0) {
                checkup_free(c);
                return r;
        }
        c->call = call;
        m->checkup = c;
        log_debug("Profile %s: checking it", p->name);
        return 0;
}

void manager_check(Manager *m, const Peer *peer, const char *profile, FrontCall *call) {
        const Slot *s = slot_find(m, profile);
        Failure *f;
        int r;

        if (!s) {
                front_call_fail(call, failure_new(ERROR_NOT_INITIALIZED, "There is no profile '%s'",
                                                  profile));
                return;
        }
        f = submission_refuses_peer(slot_newest_profile(s), peer);
        if (!f && m->checkup)
                f = failure_new(ERROR_QUEUE_FULL,
                                "Profile '%s' is being checked, and one is at a time: try again "
                                "later",
                                m->checkup->profile->name);
        if (f) {
                front_call_fail(call, f);
                return;
        }
        r = begin(m, slot_newest_profile(s), call);
        if (r < 0)
                front_call_fail(call, failure_from_errno(r, "Profile %s cannot be checked",
                                                         s->profile->name));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The fault matrix of azure-dps: each fault of the test cloud, at the registration and at the
 * query, with and without a certificate that is issued along; and each fault of the session, for
 * each way to show who a device is. The right answer, or the right error with all that belongs to
 * it. Each of them has a profile and a device of its own, so that a part of the rows goes at once.
 */

#include "tests/integration/daemon/azure.h"

#define PARTS 4U
#define LINES_MAX 64U

/* --- how */

typedef struct Way {
        const char *name, *lines;
        const char *struck, *phase; /* the request that the fault strikes; NULL: the session */
        bool issued;
} Way;

#define ISSUING "SymmetricKey=DIR/dps.key\nApiVersion=2025-07-01-preview"

static const Way ways[] = {
        {"key-register", "SymmetricKey=DIR/dps.key", "dps-register", "register", false},
        {"key-query", "SymmetricKey=DIR/dps.key", "dps-query", "poll", false},
        {"issued-register", ISSUING, "dps-register", "register", true},
        {"issued-query", ISSUING, "dps-query", "poll", true},
        {"key", "SymmetricKey=DIR/dps.key", NULL, "register", false},
        {"group", "Authentication=group-key\nSymmetricKey=DIR/dps-group.key", NULL, "register",
         false},
        {"x509", "Authentication=x509", NULL, "register", false},
};

/* --- what is right */

typedef struct Wrong {
        const char *code, *part; /* of the message */
        int status;
        const char *service_code, *service_message;
} Wrong;

static const Wrong bad = {"bad-response", "cannot be used", 0, NULL, NULL};
static const Wrong no_mqtt = {"bad-response", "localhost", 0, NULL, NULL};
static const Wrong silence = {"timeout", "ResponseTimeoutSec=", 0, NULL, NULL};
static const Wrong lost = {"connection-lost", "localhost", 0, NULL, NULL};
static const Wrong refused = {"server-refused", "not like this", 400, "400004", "not like this"};
static const Wrong unauthorised = {"credentials-refused", "Unauthorized", 401, "401002",
                                   "Unauthorized"};
static const Wrong not_found = {"server-refused", "no such", 404, "404201", "no such"};
static const Wrong forgotten = {"server-refused", "no such", 404, "404204", "no such"};
static const Wrong failed = {"server-refused", "the assignment failed", 400, "400209",
                             "No hub takes this device."};
static const Wrong disabled = {"server-refused", "is disabled", 0, NULL, NULL};
static const Wrong unassigned = {"server-refused", "left unassigned", 0, NULL, NULL};
static const Wrong unknown = {"bad-response", "'dancing' is not known", 0, NULL, NULL};
static const Wrong not_let_in = {"credentials-refused", "does not let registration id", 5, NULL,
                                 NULL};
static const Wrong bad_login = {"credentials-refused", "does not let registration id", 4, NULL,
                                NULL};

typedef enum Where {
        ANYWHERE, /* at registration and query */
        AT_REGISTER,
        AT_QUERY,
        IN_SESSION,
} Where;

typedef struct Row {
        Where where;
        const char *fault;
        const char *count;  /* "--count=1", "--always" */
        const Wrong *wrong; /* NULL: it succeeds all the same */
        const char *more;   /* another fault, as often; or NULL */
} Row;

static const Row rows[] = {
        /* right, if odd */
        {ANYWHERE, "delay=100", "--count=1"},
        {ANYWHERE, "double", "--count=1"},
        {ANYWHERE, "replay", "--count=1"},
        {ANYWHERE, "extra-fields", "--count=1"},
        {ANYWHERE, "indefinite", "--count=1"},
        {ANYWHERE, "oversize=1000", "--count=1"},
        {ANYWHERE, "foreign-first", "--count=1"},
        {ANYWHERE, "swapped", "--count=1"},
        {AT_REGISTER, "assigning=2", "--count=1"},
        {AT_REGISTER, "retry-after=none", "--count=1"},
        {AT_REGISTER, "retry-after=3", "--count=1"},
        {AT_REGISTER, "retry-after=0x", "--count=1"},
        /* asked for again */
        {ANYWHERE, "reject=500:500001:later", "--count=1"},
        {ANYWHERE, "reject=503:503001:later", "--count=1"},
        {ANYWHERE, "reject=429:429001:slow down", "--count=1", .more = "retry-after=2"},
        {ANYWHERE, "drop", "--count=1"},
        {ANYWHERE, "drop-answer", "--count=1"},
        {ANYWHERE, "cut-before", "--count=1"},
        {ANYWHERE, "cut-after", "--count=1"},
        {ANYWHERE, "late=8", "--count=1"},
        {ANYWHERE, "foreign", "--count=1"},
        {ANYWHERE, "topic=$dps/registrations/res/200/?nobody", "--count=1"},
        /* wrong for good */
        {ANYWHERE, "malformed", "--count=1", &bad},
        {ANYWHERE, "wrong-types", "--count=1", &bad},
        {ANYWHERE, "truncated", "--count=1", &bad},
        {ANYWHERE, "truncated=1", "--count=1", &bad},
        {ANYWHERE, "oversize=200000", "--count=1", &no_mqtt},
        {ANYWHERE, "wire=ffffffffffffffffffff", "--count=1", &no_mqtt},
        {ANYWHERE, "reject=400:400004:not like this", "--always", &refused},
        {ANYWHERE, "reject=401:401002:Unauthorized", "--always", &unauthorised},
        {AT_REGISTER, "reject=404:404201:no such", "--always", &not_found},
        {AT_QUERY, "reject=404:404204:no such", "--always", &forgotten},
        {AT_QUERY, "status=failed", "--always", &failed},
        {AT_QUERY, "status=disabled", "--always", &disabled},
        {AT_QUERY, "status=unassigned", "--always", &unassigned},
        {AT_QUERY, "status=dancing", "--always", &unknown},
        {ANYWHERE, "drop", "--always", &silence},
        {ANYWHERE, "cut-before", "--always", &lost},
        /* of the session */
        {IN_SESSION, "connack=3", "--count=1"},
        {IN_SESSION, "connect-drop", "--count=1"},
        {IN_SESSION, "suback-refuse", "--count=1"},
        {IN_SESSION, "deny-subscribe", "--count=1"},
        {IN_SESSION, "deny-publish", "--count=1"},
        {IN_SESSION, "connack=4", "--always", &bad_login},
        {IN_SESSION, "connack=5", "--always", &not_let_in},
};

static bool applies(const Row *row, const Way *w) {
        switch (row->where) {
        case ANYWHERE:
                return w->struck;
        case AT_REGISTER:
                return w->struck && streq(w->struck, "dps-register");
        case AT_QUERY:
                return w->struck && streq(w->struck, "dps-query");
        case IN_SESSION:
                return !w->struck;
        }
        return false;
}

/* --- one job */

typedef struct Try {
        const Row *row;
        const Way *way;
        const char *profile, *device;
        JobId id;
} Try;

static const char *device_lines(const Try *t) {
        _cleanup_free_ char *key = NULL, *certificate = NULL;

        if (!streq(t->way->name, "x509"))
                return t->way->lines;
        identity_make_device(&cloud, t->device, &key, &certificate);
        return place_text(
                &d.place, "%s\nCertificate=%s\nPrivateKey=%s", t->way->lines,
                place_write(&d.place, place_text(&d.place, "%s.pem", t->device), 0644, certificate),
                place_write(&d.place, place_text(&d.place, "%s.key", t->device), 0600, key));
}

static const char *add_profile(const char *all, const Try *t) {
        return place_text(
                &d.place, "%s%s\n", all,
                cloud_dps_profile(&cloud, t->profile,
                                  place_text(&d.place,
                                             "RegistrationId=%s\nResponseTimeoutSec=6\n%s",
                                             t->device, device_lines(t))));
}

static Try make_try(size_t row, size_t way) {
        const char *prefix = streq(ways[way].name, "group")  ? "sensor"
                             : streq(ways[way].name, "x509") ? "x509"
                                                             : "gw";

        return (Try){.row = rows + row,
                     .way = ways + way,
                     .profile = place_text(&cloud.place, "row-%zu-%s", row, ways[way].name),
                     .device = place_text(&cloud.place, "%s-r%zu-%s", prefix, row, ways[way].name)};
}

static void set_fault(const Try *t, const char *fault) {
        const char *whose = place_text(&cloud.place, "--client=%s", t->device);

        if (t->way->struck)
                cloud_add(&cloud, fault, place_text(&cloud.place, "--operation=%s", t->way->struck),
                          whose, t->row->count);
        else
                cloud_add(&cloud, fault, whose, t->row->count);
}

static void must_succeed(const Try *t) {
        fleetprov_job *job = agent_wait(client, t->id);
        const fleetprov_error *e = fleetprov_job_get_error(job);
        fleetprov_result *result;

        ck_assert_msg(fleetprov_job_get_state(job) == FLEETPROV_STATE_SUCCEEDED, "%s, %s: %s",
                      t->way->name, t->row->fault, e ? fleetprov_error_get_message(e) : "");
        fleetprov_job_free(job);
        result = agent_fetch(client, t->id);
        assert_assigned(result, t->device);
        if (t->way->issued) {
                _cleanup_free_ char *key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);

                identity_assert_pair(fleetprov_result_get_certificate_pem(result), key, NULL);
        }
        fleetprov_result_free(result);
}

#define SAY "%s, %s: %s", t->way->name, t->row->fault, fleetprov_error_get_message(e)

static void must_fail(const Try *t, const Wrong *wrong) {
        fleetprov_job *job = agent_wait(client, t->id);
        const fleetprov_error *e = fleetprov_job_get_error(job);

        ck_assert_msg(fleetprov_job_get_state(job) == FLEETPROV_STATE_FAILED && e, "%s, %s: %s",
                      t->way->name, t->row->fault,
                      fleetprov_state_to_string(fleetprov_job_get_state(job)));
        ck_assert_msg(streq(fleetprov_error_get_name(e), wrong->code), SAY);
        ck_assert_msg(strstr(fleetprov_error_get_message(e), wrong->part), SAY);
        ck_assert_msg(streq(fleetprov_error_get_phase(e), t->way->phase), SAY);
        ck_assert_msg(fleetprov_error_get_status_code(e) == wrong->status, SAY);
        ck_assert_msg(streq_ptr(fleetprov_error_get_service_code(e), wrong->service_code), SAY);
        if (wrong->service_message)
                ck_assert_str_eq(fleetprov_error_get_service_message(e), wrong->service_message);
        fleetprov_job_free(job);
}

/* --- all of them */

/* An operation that the service denies was registered anew, as it should be. */
static void forgive_forgotten(void) {
        cloud_allow_breach(&cloud, "registered-anew", 2);
}

START_TEST(each_fault_ends_as_it_should)
{
        const char *all = "";
        Try tries[LINES_MAX];
        size_t n = 0;

        daemon_make(&d);
        for (size_t i = (size_t) _i; i < ELEMENTSOF(rows); i += PARTS)
                for (size_t w = 0; w < ELEMENTSOF(ways); w++)
                        if (applies(rows + i, ways + w)) {
                                ck_assert_uint_lt(n, LINES_MAX);
                                tries[n] = make_try(i, w);
                                all = add_profile(all, tries + n++);
                        }
        daemon_configure(&d, all);
        set_synchronised("yes");
        daemon_start(&d);
        other_clock_end();
        client = agent_open(d.socket);
        for (size_t i = 0; i < n; i++) {
                set_fault(tries + i, tries[i].row->fault);
                if (tries[i].row->more)
                        set_fault(tries + i, tries[i].row->more);
        }
        for (size_t i = 0; i < n; i++)
                tries[i].id = agent_submit(client, &(Wish){.profile = tries[i].profile});
        for (size_t i = 0; i < n; i++)
                if (tries[i].row->wrong)
                        must_fail(tries + i, tries[i].row->wrong);
                else
                        must_succeed(tries + i);
        cloud_clear(&cloud);
        forgive_forgotten();
}
END_TEST

int main(void) {
        Suite *suite = suite_create("azure faults");
        TCase *tc = stage_shared_dps(suite, "faults");

        agent_patience_sec = 80;
        tcase_add_loop_test(tc, each_fault_ends_as_it_should, 0, PARTS);
        return stage_run(suite);
}

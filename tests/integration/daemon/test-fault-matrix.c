/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The whole matrix: each fault of a request, for each operation that a job can ask for and each
 * source of its key, in both formats. The right answer, or the right error with all that belongs to
 * it. Each operation, source and format has a profile of its own, so that a fault strikes all of
 * them at once, and what takes its time takes it once. */

#include "tests/integration/daemon/faults.h"

#define PARTS 6

/* Long enough for the cloud to make a key, with everybody else who wants one. */
#define RESPONSE_TIMEOUT "6"

/* --- what a job can ask for */

typedef struct Way {
        const char *name;
        int operation;
        const char *key_source;
        bool brings_csr, brings_token;
        const char *struck; /* the request that the fault strikes */
        const char *phase;
} Way;

static const Way ways[] = {
        {"provision, daemon's key, create", FLEETPROV_OPERATION_PROVISION, "daemon", false, false,
         "create-csr", "create"},
        {"provision, daemon's key, register", FLEETPROV_OPERATION_PROVISION, "daemon", false, false,
         "register", "register"},
        {"provision, cloud's key, create", FLEETPROV_OPERATION_PROVISION, "cloud", false, false,
         "create-keys", "create"},
        {"provision, cloud's key, register", FLEETPROV_OPERATION_PROVISION, "cloud", false, false,
         "register", "register"},
        {"provision, caller's key, create", FLEETPROV_OPERATION_PROVISION, NULL, true, false,
         "create-csr", "create"},
        {"provision, caller's key, register", FLEETPROV_OPERATION_PROVISION, NULL, true, false,
         "register", "register"},
        {"create-certificate-from-csr", FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR, NULL, true,
         false, "create-csr", "create"},
        {"create-keys-and-certificate", FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE, NULL,
         false, false, "create-keys", "create"},
        {"register-thing", FLEETPROV_OPERATION_REGISTER_THING, NULL, false, true, "register",
         "register"},
};

typedef struct Try {
        const Way *way;
        const char *profile, *client_option, *serial;
        char *key, *csr, *token;
        JobId id;
} Try;

static bool provisions(const Way *w) {
        return w->operation == FLEETPROV_OPERATION_PROVISION;
}

static bool registers(const Way *w) {
        return provisions(w) || w->operation == FLEETPROV_OPERATION_REGISTER_THING;
}

/* Before the fault is set: a token for the one that brings it. */
static Try prepare(size_t way, size_t format, size_t row) {
        const Way *w = ways + way;
        Try t = {
                .way = w,
                .profile = place_text(&cloud.place, "way-%zu-%s", way, formats[format]),
                .client_option =
                        place_text(&cloud.place, "--client=c-%zu-%s", way, formats[format]),
                .serial = place_text(&cloud.place, "m-%zu-%zu-%zu", row, way, format),
        };

        if (w->brings_csr)
                identity_make_csr(&t.key, &t.csr);
        if (w->brings_token) {
                fleetprov_result *result = agent_result(
                        client,
                        agent_submit(
                                client,
                                &(Wish){.operation =
                                                FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE,
                                        .profile = t.profile}));

                t.token = agent_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN);
                ck_assert_ptr_nonnull(t.token);
                fleetprov_result_free(result);
        }
        return t;
}

static void begin(Try *t) {
        const Way *w = t->way;

        t->id = agent_submit(client, &(Wish){.operation = w->operation,
                                             .profile = t->profile,
                                             .serial = registers(w) ? t->serial : NULL,
                                             .csr = t->csr,
                                             .key_source = w->key_source,
                                             .token = t->token,
                                             .token_size = t->token ? strlen(t->token) : 0});
}

static void done(Try *t) {
        free(t->key);
        free(t->csr);
        free(t->token);
}

/* --- what is right */

static void must_succeed(const Try *t) {
        fleetprov_result *result = agent_result(client, t->id);
        const char *thing = fleetprov_result_get_thing_name(result);

        if (provisions(t->way))
                identity_assert(&cloud, result, t->serial, t->key, NULL);
        else if (t->way->brings_token)
                ck_assert_str_eq(thing, place_text(&cloud.place, "thing-%s", t->serial));
        else {
                _cleanup_free_ char *key =
                        t->key ? strdup(t->key)
                               : agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);

                identity_assert_pair(fleetprov_result_get_certificate_pem(result), key, NULL);
                ck_assert_ptr_null(thing);
        }
        fleetprov_result_free(result);
}

typedef struct Wrong {
        const char *code, *part; /* of the message */
        int status;
        const char *service_code, *service_message; /* the last: NULL: any */
        int retriable;                              /* -1: not said */
} Wrong;

static void must_fail(const Try *t, const Wrong *wrong) {
        fleetprov_job *job = agent_wait(client, t->id);
        const fleetprov_error *e = fleetprov_job_get_error(job);
        const char *name = t->way->name;
        bool leaves = provisions(t->way) && streq(t->way->phase, "register");

        ck_assert_msg(fleetprov_job_get_state(job) == FLEETPROV_STATE_FAILED && e, "%s", name);
        ck_assert_msg(streq(fleetprov_error_get_name(e), wrong->code), "%s: %s", name,
                      fleetprov_error_get_message(e));
        ck_assert_msg(strstr(fleetprov_error_get_message(e), wrong->part), "%s: %s", name,
                      fleetprov_error_get_message(e));
        ck_assert_msg(streq(fleetprov_error_get_phase(e), t->way->phase), "%s: %s", name,
                      fleetprov_error_get_phase(e));
        ck_assert_int_eq(fleetprov_error_get_status_code(e), wrong->status);
        ck_assert(streq_ptr(fleetprov_error_get_service_code(e), wrong->service_code));
        if (wrong->service_message)
                ck_assert_str_eq(fleetprov_error_get_service_message(e), wrong->service_message);
        if (wrong->retriable >= 0)
                ck_assert_int_eq(fleetprov_error_get_retriable(e), wrong->retriable);
        /* The certificate that was made before is on record, and no other one is there. */
        ck_assert_msg(fleetprov_job_get_n_left_certificates(job) == (leaves ? 1 : 0), "%s", name);
        fleetprov_job_free(job);
}

/* --- the matrix */

typedef struct Row {
        const char *fault;
        const char *count;  /* "--count=1", "--always" */
        const Wrong *wrong; /* NULL: it succeeds all the same */
        bool not_create, not_register;
        bool spends_token;  /* who brought it has no other */
        const char *breach; /* that the fault brings about; NULL: none */
} Row;

static const Wrong bad = {"bad-response", "cannot be used", 0, NULL, NULL, -1};
static const Wrong no_mqtt = {"bad-response", "localhost", 0, NULL, NULL, -1};
static const Wrong foreign = {"key-mismatch", "another key", 0, NULL, NULL, 1};
static const Wrong silence = {"timeout", "ResponseTimeoutSec=", 0, NULL, NULL, 1};
static const Wrong dropped = {
        "permission-denied-by-policy", "iot:Publish on topic/", 0, NULL, NULL, -1};
static const Wrong refused = {"server-refused",
                              "400 InvalidPayload: not like this",
                              400,
                              "InvalidPayload",
                              "not like this",
                              0};
static const Wrong denied = {"server-refused",
                             "403 ACCESS_DENIED: the hook: no",
                             403,
                             "ACCESS_DENIED",
                             "the hook: no",
                             0};
static const Wrong not_found = {"server-refused", "404", 404, "ResourceNotFoundException", NULL, 0};
static const Wrong conflict = {"server-refused",
                               "409 ResourceConflictsException: twice",
                               409,
                               "ResourceConflictsException",
                               "twice",
                               0};

static const Wrong spent = {"server-refused",
                            "400 InvalidCertificateOwnershipToken",
                            400,
                            "InvalidCertificateOwnershipToken",
                            NULL,
                            0};

static const Row rows[] = {
        /* right, if odd */
        {.fault = "delay=100", .count = "--count=1"},
        {.fault = "double", .count = "--count=1"},
        {.fault = "replay", .count = "--count=1"},
        {.fault = "extra-fields", .count = "--count=1"},
        {.fault = "indefinite", .count = "--count=1"},
        {.fault = "oversize=1000", .count = "--count=1"},
        {.fault = "foreign-first", .count = "--count=1", .not_register = true},
        {.fault = "configuration=missing", .count = "--count=1", .not_create = true},
        {.fault = "configuration=empty", .count = "--count=1", .not_create = true},
        {.fault = "configuration=null", .count = "--count=1", .not_create = true},
        {.fault = "configuration=large=20000", .count = "--count=1", .not_create = true},
        /* asked for again */
        {.fault = "reject=500:InternalFailure:later", .count = "--count=1"},
        {.fault = "reject=503:ServiceUnavailable:later", .count = "--count=1"},
        {.fault = "reject=429:ThrottlingException:slow down", .count = "--count=1"},
        {.fault = "drop", .count = "--count=1"},
        {.fault = "cut-before", .count = "--count=1"},
        {.fault = "foreign", .count = "--count=1", .not_register = true},
        {.fault = "drop-answer", .count = "--count=1", .spends_token = true},
        {.fault = "cut-after", .count = "--count=1", .spends_token = true},
        {.fault = "late=8", .count = "--count=1", .spends_token = true},
        /* wrong for good */
        {.fault = "malformed", .count = "--count=1", .wrong = &bad},
        {.fault = "wrong-types", .count = "--count=1", .wrong = &bad},
        {.fault = "truncated", .count = "--count=1", .wrong = &bad},
        {.fault = "truncated=1", .count = "--count=1", .wrong = &bad},
        {.fault = "oversize=200000", .count = "--count=1", .wrong = &no_mqtt},
        {.fault = "wire=ffffffffffffffffffff", .count = "--count=1", .wrong = &no_mqtt},
        {.fault = "reject=400:InvalidPayload:not like this",
         .count = "--always",
         .wrong = &refused},
        {.fault = "reject=403:ACCESS_DENIED:the hook: no", .count = "--always", .wrong = &denied},
        {.fault = "reject=404:ResourceNotFoundException", .count = "--always", .wrong = &not_found},
        {.fault = "reject=409:ResourceConflictsException:twice",
         .count = "--always",
         .wrong = &conflict},
        {.fault = "foreign", .count = "--always", .wrong = &foreign, .not_register = true},
        {.fault = "drop", .count = "--always", .wrong = &silence},
        {.fault = "topic=$aws/certificates/create/json/elsewhere",
         .count = "--always",
         .wrong = &silence,
         .breach = "not-subscribed",
         .not_register = true},
        {.fault = "cut-before", .count = "--always", .wrong = &dropped},
};

static bool applies(const Row *row, const Way *w) {
        bool registering = streq(w->struck, "register");

        return !(registering ? row->not_register : row->not_create);
}

static const char *a_profile_for_each(void) {
        const char *all = "";

        for (size_t i = 0; i < ELEMENTSOF(ways); i++)
                for (size_t f = 0; f < ELEMENTSOF(formats); f++)
                        all = place_text(
                                &cloud.place, "%s%s\n", all,
                                cloud_profile(&cloud,
                                              place_text(&cloud.place, "way-%zu-%s", i, formats[f]),
                                              place_text(&cloud.place,
                                                         "PayloadFormat=%s\nClientId=c-%zu-%s\n"
                                                         "ResponseTimeoutSec=%s\n",
                                                         formats[f], i, formats[f],
                                                         RESPONSE_TIMEOUT)));
        return all;
}

static void try_row(size_t n) {
        const Row *row = rows + n;
        Try tries[ELEMENTSOF(ways) * ELEMENTSOF(formats)];
        size_t n_tries = 0;

        for (size_t i = 0; i < ELEMENTSOF(ways); i++)
                for (size_t f = 0; f < ELEMENTSOF(formats); f++)
                        if (applies(row, ways + i))
                                tries[n_tries++] = prepare(i, f, n);
        for (size_t i = 0; i < n_tries; i++)
                cloud_add(&cloud, row->fault,
                          place_text(&cloud.place, "--operation=%s", tries[i].way->struck),
                          row->count, tries[i].client_option);
        for (size_t i = 0; i < n_tries; i++)
                begin(tries + i);
        for (size_t i = 0; i < n_tries; i++) {
                const Wrong *wrong =
                        row->spends_token && tries[i].way->brings_token ? &spent : row->wrong;

                if (wrong)
                        must_fail(tries + i, wrong);
                else
                        must_succeed(tries + i);
                done(tries + i);
        }
        cloud_clear(&cloud);
        if (row->breach)
                cloud_expect_breach(&cloud, row->breach);
        /* What was suspected meanwhile is not suspected of the next row. */
        if (row->wrong == &dropped)
                ck_assert_int_eq(agent_reload(client, NULL), 0);
}

/* In some parts, so that the rest goes on where one fails. */
START_TEST(each_fault_for_each_operation_key_and_format)
{
        stage_start(a_profile_for_each(), "");
        for (size_t i = (size_t) _i; i < ELEMENTSOF(rows); i += PARTS)
                try_row(i);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: fault matrix");
        TCase *tc = stage_shared(suite, "matrix");

        tcase_add_loop_test(tc, each_fault_for_each_operation_key_and_format, 0, PARTS);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Claims whose key is in a token: SoftHSM, behind a module that counts logins and has faults. */

#include "tests/integration/daemon/token-claim.h"

#define TLS_1_2 "CipherList=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256\n"
#define TLS_1_3 "CipherList=TLS_AES_128_GCM_SHA256\n"

/* A pair that the cloud's authority has signed, as `claim-rsa` in the cloud's folder. */
static void make_rsa_claim(void) {
        const char *dir = cloud.place.dir;
        const char *const argv[] = {
                "openssl",  "req",
                "-x509",    "-newkey",
                "rsa:2048", "-nodes",
                "-subj",    "/CN=rsa claim",
                "-days",    "2",
                "-CA",      place_text(&cloud.place, "%s/cloud/claim-ca.pem", dir),
                "-CAkey",   place_text(&cloud.place, "%s/cloud/claim-ca.key", dir),
                "-addext",  "basicConstraints=critical,CA:FALSE",
                "-keyout",  place_text(&cloud.place, "%s/claim-2.key", dir),
                "-out",     place_text(&cloud.place, "%s/claim-2.pem", dir),
                NULL};

        ck_assert_int_eq(process_run(argv, NULL, NULL), 0);
        cloud_stop(&cloud);
        cloud_again(&cloud); /* which reads it */
}

static void start(const char *claim, const char *more) {
        daemon_configure(&d, profile(claim, more));
        daemon_start(&d);
        client = agent_open(d.socket);
}

/* The code of what is wrong with the profile; its message holds the text. */
static bool profile_says(const char *code, const char *text) {
        fleetprov_status *status = agent_status(client);
        const fleetprov_error *error = fleetprov_status_get_profile_error(status, 0);
        bool says = error && streq(fleetprov_error_get_name(error), code) &&
                    strstr(fleetprov_error_get_message(error), text);

        fleetprov_status_free(status);
        return says;
}

static void provision(const char *serial) {
        fleetprov_result *result =
                agent_result(client, agent_submit(client, &(Wish){.serial = serial}));

        identity_assert(&cloud, result, serial, NULL, NULL);
        fleetprov_result_free(result);
}

/* --- it serves ---------------------------------------------------------------------------------
 */

static const struct {
        const char *claim, *tls;
} ways[] = {
        {"claim", TLS_1_2},
        {"claim", TLS_1_3},
        {"claim-2", TLS_1_2},
        {"claim-2", TLS_1_3},
};

START_TEST(a_claim_in_a_token_connects_and_provisions)
{
        if (streq(ways[_i].claim, "claim-2"))
                make_rsa_claim();
        make_token(ways[_i].claim);
        pin_file(SOFT_TOKEN_PIN "\n");
        start(ways[_i].claim, ways[_i].tls);
        daemon_wait_session(&d, "aws", "ready");
        provision(place_text(&d.place, "token-%d", _i));
        ck_assert_uint_eq(soft_token_logins(), 1);
        /* One to see that they are a pair, one in the handshake. */
        ck_assert_uint_ge(soft_token_signatures(), 2);
}
END_TEST

/* --- the PIN -----------------------------------------------------------------------------------
 */

START_TEST(a_wrong_pin_is_tried_once_through_retries_reloads_and_restarts)
{
        make_token("claim");
        pin_file("0000");
        start("claim", "");
        WAIT_FOR(profile_says("not-initialized", "refuses the PIN"));
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(agent_reload(client, NULL), 0);
                stage_restart(i == 1);
                WAIT_FOR(profile_says("not-initialized", "refused this PIN before"));
        }
        /* Written anew, and the same. */
        pin_file("0000\n");
        WAIT_FOR(file_count_lines(d.log, "its claim is read", NULL) >= 5);
        ck_assert_uint_eq(soft_token_logins(), 1);
        pin_file(SOFT_TOKEN_PIN);
        daemon_wait_session(&d, "aws", "ready");
        ck_assert_uint_eq(soft_token_logins(), 2);
        ck_assert_uint_eq(folder_count(d.state, ".latch"), 0);
        ck_assert(!file_has(d.log, "73914"));
}
END_TEST

START_TEST(a_login_that_is_cut_off_is_repeated_once)
{
        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        soft_token_fault("die-in-login");
        daemon_configure(&d, profile("claim", ""));
        daemon_start_unheard(&d);
        ck_assert_int_ne(process_wait(d.pid), 0);
        d.pid = 0;
        ck_assert_uint_eq(folder_count(d.state, ".latch"), 1);
        daemon_start(&d);
        client = agent_open(d.socket);
        daemon_wait_session(&d, "aws", "ready");
        ck_assert_uint_eq(soft_token_logins(), 2);
        ck_assert_uint_eq(folder_count(d.state, ".latch"), 0);
}
END_TEST

/* --- trouble -----------------------------------------------------------------------------------
 */

START_TEST(a_token_that_is_gone_is_waited_for)
{
        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        soft_token_fault("removed");
        start("claim", "");
        WAIT_FOR(profile_says("not-initialized", "no such token"));
        ck_assert_uint_eq(soft_token_logins(), 0);
        soft_token_fault(NULL);
        daemon_wait_session(&d, "aws", "ready");
        ck_assert_uint_eq(soft_token_logins(), 1);
}
END_TEST

START_TEST(a_lost_session_of_the_token_costs_no_more_than_a_login)
{
        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        start("claim", "");
        daemon_wait_session(&d, "aws", "ready");
        soft_token_fault("session-lost");
        cloud_stop(&cloud);
        cloud_again(&cloud);
        provision("lost");
        ck_assert_uint_eq(soft_token_logins(), 2);
}
END_TEST

START_TEST(a_token_that_hangs_holds_up_nobody_else)
{
        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        soft_token_fault("hang");
        daemon_configure(&d, place_text(&d.place, "%s%s", profile("claim", ""),
                                        cloud_profile(&cloud, "files", "ClientId=other\n")));
        daemon_start(&d);
        client = agent_open(d.socket);
        daemon_wait_session(&d, "files", "ready");
        WAIT_FOR(soft_token_signatures() == 1);
        agent_wait_end(client, agent_submit(client, &(Wish){.profile = "files", .serial = "hang"}),
                       FLEETPROV_STATE_SUCCEEDED);
        /* Its end would wait a while for the token, and then not any more. */
        daemon_kill(&d);
}
END_TEST

/* Before the caller himself gives up. */
START_TEST(who_waits_for_a_token_that_hangs_is_told)
{
        fleetprov_error *error = NULL;

        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        soft_token_fault("hang");
        start("claim", "");
        ck_assert_int_eq(agent_refused(client, &(Wish){.serial = "told"}, &error),
                         FLEETPROV_NOT_INITIALIZED);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "does not answer"));
        fleetprov_error_free(error);
        ck_assert(profile_says("not-initialized", "does not answer"));
        /* Nor does a reload wait for it. */
        ck_assert_int_eq(agent_reload(client, NULL), 0);
        soft_token_fault(NULL);
        daemon_wait_session(&d, "aws", "ready");
        provision("told");
        ck_assert_uint_eq(soft_token_logins(), 1);
}
END_TEST

static const struct {
        const char *from, *to, *code, *why;
} faults[] = {
        {"object=claim", "object=other", "not-initialized", "no private key of that object="},
        {"token=The%20Token", "token=Other", "not-initialized", "no such token"},
        {"/claim.pem", "/claim-2.pem", "key-mismatch", "does not belong to the private key"},
        {"Pkcs11Module=/", "Pkcs11Module=/nowhere/", "not-initialized", "is not there"},
        {"PrivateKeyPassword=", "#", "not-initialized", "PrivateKeyPassword="},
};

START_TEST(what_is_wrong_is_told_when_the_claim_is_read)
{
        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        daemon_configure(&d, replace(profile("claim", ""), faults[_i].from, faults[_i].to));
        daemon_start(&d);
        client = agent_open(d.socket);
        WAIT_FOR(profile_says(faults[_i].code, faults[_i].why));
        ck_assert_uint_le(soft_token_logins(), 1);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon/pkcs11");
        TCase *shared = stage_shared(suite, "claims"), *alone = stage_alone(suite, "alone");

        tcase_add_loop_test(shared, a_claim_in_a_token_connects_and_provisions, 0, 2);
        tcase_add_test(shared, a_wrong_pin_is_tried_once_through_retries_reloads_and_restarts);
        tcase_add_test(shared, a_login_that_is_cut_off_is_repeated_once);
        tcase_add_test(shared, a_token_that_is_gone_is_waited_for);
        tcase_add_test(shared, a_token_that_hangs_holds_up_nobody_else);
        tcase_add_test(shared, who_waits_for_a_token_that_hangs_is_told);
        tcase_add_loop_test(shared, what_is_wrong_is_told_when_the_claim_is_read, 0,
                            ELEMENTSOF(faults));
        tcase_add_loop_test(alone, a_claim_in_a_token_connects_and_provisions, 2, ELEMENTSOF(ways));
        tcase_add_test(alone, a_lost_session_of_the_token_costs_no_more_than_a_login);
        return stage_run(suite);
}

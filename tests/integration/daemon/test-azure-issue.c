/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Certificates that DPS issues along with a registration, from the request to the files: for a key
 * that the daemon makes, and for the caller's own; in the forms of either version that issues any.
 */

#include <sys/stat.h>

#include "tests/integration/daemon/azure.h"

#define ISSUING "RegistrationIds=gw-*\nSymmetricKey=DIR/dps.key\nApiVersion=2025-07-01-preview"

static const char *const versions[] = {"2025-07-01-preview", "2021-11-01-preview"};

static void start_version(const char *version) {
        start(place_text(&cloud.place,
                         "RegistrationIds=gw-*\nSymmetricKey=DIR/dps.key\nApiVersion=%s", version));
}

/* What came of one version, the other does not have. */
static void assert_form(const fleetprov_result *result, const char *version) {
        const char *state = fleetprov_result_get_registration_state(result);
        const bool chain = streq(version, versions[0]);

        ck_assert(!strstr(state, "issuedCertificateChain") == !chain);
        ck_assert(!strstr(state, "issuedClientCertificate") == chain);
        ck_assert(!strstr(state, "trustBundle") == chain);
}

static fleetprov_result *issue(const Wish *wish) {
        Wish whole = *wish;

        whole.profile = "azure";
        return agent_result(client, agent_submit(client, &whole));
}

static const struct {
        const char *wanted, *made; /* type of the key */
        const char *version;
} types[] = {
        {NULL, "ec-p256", "2025-07-01-preview"},
        {"ec-p384", "ec-p384", "2025-07-01-preview"},
        {"rsa-2048", "rsa-2048", "2025-07-01-preview"},
        {NULL, "ec-p256", "2021-11-01-preview"},
        {"rsa-2048", "rsa-2048", "2021-11-01-preview"},
};

START_TEST(daemons_key_and_its_certificate_are_delivered)
{
        _cleanup_free_ char *key = NULL, *found = NULL;
        fleetprov_result *result;
        JobId id;

        start_version(types[_i].version);
        id = agent_submit(client, &(Wish){.profile = "azure",
                                          .registration_id = "gw-issued",
                                          .key_source = "daemon",
                                          .key_type = types[_i].wanted});
        result = agent_result(client, id);
        assert_assigned(result, "gw-issued");
        assert_form(result, types[_i].version);
        key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        identity_assert_pair(fleetprov_result_get_certificate_pem(result), key, types[_i].made);
        ck_assert_uint_eq(strlen(fleetprov_result_get_certificate_id(result)), 64);
        fleetprov_result_free(result);
        found = folder_find_bytes(d.state, identity_trace(key).text, 48);
        ck_assert_msg(!found, "the key stands open in %s", found);

        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        result = agent_fetch(client, id);
        ck_assert_ptr_nonnull(fleetprov_result_get_certificate_pem(result));
        ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 1);
        fleetprov_result_free(result);
}
END_TEST

START_TEST(callers_request_is_certified)
{
        _cleanup_free_ char *key = NULL, *csr = NULL;
        fleetprov_result *result;

        start_version(versions[_i]);
        identity_make_csr_for("gw-mine", &key, &csr);
        result = issue(&(Wish){.registration_id = "gw-mine", .csr = csr});
        assert_assigned(result, "gw-mine");
        identity_assert_pair(fleetprov_result_get_certificate_pem(result), key, NULL);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 0);
        fleetprov_result_free(result);
}
END_TEST

START_TEST(directory_has_certificate_and_key)
{
        _cleanup_free_ char *said = NULL, *certificate = NULL, *key = NULL;
        const char *dir;
        struct stat st;
        int status;

        start_version(versions[_i]);
        dir = place_path(&d.place, "identity");
        status = process_run((const char *const[]){FLEETPROVCTL,
                                                   place_text(&d.place, "--socket=%s", d.socket),
                                                   "--timeout=60", "provision", "azure",
                                                   "--registration-id=gw-files", "--id=files",
                                                   place_text(&d.place, "--out=%s", dir), NULL},
                             NULL, &said);
        ck_assert_msg(status == 0, "exit %d: %s", status, said);
        certificate = file_read(place_text(&d.place, "%s/certificate.pem", dir), NULL);
        key = file_read(place_text(&d.place, "%s/private-key.pem", dir), NULL);
        ck_assert(certificate && key);
        identity_assert_pair(certificate, key, NULL);
        ck_assert_int_eq(stat(place_text(&d.place, "%s/private-key.pem", dir), &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

/* --- answers that are not as they should be */

static const struct {
        const char *how, *code, *words; /* code NULL: it is good */
} answers[] = {
        {"chain", NULL, NULL},
        {"unknown", NULL, NULL},
        {"none", "bad-response", "no certificate was issued"},
        {"one-text", NULL, NULL},
        {"empty", "bad-response", "no certificate was issued"},
        {"number", "bad-response", "issuedCertificateChain"},
        {"no-base64", "bad-response", "issuedCertificateChain"},
        {"too-many", "bad-response", "issuedCertificateChain"},
        {"no-certificate", "bad-response", "issuedCertificateChain"},
        {"torn", "bad-response", "unreadable"},
        {"other-key", "key-mismatch", "another key"},
};

START_TEST(bad_chain_is_no_identity)
{
        const fleetprov_error *error;
        fleetprov_job *job;
        JobId id;

        cloud_add(&cloud, place_text(&cloud.place, "issued=%s", answers[_i].how),
                  "--operation=dps-query");
        start(ISSUING);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "gw-chain"});
        if (!answers[_i].code) {
                fleetprov_result *result = agent_result(client, id);
                _cleanup_free_ char *key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);

                identity_assert_pair(fleetprov_result_get_certificate_pem(result), key, NULL);
                fleetprov_result_free(result);
                return;
        }
        job = agent_wait(client, id);
        error = fleetprov_job_get_error(job);
        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_str_eq(fleetprov_error_get_name(error), answers[_i].code);
        ck_assert_msg(strstr(fleetprov_error_get_message(error), answers[_i].words), "%s: %s",
                      answers[_i].how, fleetprov_error_get_message(error));
        fleetprov_job_free(job);
        ck_assert_uint_eq(registrations(), 1);
}
END_TEST

/* --- what is not asked twice unseen */

START_TEST(lost_answer_is_on_record_and_names_a_certificate)
{
        fleetprov_result *result;
        fleetprov_job *job;
        JobId id;

        cloud_add(&cloud, "cut-after", "--operation=dps-register");
        start(ISSUING);
        id = agent_submit(client, &(Wish){.profile = "azure", .registration_id = "gw-lost"});
        result = agent_result(client, id);
        assert_assigned(result, "gw-lost");
        fleetprov_result_free(result);
        ck_assert_uint_eq(registrations(), 2);
        job = agent_job(client, id);
        ck_assert(agent_history_has(job, "a certificate may have been made"));
        fleetprov_job_free(job);
}
END_TEST

static const struct {
        Wish wish;
        const char *words;
} refused[] = {
        {{.key_source = "cloud"}, "DPS makes no keys"},
        {{.csr = "no request"}, "csr"},
};

START_TEST(what_cannot_be_issued_is_refused_by_name)
{
        Wish wish = refused[_i].wish;
        fleetprov_error *error;

        wish.profile = "azure";
        wish.registration_id = "gw-refused";
        start(ISSUING);
        ck_assert_int_eq(agent_refused(client, &wish, &error), FLEETPROV_BAD_PARAMETER);
        ck_assert_msg(strstr(fleetprov_error_get_message(error), refused[_i].words), "%s",
                      fleetprov_error_get_message(error));
        fleetprov_error_free(error);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("azure issue");
        TCase *tc = stage_shared_dps(suite, "issue");

        tcase_add_loop_test(tc, daemons_key_and_its_certificate_are_delivered, 0,
                            ELEMENTSOF(types));
        tcase_add_loop_test(tc, callers_request_is_certified, 0, ELEMENTSOF(versions));
        tcase_add_loop_test(tc, directory_has_certificate_and_key, 0, ELEMENTSOF(versions));
        tcase_add_loop_test(tc, bad_chain_is_no_identity, 0, ELEMENTSOF(answers));
        tcase_add_test(tc, lost_answer_is_on_record_and_names_a_certificate);
        tcase_add_loop_test(tc, what_cannot_be_issued_is_refused_by_name, 0, ELEMENTSOF(refused));
        return stage_run(suite);
}

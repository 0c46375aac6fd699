/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Device keys that are made in a token: SoftHSM, behind a module that counts, and has faults. */

#include <sys/stat.h>

#include "tests/integration/daemon/keystore.h"

/* --- provision */

static const struct {
        const char *asked, *profile; /* the type of the key */
        int id, bits;
} types[] = {
        {NULL, "", EVP_PKEY_EC, 256},
        {"ec-p384", "VerifyCertificate=yes\n", EVP_PKEY_EC, 384},
        {NULL, "KeyType=rsa-2048\nVerifyCertificate=yes\n", EVP_PKEY_RSA, 2048},
        {"rsa-3072", "PayloadFormat=cbor\n", EVP_PKEY_RSA, 3072},
};

static void assert_type(const char *pem, int id, int bits) {
        BIO *in = BIO_new_mem_buf(pem, -1);
        X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);

        ck_assert_int_eq(EVP_PKEY_get_base_id(X509_get0_pubkey(certificate)), id);
        ck_assert_int_eq(EVP_PKEY_get_bits(X509_get0_pubkey(certificate)), bits);
        X509_free(certificate);
        BIO_free(in);
}

START_TEST(a_key_is_made_in_the_token_and_certified)
{
        const char *serial = place_text(&cloud.place, "type-%d", _i), *uri;
        fleetprov_result *result;
        JobId id;

        keystore_start(types[_i].profile);
        id = agent_submit(client, &(Wish){.serial = serial, .key_type = types[_i].asked});
        result = agent_result(client, id);
        keystore_assert_result(result, serial);
        assert_type(fleetprov_result_get_certificate_pem(result), types[_i].id, types[_i].bits);
        uri = fleetprov_result_get_private_key_uri(result);
        ck_assert_int_eq(strncmp(uri, SOFT_TOKEN_URI ";id=", strlen(SOFT_TOKEN_URI ";id=")), 0);
        ck_assert_ptr_nonnull(strstr(uri, ";object=fleetprovd-"));
        ck_assert_ptr_nonnull(strstr(uri, ";type=private"));
        ck_assert_str_eq(keystore_id_of(result), id.text);
        fleetprov_result_free(result);
        ck_assert_uint_eq(token_user_count(NULL), 1);
        ck_assert_uint_eq(soft_token_made(), 1);
        ck_assert_uint_eq(soft_token_logins(), 1);
        ck_assert(!file_has(d.log, SOFT_TOKEN_PIN));
}
END_TEST

/* It is the device's from now on. */
START_TEST(the_key_outlives_acknowledge_release_and_the_daemon)
{
        fleetprov_result *result;
        fleetprov_job *job;
        const char *id;
        JobId job_id;

        keystore_start("");
        job_id = agent_submit(client, &(Wish){.serial = "kept", .key = "kept"});
        result = agent_result(client, job_id);
        id = keystore_id_of(result);
        fleetprov_result_free(result);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, job_id), FLEETPROV_OK);
        ck_assert_uint_eq(folder_count(d.state, ".secret"), 0);
        stage_restart(_i == 1);
        /* It is no secret, and can be fetched again. */
        result = agent_result(client,
                              agent_submit(client, &(Wish){.serial = "kept", .key = "kept"}));
        keystore_assert_result(result, "kept");
        fleetprov_result_free(result);
        job = agent_job(client, job_id);
        ck_assert_int_eq(fleetprov_job_get_acknowledged(job), 1);
        fleetprov_job_free(job);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, job_id), FLEETPROV_OK);
        stage_restart(_i == 1);
        ck_assert_uint_eq(token_user_count(id), 1);
        ck_assert_uint_eq(token_user_count(NULL), 1);
        ck_assert(!file_has(d.log, "was removed"));
}
END_TEST

/* --- whose keys go elsewhere */

START_TEST(what_contradicts_the_token_is_refused)
{
        fleetprov_error *error = NULL;

        keystore_start("");
        ck_assert_int_eq(
                agent_refused(client, &(Wish){.serial = "no", .key_source = "cloud"}, &error),
                FLEETPROV_BAD_PARAMETER);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "KeyStore="));
        fleetprov_error_free(error);
        ck_assert_int_eq(
                agent_refused(client,
                              &(Wish){.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
                              &error),
                FLEETPROV_BAD_PARAMETER);
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(error), "KeyStore="));
        fleetprov_error_free(error);
        ck_assert_uint_eq(soft_token_made(), 0);
}
END_TEST

START_TEST(a_key_of_the_callers_is_certified_as_ever)
{
        _cleanup_free_ char *key = NULL, *csr = NULL;
        fleetprov_result *result;

        keystore_start("");
        identity_make_csr(&key, &csr);
        result = agent_result(client, agent_submit(client, &(Wish){.serial = "csr", .csr = csr}));
        identity_assert(&cloud, result, "csr", key, NULL);
        ck_assert_ptr_null(fleetprov_result_get_private_key_uri(result));
        fleetprov_result_free(result);
        ck_assert_uint_eq(soft_token_made(), 0);
}
END_TEST

/* --- for people */

static int ctl(char **ret_said, const char *a, const char *b, const char *c, const char *e) {
        const char *const argv[] = {FLEETPROVCTL,
                                    place_text(&d.place, "--socket=%s", d.socket),
                                    "--timeout=60",
                                    a,
                                    b,
                                    c,
                                    e,
                                    NULL};

        return process_run(argv, NULL, ret_said);
}

START_TEST(the_directory_has_the_uri_in_place_of_the_key)
{
        _cleanup_free_ char *said = NULL, *uri = NULL, *configuration = NULL, *shown = NULL;
        size_t before = cloud_count_certificates(&cloud);
        const char *dir, *out;
        struct stat st;

        keystore_start("");
        dir = place_path(&d.place, "identity");
        out = place_text(&d.place, "--out=%s", dir);
        ck_assert_msg(ctl(&said, "provision", "-pSerialNumber=files", "--id=files", out) == 0, "%s",
                      said);
        uri = file_read(place_text(&d.place, "%s/private-key.uri", dir), NULL);
        ck_assert_ptr_nonnull(uri);
        ck_assert_int_eq(strncmp(uri, "pkcs11:token=The%20Token;id=", 28), 0);
        ck_assert_int_eq(uri[strlen(uri) - 1], '\n');
        ck_assert_int_eq(stat(place_text(&d.place, "%s/private-key.uri", dir), &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0644);
        ck_assert(!file_exists(place_text(&d.place, "%s/private-key.pem", dir)));
        configuration = file_read(place_text(&d.place, "%s/configuration.json", dir), NULL);
        ck_assert_ptr_nonnull(strstr(configuration, "\"privateKeyUri\": \"pkcs11:"));
        /* Again, tomorrow: the same identity. */
        free(TAKE_PTR(said));
        ck_assert_msg(ctl(&said, "provision", "-pSerialNumber=files", "--id=files", out) == 0, "%s",
                      said);
        ck_assert_uint_eq(cloud_count_certificates(&cloud) - before, 1);
        ck_assert_int_eq(ctl(&shown, "--json=short", "result", "aws/files", out), 0);
        ck_assert_ptr_nonnull(strstr(shown, "\"privateKeyUri\":\"pkcs11:"));
        ck_assert_ptr_nonnull(strstr(shown, "/private-key.uri\""));
        ck_assert_ptr_null(strstr(shown, "private-key.pem"));
}
END_TEST

/* --- rotate */

#define ROTATES "RotationTemplate=FleetRotation\n"
#define STRANGER 12345

/* As an application has it: the certificate, and a URI. */
static char *first_certificate(const char *serial) {
        fleetprov_result *result =
                agent_result(client, agent_submit(client, &(Wish){.serial = serial}));
        char *pem = strdup(fleetprov_result_get_certificate_pem(result));

        keystore_assert_result(result, serial);
        fleetprov_result_free(result);
        return pem;
}

static Wish rotation_of(const char *certificate, const char *serial) {
        return (Wish){.operation = FLEETPROV_OPERATION_ROTATE,
                      .serial = serial,
                      .certificate = certificate};
}

START_TEST(the_key_in_the_token_is_the_claim_of_its_rotation)
{
        const char *serial = place_text(&cloud.place, "rotate-%d", _i);
        _cleanup_free_ char *certificate = NULL;
        fleetprov_result *result;
        Wish wish;

        keystore_start(place_text(&cloud.place, ROTATES "KeyType=%s\n",
                                  _i == 0   ? "ec-p256"
                                  : _i == 1 ? "ec-p384"
                                            : "rsa-2048"));
        certificate = first_certificate(serial);
        wish = rotation_of(certificate, serial);
        result = agent_result(client, agent_submit(client, &wish));
        keystore_assert_result(result, serial);
        ck_assert_str_ne(fleetprov_result_get_certificate_pem(result), certificate);
        fleetprov_result_free(result);
        /* The former one may be in use until the device has the new one. */
        ck_assert_uint_eq(token_user_count(NULL), 2);
        ck_assert_uint_eq(soft_token_logins(), 1);
}
END_TEST

START_TEST(an_identity_with_a_key_in_a_file_comes_into_the_token)
{
        _cleanup_free_ char *certificate = NULL, *key = NULL;
        fleetprov_result *result;
        Wish wish;

        keystore_make_token();
        daemon_configure(&d, cloud_profile(&cloud, "aws", ROTATES));
        daemon_start(&d);
        client = agent_open(d.socket);
        result = agent_result(client, agent_submit(client, &(Wish){.serial = "file"}));
        certificate = strdup(fleetprov_result_get_certificate_pem(result));
        key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        fleetprov_result_free(result);
        keystore_configure(ROTATES);
        ck_assert_int_eq(agent_reload(client, NULL), 0);
        wish = rotation_of(certificate, "file");
        wish.private_key = key;
        result = agent_result(client, agent_submit(client, &wish));
        keystore_assert_result(result, "file");
        fleetprov_result_free(result);
}
END_TEST

static char *roots_certificate;

static void must_not_rotate(void *socket) {
        fleetprov_client *own = agent_open(socket);
        Wish wish = rotation_of(roots_certificate, "stolen");
        fleetprov_job *job = agent_wait(own, agent_submit(own, &wish));

        ck_assert_int_eq(fleetprov_job_get_state(job), FLEETPROV_STATE_FAILED);
        ck_assert_str_eq(fleetprov_error_get_name(fleetprov_job_get_error(job)), "key-mismatch");
        fleetprov_job_free(job);
        fleetprov_client_free(own);
}

/* A certificate is no secret: whoever shows somebody else's gets nothing for it. */
START_TEST(nobody_rotates_with_the_key_of_somebody_else)
{
        keystore_start(place_text(&cloud.place, ROTATES "AllowUsers=root %u\n", STRANGER));
        ck_assert_int_eq(chmod(d.socket, 0666), 0);
        roots_certificate = first_certificate("roots");
        process_as_user(STRANGER, STRANGER, NULL, 0, must_not_rotate,
                        (void *) (uintptr_t) d.socket);
        ck_assert_uint_eq(token_user_count(NULL), 1);
        free(TAKE_PTR(roots_certificate));
}
END_TEST

START_TEST(rotate_takes_a_directory_with_a_uri)
{
        _cleanup_free_ char *said = NULL, *before = NULL, *after = NULL, *previous = NULL;
        const char *dir, *out;

        keystore_start(ROTATES);
        dir = place_path(&d.place, "identity");
        out = place_text(&d.place, "--out=%s", dir);
        ck_assert_msg(ctl(&said, "provision", "-pSerialNumber=ctl", out, NULL) == 0, "%s", said);
        before = file_read(place_text(&d.place, "%s/private-key.uri", dir), NULL);
        /* Also where the claim is gone from the device, and right after a start. */
        daemon_stop(&d);
        daemon_configure(
                &d, place_text(&d.place, "%s",
                               cloud_profile(&cloud, "aws",
                                             keystore_lines("Certificate=/gone.pem\n"
                                                            "PrivateKey=/gone.key\n" ROTATES))));
        daemon_start(&d);
        fleetprov_client_free(client);
        client = agent_open(d.socket);
        free(TAKE_PTR(said));
        ck_assert_msg(ctl(&said, "rotate", "-pSerialNumber=ctl", out, NULL) == 0, "%s", said);
        after = file_read(place_text(&d.place, "%s/private-key.uri", dir), NULL);
        previous = file_read(place_text(&d.place, "%s/previous/private-key.uri", dir), NULL);
        ck_assert_str_ne(after, before);
        ck_assert_str_eq(previous, before);
        ck_assert(!file_exists(place_text(&d.place, "%s/private-key.pem", dir)));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon/keystore");
        TCase *shared = stage_shared(suite, "keystore");

        tcase_add_loop_test(shared, a_key_is_made_in_the_token_and_certified, 0, ELEMENTSOF(types));
        tcase_add_loop_test(shared, the_key_outlives_acknowledge_release_and_the_daemon, 0, 2);
        tcase_add_test(shared, what_contradicts_the_token_is_refused);
        tcase_add_test(shared, a_key_of_the_callers_is_certified_as_ever);
        tcase_add_test(shared, the_directory_has_the_uri_in_place_of_the_key);
        tcase_add_loop_test(shared, the_key_in_the_token_is_the_claim_of_its_rotation, 0, 3);
        tcase_add_test(shared, an_identity_with_a_key_in_a_file_comes_into_the_token);
        tcase_add_test(shared, nobody_rotates_with_the_key_of_somebody_else);
        tcase_add_test(shared, rotate_takes_a_directory_with_a_uri);
        return stage_run(suite);
}

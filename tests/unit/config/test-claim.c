/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Secret files' owners and modes, and what a profile connects with. */

#include "daemon/config/claim.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/secret-path.h"
#include "daemon/crypto/crypto.h"
#include "tests/integration/lib/own-mounts.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/suite.h"

#define SECRET_MAX ((size_t) 64)
#define OTHER_ID 12345

static void setup(void) {
        fixture_setup();
        ck_assert_int_eq(crypto_init(), 0);
}

static char *refused(const char *path, int expected) {
        _cleanup_secret_ Secret *s = NULL;
        char *why = NULL;

        ck_assert_int_eq(secret_path_read(path, "the key", SECRET_MAX, &s, &why), expected);
        ck_assert_ptr_null(s);
        ck_assert_ptr_nonnull(why);
        return why;
}

static void accepted(const char *path) {
        _cleanup_secret_ Secret *s = NULL;
        _cleanup_free_ char *why = NULL;

        ck_assert_msg(secret_path_read(path, "the key", SECRET_MAX, &s, &why) == 0, "%s",
                      why ? why : "");
        ck_assert_str_eq(secret_text(s), "secret");
}

START_TEST(a_secret_of_ours_that_nobody_else_reads_is_taken)
{
        accepted(fixture_write_bytes("a", "secret", 6, 0600));
        accepted(fixture_write_bytes("b", "secret", 6, 0400));
        accepted(fixture_write_bytes("c", "secret", 6, 0700));
}
END_TEST

START_TEST(a_secret_that_others_may_touch_is_refused_with_the_mend)
{
        static const mode_t modes[] = {0604, 0602, 0601, 0644, 0666};

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                const char *path = fixture_write_bytes("a", "secret", 6, modes[i]);
                _cleanup_free_ char *why = refused(path, -EPERM);

                assert_contains(why, path);
                assert_contains(why, "chmod o= '");
        }
}
END_TEST

START_TEST(a_secret_that_a_foreign_group_may_touch_is_refused_with_the_mend)
{
        static const mode_t modes[] = {0640, 0620, 0660};

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                const char *path = fixture_write_bytes("a", "secret", 6, modes[i]);
                _cleanup_free_ char *why = refused(path, -EPERM);

                assert_contains(why, path);
                assert_contains(why, "chmod g= '");
        }
}
END_TEST

/* Gives this test's process, and no other, a machine that has our group. False: it may not. */
static bool make_group(void) {
        static const char groups[] = "root:x:0:\n" SECRET_PATH_GROUP ":x:4711:\n";
        const char *path = fixture_write_bytes("group", groups, sizeof(groups) - 1, 0644);

        return own_mounts(0) >= 0 && mount(path, "/etc/group", "none", MS_BIND, NULL) == 0;
}

START_TEST(our_group_and_no_other_may_read_a_secret)
{
        const char *path = fixture_write_bytes("a", "secret", 6, 0600);
        _cleanup_free_ char *why = NULL;

        if (!make_group())
                return; /* only root can, where a container lets him */
        ck_assert_int_eq(chown(path, 0, 4711), 0);
        ck_assert_int_eq(chmod(path, 0640), 0);
        accepted(path);
        ck_assert_int_eq(chown(path, 0, 4712), 0);
        why = refused(path, -EPERM);
        assert_contains(why, "open to group 4712");
        ck_assert_int_eq(umount2("/etc/group", MNT_DETACH), 0);
}
END_TEST

START_TEST(a_secret_of_another_user_is_refused_with_the_mend)
{
        const char *path = fixture_write_bytes("a", "secret", 6, 0600);
        _cleanup_free_ char *why = NULL;

        if (getuid() != 0)
                return; /* only root can give a file away */
        ck_assert_int_eq(chown(path, OTHER_ID, 0), 0);
        why = refused(path, -EPERM);
        assert_contains(why, "belongs to user 12345");
        assert_contains(why, "chown root '");
}
END_TEST

START_TEST(the_daemons_own_user_may_own_a_secret)
{
        const char *path = fixture_write_bytes("a", "secret", 6, 0600);

        if (getuid() != 0)
                return;
        ck_assert_int_eq(chmod(fixture_path("."), 0755), 0);
        ck_assert_int_eq(chown(path, OTHER_ID, OTHER_ID), 0);
        ck_assert_int_eq(seteuid(OTHER_ID), 0);
        accepted(path);
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(a_credential_may_have_the_group_rights_of_its_mask)
{
        const char *path = fixture_write_bytes("credentials/k", "secret", 6, 0440);
        const char *open = fixture_write_bytes("credentials/open", "secret", 6, 0444);
        const char *deeper = fixture_write_bytes("credentials/sub/k", "secret", 6, 0440);
        _cleanup_free_ char *why_open = NULL, *why_deeper = NULL;

        setenv("CREDENTIALS_DIRECTORY", fixture_path("credentials"), 1);
        accepted(path);
        why_open = refused(open, -EPERM);
        why_deeper = refused(deeper, -EPERM);
}
END_TEST

START_TEST(what_is_no_file_is_no_secret)
{
        const char *fifo = fixture_path("fifo");
        _cleanup_free_ char *why_fifo = NULL, *why_folder = NULL, *why_missing = NULL,
                            *why_credential = NULL, *why_below = NULL;

        ck_assert_int_eq(mkfifo(fifo, 0600), 0);
        why_fifo = refused(fifo, -EPERM);
        assert_contains(why_fifo, "no regular file");
        why_folder = refused(fixture_path("."), -EPERM);
        why_missing = refused("/does/not/exist", -ENOENT);
        assert_contains(why_missing, "the key /does/not/exist is not there yet");
        why_below = refused("/etc/passwd/x", -ENOENT);
        why_credential = refused("credential:k", -ENOENT);
        assert_contains(why_credential, "LoadCredential=k");
}
END_TEST

START_TEST(a_secret_is_read_whole_or_not_at_all)
{
        char content[SECRET_MAX + 1];
        _cleanup_secret_ Secret *s = NULL;
        _cleanup_free_ char *why = NULL;
        const char *path;

        memset(content, 's', sizeof(content));
        path = fixture_write_bytes("a", content, SECRET_MAX + 1, 0600);
        why = refused(path, -EFBIG);
        assert_contains(why, "longer than 64 bytes");
        fixture_write_bytes("a", content, SECRET_MAX, 0600);
        ck_assert_int_eq(secret_path_read(path, "the key", SECRET_MAX, &s, NULL), 0);
        ck_assert_uint_eq(s->size, SECRET_MAX);
}
END_TEST

START_TEST(a_file_of_many_pages_is_read_whole)
{
        const size_t size = 300001;
        _cleanup_free_ char *content = malloc(size);
        _cleanup_secret_ Secret *s = NULL;

        ck_assert_ptr_nonnull(content);
        for (size_t i = 0; i < size; i++)
                content[i] = (char) (i % 251);
        ck_assert_int_eq(
                path_read(fixture_write_bytes("a", content, size, 0644), "it", size, &s, NULL), 0);
        ck_assert_uint_eq(s->size, size);
        ck_assert_mem_eq(s->data, content, size);
}
END_TEST

/* Runs openssl in the test's folder. */
static void openssl(const char *arguments) {
        _cleanup_free_ char *command = NULL;

        ck_assert_int_ge(asprintf(&command, "cd %s && umask 077 && openssl %s >openssl.log 2>&1",
                                  fixture_path("."), arguments),
                         0);
        ck_assert_int_eq(system(command), 0);
}

static void make_claim(const char *name) {
        _cleanup_free_ char *arguments = NULL;

        ck_assert_int_ge(asprintf(&arguments,
                                  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                                  "-subj /CN=claim-%s -days 9 -keyout %s.key -out %s.pem",
                                  name, name, name),
                         0);
        openssl(arguments);
}

/* A profile with the certificate a.pem and the key a.key, and roots from a.pem as well. */
static void fill_profile(Profile *p) {
        *p = (Profile){};
        p->name = strdup("aws");
        p->certificate = strdup(fixture_path("a.pem"));
        p->private_key = strdup(fixture_path("a.key"));
        p->trusted_certificates = strdup(fixture_path("a.pem"));
}

static void done_profile(Profile *p) {
        free(p->name);
        free(p->certificate);
        free(p->private_key);
        free(p->private_key_password);
        free(p->trusted_certificates);
}

static void expect_failure(const Profile *p, ErrorCode code, const char *part) {
        _cleanup_failure_ Failure *f = NULL;
        Claim *claim = NULL;

        ck_assert_int_lt(claim_load(p, NULL, &claim, &f), 0);
        ck_assert_ptr_null(claim);
        ck_assert_ptr_nonnull(f);
        ck_assert_int_eq(f->code, code);
        assert_contains(f->message, "Profile aws: ");
        assert_contains(f->message, part);
}

START_TEST(a_claim_is_loaded_with_what_is_shown_of_it)
{
        _cleanup_claim_ Claim *c = NULL, *again = NULL;
        _cleanup_failure_ Failure *f = NULL;
        Profile p;

        make_claim("a");
        fill_profile(&p);
        ck_assert_msg(claim_load(&p, NULL, &c, &f) == 0, "%s", failure_message(f));
        ck_assert_str_eq(c->description->subject, "CN=claim-a");
        assert_contains(secret_text(c->private_key), "BEGIN PRIVATE KEY");
        assert_contains(secret_text(c->certificate), "BEGIN CERTIFICATE");
        ck_assert(secret_equal(c->trusted, c->certificate));
        ck_assert_int_eq(claim_load(&p, NULL, &again, &f), 0);
        ck_assert(claim_equal(c, again));
        ck_assert(!claim_equal(c, NULL));
        ck_assert(claim_equal(NULL, NULL));
        done_profile(&p);
}
END_TEST

START_TEST(a_missing_file_is_told_by_its_name)
{
        Profile p;

        fill_profile(&p);
        expect_failure(&p, ERROR_NOT_INITIALIZED, "a.pem is not there yet");
        make_claim("a");
        ck_assert_int_eq(unlink(p.private_key), 0);
        expect_failure(&p, ERROR_NOT_INITIALIZED, "a.key is not there yet");
        make_claim("a");
        free(p.trusted_certificates);
        p.trusted_certificates = strdup("/does/not/exist.pem");
        expect_failure(&p, ERROR_NOT_INITIALIZED, "/does/not/exist.pem is not there yet");
        done_profile(&p);
}
END_TEST

START_TEST(a_key_of_another_certificate_is_a_mismatch)
{
        Profile p;

        make_claim("a");
        make_claim("b");
        fill_profile(&p);
        free(p.private_key);
        p.private_key = strdup(fixture_path("b.key"));
        expect_failure(&p, ERROR_KEY_MISMATCH, "b.key");
        done_profile(&p);
}
END_TEST

START_TEST(certificate_of_a_device_names_its_registration)
{
        _cleanup_claim_ Claim *c = NULL;
        _cleanup_failure_ Failure *f = NULL;
        Profile p;

        make_claim("a");
        fill_profile(&p);
        p.provider = PROVIDER_AZURE_DPS;
        p.dps.registration_id = strdup("device-1");
        expect_failure(&p, ERROR_NOT_INITIALIZED, "\"CN=claim-a\"");
        expect_failure(&p, ERROR_NOT_INITIALIZED, "RegistrationId=device-1");
        free(p.dps.registration_id);
        p.dps.registration_id = strdup("Claim-A"); /* case does not count to DPS */
        ck_assert_msg(claim_load(&p, NULL, &c, &f) == 0, "%s", failure_message(f));
        dps_settings_done(&p.dps);
        done_profile(&p);
}
END_TEST

START_TEST(a_key_that_everybody_reads_is_refused)
{
        Profile p;

        make_claim("a");
        fill_profile(&p);
        ck_assert_int_eq(chmod(p.private_key, 0644), 0);
        expect_failure(&p, ERROR_NOT_INITIALIZED, "chmod o= ");
        done_profile(&p);
}
END_TEST

START_TEST(an_encrypted_key_wants_its_password)
{
        _cleanup_claim_ Claim *c = NULL;
        _cleanup_failure_ Failure *f = NULL;
        Profile p;

        make_claim("a");
        openssl("pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 2048 -in a.key "
                "-out b.key -passout pass:word");
        fill_profile(&p);
        free(p.private_key);
        p.private_key = strdup(fixture_path("b.key"));
        expect_failure(&p, ERROR_NOT_INITIALIZED, "PrivateKeyPassword=");
        p.private_key_password = strdup(fixture_write_bytes("password", "wrong\n", 6, 0600));
        expect_failure(&p, ERROR_NOT_INITIALIZED, "b.key");
        fixture_write_bytes("password", "word\n", 5, 0644);
        expect_failure(&p, ERROR_NOT_INITIALIZED, "password is open to everybody");
        fixture_write_bytes("password", "word\n", 5, 0600);
        ck_assert_msg(claim_load(&p, NULL, &c, &f) == 0, "%s", failure_message(f));
        assert_contains(secret_text(c->private_key), "BEGIN PRIVATE KEY");
        done_profile(&p);
}
END_TEST

START_TEST(junk_is_no_claim)
{
        Profile p;

        make_claim("a");
        fill_profile(&p);
        fixture_write_bytes("a.key", "junk\n", 5, 0600);
        expect_failure(&p, ERROR_NOT_INITIALIZED, "a.key");
        fixture_write_bytes("a.pem", "junk\n", 5, 0644);
        expect_failure(&p, ERROR_NOT_INITIALIZED, "a.pem");
        done_profile(&p);
}
END_TEST

START_TEST(the_providers_roots_are_few)
{
        _cleanup_claim_ Claim *own = NULL, *all = NULL;
        _cleanup_failure_ Failure *f = NULL;
        const char *files[CLAIM_FILES];
        Profile p;

        make_claim("a");
        fill_profile(&p);
        free(p.trusted_certificates);
        p.trusted_certificates = NULL;
        if (access(CLAIM_ROOTS_FOLDER "/Amazon_Root_CA_1.crt", R_OK) == 0) {
                size_t n = 0;

                ck_assert_msg(claim_load(&p, NULL, &own, &f) == 0, "%s", failure_message(f));
                ck_assert_int_eq(certificate_check_bundle(secret_text(own->trusted),
                                                          own->trusted->size, &n, NULL),
                                 0);
                ck_assert_uint_eq(n, 5);
        } else {
                expect_failure(&p, ERROR_NOT_INITIALIZED, "install ca-certificates");
        }
        p.trusted_certificates = strdup("system");
        claim_files(&p, files);
        ck_assert_str_eq(files[0], CLAIM_SYSTEM_ROOTS);
        if (access(CLAIM_SYSTEM_ROOTS, R_OK) == 0)
                ck_assert_msg(claim_load(&p, NULL, &all, &f) == 0, "%s", failure_message(f));
        done_profile(&p);
}
END_TEST

static void set_key(Profile *p, const char *text) {
        free(p->dps.symmetric_key);
        p->dps.symmetric_key = strdup(fixture_write_bytes("dps.key", text, strlen(text), 0600));
}

START_TEST(symmetric_key_is_a_claim_where_it_is_long_enough)
{
        static const char key[] = "MDEyMzQ1Njc4OWFiY2RlZg==\n"; /* 16 bytes */
        Profile p = {.name = strdup("aws"), .provider = PROVIDER_AZURE_DPS};
        _cleanup_claim_ Claim *c = NULL, *again = NULL;
        _cleanup_failure_ Failure *f = NULL;
        const char *files[CLAIM_FILES];

        if (access(CLAIM_ROOTS_FOLDER "/DigiCert_Global_Root_G2.crt", R_OK) < 0)
                p.trusted_certificates = strdup(fixture_write_bytes("ca.pem", "x", 1, 0644));
        set_key(&p, key);
        claim_files(&p, files);
        ck_assert_str_eq(files[4], p.dps.symmetric_key);
        ck_assert_ptr_null(files[5]);
        ck_assert_msg(claim_load(&p, NULL, &c, &f) == 0, "%s", failure_message(f));
        ck_assert_uint_eq(c->symmetric_key->size, 16);
        ck_assert_ptr_null(c->secondary_key);
        ck_assert_ptr_null(c->description);
        p.dps.secondary_key = strdup(p.dps.symmetric_key);
        ck_assert_int_eq(claim_load(&p, NULL, &again, &f), 0);
        ck_assert(!claim_equal(c, again));
        ck_assert(claim_equal(c, c));
        set_key(&p, "MDEyMzQ1Njc4OWFiY2Rl\n");
        expect_failure(&p, ERROR_NOT_INITIALIZED, "dps.key");
        set_key(&p, "not base64!");
        expect_failure(&p, ERROR_NOT_INITIALIZED, "dps.key");
        dps_settings_done(&p.dps);
        free(p.name);
        free(p.trusted_certificates);
}
END_TEST

int main(void) {
        TCase *t = tcase_create("claim");

        tcase_add_checked_fixture(t, setup, fixture_teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, a_secret_of_ours_that_nobody_else_reads_is_taken);
        tcase_add_test(t, a_secret_that_others_may_touch_is_refused_with_the_mend);
        tcase_add_test(t, a_secret_that_a_foreign_group_may_touch_is_refused_with_the_mend);
        tcase_add_test(t, our_group_and_no_other_may_read_a_secret);
        tcase_add_test(t, a_secret_of_another_user_is_refused_with_the_mend);
        tcase_add_test(t, the_daemons_own_user_may_own_a_secret);
        tcase_add_test(t, a_credential_may_have_the_group_rights_of_its_mask);
        tcase_add_test(t, what_is_no_file_is_no_secret);
        tcase_add_test(t, a_secret_is_read_whole_or_not_at_all);
        tcase_add_test(t, a_file_of_many_pages_is_read_whole);
        tcase_add_test(t, a_claim_is_loaded_with_what_is_shown_of_it);
        tcase_add_test(t, a_missing_file_is_told_by_its_name);
        tcase_add_test(t, a_key_of_another_certificate_is_a_mismatch);
        tcase_add_test(t, certificate_of_a_device_names_its_registration);
        tcase_add_test(t, a_key_that_everybody_reads_is_refused);
        tcase_add_test(t, an_encrypted_key_wants_its_password);
        tcase_add_test(t, junk_is_no_claim);
        tcase_add_test(t, the_providers_roots_are_few);
        tcase_add_test(t, symmetric_key_is_a_claim_where_it_is_long_enough);
        return suite_run("secret files and claims", t);
}

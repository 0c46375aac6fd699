/* SPDX-License-Identifier: GPL-2.0-or-later */

/* credential:NAME, in each key that takes one: what is a name, where it leads, and who may own and
 * read what stands there. */

#include <check.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/claim.h"
#include "daemon/config/config-value.h"
#include "daemon/crypto/crypto.h"
#include "tests/token/soft-token.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/suite.h"

#define NAME "credential:it"

#define AWS "[Profile p]\nProvider=aws-iot\nEndpoint=h\n"
#define AWS_CLAIM "TrustedCertificates=DIR/a.pem\nCertificate=DIR/a.pem\nPrivateKey=DIR/a.key\n"
#define AZURE                                                                          \
        "[Profile p]\nProvider=azure-dps\nEndpoint=h\nIdScope=0ne\nRegistrationId=r\n" \
        "TrustedCertificates=DIR/a.pem\nAuthentication=symmetric-key\n"

/* Every key that takes one. `lines`: what it needs beside itself; it stands behind them, and a
 * later value of the same key is none, so the key itself is not among them. */
static const struct Row {
        const char *key, *lines;
        const char *file; /* what is good there: a file of the folder */
        bool is_secret;
        bool is_read_late; /* with the claim, and not with the configuration */
} rows[] = {
        {"Certificate", AWS "TrustedCertificates=DIR/a.pem\nPrivateKey=DIR/a.key\n", "a.pem", false,
         true},
        {"PrivateKey", AWS "TrustedCertificates=DIR/a.pem\nCertificate=DIR/a.pem\n", "a.key", true,
         true},
        {"PrivateKeyPassword",
         AWS "TrustedCertificates=DIR/a.pem\nCertificate=DIR/a.pem\nPrivateKey=DIR/b.key\n",
         "password", true, true},
        {"PrivateKeyPassword",
         AWS "TrustedCertificates=DIR/a.pem\nCertificate=DIR/a.pem\n"
             "PrivateKey=" SOFT_TOKEN_URI ";object=a\nPkcs11Module=DIR/module.so\n",
         "pin", true, true},
        {"TrustedCertificates", AWS "Certificate=DIR/a.pem\nPrivateKey=DIR/a.key\n", "a.pem", false,
         true},
        {"ProxyCredentials", AWS AWS_CLAIM "Proxy=http://proxy:3128\n", "login", true, true},
        {"Parameter.A", AWS AWS_CLAIM, "line", false, false},
        {"DefaultParameter.A", AWS AWS_CLAIM, "line", false, false},
        {"SymmetricKey", AZURE, "dps", true, true},
        {"SecondaryKey", AZURE "SymmetricKey=DIR/dps\n", "dps", true, true},
        {"StateKey", "[Daemon]\n", "state", true, false},
        {"FormerStateKey", "[Daemon]\n", "state", true, false},
};

/* --- a token, whose PIN is one of them; nothing of it is kept */

static TokenPool *tokens;

static int no_record(_unused_ void *userdata, _unused_ const char *name, _unused_ size_t max,
                     _unused_ Secret **ret) {
        return -ENOENT;
}

static int keep_no_record(_unused_ void *userdata, _unused_ const char *name,
                          _unused_ const void *data, _unused_ size_t size) {
        return 0;
}

static int erase_no_record(_unused_ void *userdata, _unused_ const char *name) {
        return -ENOENT;
}

static void make_token(void) {
        static const TokenLatchStore nowhere = {
                .read = no_record, .write = keep_no_record, .erase = erase_no_record};

        ck_assert_int_eq(mkdir(fixture_path("token"), 0700), 0);
        soft_token_make(fixture_path("token"));
        soft_token_import(fixture_path("a.key"), "a", "01");
        ck_assert_int_eq(symlink(soft_token_module(), fixture_path("module.so")), 0);
        ck_assert_int_eq(token_pool_new(&nowhere, NULL, &tokens), 0);
}

/* --- the rows */

/* Puts the folder in the place of each DIR. */
static char *with_folder(const char *text) {
        _cleanup_free_ char *folder = strndup(fixture_path(""), strlen(fixture_path("")) - 1);
        char *content = NULL;
        const char *at;
        size_t size;
        FILE *f = open_memstream(&content, &size);

        ck_assert_ptr_nonnull(f);
        for (; (at = strstr(text, "DIR")); text = at + strlen("DIR"))
                fprintf(f, "%.*s%s", (int) (at - text), text, folder);
        fputs(text, f);
        fclose(f);
        return content;
}

static char *configuration(const struct Row *row, const char *value) {
        _cleanup_free_ char *lines = with_folder(row->lines);
        char *content;

        ck_assert_int_ge(asprintf(&content, "%s%s=%s\n", lines, row->key, value), 0);
        return content;
}

/* What is wrong with the row's key, wherever that is said; NULL: nothing. */
static char *why_refused(const struct Row *row) {
        _cleanup_free_ char *content = configuration(row, NAME);
        _cleanup_failure_ Failure *failure = NULL;
        _cleanup_config_ Config *c = NULL;
        _cleanup_claim_ Claim *claim = NULL;
        char *why = NULL;

        if (config_load(fixture_write("t.conf", content), &c, &why) < 0) {
                ck_assert_msg(!row->is_read_late, "%s is read too early: %s", row->key, why);
                ck_assert_ptr_nonnull(why);
                return why;
        }
        if (strstr(row->lines, SOFT_TOKEN_URI) && !tokens)
                make_token();
        if (row->is_read_late && claim_load(c->profiles[0], tokens, &claim, &failure) < 0)
                return strdup(failure_message(failure));
        return NULL;
}

static void openssl(const char *arguments) {
        _cleanup_free_ char *command = NULL;

        ck_assert_int_ge(asprintf(&command, "cd %s && umask 077 && openssl %s >openssl.log 2>&1",
                                  fixture_path("."), arguments),
                         0);
        ck_assert_int_eq(system(command), 0);
}

static void setup(void) {
        fixture_setup();
        ck_assert_int_eq(crypto_init(), 0);
        openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=a -days 9 "
                "-keyout a.key -out a.pem");
        openssl("pkcs8 -topk8 -v2 aes-256-cbc -iter 2048 -in a.key -out b.key -passout pass:word");
        fixture_write_bytes("password", "word\n", 5, 0600);
        fixture_write_bytes("login", "user:word\n", 10, 0600);
        fixture_write_bytes("line", "one line\n", 9, 0644);
        fixture_write_bytes("dps", "MDEyMzQ1Njc4OWFiY2RlZg==\n", 25, 0600);
        fixture_write_bytes("state", "0123456789abcdef0123456789abcdef", 32, 0600);
        fixture_write_bytes("pin", SOFT_TOKEN_PIN "\n", strlen(SOFT_TOKEN_PIN) + 1, 0600);
        ck_assert_int_eq(mkdir(fixture_path("given"), 0700), 0);
        ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", fixture_path("given"), 1), 0);
}

static void teardown(void) {
        tokens = token_pool_unref(tokens);
        fixture_teardown();
}

/* As the service manager hands it over, but for the mode. */
static void give(const struct Row *row, mode_t mode) {
        _cleanup_free_ char *command = NULL;

        ck_assert_int_ge(
                asprintf(&command, "cp %s %s", fixture_path(row->file), fixture_path("given/it")),
                0);
        ck_assert_int_eq(system(command), 0);
        ck_assert_int_eq(chmod(fixture_path("given/it"), mode), 0);
}

static void assert_taken(const struct Row *row) {
        _cleanup_free_ char *why = why_refused(row);

        ck_assert_msg(!why, "%s: %s", row->key, why);
}

static void assert_refused(const struct Row *row, const char *words) {
        _cleanup_free_ char *why = why_refused(row);

        ck_assert_msg(why != NULL, "%s is taken", row->key);
        assert_contains(why, words);
        assert_contains(why, "given/it");
}

START_TEST(credential_that_is_given_is_taken)
{
        give(rows + _i, 0400);
        assert_taken(rows + _i);
        /* The mask of an access list looks like a group's right (systemd.exec(5)). */
        give(rows + _i, 0440);
        assert_taken(rows + _i);
}
END_TEST

START_TEST(secret_that_everybody_reads_is_refused_with_the_mend)
{
        give(rows + _i, 0444);
        if (rows[_i].is_secret)
                assert_refused(rows + _i, "chmod o= ");
        else
                assert_taken(rows + _i);
}
END_TEST

START_TEST(secret_of_somebody_else_is_refused_with_the_mend)
{
        if (geteuid() != 0) {
                fputs("skipped: giving a file away needs root\n", stderr);
                return;
        }
        give(rows + _i, 0400);
        ck_assert_int_eq(chown(fixture_path("given/it"), 12345, 12345), 0);
        if (rows[_i].is_secret)
                assert_refused(rows + _i, "chown root ");
        else
                assert_taken(rows + _i);
}
END_TEST

/* A state key is asked for when the store is opened. */
START_TEST(credential_that_is_not_given_is_named)
{
        const struct Row *row = rows + _i;
        _cleanup_free_ char *content = configuration(row, NAME), *why = NULL;
        bool is_state_key = strstr(row->key, "StateKey") != NULL;
        _cleanup_config_ Config *c = NULL;

        if (!is_state_key)
                assert_refused(row, "is not there yet");
        ck_assert_int_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
        if (is_state_key) {
                c = fixture_load(content);
                ck_assert_str_eq(streq(row->key, "StateKey") ? c->state_key : c->former_state_key,
                                 NAME);
                return;
        }
        why = why_refused(row);
        assert_contains(why, "there is no credential 'it'");
        assert_contains(why, "LoadCredential=it:");
}
END_TEST

static const char *const no_names[] = {
        "credential:",         "credential:/it", "credential:a/it", "credential:../given/it",
        "credential:.",        "credential:..",  "credential:it/",  "credential:a:b",
        "credential:\xc3\xa4",
};

START_TEST(what_leads_elsewhere_is_no_name)
{
        char long_name[sizeof("credential:") + CONFIG_CREDENTIAL_NAME_MAX + 1] = "credential:";

        memset(long_name + strlen("credential:"), 'n', CONFIG_CREDENTIAL_NAME_MAX + 1);
        for (size_t i = 0; i <= ELEMENTSOF(no_names); i++) {
                const char *value = i < ELEMENTSOF(no_names) ? no_names[i] : long_name;
                _cleanup_free_ char *content = configuration(rows + _i, value), *why = NULL;

                give(rows + _i, 0400);
                why = fixture_refused(content);
                assert_contains(why, rows[_i].key);
        }
        /* A dot within is one of a name's (systemd's own have them). */
        ck_assert(config_credential_name_is_valid("claim.key"));
}
END_TEST

int main(void) {
        TCase *t = tcase_create("credential");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_loop_test(t, credential_that_is_given_is_taken, 0, (int) ELEMENTSOF(rows));
        tcase_add_loop_test(t, secret_that_everybody_reads_is_refused_with_the_mend, 0,
                            (int) ELEMENTSOF(rows));
        tcase_add_loop_test(t, secret_of_somebody_else_is_refused_with_the_mend, 0,
                            (int) ELEMENTSOF(rows));
        tcase_add_loop_test(t, credential_that_is_not_given_is_named, 0, (int) ELEMENTSOF(rows));
        tcase_add_loop_test(t, what_leads_elsewhere_is_no_name, 0, (int) ELEMENTSOF(rows));
        return suite_run("credentials", t);
}

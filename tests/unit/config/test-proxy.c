/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Proxy= and ProxyCredentials=: what they give, what is refused, and that no refusal repeats a
 * password. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "daemon/config/claim.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/suite.h"

#define PASSWORD "s3cr3t"
#define ENCODED "user:" PASSWORD "@"

/* A profile with these lines in a file of this mode. */
static const char *write_profile(const char *lines, mode_t mode) {
        const char *content = fixture_profile(lines);

        return fixture_write_bytes("t.conf", content, strlen(content), mode);
}

static Config *load(const char *lines, mode_t mode) {
        const char *file = write_profile(lines, mode);
        _cleanup_free_ char *why = NULL;
        Config *c = NULL;
        int r = config_load(file, &c, &why);

        ck_assert_msg(r == 0, "%s: %s", lines, why);
        return c;
}

static const struct {
        const char *value;
        ProxyKind kind;
        const char *host;
        uint16_t port;
        const char *credentials;
} good[] = {
        {"http://proxy:3128", PROXY_HTTP, "proxy", 3128, NULL},
        {"http://proxy", PROXY_HTTP, "proxy", 80, NULL},
        {"http://proxy:3128/", PROXY_HTTP, "proxy", 3128, NULL},
        {"socks5://192.0.2.1", PROXY_SOCKS5, "192.0.2.1", 1080, NULL},
        {"socks5://[2001:db8::1]:1", PROXY_SOCKS5, "2001:db8::1", 1, NULL},
        {"http://[::1]", PROXY_HTTP, "::1", 80, NULL},
        {"http://" ENCODED "proxy:8080", PROXY_HTTP, "proxy", 8080, "user:" PASSWORD},
        {"socks5://u:p@[::1]:9", PROXY_SOCKS5, "::1", 9, "u:p"},
        {"http://u:a%40b%2F%23%25@proxy", PROXY_HTTP, "proxy", 80, "u:a@b/#%"},
        {"http://u:p:q@proxy", PROXY_HTTP, "proxy", 80, "u:p:q"},
        {"http://u:p@q@proxy", PROXY_HTTP, "proxy", 80, "u:p@q"},
};

START_TEST(proxy_is_taken_apart)
{
        _cleanup_free_ char *line = NULL;
        _cleanup_config_ Config *c = NULL;
        const Proxy *p;

        ck_assert_int_ge(asprintf(&line, "Proxy=%s\n", good[_i].value), 0);
        c = load(line, 0600);
        p = &c->profiles[0]->proxy;
        ck_assert_int_eq(p->kind, good[_i].kind);
        ck_assert_str_eq(p->host, good[_i].host);
        ck_assert_uint_eq(p->port, good[_i].port);
        if (good[_i].credentials)
                ck_assert_str_eq(secret_text(p->credentials), good[_i].credentials);
        else
                ck_assert_ptr_null(p->credentials);
}
END_TEST

static const struct {
        const char *lines, *key, *reason;
} bad[] = {
        {"Proxy=proxy:3128", "Proxy", "write http://host:port"},
        {"Proxy=https://proxy:3128", "Proxy", "no kind of proxy; write http"},
        {"Proxy=socks5h://proxy", "Proxy", "write socks5"},
        {"Proxy=socks4://" ENCODED "proxy", "Proxy", "no kind of proxy"},
        {"Proxy=" ENCODED "http://proxy", "Proxy", "no kind of proxy"},
        {"Proxy=http://", "Proxy", "no host"},
        {"Proxy=http://:3128", "Proxy", "no host"},
        {"Proxy=http://proxy:0", "Proxy", "no number from 1"},
        {"Proxy=http://proxy:", "Proxy", "no number from 1"},
        {"Proxy=http://proxy:3128/path", "Proxy", "no number from 1"},
        {"Proxy=http://[::1:3128", "Proxy", "no ']'"},
        {"Proxy=http://[::1]x", "Proxy", "no ']'"},
        {"Proxy=http://" ENCODED, "Proxy", "no host"},
        {"Proxy=http://user@proxy", "Proxy", "user:password"},
        {"Proxy=http://:" PASSWORD "@proxy", "Proxy", "user:password"},
        {"Proxy=http://user:@proxy", "Proxy", "user:password"},
        {"Proxy=http://us%3Aer:" PASSWORD "@proxy", "Proxy", "no ':'"},
        {"Proxy=http://user%3a" PASSWORD "@proxy", "Proxy", "no ':'"},
        {"Proxy=http://user:" PASSWORD "%0a@proxy", "Proxy", "control characters"},
        {"Proxy=http://user:" PASSWORD "%4@proxy", "Proxy", "%25"},
        {"Proxy=http://user:" PASSWORD "%@proxy", "Proxy", "%25"},
        {"Proxy=http://user:" PASSWORD "%zz@proxy", "Proxy", "%25"},
        {"ProxyCredentials=/x", "ProxyCredentials", "there is no Proxy="},
        {"ProxyCredentials=x\nProxy=http://p", "ProxyCredentials", "absolute path"},
        {"ProxyCredentials=/x\nProxy=http://" ENCODED "p", "ProxyCredentials",
         "does not go with a user and password in Proxy="},
};

START_TEST(bad_proxy_is_refused_without_a_word_of_its_password)
{
        const char *file = write_profile(bad[_i].lines, 0600);
        _cleanup_free_ char *why = NULL, *where = NULL;
        Config *c = NULL;

        ck_assert_int_eq(config_load(file, &c, &why), -EINVAL);
        ck_assert_int_ge(asprintf(&where, "[Profile aws] %s=: ", bad[_i].key), 0);
        assert_contains(why, where);
        assert_contains(why, bad[_i].reason);
        ck_assert_msg(!strstr(why, PASSWORD), "%s", why);
}
END_TEST

START_TEST(file_with_a_password_is_a_secret_one)
{
        static const mode_t modes[] = {0644, 0640, 0604};

        for (size_t i = 0; i < ELEMENTSOF(modes); i++) {
                const char *file = write_profile("Proxy=http://" ENCODED "proxy\n", modes[i]);
                _cleanup_free_ char *why = NULL;
                Config *c = NULL;

                ck_assert_int_eq(config_load(file, &c, &why), -EINVAL);
                assert_contains(why, ":6: [Profile aws] Proxy=: ");
                assert_contains(why, "chmod");
                assert_contains(why, "ProxyCredentials=");
                ck_assert_ptr_null(strstr(why, PASSWORD));
        }
        config_free(load("Proxy=http://" ENCODED "proxy\n", 0600));
        config_free(load("Proxy=http://proxy\n", 0644));
}
END_TEST

/* With the roots of the test's own, which anything is that looks like PEM. */
static int load_way(const Config *c, Secret **ret_credentials, Failure **ret_failure) {
        _cleanup_secret_ Secret *trusted = NULL;

        return claim_load_way(c->profiles[0], &trusted, ret_credentials, ret_failure);
}

static const char *with_file(const char *credentials, mode_t mode, char **ret_lines) {
        const char *roots = fixture_write("roots.pem", "roots");
        const char *file = fixture_write_bytes("proxy.txt", credentials, strlen(credentials), mode);

        ck_assert_int_ge(asprintf(ret_lines,
                                  "TrustedCertificates=%s\nProxy=http://p\nProxyCredentials=%s\n",
                                  roots, file),
                         0);
        return file;
}

START_TEST(credentials_come_from_their_file)
{
        _cleanup_free_ char *lines = NULL;
        const char *file = with_file("user:" PASSWORD "\n", 0600, &lines), *files[CLAIM_FILES];
        _cleanup_config_ Config *c = load(lines, 0644);
        _cleanup_secret_ Secret *credentials = NULL;
        _cleanup_failure_ Failure *f = NULL;
        unsigned watched = 0;

        ck_assert_msg(load_way(c, &credentials, &f) == 0, "%s", failure_message(f));
        ck_assert_str_eq(secret_text(credentials), "user:" PASSWORD);
        claim_files(c->profiles[0], files);
        for (size_t i = 0; i < CLAIM_FILES; i++)
                watched += streq_ptr(files[i], file);
        ck_assert_uint_eq(watched, 1);
}
END_TEST

START_TEST(credentials_in_the_key_itself_are_taken)
{
        const char *roots = fixture_write("roots.pem", "roots");
        _cleanup_free_ char *lines = NULL;
        _cleanup_config_ Config *c = NULL;
        _cleanup_secret_ Secret *credentials = NULL;
        _cleanup_failure_ Failure *f = NULL;

        ck_assert_int_ge(
                asprintf(&lines, "TrustedCertificates=%s\nProxy=http://" ENCODED "p\n", roots), 0);
        c = load(lines, 0600);
        ck_assert_msg(load_way(c, &credentials, &f) == 0, "%s", failure_message(f));
        ck_assert_str_eq(secret_text(credentials), "user:" PASSWORD);
}
END_TEST

static const struct {
        const char *content;
        mode_t mode;
        const char *reason;
} bad_files[] = {
        {"user:" PASSWORD, 0644, "chmod"},
        {PASSWORD, 0600, "user:password"},
        {"user:" PASSWORD "\nmore", 0600, "one line"},
};

START_TEST(bad_file_of_credentials_is_named)
{
        _cleanup_free_ char *lines = NULL;
        const char *file = with_file(bad_files[_i].content, bad_files[_i].mode, &lines);
        _cleanup_config_ Config *c = load(lines, 0644);
        _cleanup_secret_ Secret *credentials = NULL;
        _cleanup_failure_ Failure *f = NULL;

        ck_assert_int_lt(load_way(c, &credentials, &f), 0);
        ck_assert_int_eq(failure_code(f), ERROR_NOT_INITIALIZED);
        assert_contains(f->message, file);
        assert_contains(f->message, bad_files[_i].reason);
        ck_assert_msg(!strstr(f->message, PASSWORD), "%s", f->message);
}
END_TEST

START_TEST(file_that_is_not_there_yet_is_waited_for)
{
        _cleanup_free_ char *lines = NULL;
        const char *file = with_file("u:p", 0600, &lines);
        _cleanup_config_ Config *c = load(lines, 0644);
        _cleanup_secret_ Secret *credentials = NULL;
        _cleanup_failure_ Failure *f = NULL;

        ck_assert_int_eq(unlink(file), 0);
        ck_assert_int_eq(load_way(c, &credentials, &f), -ENOENT);
        assert_contains(f->message, "not there yet");
}
END_TEST

int main(void) {
        TCase *t = tcase_create("proxy");

        tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
        tcase_add_loop_test(t, proxy_is_taken_apart, 0, ELEMENTSOF(good));
        tcase_add_loop_test(t, bad_proxy_is_refused_without_a_word_of_its_password, 0,
                            ELEMENTSOF(bad));
        tcase_add_test(t, file_with_a_password_is_a_secret_one);
        tcase_add_test(t, credentials_come_from_their_file);
        tcase_add_test(t, credentials_in_the_key_itself_are_taken);
        tcase_add_loop_test(t, bad_file_of_credentials_is_named, 0, ELEMENTSOF(bad_files));
        tcase_add_test(t, file_that_is_not_there_yet_is_waited_for);
        return suite_run("configuration: proxy", t);
}

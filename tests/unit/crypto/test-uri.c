/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/pkcs11-uri.h"
#include "tests/unit/crypto/material.h"

static Pkcs11Uri *parse(const char *text, Pkcs11UriUse use) {
        Pkcs11Uri *u = NULL;
        char *why = NULL;
        int r;

        r = pkcs11_uri_parse(text, use, &u, &why);
        ck_assert_msg(r == 0, "%s: %s", text, why ? why : "no reason");
        return u;
}

START_TEST(every_attribute_is_read)
{
        _cleanup_pkcs11_uri_ Pkcs11Uri *u =
                parse("pkcs11:token=The%20Software;manufacturer=Snake%20Oil,%20Inc.;model=M1;"
                      "serial=%E2%82%AC17;slot-id=327;object=my-claim;id=%01%aFz;type=private"
                      "?pin-source=file:/etc/token%20pin",
                      PKCS11_URI_KEY);

        ck_assert_str_eq(u->token, "The Software");
        ck_assert_str_eq(u->manufacturer, "Snake Oil, Inc.");
        ck_assert_str_eq(u->model, "M1");
        ck_assert_str_eq(u->serial, "\xe2\x82\xac"
                                    "17");
        ck_assert(u->has_slot_id);
        ck_assert_uint_eq(u->slot_id, 327);
        ck_assert_str_eq(u->object, "my-claim");
        ck_assert_uint_eq(u->id_size, 3);
        ck_assert_mem_eq(u->id, "\x01\xafz", 3);
        ck_assert_str_eq(u->pin_source, "/etc/token pin");
}
END_TEST

START_TEST(what_is_not_there_is_any)
{
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = parse("pkcs11:token=a;object=b", PKCS11_URI_KEY);

        ck_assert_ptr_null(u->manufacturer);
        ck_assert_ptr_null(u->model);
        ck_assert_ptr_null(u->serial);
        ck_assert_ptr_null(u->id);
        ck_assert_ptr_null(u->pin_source);
        ck_assert(!u->has_slot_id);
}
END_TEST

static const struct {
        const char *text, *path;
} sources[] = {
        {"file:/a/b", "/a/b"},
        {"file:///a/b", "/a/b"},
        {"/a/b", "/a/b"},
        {"credential:pin", "credential:pin"},
};

START_TEST(pin_comes_from_a_file_or_a_credential)
{
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = NULL;
        _cleanup_free_ char *text = NULL;

        ck_assert_int_ge(asprintf(&text, "pkcs11:token=a?pin-source=%s", sources[_i].text), 0);
        u = parse(text, PKCS11_URI_STORE);
        ck_assert_str_eq(u->pin_source, sources[_i].path);
}
END_TEST

static const struct {
        const char *text;
        Pkcs11UriUse use;
        const char *why;
} refused[] = {
        {"file:token=a", PKCS11_URI_STORE, "begins with pkcs11:"},
        {"pkcs11:", PKCS11_URI_STORE, "names no token"},
        {"pkcs11:object=a", PKCS11_URI_KEY, "names no token"},
        {"pkcs11:token=a", PKCS11_URI_KEY, "names no key"},
        {"pkcs11:token=a;object=b", PKCS11_URI_STORE, "of its own"},
        {"pkcs11:token=a;id=%01", PKCS11_URI_STORE, "of its own"},
        {"pkcs11:token=a;token=b", PKCS11_URI_STORE, "token stands there twice"},
        {"pkcs11:token", PKCS11_URI_STORE, "'token' has no value"},
        {"pkcs11:token=", PKCS11_URI_STORE, "token: write 1 to 32"},
        {"pkcs11:token=a;;object=b", PKCS11_URI_KEY, "has no value"},
        {"pkcs11:token=012345678901234567890123456789012", PKCS11_URI_STORE, "write 1 to 32"},
        {"pkcs11:model=01234567890123456", PKCS11_URI_STORE, "write 1 to 16"},
        {"pkcs11:token=a%00b", PKCS11_URI_STORE, "UTF-8 text"},
        {"pkcs11:token=a%1bb", PKCS11_URI_STORE, "UTF-8 text"},
        {"pkcs11:token=a%c2%9bb", PKCS11_URI_STORE, "UTF-8 text"},
        {"pkcs11:token=%ff", PKCS11_URI_STORE, "UTF-8 text"},
        {"pkcs11:token=a b", PKCS11_URI_STORE, "must be written as %20"},
        {"pkcs11:token=a%2", PKCS11_URI_STORE, "must be written as %25"},
        {"pkcs11:token=a%zz", PKCS11_URI_STORE, "must be written as %25"},
        {"pkcs11:token=a#b", PKCS11_URI_STORE, "must be written as %23"},
        {"pkcs11:token=a/b", PKCS11_URI_STORE, "must be written as %2F"},
        {"pkcs11:slot-id=", PKCS11_URI_STORE, "slot-id: write a number"},
        {"pkcs11:slot-id=-1", PKCS11_URI_STORE, "slot-id: write a number"},
        {"pkcs11:slot-id=99999999999999999999", PKCS11_URI_STORE, "slot-id: write a number"},
        {"pkcs11:token=a;object=b;type=cert", PKCS11_URI_KEY, "type=private"},
        {"pkcs11:token=a;object=b;id=", PKCS11_URI_KEY, "id: write 1 to 64"},
        {"pkcs11:to\x1bken=a", PKCS11_URI_STORE, "an attribute's name"},
        {"pkcs11:token=a;colour=red", PKCS11_URI_STORE, "'colour' is no attribute"},
        {"pkcs11:token=a;library-version=3", PKCS11_URI_STORE, "is no attribute"},
        {"pkcs11:token=a;pin-source=/x", PKCS11_URI_STORE, "belongs behind the '?'"},
        {"pkcs11:object=b?token=a", PKCS11_URI_KEY, "belongs before the '?'"},
        {"pkcs11:token=a?pin-value=1234", PKCS11_URI_STORE, "PrivateKeyPassword="},
        {"pkcs11:token=a?module-path=/x.so", PKCS11_URI_STORE, "Pkcs11Module= alone"},
        {"pkcs11:token=a?module-name=x", PKCS11_URI_STORE, "Pkcs11Module= alone"},
        {"pkcs11:token=a?pin-source=|cat%20pin", PKCS11_URI_STORE, "no program is run"},
        {"pkcs11:token=a?pin-source=pin", PKCS11_URI_STORE, "neither an absolute path"},
        {"pkcs11:token=a?pin-source=", PKCS11_URI_STORE, "pin-source: write 1 to"},
};

START_TEST(what_is_not_taken_is_refused_by_name)
{
        Pkcs11Uri *u = NULL;
        char *why = NULL;

        ck_assert_int_eq(pkcs11_uri_parse(refused[_i].text, refused[_i].use, &u, &why), -EINVAL);
        ck_assert_ptr_null(u);
        expect_why(why, refused[_i].why);
}
END_TEST

START_TEST(a_secret_is_never_echoed)
{
        char *why = NULL;
        Pkcs11Uri *u;

        ck_assert_int_eq(pkcs11_uri_parse("pkcs11:token=a;object=b?pin-value=73914", PKCS11_URI_KEY,
                                          &u, &why),
                         -EINVAL);
        ck_assert_ptr_nonnull(why);
        ck_assert_ptr_null(strstr(why, "73914"));
        free(why);
}
END_TEST

START_TEST(a_longer_one_than_any_needs_is_refused)
{
        char text[PKCS11_URI_MAX + 2] = "pkcs11:token=";
        Pkcs11Uri *u;
        char *why = NULL;

        memset(text + strlen(text), 'a', sizeof(text) - strlen(text) - 1);
        text[sizeof(text) - 1] = '\0';
        ck_assert_int_eq(pkcs11_uri_parse(text, PKCS11_URI_STORE, &u, &why), -EINVAL);
        expect_why(why, "more than 1024 bytes");
}
END_TEST

static const char *const written[] = {
        "pkcs11:token=a",
        "pkcs11:slot-id=0",
        "pkcs11:model=m;manufacturer=n;serial=s;token=a%20b%3B;slot-id=3;id=%00%FF%61;object=o;"
        "type=private",
};

START_TEST(what_is_written_is_read_as_the_same)
{
        _cleanup_pkcs11_uri_ Pkcs11Uri *u = parse(
                written[_i], strstr(written[_i], "object") ? PKCS11_URI_KEY : PKCS11_URI_STORE);
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(pkcs11_uri_format(u, &text), 0);
        ck_assert_str_eq(text, written[_i]);
}
END_TEST

START_TEST(where_the_pin_is_is_not_told)
{
        _cleanup_pkcs11_uri_ Pkcs11Uri *u =
                parse("pkcs11:token=a?pin-source=/etc/pin", PKCS11_URI_STORE);
        _cleanup_free_ char *text = NULL;

        ck_assert_int_eq(pkcs11_uri_format(u, &text), 0);
        ck_assert_str_eq(text, "pkcs11:token=a");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("pkcs11-uri");
        TCase *t = tcase_create("uri");
        SRunner *runner;
        int failed;

        tcase_add_test(t, every_attribute_is_read);
        tcase_add_test(t, what_is_not_there_is_any);
        tcase_add_loop_test(t, pin_comes_from_a_file_or_a_credential, 0, ELEMENTSOF(sources));
        tcase_add_loop_test(t, what_is_not_taken_is_refused_by_name, 0, ELEMENTSOF(refused));
        tcase_add_test(t, a_secret_is_never_echoed);
        tcase_add_test(t, a_longer_one_than_any_needs_is_refused);
        tcase_add_loop_test(t, what_is_written_is_read_as_the_same, 0, ELEMENTSOF(written));
        tcase_add_test(t, where_the_pin_is_is_not_told);
        suite_add_tcase(suite, t);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_NORMAL);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

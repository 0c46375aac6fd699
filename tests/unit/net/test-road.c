/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/road.h"

#include "tests/unit/net/run-suite.h"

/* Only looked at, never followed. */
static TokenKey *const some_token_key = (TokenKey *) (uintptr_t) 1;

START_TEST(profile_is_described_in_full)
{
        _cleanup_secret_ Secret *trusted = secret_new("t", 1), *credentials = secret_new("u:p", 3);
        Profile p = {.endpoint = (char[]){"cloud.example"},
                     .port = 443,
                     .alpn = (char[]){"a"},
                     .cipher_list = (char[]){"c"},
                     .websocket_path = (char[]){"/w"}};
        Road r = road_of_profile(&p, trusted, credentials);

        ck_assert_str_eq(r.tls.host, "cloud.example");
        ck_assert_uint_eq(r.tls.port, 443);
        ck_assert_str_eq(r.tls.alpn, "a");
        ck_assert_str_eq(r.tls.cipher_list, "c");
        ck_assert_ptr_eq(r.tls.trusted, trusted);
        ck_assert_str_eq(r.websocket_path, "/w");
        ck_assert_ptr_eq(r.proxy, &p.proxy);
        ck_assert_ptr_eq(r.proxy_credentials, credentials);
        ck_assert_ptr_null(r.tls.certificate);
        ck_assert_ptr_null(r.tls.private_key);
        ck_assert_ptr_null(r.tls.token_key);
        ck_assert(road_makes_sense(&r));
}
END_TEST

START_TEST(gateway_stands_in_the_place_of_the_endpoint)
{
        Profile p = {.endpoint = (char[]){"cloud.example"},
                     .dps.gateway_hostname = (char[]){"gw.local"}};

        ck_assert_str_eq(road_of_profile(&p, NULL, NULL).tls.host, "gw.local");
}
END_TEST

START_TEST(server_and_trust_are_needed)
{
        _cleanup_secret_ Secret *trusted = secret_new("t", 1);
        const Road right = {.tls = {.host = "h", .port = 1, .trusted = trusted}};
        Road r = right;

        ck_assert(road_makes_sense(&r));
        r.tls.host = NULL;
        ck_assert(!road_makes_sense(&r));
        r.tls.host = "";
        ck_assert(!road_makes_sense(&r));
        r = right;
        r.tls.port = 0;
        ck_assert(!road_makes_sense(&r));
        r = right;
        r.tls.trusted = NULL;
        ck_assert(!road_makes_sense(&r));
}
END_TEST

/* Bits: certificate, private key, key in a token. */
START_TEST(certificate_comes_with_one_key)
{
        static const bool sense[8] = {[0] = true, [1 | 2] = true, [1 | 4] = true};
        _cleanup_secret_ Secret *pem = secret_new("x", 1);
        const Road r = {.tls = {.host = "h",
                                .port = 1,
                                .trusted = pem,
                                .certificate = _i & 1 ? pem : NULL,
                                .private_key = _i & 2 ? pem : NULL,
                                .token_key = _i & 4 ? some_token_key : NULL}};

        ck_assert(road_makes_sense(&r) == sense[_i]);
}
END_TEST

int main(void) {
        Suite *s = suite_create("net/road");
        TCase *t = tcase_create("road");

        tcase_add_test(t, profile_is_described_in_full);
        tcase_add_test(t, gateway_stands_in_the_place_of_the_endpoint);
        tcase_add_test(t, server_and_trust_are_needed);
        tcase_add_loop_test(t, certificate_comes_with_one_key, 0, 8);
        suite_add_tcase(s, t);
        return run_suite(s);
}

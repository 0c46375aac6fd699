/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may connect to DPS. */

#include <string.h>

#include "daemon/base/macro.h"
#include "tests/cloud/selftest/dps-device.h"
#include "tests/cloud/selftest/suites.h"

#define REFUSED 5

static const struct {
        const char *id;
        DpsToken token;
        const char *why; /* NULL: it may */
} logins[] = {
        {"gw-1", {.key_file = "dps.key", .lifetime_sec = 60}, NULL},
        {"gw-1", {.key_file = "dps-secondary.key", .lifetime_sec = 60}, NULL},
        {"gw-A.b_c:d", {.key_file = "dps.key", .lifetime_sec = 60}, NULL},
        {"sensor-7", {.key_file = "dps-group.key", .lifetime_sec = 60, .derived = true}, NULL},
        {"sensor-7", {.key_file = "dps-group.key", .lifetime_sec = 60}, "wrong-signature"},
        {"sensor-7", {.key_file = "dps.key", .lifetime_sec = 60}, "wrong-signature"},
        {"gw-1", {.key_file = "dps-group.key", .lifetime_sec = 60}, "wrong-signature"},
        {"gw-1", {.key_file = "dps.key", .lifetime_sec = 60, .spoiled = true}, "wrong-signature"},
        {"gw-1", {.key_file = "dps.key", .lifetime_sec = -1}, "token-expired"},
        {"gw-1",
         {.key_file = "dps.key", .lifetime_sec = 60, .resource = "gw-2"},
         "token-of-another"},
        {"nobody-1", {.key_file = "dps.key", .lifetime_sec = 60}, "not-enrolled"},
        {"x509-1", {.key_file = "dps.key", .lifetime_sec = 60}, "no-certificate"},
};

START_TEST(token_decides_who_may_connect)
{
        Client client;

        ck_assert_int_eq(dps_connect(&client, &cloud, logins[_i].id, &logins[_i].token, NULL),
                         logins[_i].why ? REFUSED : 0);
        client_close(&client);
        if (logins[_i].why)
                ck_assert_uint_ge(cloud_journal_count(&cloud, logins[_i].why, logins[_i].id), 1);
}
END_TEST

START_TEST(certificate_names_who_may_connect)
{
        Client client;

        ck_assert_int_eq(dps_connect(&client, &cloud, "x509-1", NULL, NULL), 0);
        client_close(&client);
        ck_assert_int_eq(dps_connect(&client, &cloud, "x509-2", NULL, NULL), REFUSED);
        client_close(&client);
        ck_assert_int_eq(dps_connect(&client, &cloud, "gw-1", NULL, NULL), REFUSED);
        client_close(&client);
}
END_TEST

static const struct {
        const char *id, *user_name, *why;
} names[] = {
        {"gw-1", "0neOTHER/registrations/gw-1/api-version=2019-03-31", "unknown-scope"},
        {"gw-2", DPS_SCOPE "/registrations/gw-1/api-version=2019-03-31", "client-id-of-another"},
        {"gw-1", DPS_SCOPE "/registrations/gw-1", "no-api-version"},
        {"gw-1", DPS_SCOPE "/registrations/gw-1/api-version=", "bad-api-version"},
        {"gw-1", DPS_SCOPE "/registrations/gw-1/api-version=2019-03-31", "no-token"},
};

START_TEST(user_name_must_be_whole)
{
        Client client;

        ck_assert_int_eq(client_connect_dps(&client, &cloud, NULL, names[_i].id,
                                            names[_i].user_name, "password"),
                         REFUSED);
        client_close(&client);
        ck_assert_uint_ge(cloud_journal_count(&cloud, names[_i].why, names[_i].id), 1);
}
END_TEST

START_TEST(who_has_neither_name_nor_certificate_is_dropped)
{
        Client client;

        ck_assert_int_eq(client_connect_dps(&client, &cloud, NULL, "gw-1", NULL, NULL),
                         CLIENT_DROPPED);
        client_close(&client);
}
END_TEST

START_TEST(faults_strike_connects)
{
        DpsToken token = {.key_file = "dps.key", .lifetime_sec = 60};
        Client client;

        free(cloud_fault(&cloud, "add", "connack=3", NULL));
        ck_assert_int_eq(dps_connect(&client, &cloud, "gw-1", &token, NULL), 3);
        client_close(&client);
        free(cloud_fault(&cloud, "add", "connect-drop", NULL));
        ck_assert_int_eq(dps_connect(&client, &cloud, "gw-1", &token, NULL), CLIENT_DROPPED);
        client_close(&client);
        ck_assert_int_eq(dps_connect(&client, &cloud, "gw-1", &token, NULL), 0);
        client_close(&client);
}
END_TEST

static const char *const foreign_filters[] = {
        "$aws/certificates/create/json/accepted",
        "$dps/registrations/res/200/#",
        "#",
        "$dps/registrations/+/#",
};

START_TEST(nothing_but_the_answers_may_be_subscribed_to)
{
        DpsToken token = {.key_file = "dps.key", .lifetime_sec = 60};
        json_int_t before = cloud_breaches(&cloud, "subscribe-without-right");
        Client client;

        ck_assert_int_eq(dps_connect(&client, &cloud, "gw-1", &token, NULL), 0);
        ck_assert_int_eq(client_subscribe(&client, foreign_filters[_i], 0), CLIENT_DROPPED);
        client_close(&client);
        ck_assert_int_eq(cloud_breaches(&cloud, "subscribe-without-right"), before + 1);
}
END_TEST

static const char *const foreign_topics[] = {
        "$aws/certificates/create/json",
        "$dps/registrations/PUT/iotdps-register/",
        "$dps/registrations/PUT/iotdps-register/?rid=1",
        "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1",
        "$dps/registrations/res/200/?$rid=1",
};

START_TEST(nothing_but_requests_may_be_published)
{
        json_int_t before = cloud_breaches(&cloud, "publish-without-right");
        Client client;

        dps_device(&client, &cloud, "gw-1");
        client_publish(&client, foreign_topics[_i], "{}", 2, 1, false);
        client_await_drop(&client);
        client_close(&client);
        ck_assert_int_eq(cloud_breaches(&cloud, "publish-without-right"), before + 1);
}
END_TEST

TCase *dps_login_tests(void) {
        TCase *c = tcase_create("dps-login");

        tcase_add_loop_test(c, token_decides_who_may_connect, 0, ELEMENTSOF(logins));
        tcase_add_test(c, certificate_names_who_may_connect);
        tcase_add_loop_test(c, user_name_must_be_whole, 0, ELEMENTSOF(names));
        tcase_add_test(c, who_has_neither_name_nor_certificate_is_dropped);
        tcase_add_test(c, faults_strike_connects);
        tcase_add_loop_test(c, nothing_but_the_answers_may_be_subscribed_to, 0,
                            ELEMENTSOF(foreign_filters));
        tcase_add_loop_test(c, nothing_but_requests_may_be_published, 0,
                            ELEMENTSOF(foreign_topics));
        return c;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "daemon/base/macro.h"
#include "tests/cloud/selftest/suites.h"

#define REJECTED "$aws/certificates/create-from-csr/cbor/rejected"

static const int codes[] = {2, 3, 5, 7, 200};

START_TEST(a_connect_can_be_refused_with_any_code)
{
        _cleanup_free_ char *fault = NULL;
        Client client;

        ck_assert_int_ge(asprintf(&fault, "connack=%d", codes[_i]), 0);
        free(cloud_fault(&cloud, "add", fault, NULL));
        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "c", true), codes[_i]);
        client_close(&client);
        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "c", true), 0);
        client_close(&client);
}
END_TEST

START_TEST(a_connect_can_be_dropped_without_a_word)
{
        Client client;

        free(cloud_fault(&cloud, "add", "connect-drop", NULL));
        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "c", true), CLIENT_DROPPED);
        client_close(&client);
}
END_TEST

START_TEST(a_subscription_can_be_refused_in_the_suback)
{
        Client client;

        free(cloud_fault(&cloud, "add", "suback-refuse=*/rejected", NULL));
        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "c", true), 0);
        ck_assert_int_eq(client_subscribe(&client, "$aws/certificates/create/cbor/accepted", 0), 0);
        ck_assert_int_eq(client_subscribe(&client, REJECTED, 0), 128);
        ck_assert_int_eq(client_subscribe(&client, REJECTED, 0), 0);
        client_close(&client);
}
END_TEST

START_TEST(a_subscription_can_drop_the_connection)
{
        Client client;

        free(cloud_fault(&cloud, "add", "deny-subscribe=" REJECTED, "--always", NULL));
        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "c", true), 0);
        ck_assert_int_eq(client_subscribe(&client, REJECTED, 0), CLIENT_DROPPED);
        client_close(&client);
}
END_TEST

START_TEST(a_publish_can_drop_the_connection)
{
        json_int_t before = cloud_breaches(&cloud, "publish-without-right");
        Client client;

        free(cloud_fault(&cloud, "add", "deny-publish", NULL));
        connect_claim(&client, FORMAT_JSON);
        exchange_publish(&client, TOPIC_KEYS(FORMAT_JSON), NULL);
        client_await_drop(&client);
        client_close(&client);
        ck_assert_int_eq(cloud_breaches(&cloud, "publish-without-right"), before);
}
END_TEST

START_TEST(connections_can_be_kicked)
{
        Client one, other;

        ck_assert_int_eq(client_connect(&one, &cloud, "claim", "one", true), 0);
        ck_assert_int_eq(client_connect(&other, &cloud, "claim", "other", true), 0);
        free(cloud_fault(&cloud, "kick", "one", NULL));
        client_await_drop(&one);
        client_fence(&other);
        free(cloud_fault(&cloud, "kick", NULL));
        client_await_drop(&other);
        client_close(&one);
        client_close(&other);
        ck_assert_int_eq(cloud_try_fault(&cloud, "kick", "nobody", NULL), 1);
}
END_TEST

/* Registers a device whose certificate is device.pem; the certificate's id, to be freed. */
static char *register_device(void) {
        EVP_PKEY *key = exchange_make_key("ec-p256");
        json_t *created;
        Client client;
        Topic topic;
        char *id;

        connect_claim(&client, FORMAT_JSON);
        created =
                exchange_request(&client, TOPIC_CSR(FORMAT_JSON), exchange_csr(key, false), &topic);
        exchange_save(&cloud, "device", created, key);
        id = strdup(json_string_value(json_object_get(created, "certificateId")));
        assert_accepted(exchange_request(&client, TOPIC_REGISTER(FORMAT_JSON, "FleetTemplate"),
                                         exchange_registration(created, "d1"), &topic),
                        &topic);
        json_decref(created);
        EVP_PKEY_free(key);
        client_close(&client);
        return id;
}

START_TEST(a_template_can_leave_the_certificate_inactive)
{
        _cleanup_free_ char *id = NULL;
        _cleanup_free_ char *state = NULL;
        Client device;

        free(cloud_fault(&cloud, "add", "inactive", "--operation=register", NULL));
        id = register_device();
        ck_assert_int_eq(client_connect(&device, &cloud, "device", "d1", true), 7);
        client_close(&device);
        state = cloud_fault(&cloud, "certificate", id, NULL);
        ck_assert_str_eq(state, "INACTIVE\n");
        free(cloud_fault(&cloud, "certificate", id, "active", NULL));
        ck_assert_int_eq(client_connect(&device, &cloud, "device", "d1", true), 0);
        client_close(&device);
}
END_TEST

START_TEST(a_certificate_can_take_time_to_become_active)
{
        _cleanup_free_ char *id = NULL;
        Client device;
        int connack;

        free(cloud_fault(&cloud, "add", "activation-delay=1000", "--operation=register", NULL));
        id = register_device();
        connack = client_connect(&device, &cloud, "device", "d1", true);
        ck_assert_int_eq(connack, 7);
        while (connack == 7) {
                client_close(&device);
                connack = client_connect(&device, &cloud, "device", "d1", true);
        }
        ck_assert_int_eq(connack, 0);
        client_close(&device);
}
END_TEST

static const char *const bad_faults[] = {
        "no-such-fault", "delay",     "delay=soon",        "drop=1", "reject=99:a:b",
        "wire=123",      "wire=xyzw", "configuration=odd", "topic=", "delay=999999999",
};

START_TEST(a_fault_that_makes_no_sense_is_refused)
{ ck_assert_int_eq(cloud_try_fault(&cloud, "add", bad_faults[_i], NULL), 1); }
END_TEST

START_TEST(faults_that_are_spent_make_room_for_new_ones)
{
        Client client;

        for (int i = 0; i < 257; i++) {
                free(cloud_fault(&cloud, "add", "connect-drop", NULL));
                ck_assert_int_eq(client_connect(&client, &cloud, "claim", "c", true),
                                 CLIENT_DROPPED);
                client_close(&client);
        }
}
END_TEST

START_TEST(a_fault_is_listed_and_can_be_taken_back)
{
        _cleanup_free_ char *id = NULL;
        _cleanup_free_ char *list = NULL;
        _cleanup_free_ char *empty = NULL;
        json_t *faults;

        id = cloud_fault(&cloud, "add", "reject=500:Code:a: message", "--count=3",
                         "--operation=register", NULL);
        id[strcspn(id, "\n")] = '\0';
        list = cloud_fault(&cloud, "list", NULL);
        faults = json_loads(list, 0, NULL);
        ck_assert_uint_eq(json_array_size(faults), 1);
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(faults, 0), "operation")),
                         "register");
        ck_assert_int_eq(
                json_integer_value(json_object_get(json_array_get(faults, 0), "remaining")), 3);
        ck_assert_str_eq(json_string_value(json_object_get(json_array_get(faults, 0), "value")),
                         "500:Code:a: message");
        json_decref(faults);
        free(cloud_fault(&cloud, "clear", id, NULL));
        ck_assert_int_eq(cloud_try_fault(&cloud, "clear", id, NULL), 1);
        empty = cloud_fault(&cloud, "list", NULL);
        ck_assert_str_eq(empty, "[]\n");
}
END_TEST

TCase *session_fault_tests(void) {
        TCase *test_case = tcase_create("faults of sessions");

        tcase_add_loop_test(test_case, a_connect_can_be_refused_with_any_code, 0,
                            ELEMENTSOF(codes));
        tcase_add_test(test_case, a_connect_can_be_dropped_without_a_word);
        tcase_add_test(test_case, a_subscription_can_be_refused_in_the_suback);
        tcase_add_test(test_case, a_subscription_can_drop_the_connection);
        tcase_add_test(test_case, a_publish_can_drop_the_connection);
        tcase_add_test(test_case, connections_can_be_kicked);
        tcase_add_test(test_case, a_template_can_leave_the_certificate_inactive);
        tcase_add_test(test_case, a_certificate_can_take_time_to_become_active);
        tcase_add_loop_test(test_case, a_fault_that_makes_no_sense_is_refused, 0,
                            ELEMENTSOF(bad_faults));
        tcase_add_test(test_case, faults_that_are_spent_make_room_for_new_ones);
        tcase_add_test(test_case, a_fault_is_listed_and_can_be_taken_back);
        return test_case;
}

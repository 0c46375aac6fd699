/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "daemon/base/macro.h"
#include "tests/cloud/selftest/suites.h"

#define CREATE_KEYS "$aws/certificates/create/json"

static json_t *create(Client *client) {
        EVP_PKEY *key = exchange_make_key("ec-p256");
        Topic topic;
        json_t *created;

        created =
                exchange_request(client, TOPIC_CSR(FORMAT_JSON), exchange_csr(key, false), &topic);
        ck_assert_ptr_nonnull(created);
        EVP_PKEY_free(key);
        return created;
}

static json_t *register_with(Client *client, const json_t *created, Topic *ret_topic) {
        return exchange_request(client, TOPIC_REGISTER(FORMAT_JSON, "FleetTemplate"),
                                exchange_registration(created, "r1"), ret_topic);
}

START_TEST(a_token_registers_once)
{
        json_int_t before = cloud_breaches(&cloud, "token-spent");
        Client client;
        Topic topic;
        json_t *created;

        connect_claim(&client, FORMAT_JSON);
        created = create(&client);
        assert_accepted(register_with(&client, created, &topic), &topic);
        assert_rejected(register_with(&client, created, &topic), &topic, 400,
                        "InvalidCertificateOwnershipToken");
        ck_assert_int_eq(cloud_breaches(&cloud, "token-spent"), before + 1);
        json_decref(created);
        client_close(&client);
}
END_TEST

START_TEST(a_token_that_was_spent_without_an_answer_is_no_breach)
{
        json_int_t before = cloud_breaches(&cloud, "token-spent");
        Client client;
        Topic topic;
        json_t *created;

        connect_claim(&client, FORMAT_JSON);
        created = create(&client);
        free(cloud_fault(&cloud, "add", "cut-after", "--operation=register", NULL));
        ck_assert_ptr_null(register_with(&client, created, &topic));
        client_close(&client);
        connect_claim(&client, FORMAT_JSON);
        assert_rejected(register_with(&client, created, &topic), &topic, 400,
                        "InvalidCertificateOwnershipToken");
        ck_assert_int_eq(cloud_breaches(&cloud, "token-spent"), before);
        json_decref(created);
        client_close(&client);
}
END_TEST

START_TEST(an_unknown_token_is_rejected)
{
        json_int_t before = cloud_breaches(&cloud, "token-unknown");
        json_t *created = json_pack("{s:s}", "certificateOwnershipToken", "made up");
        Client client;
        Topic topic;

        connect_claim(&client, FORMAT_JSON);
        assert_rejected(register_with(&client, created, &topic), &topic, 400,
                        "InvalidCertificateOwnershipToken");
        ck_assert_int_eq(cloud_breaches(&cloud, "token-unknown"), before + 1);
        json_decref(created);
        client_close(&client);
}
END_TEST

START_TEST(an_expired_token_is_rejected)
{
        json_int_t before = cloud_breaches(&cloud, "token-expired");
        Client client;
        Topic topic;
        json_t *created;

        free(cloud_fault(&cloud, "add", "token-ttl=0", NULL));
        connect_claim(&client, FORMAT_JSON);
        created = create(&client);
        assert_rejected(register_with(&client, created, &topic), &topic, 400,
                        "InvalidCertificateOwnershipToken");
        ck_assert_int_eq(cloud_breaches(&cloud, "token-expired"), before + 1);
        json_decref(created);
        client_close(&client);
}
END_TEST

START_TEST(a_token_belongs_to_the_claim_that_it_was_given_to)
{
        json_int_t before = cloud_breaches(&cloud, "token-foreign");
        Client client, other;
        Topic topic;
        json_t *created;

        connect_claim(&client, FORMAT_JSON);
        created = create(&client);
        ck_assert_int_eq(client_connect(&other, &cloud, "claim-2", "other-client", true), 0);
        exchange_subscribe(&other, FORMAT_JSON, "FleetTemplate");
        assert_rejected(register_with(&other, created, &topic), &topic, 400,
                        "InvalidCertificateOwnershipToken");
        ck_assert_int_eq(cloud_breaches(&cloud, "token-foreign"), before + 1);
        /* … and is still good for that one. */
        assert_accepted(register_with(&client, created, &topic), &topic);
        json_decref(created);
        client_close(&other);
        client_close(&client);
}
END_TEST

START_TEST(a_second_request_before_the_first_answer_is_a_breach)
{
        json_int_t before = cloud_breaches(&cloud, "second-request");
        Client client;
        Topic topic;

        free(cloud_fault(&cloud, "add", "delay=200", NULL));
        connect_claim(&client, FORMAT_JSON);
        exchange_publish(&client, TOPIC_KEYS(FORMAT_JSON), NULL);
        exchange_publish(&client, TOPIC_KEYS(FORMAT_JSON), NULL);
        assert_accepted(exchange_receive(&client, &topic), &topic);
        assert_accepted(exchange_receive(&client, &topic), &topic);
        ck_assert_int_eq(cloud_breaches(&cloud, "second-request"), before + 1);
        assert_accepted(exchange_request(&client, TOPIC_KEYS(FORMAT_JSON), NULL, &topic), &topic);
        ck_assert_int_eq(cloud_breaches(&cloud, "second-request"), before + 1);
        client_close(&client);
}
END_TEST

START_TEST(an_answer_goes_to_the_connection_that_asked_alone)
{
        Client client, listener;
        Topic topic;

        connect_claim(&client, FORMAT_JSON);
        ck_assert_int_eq(client_connect(&listener, &cloud, "claim", "listener", true), 0);
        exchange_subscribe(&listener, FORMAT_JSON, "FleetTemplate");
        json_decref(create(&client));
        assert_accepted(exchange_request(&client, TOPIC_KEYS(FORMAT_JSON), NULL, &topic), &topic);
        client_fence(&listener);
        ck_assert_uint_eq(listener.n_inbox, 0);
        client_close(&listener);
        client_close(&client);
}
END_TEST

START_TEST(an_answer_to_a_former_connection_never_reaches_the_next)
{
        size_t before = cloud_journal_count(&cloud, "answer-lost", "connection-gone");
        EVP_PKEY *key = exchange_make_key("ec-p256");
        Client client;

        free(cloud_fault(&cloud, "add", "delay=300", NULL));
        connect_claim(&client, FORMAT_JSON);
        exchange_publish(&client, TOPIC_CSR(FORMAT_JSON), exchange_csr(key, false));
        client_fence(&client);
        client_close(&client);
        connect_claim(&client, FORMAT_JSON);
        while (cloud_journal_count(&cloud, "answer-lost", "connection-gone") == before)
                client_idle(&client, 50);
        client_fence(&client);
        ck_assert_uint_eq(client.n_inbox, 0);
        client_close(&client);
        EVP_PKEY_free(key);
}
END_TEST

START_TEST(who_does_not_subscribe_gets_no_answer)
{
        json_int_t before = cloud_breaches(&cloud, "not-subscribed");
        EVP_PKEY *key = exchange_make_key("ec-p256");
        Client client;

        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "deaf", true), 0);
        exchange_publish(&client, TOPIC_CSR(FORMAT_JSON), exchange_csr(key, false));
        client_fence(&client);
        ck_assert_uint_eq(client.n_inbox, 0);
        ck_assert_int_eq(cloud_breaches(&cloud, "not-subscribed"), before + 1);
        client_close(&client);
        EVP_PKEY_free(key);
}
END_TEST

START_TEST(an_answer_comes_in_the_quality_that_was_subscribed)
{
        Client client;
        Topic topic;

        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "at-least-once", true), 0);
        ck_assert_int_eq(client_subscribe(&client, CREATE_KEYS "/accepted", 1), 1);
        client_publish(&client, CREATE_KEYS, NULL, 0, 1, false);
        assert_accepted(exchange_receive(&client, &topic), &topic);
        client_close(&client);
}
END_TEST

START_TEST(a_persistent_session_keeps_its_subscriptions)
{
        Client client;
        Topic topic;

        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "persistent", false), 0);
        ck_assert_int_eq(client_subscribe(&client, CREATE_KEYS "/accepted", 0), 0);
        client_close(&client);
        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "persistent", false), 0);
        assert_accepted(exchange_request(&client, TOPIC_KEYS(FORMAT_JSON), NULL, &topic), &topic);
        client_close(&client);
}
END_TEST

START_TEST(a_client_id_that_is_in_use_throws_the_first_one_off)
{
        json_int_t before = cloud_breaches(&cloud, "client-id-taken-over");
        Client first, second;

        ck_assert_int_eq(client_connect(&first, &cloud, "claim", "twin", true), 0);
        ck_assert_int_eq(client_connect(&second, &cloud, "claim", "twin", true), 0);
        client_await_drop(&first);
        client_fence(&second);
        ck_assert_int_eq(cloud_breaches(&cloud, "client-id-taken-over"), before + 1);
        client_close(&first);
        client_close(&second);
}
END_TEST

static const char *const forbidden_filters[] = {
        "#",
        "devices/+/state",
        "$aws/#",
        "$aws/things/x/shadow/update",
        "$aws/certificates/create/json",
        "$aws/certificates/create/JSON/accepted",
        "$aws/certificates/create/json/accepted/",
        "$aws/certificates/create-from-csr/json/acceptedx",
        "$aws/provisioning-templates//provision/json/accepted",
};

START_TEST(subscribing_elsewhere_drops_the_connection)
{
        json_int_t before = cloud_breaches(&cloud, "subscribe-without-right");
        Client client;

        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "curious", true), 0);
        ck_assert_int_eq(client_subscribe(&client, forbidden_filters[_i], 0), CLIENT_DROPPED);
        ck_assert_int_eq(cloud_breaches(&cloud, "subscribe-without-right"), before + 1);
        client_close(&client);
}
END_TEST

START_TEST(a_wildcard_below_the_service_s_prefixes_is_allowed)
{
        Client client;
        Topic topic;

        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "wild", true), 0);
        ck_assert_int_eq(client_subscribe(&client, "$aws/certificates/create/+/+", 0), 0);
        assert_accepted(exchange_request(&client, TOPIC_KEYS(FORMAT_CBOR), NULL, &topic), &topic);
        client_close(&client);
}
END_TEST

static const struct {
        const char *topic;
        size_t n;
        int qos;
        bool retain;
        const char *breach;
} forbidden_messages[] = {
        {"devices/x/state", 1, 0, false, "publish-without-right"},
        {"$aws/certificates/create/xml", 0, 0, false, "publish-without-right"},
        {"$aws/certificates/create/json/accepted", 0, 0, false, "publish-without-right"},
        {CREATE_KEYS, 0, 2, false, "qos-2"},
        {CREATE_KEYS, 0, 0, true, "retained"},
        {CREATE_KEYS, 128 * 1024 + 1, 0, false, "payload-too-large"},
};

START_TEST(publishing_what_the_service_forbids_drops_the_connection)
{
        json_int_t before = cloud_breaches(&cloud, forbidden_messages[_i].breach);
        _cleanup_free_ char *payload = calloc(1, forbidden_messages[_i].n + 1);
        Client client;

        connect_claim(&client, FORMAT_JSON);
        client_publish(&client, forbidden_messages[_i].topic, payload, forbidden_messages[_i].n,
                       forbidden_messages[_i].qos, forbidden_messages[_i].retain);
        client_await_drop(&client);
        ck_assert_int_eq(cloud_breaches(&cloud, forbidden_messages[_i].breach), before + 1);
        client_close(&client);
}
END_TEST

START_TEST(a_payload_that_asks_for_keys_is_a_breach)
{
        json_int_t before = cloud_breaches(&cloud, "keys-with-payload");
        Client client;
        Topic topic;

        connect_claim(&client, FORMAT_JSON);
        assert_accepted(exchange_request(&client, TOPIC_KEYS(FORMAT_JSON),
                                         json_pack("{s:s}", "key", "please"), &topic),
                        &topic);
        ck_assert_int_eq(cloud_breaches(&cloud, "keys-with-payload"), before + 1);
        client_close(&client);
}
END_TEST

START_TEST(each_breach_is_a_line_of_json)
{
        _cleanup_free_ char *path = cloud_path(&cloud, "breaches");
        _cleanup_free_ char *line = NULL;
        Client client;
        size_t size = 0, n = 0;
        FILE *file;

        ck_assert_int_eq(client_connect(&client, &cloud, "claim", "curious", true), 0);
        ck_assert_int_eq(client_subscribe(&client, "#", 0), CLIENT_DROPPED);
        client_close(&client);
        file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        for (; getline(&line, &size, file) > 0; n++) {
                json_t *breach = json_loads(line, 0, NULL);

                ck_assert(json_is_string(json_object_get(breach, "time")));
                ck_assert(json_is_string(json_object_get(breach, "breach")));
                ck_assert(json_is_string(json_object_get(breach, "client")));
                json_decref(breach);
        }
        ck_assert_uint_ge(n, 1);
        fclose(file);
}
END_TEST

TCase *rules_tests(void) {
        TCase *test_case = tcase_create("rules");

        tcase_add_test(test_case, a_token_registers_once);
        tcase_add_test(test_case, a_token_that_was_spent_without_an_answer_is_no_breach);
        tcase_add_test(test_case, an_unknown_token_is_rejected);
        tcase_add_test(test_case, an_expired_token_is_rejected);
        tcase_add_test(test_case, a_token_belongs_to_the_claim_that_it_was_given_to);
        tcase_add_test(test_case, a_second_request_before_the_first_answer_is_a_breach);
        tcase_add_test(test_case, an_answer_goes_to_the_connection_that_asked_alone);
        tcase_add_test(test_case, an_answer_to_a_former_connection_never_reaches_the_next);
        tcase_add_test(test_case, who_does_not_subscribe_gets_no_answer);
        tcase_add_test(test_case, an_answer_comes_in_the_quality_that_was_subscribed);
        tcase_add_test(test_case, a_persistent_session_keeps_its_subscriptions);
        tcase_add_test(test_case, a_client_id_that_is_in_use_throws_the_first_one_off);
        tcase_add_loop_test(test_case, subscribing_elsewhere_drops_the_connection, 0,
                            ELEMENTSOF(forbidden_filters));
        tcase_add_test(test_case, a_wildcard_below_the_service_s_prefixes_is_allowed);
        tcase_add_loop_test(test_case, publishing_what_the_service_forbids_drops_the_connection, 0,
                            ELEMENTSOF(forbidden_messages));
        tcase_add_test(test_case, a_payload_that_asks_for_keys_is_a_breach);
        tcase_add_test(test_case, each_breach_is_a_line_of_json);
        return test_case;
}

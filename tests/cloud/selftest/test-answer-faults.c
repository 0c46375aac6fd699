/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "daemon/base/macro.h"
#include "tests/cloud/selftest/suites.h"

static void add_fault(const char *fault, const char *option) {
        free(cloud_fault(&cloud, "add", fault, option, NULL));
}

/* Asks for a certificate; the key is a new one. */
static EVP_PKEY *publish_csr(Client *client, Format format) {
        EVP_PKEY *key = exchange_make_key("ec-p256");

        exchange_publish(client, TOPIC_CSR(format), exchange_csr(key, false));
        return key;
}

static void assert_created(Client *client, Format format) {
        EVP_PKEY *key = publish_csr(client, format);
        json_t *created;
        Topic topic;

        created = exchange_receive(client, &topic);
        ck_assert(exchange_certificate_fits(created, key));
        assert_accepted(created, &topic);
        EVP_PKEY_free(key);
}

static const struct {
        const char *fault;
        bool worked;
} losses[] = {{"drop", false}, {"drop-answer", true}};

START_TEST(an_answer_can_be_lost_before_or_after_the_work)
{
        size_t before = cloud_journal_count(&cloud, "\"accepted\"", "create-csr");
        Client client;

        add_fault(losses[_i].fault, NULL);
        connect_claim(&client, FORMAT_JSON);
        EVP_PKEY_free(publish_csr(&client, FORMAT_JSON));
        client_fence(&client);
        ck_assert_uint_eq(client.n_inbox, 0);
        ck_assert_uint_eq(cloud_journal_count(&cloud, "\"accepted\"", "create-csr"),
                          before + losses[_i].worked);
        client_close(&client);
}
END_TEST

START_TEST(a_delay_holds_up_nobody_else)
{
        Client slow, quick;
        Topic topic;

        add_fault("delay=1000", "--client=slow");
        ck_assert_int_eq(client_connect(&slow, &cloud, "claim", "slow", true), 0);
        exchange_subscribe(&slow, FORMAT_JSON, "FleetTemplate");
        connect_claim(&quick, FORMAT_JSON);
        EVP_PKEY_free(publish_csr(&slow, FORMAT_JSON));
        client_fence(&slow);
        assert_created(&quick, FORMAT_JSON);
        ck_assert_uint_eq(slow.n_inbox, 0);
        assert_accepted(exchange_receive(&slow, &topic), &topic);
        client_close(&slow);
        client_close(&quick);
}
END_TEST

START_TEST(a_late_answer_comes_on_the_same_connection)
{
        Client client;

        add_fault("late=1", NULL);
        connect_claim(&client, FORMAT_CBOR);
        assert_created(&client, FORMAT_CBOR);
        client_close(&client);
}
END_TEST

START_TEST(an_answer_can_come_twice)
{
        Message first, second;
        Client client;

        add_fault("double", NULL);
        connect_claim(&client, FORMAT_JSON);
        EVP_PKEY_free(publish_csr(&client, FORMAT_JSON));
        ck_assert(client_receive(&client, &first));
        ck_assert(client_receive(&client, &second));
        ck_assert_uint_eq(first.n, second.n);
        ck_assert_mem_eq(first.payload, second.payload, first.n);
        message_clear(&first);
        message_clear(&second);
        client_close(&client);
}
END_TEST

START_TEST(the_answer_before_can_come_again_first)
{
        EVP_PKEY *first, *second;
        json_t *answer;
        Client client;
        Topic topic;

        connect_claim(&client, FORMAT_JSON);
        first = publish_csr(&client, FORMAT_JSON);
        json_decref(exchange_receive(&client, &topic));
        add_fault("replay", NULL);
        second = publish_csr(&client, FORMAT_JSON);
        answer = exchange_receive(&client, &topic);
        ck_assert(exchange_certificate_fits(answer, first));
        json_decref(answer);
        answer = exchange_receive(&client, &topic);
        ck_assert(exchange_certificate_fits(answer, second));
        json_decref(answer);
        EVP_PKEY_free(first);
        EVP_PKEY_free(second);
        client_close(&client);
}
END_TEST

static const struct {
        const char *fault;
        unsigned n_foreign;
        unsigned n_own;
} foreigners[] = {{"foreign", 1, 0}, {"foreign-first", 1, 1}};

START_TEST(an_answer_can_be_for_the_key_of_nobody)
{
        EVP_PKEY *key;
        Client client;
        Topic topic;

        add_fault(foreigners[_i].fault, NULL);
        connect_claim(&client, FORMAT_CBOR);
        key = publish_csr(&client, FORMAT_CBOR);
        for (unsigned i = 0; i < foreigners[_i].n_foreign + foreigners[_i].n_own; i++) {
                json_t *answer = exchange_receive(&client, &topic);

                ck_assert_int_eq(exchange_certificate_fits(answer, key),
                                 i >= foreigners[_i].n_foreign);
                assert_accepted(answer, &topic);
        }
        EVP_PKEY_free(key);
        client_close(&client);
}
END_TEST

static const char *const unreadable[] = {"malformed", "truncated", "truncated=10"};

START_TEST(an_answer_can_be_unreadable)
{
        Format format = _i % 2 ? FORMAT_CBOR : FORMAT_JSON;
        Client client;
        Topic topic;

        add_fault(unreadable[_i / 2], NULL);
        connect_claim(&client, format);
        EVP_PKEY_free(publish_csr(&client, format));
        ck_assert_ptr_null(exchange_receive(&client, &topic));
        ck_assert(!client.dropped);
        client_close(&client);
}
END_TEST

START_TEST(an_answer_can_have_the_wrong_types)
{
        Format format = _i ? FORMAT_CBOR : FORMAT_JSON;
        json_t *answer;
        Client client;
        Topic topic;

        add_fault("wrong-types", NULL);
        connect_claim(&client, format);
        EVP_PKEY_free(publish_csr(&client, format));
        answer = exchange_receive(&client, &topic);
        ck_assert(json_is_integer(json_object_get(answer, "certificatePem")));
        json_decref(answer);
        client_close(&client);
}
END_TEST

START_TEST(an_answer_can_be_of_ten_megabytes)
{
        Message message;
        Client client;

        add_fault("oversize=10000000", NULL);
        connect_claim(&client, FORMAT_JSON);
        EVP_PKEY_free(publish_csr(&client, FORMAT_JSON));
        ck_assert(client_receive(&client, &message));
        ck_assert_uint_gt(message.n, 10000000);
        message_clear(&message);
        client_close(&client);
}
END_TEST

static const char *const harmless[] = {"extra-fields", "indefinite"};

START_TEST(an_unusual_answer_is_still_valid)
{
        Format format = _i % 2 ? FORMAT_CBOR : FORMAT_JSON;
        Client client;

        add_fault(harmless[_i / 2], NULL);
        connect_claim(&client, format);
        assert_created(&client, format);
        client_close(&client);
}
END_TEST

START_TEST(an_answer_can_come_on_another_topic)
{
        Message message;
        Client client;

        add_fault("topic=$aws/certificates/create/cbor/accepted", NULL);
        connect_claim(&client, FORMAT_JSON);
        ck_assert_int_eq(client_subscribe(&client, "$aws/certificates/create/+/+", 0), 0);
        EVP_PKEY_free(publish_csr(&client, FORMAT_JSON));
        ck_assert(client_receive(&client, &message));
        ck_assert_str_eq(message.topic, "$aws/certificates/create/cbor/accepted");
        message_clear(&message);
        client_close(&client);
}
END_TEST

START_TEST(bytes_of_any_kind_can_come_in_place_of_mqtt)
{
        Client client;

        /* A packet of the reserved type 0: the client library closes the connection. */
        add_fault("wire=0000", NULL);
        connect_claim(&client, FORMAT_JSON);
        EVP_PKEY_free(publish_csr(&client, FORMAT_JSON));
        client_await_drop(&client);
        ck_assert_uint_eq(client.n_inbox, 0);
        client_close(&client);
}
END_TEST

START_TEST(a_request_can_be_rejected_with_any_code)
{
        json_t *answer;
        Client client;
        Topic topic;

        add_fault("reject=503:ServiceUnavailable:try: again", NULL);
        connect_claim(&client, FORMAT_CBOR);
        EVP_PKEY_free(publish_csr(&client, FORMAT_CBOR));
        answer = exchange_receive(&client, &topic);
        ck_assert_str_eq(json_string_value(json_object_get(answer, "errorMessage")), "try: again");
        assert_rejected(answer, &topic, 503, "ServiceUnavailable");
        assert_created(&client, FORMAT_CBOR);
        client_close(&client);
}
END_TEST

START_TEST(above_the_rate_requests_are_throttled)
{
        Client client;
        Topic topic;

        add_fault("throttle=1", NULL);
        connect_claim(&client, FORMAT_JSON);
        for (unsigned throttled = 0; throttled == 0;) {
                json_t *answer;

                EVP_PKEY_free(publish_csr(&client, FORMAT_JSON));
                answer = exchange_receive(&client, &topic);
                if (topic.part == TOPIC_REJECTED) {
                        assert_rejected(json_incref(answer), &topic, 429, "ThrottlingException");
                        throttled++;
                }
                json_decref(answer);
        }
        client_close(&client);
}
END_TEST

static const struct {
        const char *fault;
        bool worked;
} cuts[] = {{"cut-before", false}, {"cut-after", true}};

START_TEST(the_connection_can_be_cut_before_or_after_the_work)
{
        size_t before = cloud_journal_count(&cloud, "\"accepted\"", "create-csr");
        Client client;
        Topic topic;

        add_fault(cuts[_i].fault, NULL);
        connect_claim(&client, FORMAT_JSON);
        EVP_PKEY_free(publish_csr(&client, FORMAT_JSON));
        ck_assert_ptr_null(exchange_receive(&client, &topic));
        ck_assert(client.dropped);
        ck_assert_uint_eq(cloud_journal_count(&cloud, "\"accepted\"", "create-csr"),
                          before + cuts[_i].worked);
        client_close(&client);
}
END_TEST

static const struct {
        const char *fault;
        json_type type;
        bool is_there;
        size_t size;
} configurations[] = {
        {"configuration=missing", JSON_NULL, false, 0},
        {"configuration=empty", JSON_OBJECT, true, 0},
        {"configuration=null", JSON_NULL, true, 0},
        {"configuration=large=50000", JSON_OBJECT, true, 50000},
};

START_TEST(the_configuration_can_be_other_than_usual)
{
        json_t *created, *registered, *configuration;
        EVP_PKEY *key;
        Client client;
        Topic topic;

        add_fault(configurations[_i].fault, "--operation=register");
        connect_claim(&client, FORMAT_CBOR);
        key = publish_csr(&client, FORMAT_CBOR);
        created = exchange_receive(&client, &topic);
        registered = exchange_request(&client, TOPIC_REGISTER(FORMAT_CBOR, "FleetTemplate"),
                                      exchange_registration(created, "x1"), &topic);
        configuration = json_object_get(registered, "deviceConfiguration");
        ck_assert_int_eq(configuration != NULL, configurations[_i].is_there);
        if (configuration)
                ck_assert_int_eq(json_typeof(configuration), configurations[_i].type);
        ck_assert_uint_eq(json_string_length(json_object_get(configuration, "Filler")),
                          configurations[_i].size);
        assert_accepted(registered, &topic);
        json_decref(created);
        EVP_PKEY_free(key);
        client_close(&client);
}
END_TEST

START_TEST(a_fault_strikes_as_often_and_as_late_as_it_was_told)
{
        Client client;
        Topic topic;

        free(cloud_fault(&cloud, "add", "reject=500:E:m", "--after=1", "--count=2",
                         "--operation=create-csr", NULL));
        connect_claim(&client, FORMAT_JSON);
        assert_accepted(exchange_request(&client, TOPIC_KEYS(FORMAT_JSON), NULL, &topic), &topic);
        assert_created(&client, FORMAT_JSON);
        for (int i = 0; i < 2; i++) {
                EVP_PKEY_free(publish_csr(&client, FORMAT_JSON));
                assert_rejected(exchange_receive(&client, &topic), &topic, 500, "E");
        }
        assert_created(&client, FORMAT_JSON);
        client_close(&client);
}
END_TEST

TCase *answer_fault_tests(void) {
        TCase *test_case = tcase_create("faults of answers");

        tcase_add_loop_test(test_case, an_answer_can_be_lost_before_or_after_the_work, 0,
                            ELEMENTSOF(losses));
        tcase_add_test(test_case, a_delay_holds_up_nobody_else);
        tcase_add_test(test_case, a_late_answer_comes_on_the_same_connection);
        tcase_add_test(test_case, an_answer_can_come_twice);
        tcase_add_test(test_case, the_answer_before_can_come_again_first);
        tcase_add_loop_test(test_case, an_answer_can_be_for_the_key_of_nobody, 0,
                            ELEMENTSOF(foreigners));
        tcase_add_loop_test(test_case, an_answer_can_be_unreadable, 0, 2 * ELEMENTSOF(unreadable));
        tcase_add_loop_test(test_case, an_answer_can_have_the_wrong_types, 0, 2);
        tcase_add_test(test_case, an_answer_can_be_of_ten_megabytes);
        tcase_add_loop_test(test_case, an_unusual_answer_is_still_valid, 0,
                            2 * ELEMENTSOF(harmless));
        tcase_add_test(test_case, an_answer_can_come_on_another_topic);
        tcase_add_test(test_case, bytes_of_any_kind_can_come_in_place_of_mqtt);
        tcase_add_test(test_case, a_request_can_be_rejected_with_any_code);
        tcase_add_test(test_case, above_the_rate_requests_are_throttled);
        tcase_add_loop_test(test_case, the_connection_can_be_cut_before_or_after_the_work, 0,
                            ELEMENTSOF(cuts));
        tcase_add_loop_test(test_case, the_configuration_can_be_other_than_usual, 0,
                            ELEMENTSOF(configurations));
        tcase_add_test(test_case, a_fault_strikes_as_often_and_as_late_as_it_was_told);
        return test_case;
}

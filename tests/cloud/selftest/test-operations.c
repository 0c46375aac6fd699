/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include <cbor.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

#include "daemon/base/macro.h"
#include "tests/cloud/selftest/suites.h"

static const char *const key_types[] = {"ec-p256", "ec-p384", "rsa-2048"};

START_TEST(a_request_for_each_kind_of_key_is_signed)
{
        EVP_PKEY *key = exchange_make_key(key_types[_i / 2]);
        Format format = _i % 2 ? FORMAT_CBOR : FORMAT_JSON;
        Client client;
        Topic topic;
        json_t *created;

        connect_claim(&client, format);
        created = exchange_request(&client, TOPIC_CSR(format), exchange_csr(key, false), &topic);
        ck_assert_ptr_nonnull(created);
        ck_assert_int_eq(topic.format, format);
        ck_assert(exchange_certificate_fits(created, key));
        assert_accepted(created, &topic);
        client_close(&client);
        EVP_PKEY_free(key);
}
END_TEST

START_TEST(keys_from_the_cloud_fit_their_certificate)
{
        Format format = _i ? FORMAT_CBOR : FORMAT_JSON;
        Client client;
        Topic topic;
        json_t *created;
        const char *pem;
        EVP_PKEY *key;
        BIO *bio;

        connect_claim(&client, format);
        created = exchange_request(&client, TOPIC_KEYS(format), NULL, &topic);
        ck_assert_ptr_nonnull(created);
        pem = json_string_value(json_object_get(created, "privateKey"));
        ck_assert_int_eq(strncmp(pem, "-----BEGIN RSA PRIVATE KEY-----", 31), 0);
        bio = BIO_new_mem_buf(pem, -1);
        key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        BIO_free_all(bio);
        ck_assert(exchange_certificate_fits(created, key));
        EVP_PKEY_free(key);
        assert_accepted(created, &topic);
        client_close(&client);
}
END_TEST

START_TEST(more_keys_than_were_made_ahead_are_served_one_after_the_other)
{
        Client client;
        Topic topic;

        connect_claim(&client, FORMAT_JSON);
        for (int i = 0; i < 12; i++)
                assert_accepted(exchange_request(&client, TOPIC_KEYS(FORMAT_JSON), NULL, &topic),
                                &topic);
        client_close(&client);
}
END_TEST

START_TEST(an_empty_map_asks_for_keys_as_well_as_no_payload)
{
        Format format = _i ? FORMAT_CBOR : FORMAT_JSON;
        json_int_t before = cloud_breaches(&cloud, "keys-with-payload");
        Client client;
        Topic topic;

        connect_claim(&client, format);
        assert_accepted(exchange_request(&client, TOPIC_KEYS(format), json_object(), &topic),
                        &topic);
        client_close(&client);
        ck_assert_int_eq(cloud_breaches(&cloud, "keys-with-payload"), before);
}
END_TEST

START_TEST(a_certificate_connects_once_it_is_registered_and_not_before)
{
        Format format = _i ? FORMAT_CBOR : FORMAT_JSON;
        EVP_PKEY *key = exchange_make_key("ec-p256");
        Client claim, device;
        Topic topic;
        json_t *created, *registered;

        connect_claim(&claim, format);
        created = exchange_request(&claim, TOPIC_CSR(format), exchange_csr(key, false), &topic);
        exchange_save(&cloud, "device", created, key);
        ck_assert_int_eq(client_connect(&device, &cloud, "device", "thing-a1", true), 7);
        client_close(&device);

        registered = exchange_request(&claim, TOPIC_REGISTER(format, "FleetTemplate"),
                                      exchange_registration(created, "a1"), &topic);
        ck_assert_str_eq(json_string_value(json_object_get(registered, "thingName")), "thing-a1");
        ck_assert_str_eq(
                json_string_value(json_object_get(
                        json_object_get(registered, "deviceConfiguration"), "SerialNumber")),
                "a1");
        assert_accepted(registered, &topic);
        ck_assert_int_eq(client_connect(&device, &cloud, "device", "thing-a1", true), 0);
        client_close(&device);
        client_close(&claim);
        json_decref(created);
        EVP_PKEY_free(key);
}
END_TEST

START_TEST(an_answer_in_cbor_is_what_libcbor_reads)
{
        EVP_PKEY *key = exchange_make_key("ec-p256");
        struct cbor_load_result result;
        Client client;
        Message message;
        cbor_item_t *item;

        if (_i)
                free(cloud_fault(&cloud, "add", "indefinite", NULL));
        connect_claim(&client, FORMAT_CBOR);
        exchange_publish(&client, TOPIC_CSR(FORMAT_CBOR), exchange_csr(key, false));
        ck_assert(client_receive(&client, &message));
        item = cbor_load(message.payload, message.n, &result);
        ck_assert_ptr_nonnull(item);
        ck_assert_uint_eq(result.read, message.n);
        ck_assert(cbor_isa_map(item));
        ck_assert_uint_eq(cbor_map_size(item), 3);
        ck_assert_int_eq(cbor_map_is_definite(item), !_i);
        cbor_decref(&item);
        message_clear(&message);
        client_close(&client);
        EVP_PKEY_free(key);
}
END_TEST

static const struct {
        const char *type;
        bool wrong;
} bad_requests[] = {{"ec-p521", false}, {"rsa-1024", false}, {"ec-p256", true}};

START_TEST(a_request_that_cannot_be_signed_is_rejected)
{
        EVP_PKEY *key = exchange_make_key(bad_requests[_i].type);
        Client client;
        Topic topic;

        connect_claim(&client, FORMAT_CBOR);
        assert_rejected(exchange_request(&client, TOPIC_CSR(FORMAT_CBOR),
                                         exchange_csr(key, bad_requests[_i].wrong), &topic),
                        &topic, 400, "InvalidCSR");
        client_close(&client);
        EVP_PKEY_free(key);
}
END_TEST

START_TEST(what_is_no_request_at_all_is_rejected)
{
        Client client;
        Topic topic;

        connect_claim(&client, FORMAT_JSON);
        assert_rejected(exchange_request(&client, TOPIC_CSR(FORMAT_JSON),
                                         json_pack("{s:s}", "certificateSigningRequest", "hello"),
                                         &topic),
                        &topic, 400, "InvalidCSR");
        assert_rejected(exchange_request(&client, TOPIC_CSR(FORMAT_JSON), json_object(), &topic),
                        &topic, 400, "InvalidPayload");
        client_publish(&client, "$aws/certificates/create-from-csr/json", "{", 1, 0, false);
        assert_rejected(exchange_receive(&client, &topic), &topic, 400, "InvalidPayload");
        client_close(&client);
}
END_TEST

/* A token to register with. */
static json_t *create(Client *client, Format format) {
        EVP_PKEY *key = exchange_make_key("ec-p256");
        json_t *created;
        Topic topic;

        created = exchange_request(client, TOPIC_CSR(format), exchange_csr(key, false), &topic);
        ck_assert_ptr_nonnull(created);
        EVP_PKEY_free(key);
        return created;
}

START_TEST(the_template_must_be_known_and_its_parameter_there)
{
        Client client;
        Topic topic;
        json_t *created;

        connect_claim(&client, FORMAT_JSON);
        exchange_subscribe(&client, FORMAT_JSON, "NoSuchTemplate");
        created = create(&client, FORMAT_JSON);
        assert_rejected(exchange_request(&client, TOPIC_REGISTER(FORMAT_JSON, "NoSuchTemplate"),
                                         exchange_registration(created, "b1"), &topic),
                        &topic, 404, "ResourceNotFoundException");
        assert_rejected(
                exchange_request(&client, TOPIC_REGISTER(FORMAT_JSON, "FleetTemplate"),
                                 json_pack("{s:O}", "certificateOwnershipToken",
                                           json_object_get(created, "certificateOwnershipToken")),
                                 &topic),
                &topic, 400, "InvalidParameters");
        assert_rejected(exchange_request(&client, TOPIC_REGISTER(FORMAT_JSON, "FleetTemplate"),
                                         exchange_registration(created, "no thing name"), &topic),
                        &topic, 400, "InvalidParameters");
        assert_accepted(exchange_request(&client, TOPIC_REGISTER(FORMAT_JSON, "FleetTemplate"),
                                         exchange_registration(created, "b1"), &topic),
                        &topic);
        json_decref(created);
        client_close(&client);
}
END_TEST

START_TEST(the_hook_refuses_what_it_does_not_like)
{
        Client client;
        Topic topic;
        json_t *created;

        connect_claim(&client, FORMAT_CBOR);
        created = create(&client, FORMAT_CBOR);
        assert_rejected(exchange_request(&client, TOPIC_REGISTER(FORMAT_CBOR, "FleetTemplate"),
                                         exchange_registration(created, "refuse-7"), &topic),
                        &topic, 403, "ACCESS_DENIED");
        json_decref(created);
        client_close(&client);
}
END_TEST

static const struct {
        const char *name;
        bool is_there;
} configurations[] = {{"EmptyTemplate", true}, {"BareTemplate", false}};

START_TEST(a_template_may_have_an_empty_configuration_or_none)
{
        json_t *created, *registered, *configuration;
        Topic topic, request = {.operation = OPERATION_REGISTER, .format = FORMAT_CBOR};
        Client client;

        connect_claim(&client, FORMAT_CBOR);
        exchange_subscribe(&client, FORMAT_CBOR, configurations[_i].name);
        snprintf(request.template_name, sizeof(request.template_name), "%s",
                 configurations[_i].name);
        created = create(&client, FORMAT_CBOR);
        registered =
                exchange_request(&client, request, exchange_registration(created, "c1"), &topic);
        configuration = json_object_get(registered, "deviceConfiguration");
        ck_assert_int_eq(configuration != NULL, configurations[_i].is_there);
        ck_assert_uint_eq(json_object_size(configuration), 0);
        assert_accepted(registered, &topic);
        json_decref(created);
        client_close(&client);
}
END_TEST

TCase *operations_tests(void) {
        TCase *test_case = tcase_create("operations");

        tcase_add_loop_test(test_case, a_request_for_each_kind_of_key_is_signed, 0,
                            2 * ELEMENTSOF(key_types));
        tcase_add_loop_test(test_case, keys_from_the_cloud_fit_their_certificate, 0, 2);
        tcase_add_test(test_case, more_keys_than_were_made_ahead_are_served_one_after_the_other);
        tcase_add_loop_test(test_case, an_empty_map_asks_for_keys_as_well_as_no_payload, 0, 2);
        tcase_add_loop_test(test_case, a_certificate_connects_once_it_is_registered_and_not_before,
                            0, 2);
        tcase_add_loop_test(test_case, an_answer_in_cbor_is_what_libcbor_reads, 0, 2);
        tcase_add_loop_test(test_case, a_request_that_cannot_be_signed_is_rejected, 0,
                            ELEMENTSOF(bad_requests));
        tcase_add_test(test_case, what_is_no_request_at_all_is_rejected);
        tcase_add_test(test_case, the_template_must_be_known_and_its_parameter_there);
        tcase_add_test(test_case, the_hook_refuses_what_it_does_not_like);
        tcase_add_loop_test(test_case, a_template_may_have_an_empty_configuration_or_none, 0,
                            ELEMENTSOF(configurations));
        return test_case;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Whole exchanges of fleet provisioning, in either format, over one client. */

#include <openssl/evp.h>

#include <jansson.h>

#include "tests/cloud/plugin/topic.h"
#include "tests/cloud/selftest/client.h"

/* Subscribes to both answer topics of all three operations in that format. */
void exchange_subscribe(Client *client, Format format, const char *template_name);

/* Publishes the request; takes the reference to the body over. NULL: an empty payload. */
void exchange_publish(Client *client, Topic topic, json_t *body);

/* The next answer, decoded; NULL when the connection was dropped, or it could not be decoded. */
json_t *exchange_receive(Client *client, Topic *ret_topic);

/* Both of it. */
json_t *exchange_request(Client *client, Topic topic, json_t *body, Topic *ret_topic);

/* "ec-p256", "ec-p384", "ec-p521", "rsa-1024", "rsa-2048". */
EVP_PKEY *exchange_make_key(const char *type);

/* {"certificateSigningRequest": …}; a wrong one carries the signature of another key. */
json_t *exchange_csr(EVP_PKEY *key, bool wrong);

/* {"certificateOwnershipToken": …, "parameters": {"SerialNumber": …}} */
json_t *exchange_registration(const json_t *created, const char *serial);

/* Is the certificate in the answer one for the key, by the id that it says? */
bool exchange_certificate_fits(const json_t *created, EVP_PKEY *key);

/* Writes NAME.pem and NAME.key below the cloud's directory, for client_connect(). */
void exchange_save(const CloudProcess *cloud, const char *name, const json_t *created,
                   EVP_PKEY *key);

#define TOPIC_CSR(f) ((Topic){.operation = OPERATION_CREATE_CSR, .format = (f)})
#define TOPIC_KEYS(f) ((Topic){.operation = OPERATION_CREATE_KEYS, .format = (f)})
#define TOPIC_REGISTER(f, name) \
        ((Topic){.operation = OPERATION_REGISTER, .format = (f), .template_name = name})

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A profile as the configuration gives it: plain data, names resolved, specifiers put in. */

#include "daemon/base/secret.h"
#include "daemon/model/failure.h"
#include "daemon/model/parameters.h"
#include "daemon/model/peer.h"
#include "protocol/ipc/vocabulary.h"

typedef enum Provider {
        PROVIDER_AWS_IOT,
        PROVIDER_AZURE_DPS,
        PROVIDER_MAX,
        PROVIDER_INVALID = -EINVAL,
} Provider;
DECLARE_STRING_TABLE(provider, Provider);

typedef enum PayloadFormat {
        PAYLOAD_FORMAT_JSON,
        PAYLOAD_FORMAT_CBOR,
        PAYLOAD_FORMAT_MAX,
        PAYLOAD_FORMAT_INVALID = -EINVAL,
} PayloadFormat;
DECLARE_STRING_TABLE(payload_format, PayloadFormat);

typedef struct Profile {
        char *name;
        Provider provider;
        char *endpoint; /* host */
        uint16_t port;
        char *alpn; /* NULL: none */

        /* Paths, or "credential:NAME" already turned into a path below $CREDENTIALS_DIRECTORY. */
        char *trusted_certificates; /* a file; NULL: the provider's roots; "system": all of them */
        char *certificate;
        char *private_key;
        char *private_key_password; /* or NULL */

        char *template_name;     /* or NULL */
        char *rotation_template; /* or NULL: it rotates nothing */
        PayloadFormat payload_format;
        Parameters fixed_parameters;   /* Parameter.* : no job can change them */
        Parameters default_parameters; /* DefaultParameter.* : a job may */
        KeyType key_type;
        KeySource key_source;
        char *client_id;
        bool verify_certificate; /* try a new certificate before success is told */
        char *verify_client_id;  /* … with this client id; NULL: the thing's name */
        unsigned keep_alive_sec;
        usec_t connect_timeout_usec;
        usec_t response_timeout_usec;
        usec_t deadline_usec; /* USEC_INFINITY: none */
        char *cipher_list;    /* NULL: ours */
        AccessRule access;

        char *fingerprint; /* hex SHA-256 over name, provider, endpoint, port and template */
} Profile;

Profile *profile_free(Profile *p);
DEFINE_CLEANUP(Profile *, profile_free);
#define _cleanup_profile_ _cleanup_(profile_freep)

/* Whether a session under `a` serves `b` as it is: all that the connection is made of is equal. */
bool profile_same_connection(const Profile *a, const Profile *b);

/* What people are shown of a profile. */
typedef struct ProfileStatus {
        const char *name;
        const char *provider;
        char *endpoint; /* host:port */
        SessionState session;
        usec_t connected_since_real; /* 0: not ready */
        char *claim_subject;         /* NULL: no claim yet */
        char *claim_fingerprint;
        usec_t claim_not_after_real;
        Failure *last_error; /* NULL: none */
} ProfileStatus;

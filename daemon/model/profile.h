/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A profile as the configuration gives it: plain data, names resolved, specifiers put in. */

#include "daemon/base/secret.h"
#include "daemon/model/failure.h"
#include "daemon/model/parameters.h"
#include "daemon/model/peer.h"
#include "daemon/model/proxy.h"
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

/* How a device shows DPS who it is. */
typedef enum Authentication {
        AUTHENTICATION_SYMMETRIC_KEY, /* of one registration */
        AUTHENTICATION_GROUP_KEY,     /* each registration's own is derived from it */
        AUTHENTICATION_X509,          /* Certificate=, whose subject names the registration */
        AUTHENTICATION_MAX,
        AUTHENTICATION_INVALID = -EINVAL,
} Authentication;
DECLARE_STRING_TABLE(authentication, Authentication);

/* What a profile of azure-dps has beside the rest; all NULL in any other. */
typedef struct DpsSettings {
        char *id_scope;
        char *registration_id;  /* fixed; or NULL, and … */
        char *registration_ids; /* … a glob(7) of those that a job may bring */
        Authentication authentication;
        char *symmetric_key;    /* a path; also the group's key; NULL: x509 */
        char *secondary_key;    /* a path, or NULL */
        char *gateway_hostname; /* in the place of `endpoint`: see profile_host() */
        char *payload;          /* JSON, or NULL */
        char *default_payload;  /* likewise; a job may bring its own */
        char *api_version;
} DpsSettings;

void dps_settings_done(DpsSettings *s);

typedef struct Profile {
        char *name;
        Provider provider;
        char *endpoint; /* host */
        uint16_t port;
        char *alpn;           /* NULL: none */
        char *websocket_path; /* NULL: MQTT over TLS as it is */
        Proxy proxy;

        /* Paths, or "credential:NAME" already turned into a path below $CREDENTIALS_DIRECTORY. */
        char *trusted_certificates; /* a file; NULL: the provider's roots; "system": all of them */
        char *certificate;
        char *private_key;          /* or a PKCS#11 URI */
        char *private_key_password; /* or NULL */

        /* Where keys are in tokens; all NULL in a profile that has none there. */
        char *pkcs11_module;   /* a path */
        char *private_key_pin; /* of the token with private_key: a path; NULL: none */
        char *key_store;       /* a PKCS#11 URI: device keys are made there; NULL: in memory */
        char *key_store_pin;   /* of that token; likewise */

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
        DpsSettings dps;

        char *fingerprint; /* hex SHA-256 over name, provider, endpoint, port and template or scope
                            */
} Profile;

Profile *profile_free(Profile *p);
DEFINE_CLEANUP(Profile *, profile_free);
#define _cleanup_profile_ _cleanup_(profile_freep)

/* What its connections go to, and what the server's certificate must be for: the gateway, where
 * there is one, else the endpoint. The profile's; NULL where it has neither. */
const char *profile_host(const Profile *p);

/* Whether something of it is in a token: then its claim is for the thread of the tokens. */
bool profile_uses_token(const Profile *p);

/* Copies what a claim is read by: name, provider, and the files that the claim is made of. For
 * whoever reads it on another thread. On -ENOMEM `to` is half filled: profile_free() takes it. */
int profile_copy_claim_source(const Profile *from, Profile *to);

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

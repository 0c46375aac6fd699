/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One key of a profile each: checks the value and puts it into the profile. What they have in
 * common stands in a ProfileLoader. All of them: -EINVAL with *ret_why; -ENOMEM. */

#include "daemon/config/config-specifier.h"
#include "daemon/config/config-tree.h"
#include "daemon/model/profile.h"

typedef struct ProfileLoader {
        Profile *profile;
        const Specifiers *specifiers;
        bool websocket;         /* Transport= */
        size_t parameters_size; /* bytes of names and values so far */
        char **ret_why;
} ProfileLoader;

typedef int (*ProfileSetter)(ProfileLoader *l, const ConfigEntry *e);

int setting_provider(ProfileLoader *l, const ConfigEntry *e);
int setting_endpoint(ProfileLoader *l, const ConfigEntry *e);
int setting_port(ProfileLoader *l, const ConfigEntry *e);
int setting_transport(ProfileLoader *l, const ConfigEntry *e);
int setting_trusted_certificates(ProfileLoader *l, const ConfigEntry *e);
int setting_certificate(ProfileLoader *l, const ConfigEntry *e);
int setting_private_key(ProfileLoader *l, const ConfigEntry *e);
int setting_private_key_password(ProfileLoader *l, const ConfigEntry *e);
int setting_pkcs11_module(ProfileLoader *l, const ConfigEntry *e); /* config-token.c */
int setting_key_store(ProfileLoader *l, const ConfigEntry *e);     /* likewise */
int setting_template(ProfileLoader *l, const ConfigEntry *e);
int setting_rotation_template(ProfileLoader *l, const ConfigEntry *e);
int setting_payload_format(ProfileLoader *l, const ConfigEntry *e);
int setting_key_type(ProfileLoader *l, const ConfigEntry *e);
int setting_key_source(ProfileLoader *l, const ConfigEntry *e);
int setting_verify_certificate(ProfileLoader *l, const ConfigEntry *e);
int setting_verify_client_id(ProfileLoader *l, const ConfigEntry *e);
int setting_client_id(ProfileLoader *l, const ConfigEntry *e);
int setting_keep_alive(ProfileLoader *l, const ConfigEntry *e);
int setting_connect_timeout(ProfileLoader *l, const ConfigEntry *e);
int setting_response_timeout(ProfileLoader *l, const ConfigEntry *e);
int setting_deadline(ProfileLoader *l, const ConfigEntry *e);
int setting_cipher_list(ProfileLoader *l, const ConfigEntry *e);
int setting_allow_users(ProfileLoader *l, const ConfigEntry *e);
int setting_allow_groups(ProfileLoader *l, const ConfigEntry *e);

/* The way to the cloud (config-proxy.c). */
int setting_proxy(ProfileLoader *l, const ConfigEntry *e);
int setting_proxy_credentials(ProfileLoader *l, const ConfigEntry *e);
int setting_complete_proxy(ProfileLoader *l, const ConfigTree *t, const ConfigSection *section);

/* Of azure-dps alone (config-azure.c). */
int setting_id_scope(ProfileLoader *l, const ConfigEntry *e);
int setting_registration_id(ProfileLoader *l, const ConfigEntry *e);
int setting_registration_ids(ProfileLoader *l, const ConfigEntry *e);
int setting_authentication(ProfileLoader *l, const ConfigEntry *e);
int setting_symmetric_key(ProfileLoader *l, const ConfigEntry *e);
int setting_secondary_key(ProfileLoader *l, const ConfigEntry *e);
int setting_gateway_hostname(ProfileLoader *l, const ConfigEntry *e);
int setting_payload(ProfileLoader *l, const ConfigEntry *e);
int setting_default_payload(ProfileLoader *l, const ConfigEntry *e);
int setting_api_version(ProfileLoader *l, const ConfigEntry *e);

/* What the keys of an azure-dps profile must be together, and their defaults, when all are read. */
int setting_complete_azure(ProfileLoader *l, const ConfigTree *t, const ConfigSection *section);

/* What the keys about tokens must be together, and where each PIN is, when all are read. */
int setting_complete_tokens(ProfileLoader *l, const ConfigTree *t, const ConfigSection *section);

/* A PKCS#11 URI that names a private key, into a field. */
int setting_set_key_uri(ProfileLoader *l, const ConfigEntry *e, char **field);

/* A path or credential:NAME, into a field. */
int setting_set_path(ProfileLoader *l, const ConfigEntry *e, char **field);

/* A host name or address alone, into a field. */
int setting_set_host(ProfileLoader *l, const ConfigEntry *e, char **field);

/* Parameter.NAME and DefaultParameter.NAME (config-parameter.c). */
int setting_parameter(ProfileLoader *l, const ConfigEntry *e);
int setting_default_parameter(ProfileLoader *l, const ConfigEntry *e);

/* A span with its bounds; `or_infinity` takes "infinity", too. Also for [Daemon]. */
int setting_parse_span(const ConfigEntry *e, usec_t min, usec_t max, bool or_infinity, usec_t *ret,
                       char **ret_why);

/* An absolute path or credential:NAME, resolved. Also for [Daemon]. */
int setting_parse_path(const ConfigEntry *e, char **ret, char **ret_why);

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The keys: what they give, and what of their values is refused. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config/config-profile.h"
#include "daemon/config/config-value.h"
#include "protocol/ipc/limits.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/suite.h"

START_TEST(nothing_gives_the_defaults)
{
        _cleanup_config_ Config *c = fixture_load("");

        ck_assert_uint_eq(c->max_jobs, 10000);
        ck_assert_uint_eq(c->max_jobs_per_user, 1000);
        ck_assert_uint_eq(c->retain_usec, USEC_PER_DAY);
        ck_assert_ptr_null(c->default_profile);
        ck_assert_ptr_null(c->state_key);
        ck_assert_str_eq(c->bus, "system");
        ck_assert_uint_eq(c->n_profiles, 0);
        ck_assert_ptr_null(config_find_profile(c, ""));
}
END_TEST

START_TEST(a_profile_has_its_defaults)
{
        _cleanup_config_ Config *c = fixture_load(fixture_profile(""));
        const Profile *p = c->profiles[0];

        ck_assert_str_eq(p->name, "aws");
        ck_assert_int_eq(p->provider, PROVIDER_AWS_IOT);
        ck_assert_str_eq(p->endpoint, "iot.example.com");
        ck_assert_uint_eq(p->port, 8883);
        ck_assert_ptr_null(p->alpn);
        ck_assert_ptr_null(p->trusted_certificates);
        ck_assert_str_eq(p->certificate, "/etc/claim.pem");
        ck_assert_str_eq(p->private_key, "/etc/claim.key");
        ck_assert_ptr_null(p->private_key_password);
        ck_assert_ptr_null(p->template_name);
        ck_assert_ptr_null(p->rotation_template);
        ck_assert_int_eq(p->payload_format, PAYLOAD_FORMAT_JSON);
        ck_assert_int_eq(p->key_type, KEY_TYPE_EC_P256);
        ck_assert_int_eq(p->key_source, KEY_SOURCE_DAEMON);
        ck_assert_uint_eq(p->keep_alive_sec, 60);
        ck_assert_uint_eq(p->connect_timeout_usec, 30 * USEC_PER_SEC);
        ck_assert_uint_eq(p->response_timeout_usec, 30 * USEC_PER_SEC);
        ck_assert_uint_eq(p->deadline_usec, USEC_INFINITY);
        ck_assert_ptr_null(p->cipher_list);
        ck_assert_uint_eq(p->access.n_uids, 1);
        ck_assert_uint_eq(p->access.uids[0], 0);
        ck_assert_uint_eq(p->access.n_gids, 0);
        ck_assert(config_client_id_is_valid(p->client_id));
        ck_assert_uint_eq(strlen(p->fingerprint), 64);
        ck_assert_ptr_eq(config_find_profile(c, NULL), p);
        ck_assert_ptr_eq(config_find_profile(c, "aws"), p);
        ck_assert_ptr_null(config_find_profile(c, "other"));
}
END_TEST

START_TEST(every_key_is_taken)
{
        _cleanup_config_ Config *c = fixture_load(
                "[Daemon]\nMaxJobs=1\nMaxJobsPerUser=2\nRetainSec=infinity\nDefaultProfile=b\n"
                "StateKey=/etc/state.key\nBus=unix:path=/run/bus\n"
                "[Profile a]\nProvider=aws-iot\nEndpoint=::1\nCertificate=/c\nPrivateKey=/k\n"
                "[Profile b]\nProvider=aws-iot\nEndpoint=h\nPort=443\nTransport=mqtt\n"
                "TrustedCertificates=system\nCertificate=/c\nPrivateKey=/k\n"
                "PrivateKeyPassword=/p\nTemplate=T\nPayloadFormat=cbor\nParameter.Line=7\n"
                "DefaultParameter.Serial=1\nDefaultParameter.Line=8\nKeyType=rsa-3072\n"
                "KeySource=cloud\nVerifyCertificate=yes\nClientId=gw%%1\nKeepAliveSec=2min\n"
                "ConnectTimeoutSec=100ms\nResponseTimeoutSec=1h\nDeadlineSec=1d\n"
                "CipherList=TLS_AES_128_GCM_SHA256\nAllowUsers=0, 12 13\nAllowGroups=root 7\n"
                "RotationTemplate=R\nPkcs11Module=\nKeyStore=\nVerifyClientId=try %H\nProxy=\n");
        const Profile *p = config_find_profile(c, "");

        ck_assert_uint_eq(c->max_jobs, 1);
        ck_assert_uint_eq(c->max_jobs_per_user, 2);
        ck_assert_uint_eq(c->retain_usec, USEC_INFINITY);
        ck_assert_str_eq(c->state_key, "/etc/state.key");
        ck_assert_str_eq(c->bus, "unix:path=/run/bus");
        ck_assert_uint_eq(c->n_profiles, 2);
        ck_assert_str_eq(c->profiles[0]->name, "a");
        ck_assert_str_eq(p->name, "b");
        ck_assert_str_eq(p->alpn, "x-amzn-mqtt-ca");
        ck_assert_str_eq(p->trusted_certificates, "system");
        ck_assert_str_eq(p->private_key_password, "/p");
        ck_assert_str_eq(p->template_name, "T");
        ck_assert_str_eq(p->rotation_template, "R");
        ck_assert_int_eq(p->payload_format, PAYLOAD_FORMAT_CBOR);
        ck_assert_uint_eq(p->fixed_parameters.n, 1);
        ck_assert_uint_eq(p->default_parameters.n, 1); /* the fixed one has no default */
        ck_assert_str_eq(parameters_get(&p->default_parameters, "Serial"), "1");
        ck_assert_int_eq(p->key_type, KEY_TYPE_RSA_3072);
        ck_assert_int_eq(p->key_source, KEY_SOURCE_CLOUD);
        ck_assert(p->verify_certificate);
        ck_assert_str_eq(p->verify_client_id, "try %H"); /* no specifiers here */
        ck_assert_str_eq(p->client_id, "gw%1");
        ck_assert_uint_eq(p->keep_alive_sec, 120);
        ck_assert_uint_eq(p->connect_timeout_usec, 100 * USEC_PER_MSEC);
        ck_assert_uint_eq(p->response_timeout_usec, USEC_PER_HOUR);
        ck_assert_uint_eq(p->deadline_usec, USEC_PER_DAY);
        ck_assert_str_eq(p->cipher_list, "TLS_AES_128_GCM_SHA256");
        ck_assert_uint_eq(p->access.n_uids, 3);
        ck_assert_uint_eq(p->access.uids[2], 13);
        ck_assert_uint_eq(p->access.n_gids, 2);
        ck_assert_uint_eq(p->access.gids[1], 7);
}
END_TEST

START_TEST(transport_gives_port_path_and_alpn)
{
        static const struct {
                const char *lines;
                unsigned port;
                const char *path, *alpn;
        } rows[] = {
                {"", 8883, NULL, NULL},
                {"Transport=mqtt\n", 8883, NULL, NULL},
                {"Port=443\n", 443, NULL, "x-amzn-mqtt-ca"},
                {"Transport=websocket\n", 443, "/mqtt", NULL},
                {"Port=443\nTransport=websocket\n", 443, "/mqtt", NULL},
                {"Port=8884\nTransport=websocket\n", 8884, "/mqtt", NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_config_ Config *c = fixture_load(fixture_profile(rows[i].lines));
                const Profile *p = c->profiles[0];

                ck_assert_uint_eq(p->port, rows[i].port);
                ck_assert_pstr_eq(p->websocket_path, rows[i].path);
                ck_assert_pstr_eq(p->alpn, rows[i].alpn);
        }
}
END_TEST

START_TEST(pin_is_where_the_uri_says_or_else_the_password_is)
{
        _cleanup_config_ Config *c =
                fixture_load("[Profile a]\nProvider=aws-iot\nEndpoint=h\nCertificate=/c\n"
                             "PrivateKey=pkcs11:token=t;object=o\nPrivateKeyPassword=/pin\n"
                             "Pkcs11Module=/m.so\n"
                             "[Profile b]\nProvider=aws-iot\nEndpoint=h\nCertificate=/c\n"
                             "PrivateKey=pkcs11:serial=7;id=%01?pin-source=file:///other\n"
                             "PrivateKeyPassword=/pin\nPkcs11Module=/m.so\n");
        const Profile *p = config_find_profile(c, "a");

        ck_assert_str_eq(p->private_key, "pkcs11:token=t;object=o");
        ck_assert_str_eq(p->pkcs11_module, "/m.so");
        ck_assert_str_eq(p->private_key_pin, "/pin");
        ck_assert_str_eq(config_find_profile(c, "b")->private_key_pin, "/other");
        ck_assert(profile_uses_token(p));
}
END_TEST

START_TEST(bad_profile_values_name_line_key_and_reason)
{
        static const struct {
                const char *line; /* the sixth */
                const char *key;
                const char *reason;
        } rows[] = {
                {"Port=0", "Port", "no port"},
                {"Port=70000", "Port", "1 to 65535"},
                {"Transport=udp", "Transport", "no transport"},
                {"TrustedCertificates=roots.pem", "TrustedCertificates",
                 "neither an absolute path"},
                {"PrivateKeyPassword=credential:", "PrivateKeyPassword", "no name of a credential"},
                {"PrivateKeyPassword=credential:../x", "PrivateKeyPassword",
                 "no name of a credential"},
                {"Pkcs11Module=x.so", "Pkcs11Module", "no absolute path"},
                {"Pkcs11Module=credential:x", "Pkcs11Module", "no absolute path"},
                {"Template=a/b", "Template", "1 to 36"},
                {"RotationTemplate=a/b", "RotationTemplate", "1 to 36"},
                {"PayloadFormat=xml", "PayloadFormat", "json or cbor"},
                {"Parameter.=1", "Parameter.", "1 to 128"},
                {"Parameter.A=%q", "Parameter.A", "'%q' is no specifier"},
                {"Parameter.A=@relative", "Parameter.A", "absolute path"},
                {"Parameter.A=@/does/not/exist", "Parameter.A", "/does/not/exist"},
                {"Parameter.A=credential:a", "Parameter.A", "$CREDENTIALS_DIRECTORY is not set"},
                {"DefaultParameter.A=%", "DefaultParameter.A", "at the end"},
                {"KeyType=ec-p521", "KeyType", "ec-p256, ec-p384, rsa-2048 or rsa-3072"},
                {"KeySource=caller", "KeySource", "daemon or cloud"},
                {"KeyStore=pkcs11:token=a", "KeyStore", "name it with Pkcs11Module="},
                {"KeyStore=pkcs11:token=a;object=b\nPkcs11Module=/m", "KeyStore", "take object"},
                {"KeyStore=pkcs11:object=b\nPkcs11Module=/m", "KeyStore", "names no token"},
                {"KeyStore=/etc/keys\nPkcs11Module=/m", "KeyStore", "begins with pkcs11:"},
                {"KeyStore=pkcs11:token=a?pin-value=1\nPkcs11Module=/m", "KeyStore", "pin-value"},
                {"KeyStore=pkcs11:token=a\nKeySource=cloud\nPkcs11Module=/m", "KeyStore",
                 "does not go with KeySource=cloud"},
                {"VerifyCertificate=maybe", "VerifyCertificate", "no boolean"},
                {"VerifyClientId=$x", "VerifyClientId", "no '$'"},
                {"VerifyClientId=a+b", "VerifyClientId", "no '+'"},
                {"VerifyClientId=x%y\nClientId=x%%y", "VerifyClientId", "client id of the session"},
                {"ClientId=$aws", "ClientId", "no '$'"},
                {"ClientId=%z", "ClientId", "no specifier"},
                {"KeepAliveSec=29", "KeepAliveSec", "30s to 1200s"},
                {"KeepAliveSec=1201", "KeepAliveSec", "30s to 1200s"},
                {"KeepAliveSec=45.5", "KeepAliveSec", "whole seconds"},
                {"KeepAliveSec=infinity", "KeepAliveSec", "out of bounds"},
                {"ConnectTimeoutSec=99ms", "ConnectTimeoutSec", "100ms to 3600s"},
                {"ConnectTimeoutSec=soon", "ConnectTimeoutSec", "no time span"},
                {"ResponseTimeoutSec=2h", "ResponseTimeoutSec", "out of bounds"},
                {"DeadlineSec=0", "DeadlineSec", "or infinity"},
                {"DeadlineSec=99999999999999y", "DeadlineSec", "out of bounds"},
                {"CipherList=ADH-AES128-GCM-SHA256", "CipherList", "ADH-AES128-GCM-SHA256"},
                {"CipherList=TLS_AES_128_GCM_SHA256:ALL", "CipherList", "'ALL' is no cipher suite"},
                {"CipherList=NULL-SHA256", "CipherList", "such as TLS_AES_128_GCM_SHA256"},
                {"CipherList=ECDHE-RSA-AES512-GCM-SHA1", "CipherList", "is no cipher suite"},
                {"AllowUsers=root no-such-user", "AllowUsers", "no user 'no-such-user'"},
                {"AllowUsers=nobody", "AllowUsers", "always refused"},
                {"AllowUsers=4294967295", "AllowUsers", "too large"},
                {"AllowGroups=no-such-group", "AllowGroups", "no group 'no-such-group'"},
                {"IdScope=0ne", "IdScope", "belongs to Provider=azure-dps"},
                {"RegistrationId=gw", "RegistrationId", "belongs to Provider=azure-dps"},
                {"Payload={}", "Payload", "belongs to Provider=azure-dps"},
                {"port=1", "port", "it is written Port="},
                {"parameter.A=1", "parameter.A", "it is written Parameter.NAME="},
                {"Prot=1", "Prot", "no such key"},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *why = fixture_refused(fixture_profile(rows[i].line));
                _cleanup_free_ char *where = NULL;

                ck_assert_int_ge(asprintf(&where, "t.conf:6: [Profile aws] %s=: ", rows[i].key), 0);
                assert_contains(why, where);
                assert_contains(why, rows[i].reason);
        }
}
END_TEST

START_TEST(bad_files_name_line_and_reason)
{
        static const struct {
                const char *content;
                const char *where;
                const char *reason;
        } rows[] = {
                {"[Daemon]\nMaxJobs=0\n", ":2: [Daemon] MaxJobs=: ", "1 to 1000000"},
                {"[Daemon]\nMaxJobs=many\n", ":2: [Daemon] MaxJobs=: ", "no number"},
                {"[Daemon]\nMaxJobsPerUser=-1\n", ":2: [Daemon] MaxJobsPerUser=: ", "no number"},
                {"[Daemon]\nMaxJobs=99999999999999999999\n", ":2: [Daemon] MaxJobs=: ", "bounds"},
                {"[Daemon]\nRetainSec=0\n", ":2: [Daemon] RetainSec=: ", "out of bounds"},
                {"[Daemon]\nDefaultProfile=x\n",
                 ":2: [Daemon] DefaultProfile=: ", "no [Profile x]"},
                {"[Daemon]\nStateKey=key\n", ":2: [Daemon] StateKey=: ", "absolute path"},
                {"[Daemon]\nBus=kdbus\n", ":2: [Daemon] Bus=: ", "no bus"},
                {"[Daemon]\nbus=none\n", ":2: [Daemon] bus=: ", "it is written Bus="},
                {"[Daemon]\nSocket=/x\n", ":2: [Daemon] Socket=: ", "no such key"},
                {"[daemon]\n", ":1: [daemon]: ", "no such section"},
                {"[Profile]\n", ":1: [Profile]: ", "no such section"},
                {"\n[Socket sensors]\nProfiles=aws\n",
                 ":3: [Socket sensors] Profiles=: ", "no [Profile aws]"},
                {"[Socket sensors]\nProfiles=a/b\n", ":2: [Socket sensors] Profiles=: ", "no name"},
                {"[Socket sensors]\nprofiles=a\n",
                 ":2: [Socket sensors] profiles=: ", "it is written Profiles="},
                {"[Socket sensors]\nAllowUsers=a\n",
                 ":2: [Socket sensors] AllowUsers=: ", "no such key in this section"},
                {"[Socket main]\n", ":1: [Socket main]: ", "not main"},
                {"[Socket a b]\n", ":1: [Socket a b]: ", "no name of a further socket"},
                {"[Socket ../x]\n", ":1: [Socket ../x]: ", "no name of a further socket"},
                {"[Socket]\n", ":1: [Socket]: ", "no such section"},
                {"[Profile a b]\n", ":1: [Profile a b]: ", "no name of a profile"},
                {"[Profile ]\n", ":1: [Profile ]: ", "no name of a profile"},
                {"\n\n[Profile a]\n", ":3: [Profile a]: ", "Provider= is missing"},
                {"[Profile a]\nProvider=azure-dps\nEndpoint=h\nIdScope=0\nRegistrationId=a\n",
                 ":1: [Profile a]: ", "SymmetricKey= is missing"},
                {"[Profile a]\nTemplate=T\nProvider=azure-dps\n",
                 ":2: [Profile a] Template=: ", "belongs to Provider=aws-iot"},
                {"[Profile a]\nProvider=gcp\n", ":2: [Profile a] Provider=: ", "no provider"},
                {"[Profile a]\nProvider=aws-iot\n", ":1: [Profile a]: ", "Endpoint= is missing"},
                {"[Profile a]\nProvider=aws-iot\nEndpoint=\n",
                 ":1: [Profile a]: ", "Endpoint= is missing"},
                {"[Profile a]\nProvider=aws-iot\nEndpoint=\"\"\n",
                 ":1: [Profile a]: ", "Endpoint= is missing"},
                {"[Profile a]\nProvider=aws-iot\nEndpoint=h\n",
                 ":1: [Profile a]: ", "Certificate= is missing"},
                {"[Profile a]\nProvider=aws-iot\nEndpoint=h\nCertificate=/c\n",
                 ":1: [Profile a]: ", "PrivateKey= is missing"},
                {"[Profile a]\nEndpoint=mqtts://h\n",
                 ":2: [Profile a] Endpoint=: ", "without scheme"},
                {"[Profile a]\nEndpoint=h:8883\n", ":2: [Profile a] Endpoint=: ", "Port="},
                {"[Profile a]\nEndpoint=[::1]\n",
                 ":2: [Profile a] Endpoint=: ", "without brackets"},
                {"[Profile a]\nEndpoint=h.\n", ":2: [Profile a] Endpoint=: ", "final dot"},
                {"[Profile a]\nPrivateKey=pkcs11:token=a;object=b?pin-value=1\n",
                 ":2: [Profile a] PrivateKey=: ", "a PIN does not stand in a configuration"},
                {"[Profile a]\nPrivateKey=pkcs11:token=a\n",
                 ":2: [Profile a] PrivateKey=: ", "names no key"},
                {"[Profile a]\nProvider=aws-iot\nEndpoint=h\nCertificate=/c\n"
                 "PrivateKey=pkcs11:token=a;object=b\n",
                 ":5: [Profile a] PrivateKey=: ", "name it with Pkcs11Module="},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *why = fixture_refused(rows[i].content);

                assert_contains(why, rows[i].where);
                assert_contains(why, rows[i].reason);
        }
}
END_TEST

START_TEST(a_default_profile_is_needed_among_several)
{
        const char *one = fixture_profile("");
        _cleanup_free_ char *both = NULL;
        _cleanup_config_ Config *c = NULL;

        ck_assert_int_ge(asprintf(&both,
                                  "%s[Profile z]\nProvider=aws-iot\nEndpoint=h\n"
                                  "Certificate=/c\nPrivateKey=/k\n",
                                  one),
                         0);
        c = fixture_load(both);
        ck_assert_uint_eq(c->n_profiles, 2);
        ck_assert_ptr_null(config_find_profile(c, ""));
        ck_assert_ptr_nonnull(config_find_profile(c, "z"));
}
END_TEST

/* Sessions are thrown off by a second connection with their client id, whoever makes it. */
START_TEST(client_id_of_a_session_is_not_there_to_be_tried_with)
{
        static const struct {
                const char *endpoint, *port;
                bool refused;
        } rows[] = {{"h", "", true}, {"h", "Port=443", false}, {"i", "", false}};

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *content = NULL, *why = NULL;

                ck_assert_int_ge(asprintf(&content,
                                          "[Profile a]\nProvider=aws-iot\nEndpoint=h\n"
                                          "Certificate=/c\nPrivateKey=/k\nVerifyClientId=x\n"
                                          "[Profile b]\nProvider=aws-iot\nEndpoint=%s\n"
                                          "Certificate=/c\nPrivateKey=/k\nClientId=x\n%s\n",
                                          rows[i].endpoint, rows[i].port),
                                 0);
                if (!rows[i].refused) {
                        config_free(fixture_load(content));
                        continue;
                }
                why = fixture_refused(content);
                assert_contains(why, ":6: [Profile a] VerifyClientId=: ");
                assert_contains(why, "session of [Profile b]");
        }
}
END_TEST

START_TEST(more_profiles_than_are_allowed_are_refused)
{
        _cleanup_free_ char *content = NULL, *why = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&content, &size);

        ck_assert_ptr_nonnull(f);
        for (size_t i = 0; i <= CONFIG_PROFILES_MAX; i++)
                fprintf(f,
                        "[Profile p%zu]\nProvider=aws-iot\nEndpoint=h\nCertificate=/c\n"
                        "PrivateKey=/k\n",
                        i);
        fclose(f);
        why = fixture_refused(content);
        assert_contains(why, "[Profile p64]: more than 64 profiles");
}
END_TEST

/* Puts the lines that show a key or a section into force: those with a '#' and no blank behind. */
static char *uncomment(const char *text) {
        char *out = strdup(text);

        ck_assert_ptr_nonnull(out);
        for (char *line = out; line && *line != '\0';) {
                if (line[0] == '#' && line[1] != ' ' && line[1] != '\n')
                        memmove(line, line + 1, strlen(line));
                line = strchr(line, '\n');
                line += line ? 1 : 0;
        }
        return out;
}

START_TEST(the_file_that_is_installed_explains_every_key_rightly)
{
        const char *etc = getenv("FLEETPROVD_ETC");
        _cleanup_free_ char *path = NULL, *content = NULL;
        _cleanup_config_ Config *as_it_is = NULL, *in_force = NULL;
        _cleanup_secret_ Secret *text = NULL;
        const Profile *aws, *azure;

        if (!etc)
                return; /* run by hand */
        ck_assert_int_ge(asprintf(&path, "%s/fleetprovd.conf", etc), 0);
        ck_assert_int_eq(secret_from_file(AT_FDCWD, path, 65536, &text), 0);
        as_it_is = fixture_load(secret_text(text));
        ck_assert_uint_eq(as_it_is->n_profiles, 0);
        content = uncomment(secret_text(text));
        in_force = fixture_load(content);
        ck_assert_uint_eq(in_force->n_profiles, 2);
        ck_assert_uint_eq(in_force->max_jobs, as_it_is->max_jobs);
        ck_assert_uint_eq(in_force->max_jobs_per_user, as_it_is->max_jobs_per_user);
        ck_assert_uint_eq(in_force->retain_usec, as_it_is->retain_usec);
        ck_assert_str_eq(in_force->bus, as_it_is->bus);
        aws = config_find_profile(in_force, "aws");
        azure = config_find_profile(in_force, "azure");
        ck_assert_str_eq(parameters_get(&aws->fixed_parameters, "Line"), "7");
        ck_assert_int_eq(azure->provider, PROVIDER_AZURE_DPS);
        ck_assert_str_eq(azure->dps.id_scope, "0ne00000000");
}
END_TEST

START_TEST(client_ids_differ_between_profiles_and_stay)
{
        _cleanup_config_ Config *a = fixture_load(fixture_profile(""));
        _cleanup_config_ Config *b = fixture_load(fixture_profile(""));
        _cleanup_config_ Config *other =
                fixture_load("[Profile b]\nProvider=aws-iot\nEndpoint=iot.example.com\n"
                             "Certificate=/etc/claim.pem\nPrivateKey=/etc/claim.key\n");

        if (access("/etc/machine-id", R_OK) == 0)
                ck_assert_str_eq(a->profiles[0]->client_id, b->profiles[0]->client_id);
        ck_assert_str_ne(a->profiles[0]->client_id, other->profiles[0]->client_id);
        ck_assert_str_eq(a->profiles[0]->fingerprint, b->profiles[0]->fingerprint);
        ck_assert_str_ne(a->profiles[0]->fingerprint, other->profiles[0]->fingerprint);
}
END_TEST

START_TEST(what_a_connection_is_made_of_is_told_from_the_rest)
{
        static const struct {
                const char *line;
                bool same;
        } rows[] = {
                {"Parameter.A=1", true},
                {"DeadlineSec=1h", true},
                {"AllowUsers=7", true},
                {"KeyType=rsa-2048", true},
                {"KeySource=cloud", true},
                {"ResponseTimeoutSec=1", true},
                {"Port=8884", false},
                {"Port=443", false},
                {"Transport=websocket\nPort=8883", false},
                {"ClientId=other", false},
                {"Template=T", false},
                {"PayloadFormat=cbor", false},
                {"TrustedCertificates=system", false},
                {"PrivateKeyPassword=/p", false},
                {"KeepAliveSec=90", false},
                {"ConnectTimeoutSec=9", false},
                {"CipherList=TLS_AES_128_GCM_SHA256", false},
                {"Proxy=http://p", false},
                {"ClientId=gw", true},
        };
        _cleanup_config_ Config *base = fixture_load(fixture_profile("ClientId=gw\n"));

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                bool has_id = strncmp(rows[i].line, "ClientId", 8) == 0;
                _cleanup_free_ char *more = NULL;
                _cleanup_config_ Config *c = NULL;

                ck_assert_int_ge(
                        asprintf(&more, "%s%s\n", has_id ? "" : "ClientId=gw\n", rows[i].line), 0);
                c = fixture_load(fixture_profile(more));
                ck_assert_msg(profile_same_connection(base->profiles[0], c->profiles[0]) ==
                                      rows[i].same,
                              "%s", rows[i].line);
        }
}
END_TEST

int main(void) {
        TCase *t = tcase_create("keys");

        tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
        tcase_add_test(t, nothing_gives_the_defaults);
        tcase_add_test(t, a_profile_has_its_defaults);
        tcase_add_test(t, every_key_is_taken);
        tcase_add_test(t, transport_gives_port_path_and_alpn);
        tcase_add_test(t, pin_is_where_the_uri_says_or_else_the_password_is);
        tcase_add_test(t, bad_profile_values_name_line_key_and_reason);
        tcase_add_test(t, bad_files_name_line_and_reason);
        tcase_add_test(t, a_default_profile_is_needed_among_several);
        tcase_add_test(t, client_id_of_a_session_is_not_there_to_be_tried_with);
        tcase_add_test(t, more_profiles_than_are_allowed_are_refused);
        tcase_add_test(t, the_file_that_is_installed_explains_every_key_rightly);
        tcase_add_test(t, client_ids_differ_between_profiles_and_stay);
        tcase_add_test(t, what_a_connection_is_made_of_is_told_from_the_rest);
        return suite_run("configuration keys", t);
}

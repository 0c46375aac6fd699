/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Profiles of azure-dps: what the keys give, what of their values is refused, and what together. */

#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/config/config-file.h"
#include "daemon/config/config-profile.h"
#include "protocol/dps/name.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/suite.h"

#define ID "RegistrationId=gw-1\n"
#define KEY "SymmetricKey=/k\n"

/* The one profile of a file with these lines below its provider, endpoint and scope. */
static int load(const char *lines, Profile **ret, char **ret_why) {
        _cleanup_config_tree_ ConfigTree *t = NULL;
        _cleanup_free_ char *content = NULL;
        char host[] = "factory", machine[] = "0123456789abcdef0123456789abcdef";
        const Specifiers specifiers = {host, machine};

        ck_assert_int_ge(asprintf(&content,
                                  "[Profile azure]\nProvider=azure-dps\n"
                                  "Endpoint=global.azure-devices-provisioning.net\n%s",
                                  lines),
                         0);
        ck_assert_int_eq(config_files_read("", fixture_write("t.conf", content), &t, ret_why), 0);
        return config_profile_load(t, t->sections, &specifiers, ret, ret_why);
}

static Profile *loaded(const char *lines) {
        Profile *p = NULL;
        char *why = NULL;

        ck_assert_msg(load(lines, &p, &why) == 0, "refused: %s", why);
        return p;
}

START_TEST(a_profile_has_its_defaults)
{
        _cleanup_profile_ Profile *p = loaded("IdScope=0ne00000000\n" ID KEY);

        ck_assert_int_eq(p->provider, PROVIDER_AZURE_DPS);
        ck_assert_str_eq(p->endpoint, "global.azure-devices-provisioning.net");
        ck_assert_uint_eq(p->port, 8883);
        ck_assert_ptr_null(p->alpn);
        ck_assert_str_eq(p->dps.id_scope, "0ne00000000");
        ck_assert_str_eq(p->dps.registration_id, "gw-1");
        ck_assert_ptr_null(p->dps.registration_ids);
        ck_assert_int_eq(p->dps.authentication, AUTHENTICATION_SYMMETRIC_KEY);
        ck_assert_str_eq(p->dps.symmetric_key, "/k");
        ck_assert_ptr_null(p->dps.secondary_key);
        ck_assert_ptr_null(p->dps.gateway_hostname);
        ck_assert_ptr_null(p->dps.payload);
        ck_assert_ptr_null(p->dps.default_payload);
        ck_assert_str_eq(p->dps.api_version, DPS_API_VERSION_DEFAULT);
        ck_assert_uint_eq(strlen(p->fingerprint), 64);
}
END_TEST

START_TEST(every_key_is_taken)
{
        _cleanup_profile_ Profile *p =
                loaded("IdScope=0ne1\nRegistrationIds=sensor-[0-9]*\nAuthentication=group-key\n" KEY
                       "SecondaryKey=/s\nGatewayHostname=gw.local\nPort=443\n"
                       "DefaultPayload={\"modelId\":\"dtmi:a:b;1\",\"m\":\"%m\",\"p\":\"5%%\"}\n"
                       "ApiVersion=2025-07-01-preview\nKeyType=rsa-2048\nKeepAliveSec=90\n");

        ck_assert_str_eq(p->dps.registration_ids, "sensor-[0-9]*");
        ck_assert_ptr_null(p->dps.registration_id);
        ck_assert_int_eq(p->dps.authentication, AUTHENTICATION_GROUP_KEY);
        ck_assert_str_eq(p->dps.secondary_key, "/s");
        ck_assert_str_eq(p->dps.gateway_hostname, "gw.local");
        ck_assert_str_eq(p->dps.default_payload, "{\"modelId\":\"dtmi:a:b;1\",\"m\":"
                                                 "\"0123456789abcdef0123456789abcdef\",\"p\":"
                                                 "\"5%\"}");
        ck_assert_str_eq(p->dps.api_version, "2025-07-01-preview");
        ck_assert_int_eq(p->key_type, KEY_TYPE_RSA_2048);
        ck_assert_ptr_null(p->alpn); /* that of AWS alone */
}
END_TEST

START_TEST(websocket_is_where_azure_has_it)
{
        _cleanup_profile_ Profile *p = loaded("IdScope=0ne1\n" ID KEY "Transport=websocket\n");

        ck_assert_str_eq(p->websocket_path, "/$iothub/websocket");
        ck_assert_uint_eq(p->port, 443);
        ck_assert_ptr_null(p->alpn);
}
END_TEST

START_TEST(specifiers_make_the_registration_id)
{
        _cleanup_profile_ Profile *p = loaded("IdScope=0ne1\n" KEY "RegistrationId=%H-%m\n");

        ck_assert_str_eq(p->dps.registration_id, "factory-0123456789abcdef0123456789abcdef");
}
END_TEST

START_TEST(a_certificate_may_show_who_it_is)
{
        _cleanup_profile_ Profile *p =
                loaded("IdScope=0ne1\n" ID
                       "Authentication=x509\nCertificate=/c\nPrivateKey=/p\nPayload=[1.10]\n"
                       "SymmetricKey=\n");

        ck_assert_int_eq(p->dps.authentication, AUTHENTICATION_X509);
        ck_assert_ptr_null(p->dps.symmetric_key);
        ck_assert_str_eq(p->certificate, "/c");
        ck_assert_str_eq(p->private_key, "/p");
        ck_assert_str_eq(p->dps.payload, "[1.10]");
}
END_TEST

/* The lines begin with the fourth of the file. */
static const struct {
        const char *lines, *where, *reason;
} bad[] = {
        {"IdScope=0ne/1\n", "t.conf:4: [Profile azure] IdScope=: ", "no ID scope"},
        {"RegistrationId=gw.\n",
         "t.conf:4: [Profile azure] RegistrationId=: ", "'gw.' is no registration id"},
        {"RegistrationId=%H/%m\n", "t.conf:4: [Profile azure] RegistrationId=: ",
         "'factory/0123456789abcdef0123456789abcdef' is no registration id"},
        {"RegistrationId=%q\n", "t.conf:4: [Profile azure] RegistrationId=: ", "no specifier"},
        {"RegistrationIds=a/*\n", "t.conf:4: [Profile azure] RegistrationIds=: ", "no pattern"},
        {"Authentication=tpm\n",
         "t.conf:4: [Profile azure] Authentication=: ", "symmetric-key, group-key or x509"},
        {"SymmetricKey=c2VjcmV0\n",
         "t.conf:4: [Profile azure] SymmetricKey=: ", "neither an absolute path"},
        {"SecondaryKey=credential:../x\n",
         "t.conf:4: [Profile azure] SecondaryKey=: ", "no name of a credential"},
        {"GatewayHostname=https://gw\n",
         "t.conf:4: [Profile azure] GatewayHostname=: ", "without scheme"},
        {"Payload={\"a\":}\n", "t.conf:4: [Profile azure] Payload=: ", "the payload is no JSON"},
        {"DefaultPayload=yes\n",
         "t.conf:4: [Profile azure] DefaultPayload=: ", "the payload is no JSON"},
        {"Payload=\"%q\"\n", "t.conf:4: [Profile azure] Payload=: ", "no specifier"},
        {"ApiVersion=latest\n", "t.conf:4: [Profile azure] ApiVersion=: ", "2019-03-31"},
        {"Template=T\n", "t.conf:4: [Profile azure] Template=: ",
         "belongs to Provider=aws-iot, and this profile is of azure-dps"},
        {"RotationTemplate=T\n",
         "t.conf:4: [Profile azure] RotationTemplate=: ", "belongs to Provider=aws-iot"},
        {"VerifyCertificate=yes\n",
         "t.conf:4: [Profile azure] VerifyCertificate=: ", "belongs to Provider=aws-iot"},
        {"ClientId=x\n", "t.conf:4: [Profile azure] ClientId=: ", "belongs to Provider=aws-iot"},
        {"Parameter.A=x\n",
         "t.conf:4: [Profile azure] Parameter.A=: ", "belongs to Provider=aws-iot"},
        {"", "t.conf:1: [Profile azure]: ", "IdScope= is missing; add IdScope="},
        {"IdScope=0ne1\n" KEY, "t.conf:1: [Profile azure]: ", "RegistrationId= is missing"},
        {"IdScope=0ne1\n" ID, "t.conf:1: [Profile azure]: ", "SymmetricKey= is missing"},
        {"IdScope=0ne1\n" ID "Authentication=group-key\n",
         "t.conf:1: [Profile azure]: ", "SymmetricKey= is missing"},
        {"IdScope=0ne1\n" ID "Authentication=x509\nPrivateKey=/p\n",
         "t.conf:1: [Profile azure]: ", "Certificate= is missing"},
        {"IdScope=0ne1\n" ID "Authentication=x509\nCertificate=/c\n",
         "t.conf:1: [Profile azure]: ", "PrivateKey= is missing"},
        {"IdScope=0ne1\n" ID KEY "RegistrationIds=*\n",
         "t.conf:7: [Profile azure] RegistrationIds=: ", "does not go with RegistrationId="},
        {"IdScope=0ne1\n" ID KEY "KeySource=cloud\n",
         "t.conf:7: [Profile azure] KeySource=: ", "DPS makes no keys"},
        {"IdScope=0ne1\n" ID KEY "Payload={}\nDefaultPayload={}\n",
         "t.conf:8: [Profile azure] DefaultPayload=: ", "does not go with Payload="},
        {"IdScope=0ne1\n" ID KEY "Certificate=/c\n",
         "t.conf:7: [Profile azure] Certificate=: ", "does not go with a symmetric key"},
        {"IdScope=0ne1\n" ID KEY "PrivateKey=/c\n",
         "t.conf:7: [Profile azure] PrivateKey=: ", "does not go with a symmetric key"},
        {"IdScope=0ne1\n" ID "Authentication=x509\nCertificate=/c\nPrivateKey=/p\n" KEY,
         "t.conf:9: [Profile azure] SymmetricKey=: ", "does not go with Authentication=x509"},
        {"IdScope=0ne1\n" ID
         "Authentication=x509\nCertificate=/c\nPrivateKey=/p\nSecondaryKey=/s\n",
         "t.conf:9: [Profile azure] SecondaryKey=: ", "does not go with Authentication=x509"},
};

START_TEST(what_is_wrong_is_refused_by_line_key_and_reason)
{
        Profile *p = NULL;
        _cleanup_free_ char *why = NULL;

        ck_assert_msg(load(bad[_i].lines, &p, &why) == -EINVAL, "taken: %s", bad[_i].lines);
        ck_assert_ptr_null(p);
        assert_contains(why, bad[_i].where);
        assert_contains(why, bad[_i].reason);
}
END_TEST

/* A line is bounded; what specifiers make of it is, too: 2048 machine ids have 64 KiB. */
START_TEST(payloads_are_bounded)
{
        char lines[sizeof("Payload=[\"\"]\n") + 2 * 2048] = "Payload=[\"", *end;
        _cleanup_free_ char *why = NULL;
        Profile *p = NULL;

        end = lines + strlen(lines);
        for (size_t i = 0; i < 2048; i++)
                end = stpcpy(end, "%m");
        (void) stpcpy(end, "\"]\n");
        ck_assert_int_eq(load(lines, &p, &why), -EINVAL);
        assert_contains(why, "65536 bytes");
}
END_TEST

START_TEST(scope_is_part_of_the_fingerprint)
{
        _cleanup_profile_ Profile *a = loaded("IdScope=0ne1\n" ID KEY);
        _cleanup_profile_ Profile *b = loaded("IdScope=0ne2\n" ID KEY);
        _cleanup_profile_ Profile *c = loaded("IdScope=0ne1\n" ID "SymmetricKey=/other\n");

        ck_assert_str_ne(a->fingerprint, b->fingerprint);
        ck_assert_str_eq(a->fingerprint, c->fingerprint);
        ck_assert(profile_same_connection(a, a));
        ck_assert(!profile_same_connection(a, b));
        ck_assert(!profile_same_connection(a, c));
}
END_TEST

int main(void) {
        TCase *t = tcase_create("azure");

        tcase_add_checked_fixture(t, fixture_setup, fixture_teardown);
        tcase_add_test(t, a_profile_has_its_defaults);
        tcase_add_test(t, every_key_is_taken);
        tcase_add_test(t, websocket_is_where_azure_has_it);
        tcase_add_test(t, specifiers_make_the_registration_id);
        tcase_add_test(t, a_certificate_may_show_who_it_is);
        tcase_add_loop_test(t, what_is_wrong_is_refused_by_line_key_and_reason, 0, ELEMENTSOF(bad));
        tcase_add_test(t, payloads_are_bounded);
        tcase_add_test(t, scope_is_part_of_the_fingerprint);
        return suite_run("configuration of azure-dps", t);
}

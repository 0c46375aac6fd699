/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/profile.h"

#include <stddef.h>

#include "tests/unit/protocol-aws/suite.h"

/* Every member, and whether the connection is made of it. */
typedef struct Member {
        const char *name;
        size_t offset;
        bool text;
        bool of_connection;
} Member;

#define TEXT(member, of_connection) \
        { #member, offsetof(Profile, member), true, of_connection }
#define NUMBER(member, of_connection) \
        { #member, offsetof(Profile, member), false, of_connection }

static const Member members[] = {
        TEXT(name, false),
        NUMBER(provider, true),
        TEXT(endpoint, true),
        NUMBER(port, true),
        TEXT(alpn, true),
        TEXT(trusted_certificates, true),
        TEXT(certificate, true),
        TEXT(private_key, true),
        TEXT(private_key_password, true),
        TEXT(template_name, true),
        TEXT(rotation_template, false),
        NUMBER(payload_format, true),
        NUMBER(key_type, false),
        NUMBER(key_source, false),
        TEXT(client_id, true),
        NUMBER(keep_alive_sec, true),
        NUMBER(connect_timeout_usec, true),
        NUMBER(response_timeout_usec, false),
        NUMBER(deadline_usec, false),
        TEXT(cipher_list, true),
        TEXT(fingerprint, false),
};

static char **text_of(Profile *p, const Member *m) {
        return (char **) (void *) ((char *) p + m->offset);
}

static Profile *full_profile(void) {
        Profile *p = calloc(1, sizeof(Profile));

        for (size_t i = 0; i < ELEMENTSOF(members); i++)
                if (members[i].text)
                        ck_assert_int_eq(free_and_strdup(text_of(p, members + i), "text"), 0);
        ck_assert_int_eq(parameters_set(&p->fixed_parameters, "n", "v"), 0);
        ck_assert_int_eq(parameters_set(&p->default_parameters, "n", "v"), 0);
        return p;
}

START_TEST(equal_profiles_share_a_connection)
{
        Profile *a = full_profile(), *b = full_profile();

        ck_assert(profile_same_connection(a, b));
        ck_assert_ptr_null(profile_free(a));
        profile_free(b);
        ck_assert_ptr_null(profile_free(NULL));
}
END_TEST

START_TEST(each_member_that_a_connection_is_made_of_counts)
{
        const Member *m = members + _i;
        _cleanup_profile_ Profile *a = full_profile(), *b = full_profile();

        if (m->text)
                ck_assert_int_eq(free_and_strdup(text_of(b, m), "other"), 0);
        else
                ((uint8_t *) b)[m->offset] ^= 1;
        ck_assert_msg(profile_same_connection(a, b) == !m->of_connection, "%s", m->name);
        ck_assert_msg(profile_same_connection(b, a) == !m->of_connection, "%s", m->name);
        if (m->text) { /* none is another than some */
                ck_assert_int_eq(free_and_strdup(text_of(b, m), NULL), 0);
                ck_assert_msg(profile_same_connection(a, b) == !m->of_connection, "%s", m->name);
        }
}
END_TEST

START_TEST(what_a_job_is_given_does_not_count)
{
        _cleanup_profile_ Profile *a = full_profile(), *b = full_profile();

        ck_assert_int_eq(parameters_set(&b->fixed_parameters, "m", "v"), 0);
        ck_assert_int_eq(parameters_set(&b->default_parameters, "m", "v"), 0);
        b->access.uids = calloc(1, sizeof(uid_t));
        b->access.n_uids = 1;
        ck_assert(profile_same_connection(a, b));
}
END_TEST

START_TEST(gateway_is_what_a_profile_connects_to)
{
        _cleanup_profile_ Profile *p = calloc(1, sizeof(Profile));

        ck_assert_ptr_null(profile_host(p));
        ck_assert_int_eq(free_and_strdup(&p->endpoint, "dps.example"), 0);
        ck_assert_str_eq(profile_host(p), "dps.example");
        ck_assert_int_eq(free_and_strdup(&p->dps.gateway_hostname, "gw.local"), 0);
        ck_assert_str_eq(profile_host(p), "gw.local");
}
END_TEST

START_TEST(providers_and_formats_have_names)
{
        ck_assert_str_eq(provider_to_string(PROVIDER_AWS_IOT), "aws-iot");
        ck_assert_str_eq(provider_to_string(PROVIDER_AZURE_DPS), "azure-dps");
        ck_assert_ptr_null(provider_to_string(PROVIDER_MAX));
        ck_assert_int_eq(provider_from_string("azure-dps"), PROVIDER_AZURE_DPS);
        ck_assert_int_eq(provider_from_string("aws"), PROVIDER_INVALID);
        ck_assert_str_eq(payload_format_to_string(PAYLOAD_FORMAT_CBOR), "cbor");
        ck_assert_int_eq(payload_format_from_string("json"), PAYLOAD_FORMAT_JSON);
        ck_assert_int_eq(payload_format_from_string("JSON"), PAYLOAD_FORMAT_INVALID);
        ck_assert_int_eq(payload_format_from_string(NULL), PAYLOAD_FORMAT_INVALID);
}
END_TEST

int main(void) {
        Suite *s = suite_create("model/profile");
        TCase *c = tcase_create("profile");

        tcase_add_test(c, equal_profiles_share_a_connection);
        tcase_add_loop_test(c, each_member_that_a_connection_is_made_of_counts, 0,
                            (int) ELEMENTSOF(members));
        tcase_add_test(c, what_a_job_is_given_does_not_count);
        tcase_add_test(c, gateway_is_what_a_profile_connects_to);
        tcase_add_test(c, providers_and_formats_have_names);
        suite_add_tcase(s, c);
        return suite_run(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/dps/name.h"

#include <string.h>

#include "tests/unit/protocol-aws/suite.h"

#define N(a) (int) (sizeof(a) / sizeof((a)[0]))
#define A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A64 A32 A32

static const struct {
        const char *id;
        bool valid;
} ids[] = {
        {"sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6", true},
        {"a", true},
        {"7", true},
        {"-", true},
        {"A.B_c:9", true},
        {"ends-in-", true},
        {A64 A64, true},
        {A64 A64 "a", false},
        {"", false},
        {NULL, false},
        {"ends.", false},
        {"ends_", false},
        {"ends:", false},
        {".begins", true},
        {"with space", false},
        {"a/b", false},
        {"a+b", false},
        {"a#", false},
        {"\xc3\xa4", false},
        {"new\nline", false},
        {"line\n", false},
        {"\"", false},
};

START_TEST(registration_id_follows_the_rules)
{ ck_assert_int_eq(dps_registration_id_is_valid(ids[_i].id), ids[_i].valid); }
END_TEST

START_TEST(case_of_a_registration_id_does_not_count)
{
        ck_assert(dps_registration_id_equal("gw-A1", "GW-a1"));
        ck_assert(!dps_registration_id_equal("gw-a1", "gw-a2"));
        ck_assert(!dps_registration_id_equal("gw-a1", "gw-a11"));
}
END_TEST

static const struct {
        const char *scope;
        bool valid;
} scopes[] = {
        {"0ne00000000", true}, {"0NE00AB12CD", true}, {"a.b_c-d", true}, {A64, true},
        {A64 "a", false},      {"", false},           {NULL, false},     {"0ne/1", false},
        {"0ne 1", false},      {"0ne:1", false},
};

START_TEST(id_scope_follows_the_rules)
{ ck_assert_int_eq(dps_id_scope_is_valid(scopes[_i].scope), scopes[_i].valid); }
END_TEST

static const struct {
        const char *version;
        bool valid;
        DpsIssuance issuance;
} versions[] = {
        {DPS_API_VERSION_DEFAULT, true, DPS_ISSUANCE_NONE},
        {"2021-06-01", true, DPS_ISSUANCE_NONE},
        {"2021-11-01-preview", true, DPS_ISSUANCE_CERTIFICATE},
        {"2021-11-01", true, DPS_ISSUANCE_NONE},
        {"2025-07-01-preview", true, DPS_ISSUANCE_CHAIN},
        {"2030-01-01-preview", true, DPS_ISSUANCE_NONE},
        {NULL, false, DPS_ISSUANCE_NONE},
        {"", false, DPS_ISSUANCE_NONE},
        {"2019-03-3", false, DPS_ISSUANCE_NONE},
        {"2019-03-31x", false, DPS_ISSUANCE_NONE},
        {"2019-03-31-previews", false, DPS_ISSUANCE_NONE},
        {"2019/03/31", false, DPS_ISSUANCE_NONE},
        {"2019-03-31&x=1", false, DPS_ISSUANCE_NONE},
        {":019-03-31", false, DPS_ISSUANCE_NONE},
};

START_TEST(version_says_how_certificates_are_issued)
{
        ck_assert_int_eq(dps_api_version_is_valid(versions[_i].version), versions[_i].valid);
        ck_assert_int_eq(dps_issuance_of_version(versions[_i].version), versions[_i].issuance);
}
END_TEST

START_TEST(issuances_have_names)
{
        ck_assert_str_eq(dps_issuance_to_string(DPS_ISSUANCE_CHAIN), "chain");
        ck_assert_int_eq(dps_issuance_from_string("certificate"), DPS_ISSUANCE_CERTIFICATE);
        ck_assert_int_eq(dps_issuance_from_string("none"), DPS_ISSUANCE_NONE);
        ck_assert_int_eq(dps_issuance_from_string("?"), DPS_ISSUANCE_INVALID);
        ck_assert_int_eq(dps_issuance_from_string(NULL), DPS_ISSUANCE_INVALID);
        ck_assert_ptr_null(dps_issuance_to_string(DPS_ISSUANCE_MAX));
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/dps names");
        TCase *c = tcase_create("names");

        tcase_add_loop_test(c, registration_id_follows_the_rules, 0, N(ids));
        tcase_add_test(c, case_of_a_registration_id_does_not_count);
        tcase_add_loop_test(c, id_scope_follows_the_rules, 0, N(scopes));
        tcase_add_loop_test(c, version_says_how_certificates_are_issued, 0, N(versions));
        tcase_add_test(c, issuances_have_names);
        suite_add_tcase(s, c);
        return suite_run(s);
}

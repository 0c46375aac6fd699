/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/dps/login.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/wipe.h"
#include "tests/unit/protocol-aws/suite.h"

#define SCOPE "0ne00000000"
#define VERSION "2019-03-31"

START_TEST(user_name_holds_scope_id_and_version)
{
        char *name = NULL;

        ck_assert_int_eq(dps_user_name(SCOPE, "gw-1", VERSION, "fleetprovd/0.1 (a&b)", &name), 0);
        ck_assert_str_eq(name, SCOPE "/registrations/gw-1/api-version=" VERSION
                                     "&ClientVersion=fleetprovd%2F0.1%20%28a%26b%29");
        free(name);
        ck_assert_int_eq(dps_user_name(SCOPE, "gw-1", VERSION, NULL, &name), 0);
        ck_assert_str_eq(name, SCOPE "/registrations/gw-1/api-version=" VERSION);
        free(name);
}
END_TEST

START_TEST(user_name_takes_no_bad_part)
{
        char *name = NULL, client[DPS_CLIENT_VERSION_MAX + 2] = "";

        ck_assert_int_eq(dps_user_name("0ne/1", "gw-1", VERSION, NULL, &name), -EINVAL);
        ck_assert_int_eq(dps_user_name(SCOPE, "gw/1", VERSION, NULL, &name), -EINVAL);
        ck_assert_int_eq(dps_user_name(SCOPE, "gw-1", "latest", NULL, &name), -EINVAL);
        memset(client, 'c', DPS_CLIENT_VERSION_MAX + 1);
        ck_assert_int_eq(dps_user_name(SCOPE, "gw-1", VERSION, client, &name), -EINVAL);
        ck_assert_ptr_null(name);
        client[DPS_CLIENT_VERSION_MAX] = '\0';
        ck_assert_int_eq(dps_user_name(SCOPE, "gw-1", VERSION, client, &name), 0);
        free(name);
}
END_TEST

START_TEST(what_is_signed_is_what_is_sent)
{
        char *resource = NULL, *text = NULL, *token = NULL, *part;

        ck_assert_int_eq(dps_sas_resource(SCOPE, "gw:1", &resource), 0);
        ck_assert_str_eq(resource, SCOPE "%2Fregistrations%2Fgw%3A1");
        ck_assert_int_eq(dps_sas_text(resource, 1700000000, &text), 0);
        ck_assert_str_eq(text, SCOPE "%2Fregistrations%2Fgw%3A1\n1700000000");
        ck_assert_int_eq(dps_sas_token(resource, 1700000000, "a+b/c=", &token), 0);
        ck_assert_str_eq(token, "SharedAccessSignature sr=" SCOPE "%2Fregistrations%2Fgw%3A1"
                                "&sig=a%2Bb%2Fc%3D&se=1700000000&skn=registration");
        part = strstr(token, "sr=") + 3;
        ck_assert_int_eq(strncmp(part, text, strlen(resource)), 0);
        protocol_wipe_free(token);
        free(text);
        free(resource);
}
END_TEST

START_TEST(token_takes_no_bad_part)
{
        char *s = NULL, signature[DPS_SIGNATURE_MAX + 2] = "";

        ck_assert_int_eq(dps_sas_resource("", "gw", &s), -EINVAL);
        ck_assert_int_eq(dps_sas_resource(SCOPE, "gw.", &s), -EINVAL);
        ck_assert_int_eq(dps_sas_token("r", 1, "", &s), -EINVAL);
        memset(signature, '+', DPS_SIGNATURE_MAX + 1);
        ck_assert_int_eq(dps_sas_token("r", 1, signature, &s), -EINVAL);
        ck_assert_ptr_null(s);
        signature[DPS_SIGNATURE_MAX] = '\0';
        ck_assert_int_eq(dps_sas_token("r", UINT64_MAX, signature, &s), 0);
        ck_assert_str_eq(strstr(s, "&se="), "&se=18446744073709551615&skn=registration");
        protocol_wipe_free(s);
}
END_TEST

int main(void) {
        Suite *s = suite_create("protocol/dps login");
        TCase *c = tcase_create("login");

        tcase_add_test(c, user_name_holds_scope_id_and_version);
        tcase_add_test(c, user_name_takes_no_bad_part);
        tcase_add_test(c, what_is_signed_is_what_is_sent);
        tcase_add_test(c, token_takes_no_bad_part);
        suite_add_tcase(s, c);
        return suite_run(s);
}

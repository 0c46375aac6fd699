/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "protocol/ipc/error-code.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>

#include "protocol/ipc/names.h"
#include "tests/unit/protocol-aws/suite.h"

/* The list that programs may rely on, as it was published: a name may be added at its end, and none
 * may ever change. */
static const struct {
        ErrorCode code;
        const char *name;
} published[] = {
        {ERROR_BAD_PARAMETER, "bad-parameter"},
        {ERROR_NO_MEMORY, "no-memory"},
        {ERROR_MQTT_ERROR, "mqtt-error"},
        {ERROR_TIMEOUT, "timeout"},
        {ERROR_SERVER_REFUSED, "server-refused"},
        {ERROR_BAD_RESPONSE, "bad-response"},
        {ERROR_INTERNAL_FAILURE, "internal-failure"},
        {ERROR_NOT_INITIALIZED, "not-initialized"},
        {ERROR_NAME_RESOLUTION, "name-resolution"},
        {ERROR_CONNECT_FAILED, "connect-failed"},
        {ERROR_PROXY_REFUSED, "proxy-refused"},
        {ERROR_TLS_CLOCK, "tls-clock"},
        {ERROR_TLS_TRUST, "tls-trust"},
        {ERROR_TLS_HOSTNAME, "tls-hostname"},
        {ERROR_TLS_FAILED, "tls-failed"},
        {ERROR_CREDENTIALS_REFUSED, "credentials-refused"},
        {ERROR_CONNECTION_LOST, "connection-lost"},
        {ERROR_PERMISSION_DENIED_BY_POLICY, "permission-denied-by-policy"},
        {ERROR_THROTTLED, "throttled"},
        {ERROR_ACCESS_DENIED, "access-denied"},
        {ERROR_QUEUE_FULL, "queue-full"},
        {ERROR_NO_SUCH_JOB, "no-such-job"},
        {ERROR_ID_CONFLICT, "id-conflict"},
        {ERROR_NOT_FINISHED, "not-finished"},
        {ERROR_CANCELLED, "cancelled"},
        {ERROR_EXPIRED, "expired"},
        {ERROR_VERIFY_FAILED, "verify-failed"},
        {ERROR_KEY_MISMATCH, "key-mismatch"},
        {ERROR_RESULT_GONE, "result-gone"},
        {ERROR_STORAGE, "storage"},
};
#define N_PUBLISHED (int) (sizeof(published) / sizeof(published[0]))

/* "bad-parameter" -> "io.fleetprov.Provisioner1.Error.BadParameter" */
static void in_camel_case(const char *name, char *ret, size_t size) {
        int n = snprintf(ret, size, "%s", IPC_ERROR_PREFIX);
        size_t at = (size_t) n;
        bool capital = true;

        for (; *name && at + 1 < size; name++) {
                if (*name != '-')
                        ret[at++] = capital ? (char) toupper(*name) : *name;
                capital = *name == '-';
        }
        ret[at] = '\0';
}

START_TEST(every_published_code_has_its_name_and_its_bus_name)
{
        char expected[128];

        ck_assert_str_eq(error_code_to_string(published[_i].code), published[_i].name);
        ck_assert_int_eq(error_code_from_string(published[_i].name), published[_i].code);
        in_camel_case(published[_i].name, expected, sizeof(expected));
        ck_assert_str_eq(error_code_to_dbus(published[_i].code), expected);
        ck_assert_int_eq(error_code_from_dbus(expected), published[_i].code);
}
END_TEST

START_TEST(there_are_no_other_codes)
{
        bool seen[ERROR_CODE_MAX] = {};

        for (int i = 0; i < N_PUBLISHED; i++) {
                ck_assert(!seen[published[i].code]);
                seen[published[i].code] = true;
        }
        for (int code = 0; code < ERROR_CODE_MAX; code++)
                ck_assert(seen[code] == (code != ERROR_NONE));
}
END_TEST

START_TEST(what_is_no_error_has_no_name)
{
        static const int codes[] = {ERROR_NONE, ERROR_CODE_MAX, ERROR_CODE_MAX + 1,
                                    ERROR_CODE_INVALID, -1};

        ck_assert_ptr_null(error_code_to_string((ErrorCode) codes[_i]));
        ck_assert_ptr_null(error_code_to_dbus((ErrorCode) codes[_i]));
}
END_TEST

static const char *const strange[] = {
        NULL,
        "",
        "none",
        "Timeout",
        "timeout ",
        "time-out",
        "io.fleetprov.Provisioner1.Error.",
        "io.fleetprov.Provisioner1.Error.timeout",
        "io.fleetprov.Provisioner1.Error.TimeoutX",
        "io.fleetprov.Provisioner2.Error.Timeout",
        "org.freedesktop.DBus.Error.NoReply",
};

START_TEST(strange_names_are_no_code)
{
        ck_assert_int_eq(error_code_from_string(strange[_i]), ERROR_CODE_INVALID);
        ck_assert_int_eq(error_code_from_dbus(strange[_i]), ERROR_CODE_INVALID);
}
END_TEST

int main(void) {
        Suite *s = suite_create("ipc/error-code");
        TCase *c = tcase_create("error-code");

        tcase_add_loop_test(c, every_published_code_has_its_name_and_its_bus_name, 0, N_PUBLISHED);
        tcase_add_test(c, there_are_no_other_codes);
        tcase_add_loop_test(c, what_is_no_error_has_no_name, 0, 5);
        tcase_add_loop_test(c, strange_names_are_no_code, 0,
                            (int) (sizeof(strange) / sizeof(strange[0])));
        suite_add_tcase(s, c);
        return suite_run(s);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which failures a clock that is set, or a network that comes, may mend: all codes there are. */

#include <check.h>
#include <stdlib.h>

#include "daemon/base/macro.h"
#include "daemon/model/surroundings.h"

static const struct {
        ErrorCode code;
        bool clock, network;
} mended[] = {
        {ERROR_TLS_CLOCK, true, false},       {ERROR_CREDENTIALS_REFUSED, true, false},
        {ERROR_NAME_RESOLUTION, false, true}, {ERROR_CONNECT_FAILED, false, true},
        {ERROR_PROXY_REFUSED, false, true},   {ERROR_CONNECTION_LOST, false, true},
        {ERROR_TIMEOUT, false, true},         {ERROR_TLS_TRUST, false, true},
        {ERROR_TLS_HOSTNAME, false, true},    {ERROR_TLS_FAILED, false, true},
        {ERROR_MQTT_ERROR, false, true},
};

START_TEST(each_code_is_mended_by_what_can_mend_it)
{
        for (ErrorCode code = ERROR_NONE; code < ERROR_CODE_MAX; code++) {
                bool clock = false, network = false;

                for (size_t i = 0; i < ELEMENTSOF(mended); i++)
                        if (mended[i].code == code) {
                                clock = mended[i].clock;
                                network = mended[i].network;
                        }
                ck_assert_msg(surroundings_mend(SURROUNDINGS_CLOCK_SET, code) == clock, "%s",
                              error_code_to_string(code));
                ck_assert_msg(surroundings_mend(SURROUNDINGS_NETWORK_CAME, code) == network, "%s",
                              error_code_to_string(code));
        }
}
END_TEST

START_TEST(what_the_service_refuses_is_not_hurried)
{
        static const ErrorCode refused[] = {ERROR_PERMISSION_DENIED_BY_POLICY, ERROR_THROTTLED,
                                            ERROR_SERVER_REFUSED};

        for (size_t i = 0; i < ELEMENTSOF(refused); i++)
                for (Surroundings s = 0; s < SURROUNDINGS_MAX; s++)
                        ck_assert(!surroundings_mend(s, refused[i]));
        ck_assert(!surroundings_mend(SURROUNDINGS_MAX, ERROR_TLS_CLOCK));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("model: surroundings");
        TCase *tc = tcase_create("surroundings");
        SRunner *runner = srunner_create(suite);
        int failed;

        tcase_add_test(tc, each_code_is_mended_by_what_can_mend_it);
        tcase_add_test(tc, what_the_service_refuses_is_not_hurried);
        suite_add_tcase(suite, tc);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

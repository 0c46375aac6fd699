/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the tests of Profile.Check share: how a check is asked for, and its lines looked at. */

#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

static inline fleetprov_event *check(const char *profile) {
        fleetprov_event *event = NULL;
        uint64_t ticket = 0;

        ck_assert_int_eq(fleetprov_client_check(client, profile, &ticket), 0);
        ck_assert_int_eq(fleetprov_client_wait(client, ticket, 120 * USEC_PER_SEC, &event), 0);
        return event;
}

/* The result of a line, "" where it was left out; its message. */
static inline const char *line(const fleetprov_event *event, const char *name,
                               const char **ret_message) {
        const char *check, *result, *message;

        for (size_t i = 0; fleetprov_event_enumerate_checks(event, i, &check, &result, &message);
             i++)
                if (streq(check, name)) {
                        *ret_message = message;
                        return result;
                }
        *ret_message = "";
        return "";
}

static inline void assert_line(const fleetprov_event *event, const char *name, const char *expected,
                               const char *words) {
        const char *message, *result = line(event, name, &message);

        ck_assert_msg(streq(result, expected) && strstr(message, words), "%s: %s: %s", name, result,
                      message);
}

/* All is well but this line, and the clock, which nobody keeps in a test. */
static inline void assert_good_but(const fleetprov_event *event, const char *name) {
        const char *check, *result, *message;

        ck_assert_ptr_null(fleetprov_event_get_error(event));
        for (size_t i = 0; fleetprov_event_enumerate_checks(event, i, &check, &result, &message);
             i++)
                ck_assert_msg(streq(result, "ok") || streq(check, name) ||
                                      (streq(result, "warning") &&
                                       (streq(check, "clock") || streq(check, "state-directory") ||
                                        strstr(message, "there is no claim"))),
                              "%s: %s: %s", check, result, message);
}

/* The one line that fails, with these words, and the next ones are left out. */
static inline void finds(const char *name, const char *words, const char *left_out) {
        fleetprov_event *event = check("aws");
        const char *message;

        assert_good_but(event, name);
        assert_line(event, name, "failed", words);
        if (left_out)
                ck_assert_str_eq(line(event, left_out, &message), "");
        fleetprov_event_free(event);
}

/* A later file replaces what the profile says. */
static inline void start_with(const char *more) {
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        ck_assert_int_eq(mkdir(place_path(&d.place, "fleetprovd.conf.d"), 0755), 0);
        (void) place_write(&d.place, "fleetprovd.conf.d/50-more.conf", 0600,
                           place_text(&d.place, "[Profile aws]\n%s", more));
        daemon_start(&d);
        client = agent_open(d.socket);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The doctor, and a claim whose key is in a token: each fault has its line, with the mend. */

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/daemon/checkup.h"
#include "tests/integration/daemon/token-claim.h"

#define NOBODY 65534

static void start(const char *configuration) {
        daemon_configure(&d, configuration);
        daemon_start(&d);
        client = agent_open(d.socket);
}

static const char *with_module(const char *path) {
        return replace(profile("claim", ""), soft_token_module(), path);
}

START_TEST(all_is_well_and_costs_no_login)
{
        fleetprov_event *event;

        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        start(profile("claim", ""));
        daemon_wait_session(&d, "aws", "ready");
        event = check("aws");
        assert_good_but(event, "");
        assert_line(event, "files", "ok", "");
        assert_line(event, "key-match", "ok", "");
        assert_line(event, "mqtt", "ok", "");
        fleetprov_event_free(event);
        ck_assert_uint_eq(soft_token_logins(), 1);
}
END_TEST

/* What is wrong with where the key is said to be. */
static const struct {
        const char *from, *to, *check, *fault, *mend;
} faults[] = {
        {"Pkcs11Module=/", "Pkcs11Module=/nowhere/", "files", "is not there", "install"},
        {"token=The%20Token", "token=Other", "files", "no such token", "correct token="},
        {"object=claim", "object=other", "files", "no private key of that object=", "list"},
        {"/claim.pem", "/claim-2.pem", "key-match", "does not belong to the private key",
         "made together"},
        {"PrivateKeyPassword=", "#", "files", "wants a PIN", "name its file"},
};

START_TEST(fault_is_found)
{
        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        start(replace(profile("claim", ""), faults[_i].from, faults[_i].to));
        finds(faults[_i].check, faults[_i].fault, "subscribe");
        finds(faults[_i].check, faults[_i].mend, "subscribe");
}
END_TEST

START_TEST(token_that_was_taken_out_is_missed)
{
        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        soft_token_fault("removed");
        start(profile("claim", ""));
        finds("files", "no such token", "key-match");
        ck_assert_uint_eq(soft_token_logins(), 0);
}
END_TEST

START_TEST(file_that_is_no_module_is_found)
{
        const char *path;

        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        path = place_write(&d.place, "module.so", 0644, "no library\n");
        start(with_module(path));
        finds("files", "the module of Pkcs11Module= cannot be loaded", "key-match");
        finds("files", path, "key-match");
}
END_TEST

START_TEST(library_that_is_no_module_is_found)
{
        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        start(with_module(CLOCK_PRELOAD));
        finds("files", "is no PKCS#11 module of version 2; check Pkcs11Module=", "key-match");
        finds("files", CLOCK_PRELOAD, "key-match");
}
END_TEST

static const struct {
        mode_t mode;
        uid_t owner;
        const char *mend;
} owners[] = {
        {0664, 0, "chmod go-w"},
        {0646, 0, "chmod go-w"},
        {0644, NOBODY, "chown root"},
};

START_TEST(module_that_others_could_replace_is_not_loaded)
{
        const char *path;

        if (geteuid() != 0) {
                fprintf(stderr, "skipped: only root gives files away\n");
                return;
        }
        make_token("claim");
        pin_file(SOFT_TOKEN_PIN);
        path = place_copy(&d.place, "module.so", soft_token_module());
        ck_assert_int_eq(chmod(path, owners[_i].mode), 0);
        ck_assert_int_eq(chown(path, owners[_i].owner, 0), 0);
        start(with_module(path));
        finds("modes", owners[_i].mend, "key-match");
        finds("modes", path, "key-match");
        ck_assert_uint_eq(soft_token_logins(), 0);
}
END_TEST

START_TEST(wrong_pin_is_told_again_and_again_and_tried_once)
{
        make_token("claim");
        pin_file("0000");
        start(profile("claim", ""));
        finds("files", "PIN", "key-match");
        for (int i = 0; i < 3; i++)
                finds("files", "refused this PIN before", "key-match");
        finds("files", "put the right one there", "key-match");
        ck_assert_uint_eq(soft_token_logins(), 1);
}
END_TEST

START_TEST(pin_that_others_may_read_is_refused)
{
        make_token("claim");
        ck_assert_int_eq(chmod(pin_file(SOFT_TOKEN_PIN), 0644), 0);
        start(profile("claim", ""));
        finds("modes", "chmod", "key-match");
        ck_assert_uint_eq(soft_token_logins(), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon/check-pkcs11");
        TCase *tc = stage_shared(suite, "check");

        tcase_add_test(tc, all_is_well_and_costs_no_login);
        tcase_add_loop_test(tc, fault_is_found, 0, ELEMENTSOF(faults));
        tcase_add_test(tc, token_that_was_taken_out_is_missed);
        tcase_add_test(tc, file_that_is_no_module_is_found);
        tcase_add_test(tc, library_that_is_no_module_is_found);
        tcase_add_loop_test(tc, module_that_others_could_replace_is_not_loaded, 0,
                            ELEMENTSOF(owners));
        tcase_add_test(tc, wrong_pin_is_told_again_and_again_and_tried_once);
        tcase_add_test(tc, pin_that_others_may_read_is_refused);
        return stage_run(suite);
}

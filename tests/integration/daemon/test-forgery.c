/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a caller, a cloud or a file's name says must neither look like a line of the daemon's nor
 * drive a terminal: in the log, in what fleetprovctl prints, in what --check-config complains of.
 * (Fields of the journal: tests/unit/base/test-log.c.) */

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

#define LINE "fleetprovd: " /* what each of its lines begins with */
#define NASTY                                            \
        "x\n" LINE "forged\r\x1b]0;t\x07\x1b[2J\xc2\x9b" \
        "31m\xe2\x80\xae"                                \
        "y"

/* Only what ends a line may stand there besides letters: no C0, no DEL, no C1, no mark that turns
 * the direction of writing. */
static void assert_harmless(const char *what, const char *text) {
        static const char *const harmful[] = {"\xc2\x9b", "\xe2\x80\xae"};

        ck_assert_ptr_nonnull(text);
        for (const char *c = text; *c; c++)
                ck_assert_msg(*c == '\n' || ((unsigned char) *c >= ' ' && *c != 0x7f),
                              "%s: \\x%02x at: %.80s", what, (unsigned) *c, c);
        for (size_t i = 0; i < ELEMENTSOF(harmful); i++)
                ck_assert_msg(!strstr(text, harmful[i]), "%s: %s", what, text);
}

static void assert_log_is_ours(const char *told) {
        _cleanup_free_ char *text = file_read(d.log, NULL);

        assert_harmless("the log", text);
        ck_assert_ptr_nonnull(strstr(text, told));
        for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
                ck_assert_msg(strncmp(line, LINE, strlen(LINE)) == 0, "%.80s", line);
                ck_assert_msg(strncmp(line, LINE "forged", strlen(LINE "forged")) != 0, "%.80s",
                              line);
        }
}

static void assert_ctl_is_harmless(const char *verb, const char *argument, const char *expected) {
        _cleanup_free_ char *output = NULL;
        const char *const argv[] = {
                "sh",         "-c",     "exec \"$0\" --socket=\"$1\" \"$2\" $3 2>&1",
                FLEETPROVCTL, d.socket, verb,
                argument,     NULL};

        (void) process_run(argv, NULL, &output);
        assert_harmless(verb, output);
        ck_assert_msg(strstr(output, expected) != NULL, "%s: %s", verb, output);
        ck_assert_msg(!strstr(output, "\n" LINE), "%s: %s", verb, output);
}

START_TEST(words_of_cloud_and_caller_are_told_without_their_tricks)
{
        const char *log;
        pid_t monitor;
        JobId job;

        stage_start("", "");
        daemon_wait_session(&d, "aws", "ready");
        log = place_path(&d.place, "monitor.log");
        monitor = process_start((const char *const[]){FLEETPROVCTL,
                                                      place_text(&d.place, "--socket=%s", d.socket),
                                                      "monitor", NULL},
                                log, NULL);
        cloud_add(&cloud, "reject=400:Refused:" NASTY, "--operation=register", "--always");
        job = agent_submit(
                client,
                &(Wish){.key = "nasty", .serial = "1", .parameter = "Note", .value = NASTY});
        agent_wait_end(client, job, FLEETPROV_STATE_FAILED);
        assert_ctl_is_harmless("show", "nasty", "forged");
        assert_ctl_is_harmless("list", "--all", "nasty");
        assert_ctl_is_harmless("wait", "nasty", "forged");
        assert_ctl_is_harmless("status", "", "aws");
        assert_log_is_ours("x\\x0a" LINE "forged");
        /* It may have come too late for the first of them. */
        do
                agent_wait_end(
                        client,
                        agent_submit(client,
                                     &(Wish){.serial = "1", .parameter = "Note", .value = NASTY}),
                        FLEETPROV_STATE_FAILED);
        while (!file_has(log, "failed"));
        (void) process_end(monitor, SIGTERM);
        {
                _cleanup_free_ char *text = file_read(log, NULL);

                assert_harmless("monitor", text);
        }
}
END_TEST

/* Such names have no place in a configuration, but whoever makes files there need not be its admin.
 */
START_TEST(name_of_a_file_is_told_without_its_tricks)
{
        _cleanup_free_ char *output = NULL;
        const char *const argv[] = {
                "sh",       "-c", "exec \"$0\" --check-config --config=\"$1\" 2>&1",
                FLEETPROVD, NULL, NULL};
        const char *arguments[ELEMENTSOF(argv) + 1];

        stage_start("", "");
        memcpy(arguments, argv, sizeof(argv));
        arguments[4] = place_path(&d.place, "fleetprovd.conf");
        arguments[5] = NULL;
        ck_assert_int_eq(mkdir(place_path(&d.place, "fleetprovd.conf.d"), 0755), 0);
        (void) place_write(&d.place, "fleetprovd.conf.d/" NASTY ".conf", 0644, "[Nonsense]\n");
        ck_assert_int_eq(process_run(arguments, NULL, &output), 78);
        assert_harmless("--check-config", output);
        ck_assert_ptr_nonnull(strstr(output, "forged"));
        assert_ctl_is_harmless("reload", "", "forged");
        assert_log_is_ours("forged");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon/forgery");
        TCase *tc = stage_shared(suite, "forgery");

        tcase_add_test(tc, words_of_cloud_and_caller_are_told_without_their_tricks);
        tcase_add_test(tc, name_of_a_file_is_told_without_its_tricks);
        return stage_run(suite);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tests/integration/lib/own-mounts.h"
#include "tests/unit/protocol-aws/suite.h"

static const struct {
        const char *text;
        const char *escaped;
} escapes[] = {
        {"", ""},
        {"plain text", "plain text"},
        {"back\\slash", "back\\slash"},
        /* C0 and DEL */
        {"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"\x01\x1f\x7f", "\\x01\\x1f\\x7f"},
        /* C1: 0xc2 0x80 to 0xc2 0x9f; the one behind is a space that does not break */
        {"\xc2\x80\xc2\x9b\xc2\x9f", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f"},
        {"\xc2\xa0", "\xc2\xa0"},
        /* what turns the direction of writing, or ends a line, and the letters around it */
        {"\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90",
         "\xe2\x80\x8d\\xe2\\x80\\x8e\\xe2\\x80\\x8f\xe2\x80\x90"},
        {"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf",
         "\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xae\xe2\x80\xaf"},
        {"\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
         "\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xaa"},
        /* UTF-8 of two, three and four bytes, and the borders of each */
        {"\xc3\xbc\xdf\xbf", "\xc3\xbc\xdf\xbf"},
        {"\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbd", "\xe0\xa0\x80\xe2\x82\xac\xef\xbf\xbd"},
        {"\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        /* cut short */
        {"\xc3", "\\xc3"},
        {"\xe2\x82", "\\xe2\\x82"},
        {"\xe2z\x82", "\\xe2z\\x82"},
        {"\xf0\x90\x80", "\\xf0\\x90\\x80"},
        {"\xf0\x90z", "\\xf0\\x90z"},
        /* bare continuations, and bytes that no text has */
        {"\x80\xbf", "\\x80\\xbf"},
        {"\xf5\x80\x80\x80\xfe\xff", "\\xf5\\x80\\x80\\x80\\xfe\\xff"},
        /* overlong: the terminal's escape in disguise */
        {"\xc0\x9b\xc1\x81", "\\xc0\\x9b\\xc1\\x81"},
        {"\xe0\x82\x9b", "\\xe0\\x82\\x9b"},
        {"\xe0\x9f\xbf", "\\xe0\\x9f\\xbf"},
        {"\xf0\x80\x82\x9b", "\\xf0\\x80\\x82\\x9b"},
        {"\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf"},
        /* surrogates, and beyond the last code point */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
};

START_TEST(what_could_drive_a_terminal_is_escaped)
{
        /* In a block of its own size, so that a read beyond it is seen. */
        _cleanup_free_ char *text = strdup(escapes[_i].text);
        _cleanup_free_ char *escaped = log_escape(text);

        ck_assert_str_eq(escaped, escapes[_i].escaped);
}
END_TEST

static const struct {
        const char *name;
        int level;
} levels[] = {
        {"emerg", LOG_EMERG},
        {"alert", LOG_ALERT},
        {"crit", LOG_CRIT},
        {"err", LOG_ERR},
        {"warning", 4},
        {"notice", 5},
        {"info", LOG_INFO},
        {"debug", LOG_DEBUG},
        {"0", 0},
        {"7", 7},
        {"8", -EINVAL},
        {"", -EINVAL},
        {"77", -EINVAL},
        {"Debug", -EINVAL},
        {"debugg", -EINVAL},
        {"-1", -EINVAL},
};

START_TEST(levels_have_names_and_numbers)
{ ck_assert_int_eq(log_level_from_string(levels[_i].name), levels[_i].level); }
END_TEST

/* Standard error as a file, and what was written to it. */
static int catch_stderr(void) {
        int fd = memfd_create("stderr", MFD_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
        return fd;
}

static void expect_written(int fd, const char *expected) {
        char text[16 * 1024] = {};
        ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

        ck_assert_int_ge(n, 0);
        ck_assert_str_eq(text, expected);
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
}

START_TEST(lines_go_to_standard_error_with_their_reason)
{
        _cleanup_close_ int fd = catch_stderr();

        unsetenv("JOURNAL_STREAM");
        log_open(LOG_INFO);
        log_info("hello %s", "you\nthere");
        expect_written(fd, "fleetprovd: hello you\\x0athere\n");
        ck_assert_int_eq(log_error_errno(-ENOENT, "Cannot open %s", "/x"), -ENOENT);
        expect_written(fd, "fleetprovd: Cannot open /x: No such file or directory\n");
}
END_TEST

START_TEST(lines_above_the_level_are_dropped)
{
        _cleanup_close_ int fd = catch_stderr();

        unsetenv("JOURNAL_STREAM");
        log_open(LOG_WARNING);
        log_notice("no");
        ck_assert_int_eq(log_errno_full(LOG_INFO, -EIO, "no"), -EIO);
        expect_written(fd, "");
        log_warning("yes");
        expect_written(fd, "fleetprovd: yes\n");
        log_set_level(LOG_DEBUG);
        log_debug("now");
        expect_written(fd, "fleetprovd: now\n");
}
END_TEST

START_TEST(a_line_without_end_is_cut)
{
        static char endless[64 * 1024];
        _cleanup_close_ int fd = catch_stderr();
        struct stat st;

        memset(endless, 'x', sizeof(endless) - 1);
        unsetenv("JOURNAL_STREAM");
        log_open(LOG_INFO);
        log_info("%s", endless);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_int_gt(st.st_size, 4000);
        ck_assert_int_lt(st.st_size, 4200);
        ck_assert_int_eq(ftruncate(fd, 0), 0);
        ck_assert_int_eq(log_warning_errno(-EIO, "%s", endless), -EIO);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_int_gt(st.st_size, 4000);
}
END_TEST

/* systemd.exec(5): device and inode of what it connected. Whether a journal listens is all the same
 * here; nothing must go to standard error. */
START_TEST(the_journal_gets_what_is_connected_to_it)
{
        static const LogField fields[] = {{"FLEETPROV_JOB", "1"}, {"FLEETPROV_KEY", NULL}};
        _cleanup_close_ int fd = catch_stderr();
        char stream[64];
        struct stat st;

        ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
        (void) snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long) st.st_dev,
                        (unsigned long long) st.st_ino);
        setenv("JOURNAL_STREAM", stream, 1);
        log_open(LOG_INFO);
        log_message(LOG_INFO, fields, ELEMENTSOF(fields), "hello");
        log_info("hello");
        expect_written(fd, "");
        /* Another one: it was redirected since. */
        setenv("JOURNAL_STREAM", "1:1", 1);
        log_open(LOG_INFO);
        log_message(LOG_INFO, fields, ELEMENTSOF(fields), "hello");
        expect_written(fd, "fleetprovd: hello\n");
        setenv("JOURNAL_STREAM", "nonsense", 1);
        log_open(LOG_INFO);
        log_info("hello");
        expect_written(fd, "fleetprovd: hello\n");
}
END_TEST

/* --- a journal of the test's own, at the journal's own place */

static int journal;

static void make_journal(void) {
        const struct sockaddr_un address = {.sun_family = AF_UNIX,
                                            .sun_path = "/run/systemd/journal/socket"};
        char stream[64];
        struct stat st;

        ck_assert_int_eq(mount("none", "/run", "tmpfs", 0, "mode=0755"), 0);
        ck_assert_int_eq(mkdir("/run/systemd", 0755), 0);
        ck_assert_int_eq(mkdir("/run/systemd/journal", 0755), 0);
        journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(journal, 0);
        ck_assert_int_eq(bind(journal, (const struct sockaddr *) &address, sizeof(address)), 0);
        ck_assert_int_eq(fstat(STDERR_FILENO, &st), 0);
        (void) snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long) st.st_dev,
                        (unsigned long long) st.st_ino);
        ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
        log_open(LOG_INFO);
}

static const char *const forgeries[] = {
        "a\nFLEETPROV_OWNER=0",
        "a\nMESSAGE=fleetprovd is fine\nPRIORITY=0\n",
        /* "FIELD", and a length in eight bytes: how a field with newlines is sent */
        "a\nMESSAGE\n\x04\x01\x01\x01\x01\x01\x01\x01ha\n",
        "\x1b]0;title\x07\x1b[2J\r\b",
        "\xc2\x9b"
        "2J",
        "a\xe2\x80\xae"
        "b",
};

/* The native protocol: a field is a line, or one with newlines has its length before it
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL). Of ours none has any. */
START_TEST(no_text_makes_a_field_or_a_line_of_the_journal)
{
        const LogField fields[] = {{"FLEETPROV_THING", forgeries[_i]},
                                   {"FLEETPROV_KEY", "plain"},
                                   {"FLEETPROV_ERROR", forgeries[_i]}};
        static const char *const names[] = {
                "MESSAGE=it ",      "PRIORITY=",           "SYSLOG_IDENTIFIER=",
                "FLEETPROV_THING=", "FLEETPROV_KEY=plain", "FLEETPROV_ERROR="};
        char text[4096] = {}, *at = text;
        ssize_t n;

        if (geteuid() != 0 || own_mounts(0) < 0) {
                fputs("skipped: a journal of its own needs root\n", stderr);
                return;
        }
        make_journal();
        log_message(LOG_INFO, fields, ELEMENTSOF(fields), "it %s", forgeries[_i]);
        n = recv(journal, text, sizeof(text) - 1, MSG_DONTWAIT);
        ck_assert_int_gt(n, 0);
        ck_assert_uint_eq(strlen(text), (size_t) n);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                char *end = strchr(at, '\n');

                ck_assert_ptr_nonnull(end);
                ck_assert_msg(strncmp(at, names[i], strlen(names[i])) == 0, "%s: %s", names[i], at);
                for (const char *c = at; c < end; c++)
                        ck_assert_msg(*c >= ' ' && *c < 0x7f, "%s: %s", names[i], at);
                at = end + 1;
        }
        /* Where in the source it was: put there by the library. */
        for (char *end; *at; at = end + 1) {
                ck_assert_msg(strncmp(at, "CODE_", strlen("CODE_")) == 0, "%s", at);
                end = strchr(at, '\n');
                ck_assert_ptr_nonnull(end);
        }
        ck_assert_int_lt(recv(journal, text, sizeof(text), MSG_DONTWAIT), 0);
}
END_TEST

int main(void) {
        Suite *s = suite_create("base/log");
        TCase *c = tcase_create("log");

        tcase_add_loop_test(c, what_could_drive_a_terminal_is_escaped, 0,
                            (int) ELEMENTSOF(escapes));
        tcase_add_loop_test(c, levels_have_names_and_numbers, 0, (int) ELEMENTSOF(levels));
        tcase_add_test(c, lines_go_to_standard_error_with_their_reason);
        tcase_add_test(c, lines_above_the_level_are_dropped);
        tcase_add_test(c, a_line_without_end_is_cut);
        tcase_add_test(c, the_journal_gets_what_is_connected_to_it);
        tcase_add_loop_test(c, no_text_makes_a_field_or_a_line_of_the_journal, 0,
                            (int) ELEMENTSOF(forgeries));
        suite_add_tcase(s, c);
        return suite_run(s);
}

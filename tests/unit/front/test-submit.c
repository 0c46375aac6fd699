/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/submit.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

#include "protocol/ipc/limits.h"
#include "tests/unit/front/message.h"

static MessageBus bus;

static void open_bus(void) {
        bus = message_bus_open();
}

static void close_bus(void) {
        message_bus_close(&bus);
}

static sd_bus_message *begin(const char *operation, const char *profile) {
        sd_bus_message *m = message_call(&bus);

        ck_assert_int_ge(sd_bus_message_append(m, "ss", operation, profile), 0);
        ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
        return m;
}

/* Parses and frees the message. */
static JobSpec *parse(sd_bus_message *m, Failure **failure) {
        JobSpec *spec = NULL;
        int r;

        ck_assert_int_ge(sd_bus_message_close_container(m), 0);
        message_seal(m);
        r = submit_parse(m, &spec, failure);
        ck_assert_int_eq(r < 0, *failure != NULL);
        ck_assert_int_eq(r < 0, spec == NULL);
        sd_bus_message_unref(m);
        return spec;
}

static JobSpec *parse_good(sd_bus_message *m) {
        Failure *failure = NULL;
        JobSpec *spec = parse(m, &failure);

        ck_assert_msg(spec, "%s", failure_message(failure));
        return spec;
}

/* The message must name all of `words`, which a NULL ends. */
static void parse_bad(sd_bus_message *m, ...) {
        Failure *failure = NULL;
        const char *word;
        va_list words;

        ck_assert_ptr_null(parse(m, &failure));
        ck_assert_int_eq(failure->code, ERROR_BAD_PARAMETER);
        va_start(words, m);
        while ((word = va_arg(words, const char *)))
                ck_assert_msg(strstr(failure->message, word), "'%s' does not say '%s'",
                              failure->message, word);
        va_end(words);
        failure_free(failure);
}

static char *text_of(size_t size) {
        char *text = malloc(size + 1);

        memset(text, 'x', size);
        text[size] = '\0';
        return text;
}

static int memfd_of(size_t size, int seals) {
        _cleanup_free_ char *text = text_of(size);
        int fd = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);

        ck_assert_int_eq(write(fd, text, size), (ssize_t) size);
        if (seals)
                ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
        return fd;
}

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

static void append(sd_bus_message *m, const char *name, const char *value) {
        ck_assert_int_ge(sd_bus_message_append(m, "{sv}", name, "s", value), 0);
}

START_TEST(nothing_but_an_operation_is_enough)
{
        JobSpec *spec = parse_good(begin("provision", ""));

        ck_assert_int_eq(spec->operation, OPERATION_PROVISION);
        ck_assert_str_eq(spec->profile, "");
        ck_assert_ptr_null(spec->key);
        ck_assert_int_eq(spec->key_type, KEY_TYPE_INVALID);
        ck_assert_int_eq(spec->key_source, KEY_SOURCE_INVALID);
        ck_assert_uint_eq(spec->deadline_usec, 0);
        job_spec_free(spec);
}
END_TEST

START_TEST(all_options_arrive)
{
        sd_bus_message *m = begin("rotate", "aws_2");
        int key = memfd_of(5, ALL_SEALS), token = memfd_of(IPC_SECRET_MAX, ALL_SEALS);
        JobSpec *spec;

        append(m, "key", "a.B_1:@-");
        ck_assert_int_ge(sd_bus_message_append(m, "{sv}", "parameters", "a{ss}", 2, "Serial", "1",
                                               "Line", "a\nb"),
                         0);
        append(m, "csr", "CSR");
        append(m, "key-type", "rsa-3072");
        append(m, "key-source", "cloud");
        append(m, "payload", "{}");
        append(m, "registration-id", "gw-1");
        ck_assert_int_ge(sd_bus_message_append(m, "{sv}", "deadline-usec", "t", UINT64_C(99)), 0);
        append(m, "certificate", "PEM");
        ck_assert_int_ge(sd_bus_message_append(m, "{sv}", "private-key", "h", key), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "{sv}", "ownership-token", "h", token), 0);
        close(key);
        close(token);
        spec = parse_good(m);
        ck_assert_int_eq(spec->operation, OPERATION_ROTATE);
        ck_assert_str_eq(spec->profile, "aws_2");
        ck_assert_str_eq(spec->key, "a.B_1:@-");
        ck_assert_uint_eq(spec->parameters.n, 2);
        ck_assert_str_eq(parameters_get(&spec->parameters, "Line"), "a\nb");
        ck_assert_str_eq(spec->csr, "CSR");
        ck_assert_int_eq(spec->key_type, KEY_TYPE_RSA_3072);
        ck_assert_int_eq(spec->key_source, KEY_SOURCE_CLOUD);
        ck_assert_str_eq(spec->payload, "{}");
        ck_assert_str_eq(spec->registration_id, "gw-1");
        ck_assert_uint_eq(spec->deadline_usec, 99);
        ck_assert_str_eq(spec->certificate, "PEM");
        ck_assert_str_eq(secret_text(spec->private_key), "xxxxx");
        ck_assert_uint_eq(spec->ownership_token->size, IPC_SECRET_MAX);
        job_spec_free(spec);
}
END_TEST

START_TEST(texts_are_bounded)
{
        static const struct {
                const char *name;
                size_t max;
        } table[] = {
                {"key", IPC_KEY_MAX},
                {"csr", IPC_CSR_MAX},
                {"payload", IPC_PAYLOAD_MAX},
                {"registration-id", IPC_REGISTRATION_ID_MAX},
                {"certificate", IPC_CERTIFICATE_MAX},
        };
        const char *name = table[_i].name;
        _cleanup_free_ char *most = text_of(table[_i].max), *more = text_of(table[_i].max + 1),
                            *sizes = NULL;
        sd_bus_message *m = begin("provision", "");

        append(m, name, most);
        job_spec_free(parse_good(m));
        ck_assert_int_gt(
                asprintf(&sizes, "%zu bytes, at most %zu", table[_i].max + 1, table[_i].max), 0);
        m = begin("provision", "");
        append(m, name, more);
        parse_bad(m, name, sizes, NULL);
        m = begin("provision", "");
        append(m, name, "");
        parse_bad(m, name, "empty", NULL);
}
END_TEST

START_TEST(bad_values_are_named)
{
        static const char *const table[][3] = {
                {"key", "with space", "key"},
                {"key", "0123456789abcdef0123456789abcdef", "32 hex digits"},
                {"key", "sl/ash", "key"},
                {"key-type", "rsa-1024", "rsa-1024"},
                {"key-type", "", "ec-p256"},
                {"key-source", "caller", "caller"},
                {"key-source", "DAEMON", "daemon nor cloud"},
                {"csrs", "x", "'csrs' is unknown"},
                {"CSR", "x", "'CSR' is unknown"},
                {"", "x", "unknown"},
                {"endpoint", "x", "'endpoint' is unknown"},
                {"template", "x", "'template' is unknown"},
        };
        sd_bus_message *m = begin("provision", "");

        append(m, table[_i][0], table[_i][1]);
        parse_bad(m, "option", table[_i][2], NULL);
}
END_TEST

START_TEST(operation_and_profile_are_checked)
{
        static const char *const table[][3] = {
                {"", "", "operation ''"},
                {"Provision", "", "operation 'Provision'"},
                {"reboot", "aws", "create-certificate-from-csr"},
                {"provision", "../etc", "profile '../etc'"},
                {"provision", "a b", "profile 'a b'"},
                {"provision", "01234567890123456789012345678901234567890123456789012345678901234",
                 "at most 64"},
        };

        parse_bad(begin(table[_i][0], table[_i][1]), table[_i][2], NULL);
}
END_TEST

START_TEST(options_of_another_type_are_refused)
{
        static const char *const names[] = {"key",
                                            "parameters",
                                            "csr",
                                            "key-type",
                                            "key-source",
                                            "payload",
                                            "registration-id",
                                            "deadline-usec",
                                            "certificate",
                                            "private-key",
                                            "ownership-token"};
        sd_bus_message *m = begin("provision", "");

        ck_assert_int_ge(sd_bus_message_append(m, "{sv}", names[_i], "i", 5), 0);
        parse_bad(m, names[_i], "type 'i', must be", NULL);
        m = begin("provision", "");
        ck_assert_int_ge(sd_bus_message_append(m, "{sv}", names[_i], "as", 0), 0);
        parse_bad(m, names[_i], "type 'as'", NULL);
        m = begin("provision", "");
        ck_assert_int_ge(sd_bus_message_append(m, "{sv}", names[_i], "v", "s", "x"), 0);
        parse_bad(m, names[_i], "type 'v'", NULL);
}
END_TEST

START_TEST(an_option_stands_once)
{
        sd_bus_message *m = begin("provision", "");

        append(m, "csr", "a");
        append(m, "key", "k");
        append(m, "csr", "a");
        parse_bad(m, "'csr'", "twice", NULL);
}
END_TEST

START_TEST(deadline_of_zero_is_refused)
{
        sd_bus_message *m = begin("provision", "");

        ck_assert_int_ge(sd_bus_message_append(m, "{sv}", "deadline-usec", "t", UINT64_C(0)), 0);
        parse_bad(m, "deadline-usec", "leave it out", NULL);
}
END_TEST

static void open_parameters(sd_bus_message *m) {
        ck_assert_int_ge(sd_bus_message_open_container(m, 'e', "sv"), 0);
        ck_assert_int_ge(sd_bus_message_append(m, "s", "parameters"), 0);
        ck_assert_int_ge(sd_bus_message_open_container(m, 'v', "a{ss}"), 0);
        ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{ss}"), 0);
}

static sd_bus_message *with_parameter(const char *name, const char *value) {
        sd_bus_message *m = begin("provision", "");

        open_parameters(m);
        ck_assert_int_ge(sd_bus_message_append(m, "{ss}", name, value), 0);
        for (unsigned i = 0; i < 3; i++)
                ck_assert_int_ge(sd_bus_message_close_container(m), 0);
        return m;
}

static sd_bus_message *with_many_parameters(unsigned n, size_t value_size) {
        _cleanup_free_ char *value = text_of(value_size);
        sd_bus_message *m = begin("provision", "");

        open_parameters(m);
        for (unsigned i = 0; i < n; i++) {
                char name[16];

                (void) snprintf(name, sizeof(name), "P%03u", i);
                ck_assert_int_ge(sd_bus_message_append(m, "{ss}", name, value), 0);
        }
        for (unsigned i = 0; i < 3; i++)
                ck_assert_int_ge(sd_bus_message_close_container(m), 0);
        return m;
}

START_TEST(parameters_are_bounded)
{
        _cleanup_free_ char *name = text_of(IPC_PARAMETER_NAME_MAX),
                            *long_name = text_of(IPC_PARAMETER_NAME_MAX + 1),
                            *value = text_of(IPC_PARAMETER_VALUE_MAX),
                            *long_value = text_of(IPC_PARAMETER_VALUE_MAX + 1);

        job_spec_free(parse_good(with_parameter(name, value)));
        job_spec_free(parse_good(with_parameter("x", "")));
        parse_bad(with_parameter(long_name, ""), "parameters", "at most 128", NULL);
        parse_bad(with_parameter("Serial", long_value), "'Serial'", "4097", "at most 4096", NULL);
        parse_bad(with_parameter("", "x"), "parameters", "empty", NULL);
        parse_bad(with_parameter("a\nb", "x"), "parameters", "control character", NULL);
        parse_bad(with_parameter("\x7f", "x"), "parameters", "control character", NULL);
        job_spec_free(parse_good(with_many_parameters(IPC_PARAMETERS_MAX, 10)));
        parse_bad(with_many_parameters(IPC_PARAMETERS_MAX + 1, 10), "more than 64", NULL);
        /* 4 bytes of name, 508 of value: 64 of them are the total to the byte. */
        job_spec_free(parse_good(with_many_parameters(64, IPC_PARAMETERS_TOTAL_MAX / 64 - 4)));
        parse_bad(with_many_parameters(64, IPC_PARAMETERS_TOTAL_MAX / 64 - 3), "32768", NULL);
}
END_TEST

START_TEST(a_parameter_stands_once)
{
        sd_bus_message *m = begin("provision", "");

        ck_assert_int_ge(
                sd_bus_message_append(m, "{sv}", "parameters", "a{ss}", 2, "A", "1", "A", "2"), 0);
        parse_bad(m, "'A'", "twice", NULL);
}
END_TEST

static int pipe_end(void) {
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        close(fds[1]);
        return fds[0];
}

START_TEST(descriptors_that_are_no_sealed_memfd_are_refused)
{
        const struct {
                int fd;
                const char *word;
        } table[] = {
                {pipe_end(), "no memfd"},
                {open("/etc/passwd", O_RDONLY | O_CLOEXEC), "no memfd"},
                {open("/etc/passwd", O_PATH | O_CLOEXEC), "no memfd"},
                {open("/dev/zero", O_RDONLY | O_CLOEXEC), "no memfd"},
                {memfd_of(5, 0), "sealed"},
                {memfd_of(5, F_SEAL_GROW | F_SEAL_SHRINK), "sealed"},
                {memfd_of(5, F_SEAL_WRITE | F_SEAL_SHRINK), "sealed"},
                {memfd_of(5, F_SEAL_WRITE | F_SEAL_GROW), "sealed"},
                {memfd_of(0, ALL_SEALS), "empty"},
                {memfd_of(IPC_SECRET_MAX + 1, ALL_SEALS), "more than 65536"},
        };

        for (size_t i = 0; i < ELEMENTSOF(table); i++) {
                sd_bus_message *m = begin("register-thing", "");

                ck_assert_int_ge(
                        sd_bus_message_append(m, "{sv}", "ownership-token", "h", table[i].fd), 0);
                parse_bad(m, "ownership-token", table[i].word, NULL);
                close(table[i].fd);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("front/submit");
        TCase *tcase = tcase_create("submit");
        SRunner *runner;
        int failed;

        tcase_add_checked_fixture(tcase, open_bus, close_bus);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, nothing_but_an_operation_is_enough);
        tcase_add_test(tcase, all_options_arrive);
        tcase_add_loop_test(tcase, texts_are_bounded, 0, 5);
        tcase_add_loop_test(tcase, bad_values_are_named, 0, 12);
        tcase_add_loop_test(tcase, operation_and_profile_are_checked, 0, 6);
        tcase_add_loop_test(tcase, options_of_another_type_are_refused, 0, 11);
        tcase_add_test(tcase, an_option_stands_once);
        tcase_add_test(tcase, deadline_of_zero_is_refused);
        tcase_add_test(tcase, parameters_are_bounded);
        tcase_add_test(tcase, a_parameter_stands_once);
        tcase_add_test(tcase, descriptors_that_are_no_sealed_memfd_are_refused);
        suite_add_tcase(suite, tcase);
        runner = srunner_create(suite);
        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? 0 : 1;
}

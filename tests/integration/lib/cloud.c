/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/cloud.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/integration/lib/process.h"

#define ARGUMENTS_MAX 16

static const char *host_of(const Cloud *c) {
        return c->name ? c->name : c->address ? c->address : "localhost";
}

static void start_at(Cloud *c, unsigned port) {
        const char *log = place_path(&c->place, "run.log");
        const char *const argv[] = {
                FLEET_CLOUD, place_text(&c->place, "--dir=%s", c->place.dir),
                place_text(&c->place, "--port=%u", port), "--claims=2", "--die-with-parent",
                /* The default, where there is none: the list ends at its first NULL. */
                c->has_dps ? place_text(&c->place, "--dps-port=%u", c->dps_port)
                           : "--token-ttl=3600",
                c->address ? place_text(&c->place, "--bind=%s", c->address) : NULL,
                place_text(&c->place, "--server-name=%s", c->address ? host_of(c) : ""), NULL};
        _cleanup_free_ char *text = NULL;
        const char *ready;

        (void) unlink(log);
        c->pid = process_start(argv, log, NULL);
        WAIT_FOR(file_has(log, "ready "));
        WAIT_FOR((free(text), text = file_read(log, NULL)) && (ready = strstr(text, "ready ")) &&
                 strchr(ready, '\n'));
        ck_assert_int_eq(sscanf(ready, "ready %u %u", &c->port, &c->dps_port), c->has_dps ? 2 : 1);
}

void cloud_start_at(Cloud *c, const char *address) {
        c->address = address;
        place_make(&c->place);
        start_at(c, c->port_wanted);
}

void cloud_start_dps(Cloud *c) {
        c->has_dps = true;
        cloud_start(c);
}

void cloud_start(Cloud *c) {
        cloud_start_at(c, NULL);
}

void cloud_stop(Cloud *c) {
        (void) process_end(c->pid, SIGTERM);
        c->pid = 0;
}

void cloud_again(Cloud *c) {
        start_at(c, c->port);
}

void cloud_done(Cloud *c) {
        cloud_stop(c);
        place_remove(&c->place);
}

static int run_fault(Cloud *c, const char *const arguments[], char **ret_output) {
        const char *argv[ARGUMENTS_MAX] = {FLEET_CLOUD_FAULT,
                                           place_text(&c->place, "--dir=%s", c->place.dir)};
        size_t n = 2;

        for (; *arguments; arguments++) {
                ck_assert_uint_lt(n, ARGUMENTS_MAX - 1);
                argv[n++] = *arguments;
        }
        return process_run(argv, NULL, ret_output);
}

void cloud_fault(Cloud *c, ...) {
        const char *arguments[ARGUMENTS_MAX] = {};
        _cleanup_free_ char *output = NULL;
        const char *argument;
        va_list list;
        size_t n = 0;

        va_start(list, c);
        while ((argument = va_arg(list, const char *)) && n < ARGUMENTS_MAX - 1)
                arguments[n++] = argument;
        va_end(list);
        ck_assert_msg(run_fault(c, arguments, &output) == 0, "fault %s: %s", arguments[0], output);
}

void cloud_clear(Cloud *c) {
        cloud_fault(c, "clear", NULL);
}

char *cloud_certificate_state(Cloud *c, const char *certificate_id) {
        const char *const arguments[] = {"certificate", certificate_id, NULL};
        char *output = NULL;

        ck_assert_int_eq(run_fault(c, arguments, &output), 0);
        output[strcspn(output, "\n")] = '\0';
        return output;
}

static const char *journal(Cloud *c) {
        return place_path(&c->place, "journal.jsonl");
}

size_t cloud_count(Cloud *c, const char *operation, const char *outcome) {
        return file_count_lines(journal(c),
                                place_text(&c->place, "\"operation\":\"%s\"", operation),
                                place_text(&c->place, "\"outcome\":\"%s\"", outcome));
}

size_t cloud_count_certificates(Cloud *c) {
        return file_count_lines(journal(c), "\"operation\":\"create-", "\"certificateId\"");
}

bool cloud_knows(Cloud *c, const char *certificate_id) {
        return file_has(journal(c), certificate_id);
}

/* Template=, and not RotationTemplate= alone. */
static bool sets_template(const char *more) {
        return strncmp(more, "Template=", strlen("Template=")) == 0 || strstr(more, "\nTemplate=");
}

static const char *breaches(Cloud *c) {
        return place_path(&c->place, "breaches");
}

void cloud_assert_no_breach(Cloud *c) {
        _cleanup_free_ char *noted = file_read(breaches(c), NULL);

        ck_assert_ptr_nonnull(noted);
        ck_assert_msg(*noted == '\0', "the cloud notes: %.400s", noted);
}

void cloud_expect_breach(Cloud *c, const char *breach) {
        const char *text = place_text(&c->place, "\"breach\":\"%s\"", breach);
        size_t n = file_count_lines(breaches(c), text, NULL);

        ck_assert_uint_gt(n, 0);
        ck_assert_uint_eq(n, file_count_lines(breaches(c), "", NULL));
        cloud_forget_breaches(c);
}

void cloud_allow_breach(Cloud *c, const char *breach, size_t at_most) {
        const char *text = place_text(&c->place, "\"breach\":\"%s\"", breach);
        size_t n = file_count_lines(breaches(c), text, NULL);

        ck_assert_uint_le(n, at_most);
        ck_assert_uint_eq(n, file_count_lines(breaches(c), "", NULL));
        cloud_forget_breaches(c);
}

/* The cloud appends. */
void cloud_forget_breaches(Cloud *c) {
        ck_assert_int_eq(truncate(breaches(c), 0), 0);
}

const char *cloud_profile(Cloud *c, const char *name, const char *more) {
        const char *dir = c->place.dir;

        return place_text(&c->place,
                          "[Profile %s]\n"
                          "Provider=aws-iot\n"
                          "Endpoint=%s\n"
                          "Port=%u\n"
                          "TrustedCertificates=%s/ca.pem\n"
                          "%s%s%s%s%s%s\n",
                          name, host_of(c), c->port, dir,
                          strstr(more, "Certificate=/") ? ""
                                                        : place_text(&c->place,
                                                                     "Certificate=%s/claim.pem\n"
                                                                     "PrivateKey=%s/claim.key\n",
                                                                     dir, dir),
                          sets_template(more) ? "" : "Template=FleetTemplate\n",
                          strstr(more, "ResponseTimeoutSec=") ? "" : "ResponseTimeoutSec=10\n",
                          strstr(more, "KeepAliveSec=") ? "" : "KeepAliveSec=30\n", more,
                          strstr(more, "ConnectTimeoutSec=") ? "" : "\nConnectTimeoutSec=20");
}

static const char *put_dir_in(Cloud *c, const char *text) {
        const char *at = strstr(text, "DIR/");

        return at ? place_text(&c->place, "%.*s%s%s", (int) (at - text), text, c->place.dir,
                               put_dir_in(c, at + strlen("DIR")))
                  : text;
}

const char *cloud_dps_profile(Cloud *c, const char *name, const char *more) {
        return place_text(&c->place,
                          "[Profile %s]\n"
                          "Provider=azure-dps\n"
                          "Endpoint=%s\n"
                          "Port=%u\n"
                          "TrustedCertificates=%s/ca.pem\n"
                          "IdScope=0ne00TEST00\n"
                          "%s%s"
                          "%s\n",
                          name, host_of(c), c->dps_port, c->place.dir,
                          strstr(more, "ResponseTimeoutSec=") ? "" : "ResponseTimeoutSec=10\n",
                          strstr(more, "ConnectTimeoutSec=") ? "" : "ConnectTimeoutSec=20\n",
                          put_dir_in(c, more));
}

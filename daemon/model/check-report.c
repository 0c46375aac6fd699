/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/check-report.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/model/expiry.h"

static const char *const check_table[CHECK_MAX] = {
        [CHECK_FILES] = "files",
        [CHECK_MODES] = "modes",
        [CHECK_STATE_DIRECTORY] = "state-directory",
        [CHECK_KEY_MATCH] = "key-match",
        [CHECK_EXPIRY] = "expiry",
        [CHECK_CLOCK] = "clock",
        [CHECK_NAME] = "name",
        [CHECK_TCP] = "tcp",
        [CHECK_TLS] = "tls",
        [CHECK_MQTT] = "mqtt",
        [CHECK_SUBSCRIBE] = "subscribe",
};
DEFINE_STRING_TABLE(check, Check, CHECK_INVALID);

static const char *const check_result_table[CHECK_RESULT_MAX] = {
        [CHECK_RESULT_OK] = "ok",
        [CHECK_RESULT_WARNING] = "warning",
        [CHECK_RESULT_FAILED] = "failed",
};
DEFINE_STRING_TABLE(check_result, CheckResult, CHECK_RESULT_INVALID);

void check_report_done(CheckReport *report) {
        for (Check c = 0; c < CHECK_MAX; c++)
                free(report->lines[c].message);
        *report = (CheckReport){};
}

void check_report_say(CheckReport *report, Check check, CheckResult result, const char *format,
                      ...) {
        CheckLine *line = &report->lines[check];
        char *message;
        va_list list;
        int r;

        va_start(list, format);
        r = vasprintf(&message, format, list);
        va_end(list);
        if (r < 0) {
                report->lost = true;
                return;
        }
        free(line->message);
        *line = (CheckLine){.result = result, .message = message};
}

void check_report_failure(CheckReport *report, Check check, CheckResult result, const Failure *f) {
        check_report_say(report, check, result, "%s: %s", error_code_to_string(failure_code(f)),
                         failure_message(f));
}

/* --- dates */

void check_report_expiry(CheckReport *report, const char *subject, usec_t not_after, usec_t now) {
        static const CheckResult results[EXPIRY_STAGE_MAX] = {
                [EXPIRY_FAR] = CHECK_RESULT_OK,
                [EXPIRY_NEAR] = CHECK_RESULT_WARNING,
                [EXPIRY_PAST] = CHECK_RESULT_FAILED,
        };
        _cleanup_free_ char *text = NULL;

        if (not_after == 0)
                return;
        text = expiry_text(subject, not_after, now);
        if (text)
                check_report_say(report, CHECK_EXPIRY, results[expiry_stage(not_after, now)], "%s",
                                 text);
        else
                report->lost = true;
}

void check_report_clock(CheckReport *report, usec_t not_before, usec_t now, usec_t made,
                        bool synchronised) {
        if (now < made)
                check_report_say(report, CHECK_CLOCK, CHECK_RESULT_FAILED,
                                 "this machine's clock stands before the day on which this program "
                                 "was made; set it, or let a time service do it");
        else if (now < not_before)
                check_report_say(report, CHECK_CLOCK, CHECK_RESULT_FAILED,
                                 "this machine's clock stands before the first day of the claim's "
                                 "certificate; set it, or let a time service do it");
        else if (!synchronised)
                check_report_say(report, CHECK_CLOCK, CHECK_RESULT_WARNING,
                                 "nobody is seen to keep this machine's clock right; start a time "
                                 "service (timedatectl set-ntp true)");
        else
                check_report_say(report, CHECK_CLOCK, CHECK_RESULT_OK, "the clock is synchronised");
}

/* --- files */

void check_report_claim_refused(CheckReport *report, int error, const Failure *f) {
        Check check = CHECK_FILES;

        if (failure_code(f) == ERROR_KEY_MISMATCH) {
                check_report_say(report, CHECK_FILES, CHECK_RESULT_OK,
                                 "the claim's files are there and can be read");
                check_report_say(report, CHECK_MODES, CHECK_RESULT_OK,
                                 "secret files are kept from others");
                check = CHECK_KEY_MATCH;
        } else if (error == -EPERM)
                check = CHECK_MODES;
        check_report_failure(report, check, CHECK_RESULT_FAILED, f);
}

/* --- the way to the server */

/* What a server says once TLS stands, by the codes that nothing before has. A certificate of ours
 * that is refused is MQTT's matter: the server is the right one, and in TLS 1.3 it says so later,
 * too. The rest is what may become of a WebSocket. */
static bool is_behind_tls(ErrorCode code) {
        return code == ERROR_CREDENTIALS_REFUSED || code == ERROR_SERVER_REFUSED ||
               code == ERROR_BAD_RESPONSE || code == ERROR_TIMEOUT || code == ERROR_CONNECTION_LOST;
}

/* The line that a failure on the way there belongs to. */
static Check line_of_link(ErrorCode code) {
        if (code == ERROR_NAME_RESOLUTION)
                return CHECK_NAME;
        if (code == ERROR_CONNECT_FAILED || code == ERROR_PROXY_REFUSED)
                return CHECK_TCP;
        return is_behind_tls(code) ? CHECK_MQTT : CHECK_TLS;
}

/* Lines before `end`. With a proxy the server's name is nobody's to resolve here. */
static void say_way_is_good(CheckReport *report, Check end, const char *server, const char *proxy) {
        static const char *const good[CHECK_MAX] = {
                [CHECK_NAME] = "the name has an address: ",
                [CHECK_TCP] = "a connection is taken by ",
                [CHECK_TLS] = "TLS stands, with a server that is trusted and has the right name: ",
                [CHECK_MQTT] = "the claim is let in by ",
        };

        for (Check c = CHECK_NAME; c < end; c++)
                if (proxy && c == CHECK_NAME)
                        check_report_say(report, c, CHECK_RESULT_OK,
                                         "the proxy has an address: %s; that of %s is the proxy's "
                                         "to find",
                                         proxy, server);
                else if (proxy && c == CHECK_TCP)
                        check_report_say(report, c, CHECK_RESULT_OK,
                                         "the proxy %s made a connection to %s", proxy, server);
                else
                        check_report_say(report, c, CHECK_RESULT_OK, "%s%s", good[c], server);
}

void check_report_connection(CheckReport *report, bool linked, bool in_session, const char *server,
                             const char *proxy, const Failure *f) {
        Check check;

        if (!f) {
                say_way_is_good(report, CHECK_SUBSCRIBE, server, proxy);
                return;
        }
        check = linked ? CHECK_MQTT : line_of_link(failure_code(f));
        say_way_is_good(report, check, server, proxy);
        if (check == CHECK_MQTT && in_session)
                check_report_say(report, check, CHECK_RESULT_WARNING,
                                 "the session is connected, but not tried beside it: the client id "
                                 "of the check, ClientId= with \"" CHECK_CLIENT_ID_END
                                 "\" behind it, is not let in, which jobs do not need (%s: %s)",
                                 error_code_to_string(failure_code(f)), failure_message(f));
        else
                check_report_failure(report, check, CHECK_RESULT_FAILED, f);
}

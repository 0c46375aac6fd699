/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a checkup of a profile says, line by line, and the rules that make a line of what was found.
 * PURE: who looks is manager/checkup.c. A line that hangs on a failed one is left out. */

#include <errno.h>

#include "daemon/base/macro.h"
#include "daemon/model/failure.h"

/* In this order they are told. */
typedef enum Check {
        CHECK_FILES,
        CHECK_MODES,
        CHECK_STATE_DIRECTORY,
        CHECK_KEY_MATCH,
        CHECK_EXPIRY,
        CHECK_CLOCK,
        CHECK_NAME,
        CHECK_TCP,
        CHECK_TLS,
        CHECK_MQTT,
        CHECK_SUBSCRIBE,
        CHECK_MAX,
        CHECK_INVALID = -EINVAL,
} Check;
DECLARE_STRING_TABLE(check, Check); /* "files", "modes", "state-directory", … */

typedef enum CheckResult {
        CHECK_RESULT_OK,
        CHECK_RESULT_WARNING,
        CHECK_RESULT_FAILED,
        CHECK_RESULT_MAX,
        CHECK_RESULT_INVALID = -EINVAL,
} CheckResult;
DECLARE_STRING_TABLE(check_result, CheckResult); /* "ok", "warning", "failed" */

typedef struct CheckLine {
        CheckResult result;
        char *message; /* NULL: it was not looked at */
} CheckLine;

typedef struct CheckReport {
        CheckLine lines[CHECK_MAX];
        bool lost; /* memory was too short for a line */
} CheckReport;

void check_report_done(CheckReport *report);

/* A later word about the same line replaces the former. */
void check_report_say(CheckReport *report, Check check, CheckResult result, const char *format, ...)
        _printf_(4, 5);

/* "CODE: message" */
void check_report_failure(CheckReport *report, Check check, CheckResult result, const Failure *f);

/* `expiry`, on the real clock (model/expiry.h). not_after 0: there is no certificate to speak of.
 */
void check_report_expiry(CheckReport *report, const char *subject, usec_t not_after, usec_t now);

/* `clock`: it cannot be before the certificate's begin (0: none), nor before this program was made.
 */
void check_report_clock(CheckReport *report, usec_t not_before, usec_t now, usec_t made,
                        bool synchronised);

/* Files that could not be made a claim of: which line that is. `error`: what claim_load() said. */
void check_report_claim_refused(CheckReport *report, int error, const Failure *f);

/* `name`, `tcp`, `tls` and `mqtt`, by the failure that a connection ended with, or NULL where the
 * server let us in. That TLS stood is known where `linked`. `in_session`: the profile's own session
 * is connected at the same time, so that only the check's own client id can be the trouble.
 * `proxy`: the one on the way, as people write it; NULL: none. */
void check_report_connection(CheckReport *report, bool linked, bool in_session, const char *server,
                             const char *proxy, const Failure *f);

/* --- names */

/* AWS IoT Core's; a longer one is refused there. */
#define CHECK_CLIENT_ID_MAX ((size_t) 128)
#define CHECK_CLIENT_ID_END "-check"

/* The client id for the checkup: the profile's with CHECK_CLIENT_ID_END behind it, never longer
 * than CHECK_CLIENT_ID_MAX and never the profile's own. -ENOMEM. */
int check_client_id(const char *client_id, char **ret);

/* The statements that a claim's policy lacks, as JSON on one line, for these topics of answers: to
 * be pasted into the array "Statement". The region is read from the name of the endpoint (REGION
 * where it does not say), the account is never known: ACCOUNT. -ENOMEM. */
int check_policy_statements(const char *endpoint, const char *const *topics, size_t n_topics,
                            char **ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How something ended badly: the outcome of a job, of a connection, of a request. Data, not a
 * return code. All that the other side said is kept. */

#include "daemon/base/macro.h"
#include "protocol/ipc/error-code.h"
#include "protocol/ipc/vocabulary.h"

typedef struct Failure Failure;
struct Failure {
        ErrorCode code;
        JobPhase phase;  /* where a job was; PHASE_NONE outside jobs */
        char *message;   /* a sentence for people: what, where, and the mend */
        int status_code; /* as the service gave them; 0 or NULL: it said none */
        char *error_code;
        char *error_message;
        char *tracking_id;
        bool retriable; /* the same request may succeed later */
        Failure *cause;
};

/* NULL where memory is short: callers hand a NULL Failure on, and it reads as `no-memory`. */
Failure *failure_new(ErrorCode code, const char *format, ...) _printf_(2, 3);
Failure *failure_copy(const Failure *f); /* NULL for NULL, too */
Failure *failure_free(Failure *f);
DEFINE_CLEANUP(Failure *, failure_free);
#define _cleanup_failure_ _cleanup_(failure_freep)

/* From a negative errno of ours: -ENOMEM is `no-memory`, the rest `internal-failure`. */
Failure *failure_from_errno(int r, const char *format, ...) _printf_(2, 3);

/* Sets `cause` and gives f back; takes both. */
Failure *failure_with_cause(Failure *f, Failure *cause);

static inline ErrorCode failure_code(const Failure *f) {
        return f ? f->code : ERROR_NO_MEMORY;
}

static inline const char *failure_message(const Failure *f) {
        return f && f->message ? f->message : "out of memory";
}

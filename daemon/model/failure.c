/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/failure.h"

#include <stdarg.h>
#include <stdio.h>

_printf_(2, 0) static Failure *failure_new_va(ErrorCode code, const char *format, va_list args) {
        Failure *f = calloc(1, sizeof(Failure));

        if (!f)
                return NULL;
        f->code = code;
        if (vasprintf(&f->message, format, args) < 0) {
                free(f);
                return NULL;
        }
        return f;
}

Failure *failure_new(ErrorCode code, const char *format, ...) {
        va_list args;
        Failure *f;

        va_start(args, format);
        f = failure_new_va(code, format, args);
        va_end(args);
        return f;
}

Failure *failure_from_errno(int r, const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list args;
        int n;

        va_start(args, format);
        n = vasprintf(&text, format, args);
        va_end(args);
        if (n < 0) {
                text = NULL;
                return NULL;
        }
        return failure_new(r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INTERNAL_FAILURE, "%s: %s", text,
                           strerrordesc_np(-r));
}

Failure *failure_free(Failure *f) {
        while (f) {
                Failure *cause = f->cause;

                free(f->message);
                free(f->error_code);
                free(f->error_message);
                free(f->tracking_id);
                free(f);
                f = cause;
        }
        return NULL;
}

Failure *failure_copy(const Failure *f) {
        _cleanup_failure_ Failure *copy = NULL;

        if (!f)
                return NULL;
        copy = calloc(1, sizeof(Failure));
        if (!copy)
                return NULL;
        copy->code = f->code;
        copy->phase = f->phase;
        copy->status_code = f->status_code;
        copy->retriable = f->retriable;
        if (free_and_strdup(&copy->message, f->message) < 0 ||
            free_and_strdup(&copy->error_code, f->error_code) < 0 ||
            free_and_strdup(&copy->error_message, f->error_message) < 0 ||
            free_and_strdup(&copy->tracking_id, f->tracking_id) < 0)
                return NULL;
        if (f->cause) {
                copy->cause = failure_copy(f->cause);
                if (!copy->cause)
                        return NULL;
        }
        return TAKE_PTR(copy);
}

Failure *failure_with_cause(Failure *f, Failure *cause) {
        if (!f)
                return cause;
        failure_free(f->cause);
        f->cause = cause;
        return f;
}

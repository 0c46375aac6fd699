/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The fault points towards the callers: what they are answered, and what they are told. */

#include "daemon/front/front.h"
#include "tests/faults/fault-point.h"

#define AROUND(what, function, parameters, arguments)  \
        void __real_##function parameters;             \
        void __wrap_##function parameters;             \
        void __wrap_##function parameters {            \
                fault_point(FAULT_BEFORE, what, NULL); \
                __real_##function arguments;           \
                fault_point(FAULT_AFTER, what, NULL);  \
        }                                              \
        struct function##_needs_a_semicolon

AROUND("tell-job", front_call_job, (FrontCall * call, const Job *job), (call, job));
AROUND("tell-result", front_call_result,
       (FrontCall * call, const Job *job, const JobSecrets *secrets), (call, job, secrets));
AROUND("tell-done", front_call_done, (FrontCall * call), (call));
AROUND("tell-error", front_call_fail, (FrontCall * call, Failure *failure), (call, failure));
AROUND("tell-added", front_job_added, (Front * f, const Job *job), (f, job));
AROUND("tell-changed", front_job_changed, (Front * f, const Job *job), (f, job));
AROUND("tell-removed", front_job_removed, (Front * f, const Job *job), (f, job));

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/verbs.h"

#define SUBMIT_OPTIONS \
        (OPTION_ID | OPTION_DEADLINE | OPTION_OUT | OPTION_REPLACE | OPTION_KEEP | OPTION_NO_WAIT)

const Verb verbs[] = {
        {"status", "", "Show daemon, sessions and queue", 0, 0, 0, verb_status},
        {"profiles", "", "List the ways to provision", 0, 0, 0, verb_profiles},
        {"provision", "[PROFILE]", "Get an identity", 0, 1,
         SUBMIT_OPTIONS | OPTION_PARAMETER | OPTION_CSR | OPTION_KEY_TYPE | OPTION_KEY_SOURCE |
                 OPTION_PAYLOAD | OPTION_REGISTRATION_ID,
         verb_provision},
        {"create-certificate", "[PROFILE]", "Only have a CSR signed", 0, 1,
         SUBMIT_OPTIONS | OPTION_CSR, verb_create_certificate},
        {"create-keys", "[PROFILE]", "Only have key and certificate made", 0, 1, SUBMIT_OPTIONS,
         verb_create_keys},
        {"register-thing", "[PROFILE]", "Only register a certificate made before", 0, 1,
         SUBMIT_OPTIONS | OPTION_PARAMETER | OPTION_TOKEN_FILE, verb_register_thing},
        {"rotate", "[PROFILE]", "Get a new identity for a directory", 0, 1,
         OPTION_OUT | OPTION_PARAMETER | OPTION_IF_OLDER_THAN | OPTION_IF_EXPIRES_WITHIN,
         verb_rotate},
        {"list", "", "List jobs", 0, 0, OPTION_ALL, verb_list},
        {"show", "JOB", "Show one job with its history", 1, 1, 0, verb_show},
        {"wait", "JOB...", "Wait for the end of jobs", 1, -1, 0, verb_wait},
        {"result", "JOB", "Fetch the result of a job again", 1, 1,
         OPTION_OUT | OPTION_REPLACE | OPTION_KEEP, verb_result},
        {"cancel", "JOB", "Stop a job", 1, 1, 0, verb_cancel},
        {"release", "JOB", "Erase a job with all it holds", 1, 1, 0, verb_release},
        {"monitor", "", "Show events as they happen", 0, 0, 0, verb_monitor},
        {"reload", "", "Have the daemon read its configuration again", 0, 0, 0, verb_reload},
        {"check", "[PROFILE]", "Examine a profile, and say what to mend", 0, 1, 0, verb_check},
        {0},
};

const Verb *verb_find(const char *name) {
        for (const Verb *v = verbs; v->name; v++)
                if (streq(v->name, name))
                        return v;
        return NULL;
}

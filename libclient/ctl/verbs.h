/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The table of verbs: what each takes, and the function that does it. */

#include "libclient/ctl/ctl.h"

typedef struct Verb {
        const char *name;
        const char *arguments; /* for --help */
        const char *summary;
        int min_arguments, max_arguments;                   /* -1: any number */
        unsigned takes;                                     /* VerbOption bits */
        ExitStatus (*run)(Ctl *ctl, int argc, char **argv); /* arguments without the verb */
} Verb;

extern const Verb verbs[]; /* ends with a verb without a name */

const Verb *verb_find(const char *name);

ExitStatus verb_status(Ctl *ctl, int argc, char **argv);
ExitStatus verb_profiles(Ctl *ctl, int argc, char **argv);
ExitStatus verb_provision(Ctl *ctl, int argc, char **argv);
ExitStatus verb_create_certificate(Ctl *ctl, int argc, char **argv);
ExitStatus verb_create_keys(Ctl *ctl, int argc, char **argv);
ExitStatus verb_register_thing(Ctl *ctl, int argc, char **argv);
ExitStatus verb_rotate(Ctl *ctl, int argc, char **argv);
ExitStatus verb_check(Ctl *ctl, int argc, char **argv);
ExitStatus verb_list(Ctl *ctl, int argc, char **argv);
ExitStatus verb_show(Ctl *ctl, int argc, char **argv);
ExitStatus verb_wait(Ctl *ctl, int argc, char **argv);
ExitStatus verb_result(Ctl *ctl, int argc, char **argv);
ExitStatus verb_cancel(Ctl *ctl, int argc, char **argv);
ExitStatus verb_release(Ctl *ctl, int argc, char **argv);
ExitStatus verb_monitor(Ctl *ctl, int argc, char **argv);
ExitStatus verb_reload(Ctl *ctl, int argc, char **argv);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * --out=DIR: a directory that holds identities, the current one and the one before.
 *
 *      <job id>[.N]/      one result, made and synced whole, never changed afterwards
 *      current            link to the result in force
 *      previous           link to the one that it replaced
 *      certificate.pem …  links through `current`
 *      .next              link to a whole result that is about to become `current`
 *      .new-<pid>/        a result being written; rubbish where no process holds .lock
 *      .lock
 *
 * A result is replaced by one rename of .next over current. What was interrupted before .next stood
 * is rubbish; what was interrupted after it is finished by whoever opens DIR next (out-swap.c).
 *
 * DIR is opened component by component. A symlink on the way, a directory that belongs to neither
 * the caller nor root, or one that others may write without the sticky bit, is refused: its owner
 * could put another DIR in place between two steps. A group other than root's and the caller's own
 * counts as others.
 */

#include "libclient/macro.h"

typedef enum OutStep {
        OUT_STEP_STAGED,   /* .new-<pid>/ stands, empty */
        OUT_STEP_WRITTEN,  /* with all files, synced */
        OUT_STEP_WHOLE,    /* it has its name */
        OUT_STEP_NEXT,     /* .next stands */
        OUT_STEP_PREVIOUS, /* previous names the result that is still current */
        OUT_STEP_LINKED,   /* links through current stand */
        OUT_STEP_SWAPPED,
        OUT_STEP_TIDIED,
        OUT_STEP_MAX,
} OutStep;

typedef struct Out {
        int fd;       /* DIR */
        int lock_fd;  /* held as long as this lives */
        char *path;   /* absolute, for messages and for `files` */
        char *staged; /* name of the directory that out_stage() made */

        /* What `current` holds; NULL: nothing, or not known. */
        bool holds_identity;
        char *id, *key, *profile, *thing;

        char *why; /* of the last failure: what, why and the mend */

        /* For tests: called after each step; a negative value ends the work there. */
        int (*on_step)(void *userdata, OutStep step);
        void *userdata;
} Out;

Out *out_free(Out *out); /* removes what was staged and not used */
DEFINE_CLEANUP(Out *, out_free);

/* Opens DIR, makes it (and what is missing above it) where it is not there, locks it, finishes what
 * an interrupted run left, and reads what it holds. On failure *ret_why is a text, to be freed:
 * -EBUSY: another run holds it; -ELOOP, -EPERM: refused by the rules above; else errno. */
int out_open(const char *path, Out **ret, char **ret_why);

/* The opening alone: a descriptor of the directory. *ret_path is its absolute name. */
int out_dir_open(const char *path, char **ret_path, char **ret_why);

/* Sets out->why and returns r. */
int out_fail(Out *out, int r, const char *format, ...) _printf_(3, 4);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What stands in the state directory, and how it is called:
 *
 *   lock            held by the daemon that runs; its process id, for people
 *   version         of the layout
 *   starts          how often a daemon began here
 *   uptime          of the machine, all its boots together
 *   state.key       seals the secrets, unless a credential does
 *   state.key.former  did so; put there by people, to have another one made
 *   pin-*.latch     which PIN a token was tried with, until it took it
 *   spare-*         zeros where secrets stood, and others will: after a power cut, perhaps they do
 *   <id>.job        a job                   <id>.job.damaged-<time>     set aside
 *   <id>.secret     its secrets, sealed     <id>.secret.damaged-<time>  likewise
 *   *.new           on the way to one of these names; void after a crash
 */

#include "daemon/base/macro.h"
#include "protocol/ipc/limits.h"

#define FILE_LOCK "lock"
#define FILE_VERSION "version"
#define FILE_STARTS "starts"
#define FILE_UPTIME "uptime"
#define FILE_STATE_KEY "state.key"
#define FILE_STATE_KEY_FORMER "state.key.former"
#define FILE_SPARE_PREFIX "spare-"
#define FILE_LATCH_PREFIX "pin-"
#define FILE_LATCH_END ".latch"

typedef enum FileKind {
        FILE_KIND_JOB,
        FILE_KIND_JOB_NEW,
        FILE_KIND_SECRET,
        FILE_KIND_SECRET_NEW,
        FILE_KIND_SPARE,
        FILE_KIND_NEW,       /* one of the others, on the way */
        FILE_KIND_OWN,       /* lock, version, starts, uptime, state.key, pin-*.latch */
        FILE_KIND_SET_ASIDE, /* left to people */
        FILE_KIND_FOREIGN,
        FILE_KIND_MAX,
} FileKind;

typedef struct FileName {
        char text[IPC_JOB_ID_LENGTH + sizeof(".secret.new")];
} FileName;

/* Of the first four kinds. */
FileName file_name_make(const char *id, FileKind kind);

/* What a name found in the directory means. `ret_id` is filled for the first four kinds. */
FileKind file_name_kind(const char *name, char ret_id[static IPC_JOB_ID_LENGTH + 1]);

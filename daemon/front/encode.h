/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* How what the daemon knows is written into a message. Entries that do not apply are absent. Text
 * that came from outside and is not UTF-8 is escaped: a bus disconnects whoever sends such a string
 * (D-Bus specification, "Valid strings"). All return a negative errno on failure. */

#include <systemd/sd-bus.h>

#include "daemon/model/job.h"
#include "daemon/model/profile.h"
#include "protocol/ipc/names.h"

#define ENCODE_JOB_PATH_SIZE (sizeof(IPC_JOB_PREFIX "/") + IPC_JOB_ID_LENGTH)

/* Writes the job's object path into `path`, and gives it back. */
const char *encode_job_path(const Job *job, char path[static ENCODE_JOB_PATH_SIZE]);

/* A copy that is UTF-8; NULL for NULL, and where memory is short. */
char *encode_clean(const char *s);

int encode_text(sd_bus_message *m, const char *s);           /* s */
int encode_failure(sd_bus_message *m, const Failure *f);     /* a{sv}; empty for NULL */
int encode_claim(sd_bus_message *m, const ProfileStatus *p); /* a{sv} */
int encode_details(sd_bus_message *m, const Job *job, const Failure *waiting_for,
                   usec_t now_boot); /* a{sv} */

/* a{sv}. Each secret goes into a fresh sealed memfd; `secrets` may be NULL: there are none. */
int encode_result(sd_bus_message *m, const Job *job, const JobSecrets *secrets);

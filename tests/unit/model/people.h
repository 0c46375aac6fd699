/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who calls and what is asked for, in the tests of daemon/model. */

#include "daemon/model/job.h"

/* Of the main door; no groups. Fails the test where memory is short, as the others do. */
Peer *person(uid_t uid);
Peer *person_at(const char *door, uid_t uid);

/* A job of provision in profile "p"; `key` may be NULL. */
Job *job_of(Peer *owner, const char *key);
Job *job_in(Peer *owner, const char *profile, const char *key);

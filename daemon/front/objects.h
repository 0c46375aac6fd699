/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The objects of the XML files in protocol/ipc, the same on every connection. Each of these adds
 * one kind of them to a link; what they can do is in their vtables. */

#include "daemon/front/link.h"

int manager_object_add(Link *l);
int profile_object_add(Link *l);
int job_object_add(Link *l);

/* What a bus daemon would answer, for clients that take a socket for a bus: sockets alone. */
int hello_object_add(Link *l);

/* What the manager's object needs of the others. */
int profile_object_append_paths(Link *l, sd_bus_message *m);       /* ao */
Job *job_object_find(Link *l, const char *path, const Peer *peer); /* NULL: not there, foreign */

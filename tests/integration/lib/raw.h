/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The D-Bus interface without the client library, for what that would not do. */

#include <systemd/sd-bus.h>

#include "daemon/base/macro.h"
#include "protocol/ipc/names.h"

/* On the daemon's socket, or (`is_bus`) on a message bus. Close with sd_bus_flush_close_unref(). */
sd_bus *raw_open(const char *address, bool is_bus);

/* Calls, and must succeed; the caller unreferences the answer. */
sd_bus_message *raw_call(sd_bus *bus, const char *path, const char *interface, const char *member,
                         const char *types, ...);

/* Calls, and must fail with ….Error.`error`, or with that whole name where it has a dot. */
void raw_refused(sd_bus *bus, const char *error, const char *path, const char *interface,
                 const char *member, const char *types, ...);

/* The introspection of an object; the caller frees it. */
char *raw_introspect(sd_bus *bus, const char *path);

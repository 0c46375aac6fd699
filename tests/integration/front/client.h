/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Clients of the stub, well-behaved and otherwise. */

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "protocol/ipc/names.h"

/* Connects to a bus daemon, or to a socket as if it were one (Hello and all). */
sd_bus *client_connect(const char *address);
void client_close(sd_bus *bus);

/* A call of ours that must succeed. */
sd_bus_message *client_call(sd_bus *bus, const char *path, const char *interface,
                            const char *member, const char *types, ...);

/* One that must fail with io.fleetprov.Provisioner1.Error.<error>; a name with a dot is whole. */
void client_refused(sd_bus *bus, const char *path, const char *interface, const char *member,
                    const char *error, const char *types, ...);

/* Submits with one parameter `name`=yes (NULL: none); the path of the job, to be freed. */
char *client_submit(sd_bus *bus, const char *key, const char *name);

/* How many rows ListJobs(true) has. */
size_t client_count_jobs(sd_bus *bus);

/* A bare connection, blocking; -1 with errno. The handshake is done, as far as `handshake`. */
int raw_connect(const char *socket_path, bool handshake);

/* A method call as bytes: `sender` may be forged, `body_size` bytes of an `ay`. Freed by caller. */
void *raw_message(const char *path, const char *interface, const char *member, const char *sender,
                  size_t body_size, size_t *ret_size);

/* Writes all of it; false where the other side has closed. */
bool raw_write(int fd, const void *data, size_t size);

/* Whether the other side closes within what a test may take; what it sends is thrown away. */
bool raw_is_closed(int fd);

/* Runs `what` in a child as this user and group alone; its failed assertions fail the test. */
void as_user(uid_t uid, gid_t gid, void (*what)(void *userdata), void *userdata);

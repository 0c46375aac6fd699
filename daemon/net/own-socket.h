/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who is at the other end of a loopback connection: this process, or somebody else? */

#include <netinet/in.h>

#include "daemon/base/macro.h"

/* True: one of our own descriptors is the socket whose own address is `peer` and whose peer is
 * `local`. Both together name one connection of this machine: no other process can have it. */
bool own_socket_exists(const struct sockaddr_in *peer, const struct sockaddr_in *local);

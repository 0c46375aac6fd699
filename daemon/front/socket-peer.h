/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Who is at the other end of a socket: as the kernel noted it when he connected, whatever he says
 * in the handshake or writes into a message. */

#include "daemon/model/peer.h"

/* Root, and the daemon's own user: of the main door alone. */
bool socket_peer_is_privileged(uid_t uid);

/* The uid as which everybody appears whom this user namespace does not know; it is nobody to be
 * trusted with anything. */
uid_t socket_peer_overflow_uid(void);

/* SO_PEERCRED and SO_PEERGROUPS. -EACCES: a uid that stands for nobody known. */
int socket_peer_read(int fd, const char *door, uid_t nobody, Peer **ret);

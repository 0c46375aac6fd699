/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A server's name and port as people and protocols write them: "host:8883", "[2001:db8::1]:8883"
 * (RFC 3986, 3.2). PURE. */

#include "daemon/base/macro.h"

/* The caller's to free; NULL where memory is short. */
char *host_port_text(const char *host, uint16_t port);

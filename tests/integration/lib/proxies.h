/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Proxies of other people's making, which listen in the caller's network namespace, and end with
 * the test. What goes wrong here fails the test. */

#include <stdint.h>

#include "tests/integration/lib/place.h"

/* A port of 127.0.0.1 that nobody has. */
uint16_t proxy_free_port(void);

/* tinyproxy and microsocks at that address, which take connections when these return; their logs,
 * proxy-PORT.log, are in the place. Only who names user and password is let through; NULL:
 * everybody is. */
void proxy_start_http(Place *p, const char *address, uint16_t port, const char *user,
                      const char *password);
void proxy_start_socks(Place *p, const char *address, uint16_t port, const char *user,
                       const char *password);
const char *proxy_log(Place *p, uint16_t port);

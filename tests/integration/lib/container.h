/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A container as far as who is who goes: a user namespace of its own, with its users at other
 * numbers outside. */

#include "daemon/base/macro.h"

#define CONTAINER_ROOT 200000U /* its root, seen from outside */
#define CONTAINER_USERS 65536U /* from that number on */

/* Runs the function as root of the container, in a process of its own. Its Check assertions count.
 * Needs root. */
void container_run(void (*function)(void *), void *userdata);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* [Socket NAME]: the doors beside the main one. */

#include "daemon/config/config-tree.h"
#include "daemon/config/config.h"

#define CONFIG_SOCKET_SECTION "Socket "

/* From the entries of the section to a Door at the end of `c->doors`. Whether the profiles that it
 * names are there is asked by config_sockets_check(). -EINVAL with *ret_why; -ENOMEM. */
int config_socket_load(Config *c, const ConfigTree *t, const ConfigSection *section,
                       char **ret_why);

/* When all sections are read. Likewise. */
int config_sockets_check(const Config *c, const ConfigTree *t, char **ret_why);

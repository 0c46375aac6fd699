/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* AllowUsers= and AllowGroups=: names or numbers, with blanks or commas between them, resolved when
 * the configuration is read. An unknown name is refused: left out with a warning it would lock out
 * silently whom somebody meant to let in, and a user who is made later and gets the rights of an
 * old line is no better. Whoever makes the user later, reloads then, or writes the number. */

#include "daemon/config/config-tree.h"
#include "daemon/model/peer.h"

#define CONFIG_ACCESS_MAX ((size_t) 256) /* users, and as many groups, of a profile */

/* Set the rule's users (groups); an empty list lets in nobody but those who always may. May ask a
 * directory service, and wait for it. -EINVAL with *ret_why; -ENOMEM. */
int config_access_set_users(AccessRule *rule, const ConfigEntry *e, char **ret_why);
int config_access_set_groups(AccessRule *rule, const ConfigEntry *e, char **ret_why);

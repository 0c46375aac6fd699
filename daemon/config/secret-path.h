/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Files that a configuration names: their paths, credentials among them, and who may own and read
 * those that hold a secret.
 *
 * The rule for secrets: a regular file that belongs to root or to the daemon's user, and that
 * nobody else and no group but `fleetprovd` can read. A credential is kept by the service manager,
 * which hands it over with an access list whose mask looks like group rights (systemd.exec(5)), so
 * of a credential only the owner and the others' rights are asked. */

#include "daemon/base/secret.h"

#define SECRET_PATH_GROUP "fleetprovd"

/* "credential:NAME" becomes a path below $CREDENTIALS_DIRECTORY, any other value is copied. Without
 * that directory the value stays as it is: reading it says what is missing. -ENOMEM. */
int secret_path_resolve(const char *value, char **ret);

/* Asks that rule of a file. -EPERM: refused by it; -errno. */
int secret_path_check(const char *path, const char *what, char **ret_why);

/* Reads a file of at most `max` bytes; `what` names it for people ("the claim's certificate").
 * *ret_why then names the file and the mend. -ENOENT: it is not there (yet), or there is no
 * credentials directory; -EFBIG; else errno of open and read. */
int path_read(const char *path, const char *what, size_t max, Secret **ret, char **ret_why);

/* A module that is loaded into the daemon: a regular file of root or the daemon's user, into which
 * nobody else can write. -EPERM: refused by that; -ENOENT. */
int module_path_check(const char *path, char **ret_why);

/* The same as path_read() for a secret, with the rule. -EPERM: refused by it. */
int secret_path_read(const char *path, const char *what, size_t max, Secret **ret, char **ret_why);

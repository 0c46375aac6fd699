/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A token of a test's own: SoftHSM below a folder, reached through a module that counts logins and
 * has faults (shim.c). It is named by the environment, so one at a time, for a test and all the
 * programs that it starts. What goes wrong here fails the test. */

#include <stddef.h>

#define SOFT_TOKEN_LABEL "The Token"
#define SOFT_TOKEN_URI "pkcs11:token=The%20Token"
#define SOFT_TOKEN_PIN "73914"

/* In this folder, which is there: an empty token. The folder must outlive it. */
void soft_token_make(const char *dir);

/* A second one, beside it. */
void soft_token_add(const char *label, const char *pin);

/* A private key from a file (PEM, not encrypted); `id` in hex digits. */
void soft_token_import(const char *key_file, const char *object, const char *id);

/* The module to name, an absolute path. */
const char *soft_token_module(void);

size_t soft_token_logins(void);
size_t soft_token_signatures(void);
size_t soft_token_made(void);    /* pairs of keys, also those that came to nothing */
size_t soft_token_objects(void); /* in all tokens, public and private ones */

/* NULL: none. "removed": no slot has a token, and what it knew of sessions is forgotten;
 * "session-lost": at the next signature, once; "hang": signatures wait until the fault is gone;
 * "slow": they take half a second; "no-pss"; "count-low", "final-try", "locked": what the token
 * says of its PIN; "die-in-login": the next login kills its program, and so do "die-before-make",
 * "die-after-make", "die-before-removal" and "die-after-removal", of keys; "full": there is no room
 * for one; "hang-in-make": making one waits until the fault is gone; "no-removal": nothing is
 * removed. */
void soft_token_fault(const char *fault);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets leave no copy behind: private keys and ownership tokens pass through these functions on
 * their way out of memory. */

#include <jansson.h>
#include <stddef.h>

/* Wipes what malloc gave for p, then frees it; NULL is fine. */
void protocol_wipe_free(void *p);

/* Wipes every text in the tree, then lets go of it; NULL is fine. The caller must hold the only
 * reference. Fit for a cleanup attribute on a json_t *. */
void protocol_json_wipep(json_t **json);

/* Makes jansson fit for secrets, in the whole process:
 * - it wipes all that it frees: its parser keeps copies of its own of each text, which nobody else
 *   can reach;
 * - the process ends where memory runs out in it: the parser of 2.14 does not look whether the
 *   buffer of a text could grow (lex_save() in its load.c), drops the byte and goes on, so that a
 *   key or a token would come out wrong with no error; elsewhere it follows a null pointer.
 * To be called once, before any other use of jansson and before there is a second thread. */
void protocol_json_harden(void);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Secrets leave no copy behind: private keys and ownership tokens pass through these functions on
 * their way out of memory. */

#include <jansson.h>
#include <stddef.h>

/* Wipes what malloc gave for p, then frees it; NULL is fine. */
void aws_wipe_free(void *p);

/* Wipes every text in the tree, then lets go of it; NULL is fine. The caller must hold the only
 * reference. Fit for a cleanup attribute on a json_t *. */
void aws_json_wipep(json_t **json);

/* Has jansson wipe all that it frees, in the whole process: its parser keeps copies of its own of
 * each text, which nobody else can reach. To be called once, before any other use of jansson and
 * before there is a second thread. */
void aws_json_wipe_freed_memory(void);

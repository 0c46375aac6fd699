/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The links of DIR: puts a whole result in force, and finishes what was interrupted. */

#include "libclient/ctl/out-dir.h"

/* Makes .next point to the whole result `name`, and puts it in force. */
int out_swap_to(Out *out, const char *name);

/* Finishes an interrupted replacement, mends links, removes rubbish. */
int out_finish(Out *out);

/* "<32 hex digits>" or "<32 hex digits>.<number>" */
bool out_is_result_name(const char *name);

/* What a link points to, to be freed; NULL in *ret where there is none. -EPERM: another user's;
 * -EEXIST: no link. */
int out_read_link(Out *out, const char *name, char **ret);

/* Removes a directory of ours with the files that a result may have. */
void out_remove_result(const Out *out, const char *name);

int out_step(Out *out, OutStep step);

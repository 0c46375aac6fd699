/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* `return why(ret_why, -EINVAL, "This is no …")`: puts the sentence there and gives r back. ret_why
 * may be NULL; *ret_why becomes NULL where memory is short. */

#include "daemon/base/macro.h"

int why(char **ret_why, int r, const char *format, ...) _printf_(3, 4);

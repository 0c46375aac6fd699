/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/* Whether somebody listens at the Unix socket. That its file is there says less: it appears with
 * bind(), before listen(). */
bool socket_answers(const char *path);

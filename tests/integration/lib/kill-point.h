/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A program that dies between two of its steps, with nothing compiled into it: it is traced
 * (ptrace(2)), and killed right before its Nth system call that changes a file or sends a message.
 * What goes wrong here fails the test. */

#include "daemon/base/macro.h"

/* Runs it, with what it says appended to `log`. True: it was killed before call `n`, from 1 on.
 * False: it had fewer, and ended by itself with *ret_status. */
bool kill_point_run(const char *const argv[], const char *log, unsigned n, int *ret_status);

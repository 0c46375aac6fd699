/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The arguments of Manager.Submit, checked for form: that each option is known, of its type, there
 * once, and within the bounds of protocol/ipc/limits.h. Whether they make sense together, for this
 * profile and this caller, is not decided here.
 *
 * Strings are UTF-8 without NUL: D-Bus sees to that. Names of parameters hold no control
 * characters; in values they may stand (a template may want several lines), and are escaped
 * wherever they are shown. Descriptors must be sealed memfds; their bytes are copied here and now,
 * so that nothing a caller does later changes them. */

#include <systemd/sd-bus.h>

#include "daemon/model/failure.h"
#include "daemon/model/job-spec.h"

/* m: "ssa{sv}", not read yet. On a negative return *ret_failure says what was wrong, where, and the
 * mend (NULL: out of memory); the caller owns it. */
int submit_parse(sd_bus_message *m, JobSpec **ret, Failure **ret_failure);

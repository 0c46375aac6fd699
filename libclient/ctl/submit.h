/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "libclient/ctl/ctl.h"

/* What provision, create-certificate, create-keys and register-thing share: the request of the
 * options, DIR tried, submit, wait, deliver. `profile` NULL: the daemon's default. */
ExitStatus submit_and_deliver(Ctl *ctl, int operation, const char *profile);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What is written in base64 (RFC 4648, section 4), with padding and without a newline. */

#include "daemon/base/macro.h"
#include "daemon/base/secret.h"

/* A text of its own, wiped as what it says may have to be. -EIO, -ENOMEM. */
int base64_encode(const void *bytes, size_t size, Secret **ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The records of tried PINs (crypto/token-latch.h) in the state directory. */

#include "daemon/crypto/token.h"
#include "daemon/store/disk.h"

/* They have a descriptor of their own: they may outlive the store. *ret is static. */
int latches_new(const Disk *directory, const TokenLatchStore **ret, void **ret_userdata);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>

/* 64 random bits from the kernel, for waits that must not march in step. */
uint64_t chance_draw(void);

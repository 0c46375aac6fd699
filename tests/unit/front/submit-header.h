/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The header of a call of Submit, by hand: what a message must have that brings descriptors. */

#include "daemon/base/macro.h"

#define SUBMIT_HEADER_MAX 256U

typedef struct SubmitHeader {
        uint8_t data[SUBMIT_HEADER_MAX]; /* with its padding */
        size_t size;
        size_t fields_size; /* of what stands behind the first 16 bytes, without the padding */
} SubmitHeader;

SubmitHeader submit_header_make(uint32_t n_fds, uint32_t body_size);

/* The same with one more field behind those; `value` as of type 's'. */
SubmitHeader submit_header_with(uint32_t n_fds, uint8_t code, const char *value);

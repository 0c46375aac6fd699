/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The header of a message that brings descriptors, read before sd-bus gets them: libsystemd 252
 * drops a message that it cannot parse, and with it the descriptors, which nobody closes then
 * (bus_socket_make_message). Some thousand such messages, and the daemon has none left.
 *
 * So this reader is stricter than sd-bus: descriptors belong to Manager.Submit alone, there is one
 * way to write its header, and what is in there was compared, not only checked for form. PURE. */

#include "daemon/base/macro.h"

#define GATE_FIELDS_MAX ((size_t) 512) /* of such a message; the usual ones have 170 */

/* `fields`: the array behind the fixed header, in that byte order, without the padding behind it.
 * 0; -EBADMSG: it is no call of Submit, or says another number of descriptors. */
int gate_fields_check(const uint8_t *fields, size_t size, bool little_endian, size_t n_fds);

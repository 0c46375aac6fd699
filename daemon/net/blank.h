/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A packet without a meaning, as long as one that the server sent. Paho reads each packet into one
 * buffer that it never frees nor clears (SocketBuffer.c, its default queue): a private key that the
 * cloud made, or an ownership token, would stand there until something longer comes, for weeks. So
 * something as long comes at once. It is a PUBLISH (MQTT 3.1.1, 3.3) to a topic that no service
 * uses, and is dropped where the library hands it over.
 *
 * One for each PUBLISH that a secret would fit into; what has less than BLANK_FROM_BYTES holds no
 * key and no token. Pure: no I/O, no memory. */

#include "daemon/base/macro.h"

#define BLANK_FROM_BYTES ((size_t) 256)
#define BLANK_BEGIN_MAX ((size_t) 64)

/* How such a packet begins, whose body has that many bytes, at least BLANK_FROM_BYTES: header,
 * topic. The rest are `*ret_zeroes` zeroes. Returns the bytes written. */
size_t blank_begin(size_t body, uint8_t ret[static BLANK_BEGIN_MAX], size_t *ret_zeroes);

/* Whether that is the topic of it. */
bool blank_is_topic(const char *topic, size_t size);

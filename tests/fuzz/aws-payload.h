/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Any bytes, as the payload of each answer that the cloud could give: what must hold of what is
 * taken, in either format.
 *
 *   - 0 or -EBADMSG, and with the latter a reason that is fit to be shown
 *   - what an operation needs is there, and nothing else; within its bounds; UTF-8; names and ids
 *     without control characters; no setting twice
 *   - written anew, as JSON, it reads as the same */

#include <stddef.h>
#include <stdint.h>

#include "protocol/aws/format.h"

void aws_payload_try(AwsFormat format, const uint8_t *data, size_t size);

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Payloads in JSON, as they arrive on the topics of accepted and rejected requests. An input is one
 * payload, given to the readers of each operation's answer and of a rejection; what must hold
 * stands in aws-payload.h. */

#include "tests/fuzz/aws-payload.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        aws_payload_try(AWS_FORMAT_JSON, data, size);
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Payloads in CBOR, as they arrive on the topics of accepted and rejected requests. An input is one
 * payload; what must hold of what is taken stands in aws-payload.h. And here: however much a length
 * claims, reading costs memory in proportion to the bytes that are there (libcbor's own loader
 * takes 512 MiB for five bytes, 9a 04 00 00 00). */

#include "daemon/base/macro.h"
#include "protocol/aws/document.h"
#include "tests/fuzz/aws-payload.h"
#include "tests/fuzz/fuzz.h"

/* The shortest field has three bytes, and costs its place in a list that is copied as it grows, and
 * two texts. */
#define HEAP_PER_BYTE ((size_t) 64)
#define HEAP_AT_LEAST ((size_t) 4096)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(aws_map_done) AwsMap map = {};
        size_t peak;

        fuzz_heap_begin();
        (void) aws_document_parse(AWS_FORMAT_CBOR, data, size, &map, NULL);
        peak = fuzz_heap_end();
        must(peak <= HEAP_PER_BYTE * size + HEAP_AT_LEAST);
        aws_payload_try(AWS_FORMAT_CBOR, data, size);
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/record-line.h"

#include <errno.h>
#include <stdio.h>

#define SUM_PREFIX ",\"crc\":\""
#define SUM_DIGITS 8
#define SUM_SUFFIX "\"}"
#define SUM_SIZE (sizeof(SUM_PREFIX) - 1 + SUM_DIGITS + sizeof(SUM_SUFFIX) - 1)

/* Four bits at a time: 64 bytes of table, and a line is a kilobyte. */
static uint32_t crc32(const char *data, size_t size) {
        static const uint32_t table[16] = {
                0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
        };
        uint32_t crc = ~0U;

        for (size_t i = 0; i < size; i++) {
                crc ^= (uint8_t) data[i];
                crc = (crc >> 4) ^ table[crc & 15];
                crc = (crc >> 4) ^ table[crc & 15];
        }
        return ~crc;
}

static void format_sum(const char *data, size_t size, char ret[static SUM_SIZE + 1]) {
        (void) snprintf(ret, SUM_SIZE + 1, SUM_PREFIX "%08x" SUM_SUFFIX, crc32(data, size));
}

int record_line_make(const json_t *object, char **ret, size_t *ret_size) {
        _cleanup_free_ char *json = NULL, *line = NULL;
        size_t n;

        json = json_dumps(object, JSON_COMPACT);
        if (!json)
                return -ENOMEM;
        n = strlen(json) - 1; /* without the brace, which comes again behind the sum */
        if (n + SUM_SIZE + 1 > RECORD_LINE_MAX)
                return -EMSGSIZE;
        line = malloc(n + SUM_SIZE + 2);
        if (!line)
                return -ENOMEM;
        memcpy(line, json, n);
        format_sum(json, n, line + n);
        n += SUM_SIZE;
        line[n++] = '\n';
        line[n] = '\0';
        *ret = TAKE_PTR(line);
        *ret_size = n;
        return 0;
}

int record_line_read(const char *line, size_t size, json_t **ret) {
        _cleanup_json_ json_t *object = NULL;
        char sum[SUM_SIZE + 1];

        if (size >= RECORD_LINE_MAX || size <= SUM_SIZE)
                return -EBADMSG;
        format_sum(line, size - SUM_SIZE, sum);
        if (memcmp(line + size - SUM_SIZE, sum, SUM_SIZE) != 0)
                return -EBADMSG;
        object = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(object))
                return -EBADMSG;
        *ret = TAKE_PTR(object);
        return 0;
}

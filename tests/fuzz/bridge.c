/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The two streams that the bridge looks into: HTTP's CONNECT from the MQTT library's leg, and the
 * lengths of MQTT packets from the server. An input is such a stream, given to both.
 *
 *   - a CONNECT is right only with the secret in it, and only where it ends; before, it is
 *     unfinished; whatever its pieces
 *   - packets are counted alike however the stream is cut, and as a plain reader of MQTT 3.1.1
 *     (2.2.3) counts them; none passes that is longer than allowed; an error stays */

#include <errno.h>

#include "daemon/net/mqtt-frame.h"
#include "daemon/net/proxy-request.h"
#include "tests/fuzz/fuzz.h"

#define CREDENTIALS "ZmxlZXRwcm92ZDowMTIzNDU2Nzg5"
#define PACKET_MAX ((size_t) 300) /* little, so that short inputs reach it */

static void check_proxy(const uint8_t *data, size_t size) {
        _cleanup_secret_ Secret *credentials = secret_new(CREDENTIALS, strlen(CREDENTIALS));
        size_t end = 0, before = 0;
        ProxyRequest verdict;

        must(credentials);
        verdict = proxy_request_check(data, size, credentials, &end);
        if (verdict != PROXY_REQUEST_RIGHT)
                return;
        must(end <= size && end <= PROXY_REQUEST_MAX);
        must(memmem(data, end, CREDENTIALS "\r\n", strlen(CREDENTIALS "\r\n")));
        must(memcmp(data + end - 4, "\r\n\r\n", 4) == 0);
        for (size_t n = 0; n < end; n++) {
                _cleanup_free_ uint8_t *piece = malloc(n);

                memcpy(piece, data, n);
                must(proxy_request_check(piece, n, credentials, &before) ==
                     PROXY_REQUEST_INCOMPLETE);
        }
        must(proxy_request_check(data, end, credentials, &before) == PROXY_REQUEST_RIGHT);
        must(before == end);
}

typedef struct Count {
        uint64_t packets;
        int error;
} Count;

/* The whole of a stream that is at hand: no state, no pieces. */
static Count count_plainly(const uint8_t *data, size_t size) {
        Count count = {};

        for (size_t at = 0; at < size;) {
                unsigned type = data[at] >> 4, i = 0;
                size_t length = 0;

                if (type == 0 || type == 15)
                        return (Count){count.packets, -EBADMSG};
                do {
                        if (i == 4)
                                return (Count){count.packets, -EBADMSG};
                        if (at + 1 + i >= size)
                                return count;
                        length += (size_t) (data[at + 1 + i] % 128) << (7 * i);
                } while (data[at + 1 + i++] >= 128);
                if (1 + i + length > PACKET_MAX)
                        return (Count){count.packets, -EMSGSIZE};
                if (length > size - at - 1 - i)
                        return count;
                at += 1 + i + length;
                count.packets++;
        }
        return count;
}

static void check_frames(const uint8_t *data, size_t size) {
        Count plain = count_plainly(data, size);

        for (size_t step = 1; step <= size + 1; step = step * 3 + 1) {
                bool between;
                MqttFrame f;
                int r = 0;

                mqtt_frame_init(&f, PACKET_MAX);
                for (size_t at = 0; at < size; at += step) {
                        size_t n = size - at < step ? size - at : step;

                        r = mqtt_frame_feed(&f, data + at, n);
                        must(r == f.error);
                        must(r < 0 || f.header > 0 || f.announced < PACKET_MAX);
                }
                between = mqtt_frame_between_packets(&f);
                must(f.packets == plain.packets && f.error == plain.error);
                must(!between || f.error < 0 || f.left == 0);
                must(mqtt_frame_feed(&f, (const uint8_t[]){0xd0, 0}, 2) == plain.error ||
                     plain.error == 0);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        check_proxy(data, size);
        check_frames(data, size);
        return 0;
}

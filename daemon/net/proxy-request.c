/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/proxy-request.h"

#include <string.h>

#define METHOD "CONNECT "
#define HEADER "proxy-authorization: basic "
#define END "\r\n\r\n"
#define LINE_END "\r\n"

static bool credentials_are_right(const char *value, size_t size, const Secret *credentials) {
        _cleanup_secret_ Secret *given = secret_new(value, size);

        return given && secret_equal(given, credentials);
}

ProxyRequest proxy_request_check(const uint8_t *data, size_t size, const Secret *credentials,
                                 size_t *ret_size) {
        const char *line = (const char *) data, *end, *line_end;
        size_t method = size < strlen(METHOD) ? size : strlen(METHOD);
        bool right = false;

        if (size > PROXY_REQUEST_MAX || memcmp(data, METHOD, method) != 0)
                return PROXY_REQUEST_WRONG;
        end = memmem(data, size, END, strlen(END));
        if (!end)
                return size == PROXY_REQUEST_MAX ? PROXY_REQUEST_WRONG : PROXY_REQUEST_INCOMPLETE;
        *ret_size = (size_t) (end - line) + strlen(END);
        end += strlen(LINE_END);
        for (; line < end; line = line_end + strlen(LINE_END)) {
                line_end = memmem(line, (size_t) (end - line), LINE_END, strlen(LINE_END));
                if (!line_end)
                        break;
                if ((size_t) (line_end - line) > strlen(HEADER) &&
                    strncasecmp(line, HEADER, strlen(HEADER)) == 0)
                        right = credentials_are_right(line + strlen(HEADER),
                                                      (size_t) (line_end - line) - strlen(HEADER),
                                                      credentials);
        }
        return right ? PROXY_REQUEST_RIGHT : PROXY_REQUEST_WRONG;
}

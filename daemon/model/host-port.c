/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/host-port.h"

#include <stdio.h>

char *host_port_text(const char *host, uint16_t port) {
        char *text;

        if (asprintf(&text, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port) < 0)
                return NULL;
        return text;
}

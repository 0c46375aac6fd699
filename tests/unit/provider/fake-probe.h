/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* In the place of daemon/net's probe: it keeps what it is to try, and says what the test wants it
 * to say. One at a time. */

#include "daemon/net/probe.h"

typedef struct FakeProbe {
        Probe *live; /* NULL: there is none */
        unsigned made, freed;
        char *host, *trusted, *certificate, *private_key, *client_id; /* of the last one */
        uint16_t port;
        usec_t timeout_usec;
        int new_error; /* what the next probe_new() gives; 0: well */
} FakeProbe;

extern FakeProbe fake_probe;

void fake_probe_done(void);

/* ERROR_NONE: without a failure. */
void fake_probe_says(ProbeVerdict verdict, ErrorCode code, const char *text);

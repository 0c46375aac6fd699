/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Does a server let a client in? Dial, TLS with this certificate and key, one MQTT CONNECT with a
 * clean session, read the CONNACK, DISCONNECT. The same rules about the server as for a session
 * (tls.h), and on a connection of its own: the MQTT library is not part of it, since a second
 * connection of it takes a second or two while another one idles. Nothing is published, and nothing
 * subscribed but what is asked about. Loop thread.
 *
 * The server takes the session of whoever is connected with the client id at that time: never use
 * one that is in use. */

#include "daemon/net/network.h"
#include "daemon/net/road.h"

typedef struct Probe Probe;

typedef struct ProbeParameters { /* copied by probe_new(), but for the names */
        Road road;
        bool link_only;        /* stop where TLS stands: accepted; no client id is needed */
        const char *client_id; /* 1 to MQTT_CLIENT_ID_MAX bytes */
        usec_t timeout_usec;   /* until the CONNACK; and for each topic */

        /* Topics that it may subscribe to, or not: each is asked about by itself, and the first one
         * that is refused ends the probe. Copied. */
        const char *const *topics;
        size_t n_topics;

        const char *client_id_name; /* what messages call it, of static storage; NULL: ClientId= */
} ProbeParameters;

/* What is known of the certificate by it. */
typedef enum ProbeVerdict {
        PROBE_ACCEPTED,  /* CONNACK 0, and all topics granted */
        PROBE_REFUSED,   /* a TLS alert about it, a CONNACK that says no, or the connection closed
                            upon CONNECT: a cloud's way to say no without a word */
        PROBE_UNDECIDED, /* it was not heard: no name, no way, not the right server, no answer, no
                            MQTT, or a server that is not available (CONNACK 3) */
        PROBE_BROKEN,    /* this machine cannot try it, now or later: not a pair, no memory */
} ProbeVerdict;

/* How far it came. */
typedef enum ProbeStage {
        PROBE_STAGE_LINK, /* to the end of the TLS handshake */
        PROBE_STAGE_CONNECT,
        PROBE_STAGE_SUBSCRIBE,
} ProbeStage;

/* Once, never from within probe_new(); the Probe may be freed in it. The failure is the handler's,
 * NULL where accepted, or where memory is short. Its codes:
 *   name-resolution, connect-failed, proxy-refused, tls-clock, tls-trust, tls-hostname, tls-failed
 *   credentials-refused  by TLS alert (the message names it), or CONNACK 4, 5 and AWS's 7
 *   server-refused       CONNACK 1 to 3 and unknown ones
 *   connection-lost      closed upon CONNECT
 *   permission-denied-by-policy  closed upon SUBSCRIBE, which is how AWS IoT says no on MQTT 3.1.1,
 *                        or refused in the SUBACK
 *   timeout              no whole CONNACK or SUBACK in time
 *   bad-response         what came is neither
 *   not-initialized, no-memory, internal-failure
 * status_code is the CONNACK code, where there was one. */
typedef void (*ProbeHandler)(ProbeVerdict verdict, Failure *failure, void *userdata);

/* -EINVAL: parameters that make no sense. Begins at the next turn of the loop. */
int probe_new(Network *n, const ProbeParameters *p, ProbeHandler handler, void *userdata,
              Probe **ret);

/* Also from within the handler. */
ProbeStage probe_stage(const Probe *p);
size_t probe_topic(const Probe *p); /* index of the topic asked about last */

Probe *probe_free(Probe *p); /* silent from then on */
DEFINE_CLEANUP(Probe *, probe_free);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the tests of daemon/net share: certificates, servers as child processes, and a client that
 * writes down what it is told. Everything asserts by Check. */

#include <systemd/sd-event.h>

#include "daemon/net/connection.h"

#define PACKET_MAX ((size_t) 64 * 1024)

/* Fixtures of a whole test case, unforked: a directory with certificates. */
void harness_setup(void);
void harness_teardown(void);

/* "DIR/name"; static storage, good until the eighth call after it. */
const char *harness_path(const char *name);
Secret *harness_file(const char *name);

uint16_t harness_free_port(void);

/* Starts argv[0] with its output in DIR/`log`; killed by harness_stop(), or with the test. */
pid_t harness_start(const char *log, const char *const argv[]);
void harness_stop(pid_t pid);

/* Waits until `log` holds `text` (some seconds at most). */
void harness_wait_log(const char *log, const char *text);
bool harness_log_has(const char *log, const char *text);
size_t harness_log_size(const char *log);

/* Waits until somebody listens on the port of 127.0.0.1 or ::1, without connecting to it. */
void harness_wait_listening(uint16_t port);

/* Listens on 127.0.0.1. */
int harness_listen(uint16_t port, int backlog);

/* A TCP server that runs what `talk` does for each connection, in a child of its own. It may not
 * use Check. */
typedef void (*HarnessTalk)(int fd);
pid_t harness_start_talker(uint16_t port, HarnessTalk talk);

/* A mosquitto that wants client certificates of ca.pem, on 127.0.0.1 and ::1. */
pid_t harness_start_broker(uint16_t port, const char *extra);

typedef struct Client {
        sd_event *event;
        Network *network;
        ConnectionParameters p;
        Secret *trusted, *certificate, *private_key;
        Connection *connection;

        unsigned n_connected, n_subscribed, n_refused, n_messages, n_lost;
        char *topic;
        uint8_t *payload;
        size_t payload_size;
        Failure *failure;
} Client;

/* Of a right server on localhost, with a right client certificate. */
void client_init(Client *c, uint16_t port);
void client_done(Client *c);
void client_connect(Client *c);    /* a new connection; the old one is freed */
void client_disconnect(Client *c); /* frees the connection */

/* Runs the loop until *counter is at least n; fails the test after `seconds`. */
void client_run_for(Client *c, const unsigned *counter, unsigned n, unsigned seconds);
#define client_run(c, counter, n) client_run_for(c, counter, n, 20)

/* Connects, and asserts that it is lost with that code and `text` in its message. */
void client_must_fail(Client *c, ErrorCode code, const char *text);

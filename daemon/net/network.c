/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/network.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/ecc.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/net/network-internal.h"
#include "daemon/net/resolve.h"

/* Connections times what each may ask at once: a start, its subscriptions, an end. */
#define MQTT_QUEUE_MAX 4096U

/* The MQTT library needs about one second to end; ten where it waits for a proxy that is gone. */
#define DRAIN_USEC (15 * USEC_PER_SEC)
#define DRAIN_STEP_MSEC 10
#define DRAIN_STEPS_MAX 40U

int network_new(sd_event *event, Network **ret) {
        /* getaddrinfo() may hang for as long as the name servers are dead, and knows no way out. */
        const WorkerOptions names = {.name = "names",
                                     .queue_max = RESOLVE_QUEUE_MAX,
                                     .linger_usec = WORKER_LINGER_USEC,
                                     .may_hang = true};
        const WorkerOptions mqtt = {
                .name = "mqtt", .queue_max = MQTT_QUEUE_MAX, .linger_usec = WORKER_LINGER_USEC};
        _cleanup_(network_freep) Network *n = NULL;
        int r;

        mqtt_prepare_process();
        n = calloc(1, sizeof(Network));
        if (!n)
                return -ENOMEM;
        if (wolfSSL_Init() != WOLFSSL_SUCCESS) {
                free(TAKE_PTR(n));
                return -ENOTRECOVERABLE;
        }
        n->event = sd_event_ref(event);
        r = worker_new(event, &names, &n->names);
        if (r < 0)
                return r;
        r = worker_new(event, &mqtt, &n->mqtt);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(n);
        return 0;
}

/* The loop may be over already, so its sources are stepped by hand. The worker is run when all wait
 * for it; now and then in any case, for it may be the one that waits for a step. */
static void drain(Network *n) {
        usec_t deadline = usec_add(clock_boot_usec(), DRAIN_USEC);

        for (size_t i = 1; n->n_lingering > 0 && clock_boot_usec() < deadline; i++) {
                if (generation_step_lingering(n) || i % DRAIN_STEPS_MAX == 0)
                        worker_drain(n->mqtt);
                else
                        (void) poll(NULL, 0, DRAIN_STEP_MSEC);
        }
        if (n->n_lingering > 0)
                log_warning("%zu MQTT connections do not end; left behind", n->n_lingering);
}

Network *network_free(Network *n) {
        if (!n)
                return NULL;
        if (n->mqtt)
                drain(n);
        worker_free(n->mqtt);
        worker_free(n->names);
        sd_event_unref(n->event);
        (void) wolfSSL_Cleanup();
        free(n);
        return NULL;
}

void network_set_tokens(Network *n, Worker *tokens) {
        n->tokens = tokens;
}

size_t network_lingering(const Network *n) {
        return n->n_lingering;
}

void network_trim(void) {
        wc_ecc_fp_free();
        (void) malloc_trim(0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Host names to addresses, on a worker, since getaddrinfo() blocks for as long as it likes. Loop
 * thread. */

#include <netinet/in.h>
#include <sys/socket.h>

#include "daemon/base/worker.h"
#include "daemon/model/failure.h"

/* A name with more addresses has more than can be tried in time. */
#define RESOLVE_ADDRESSES_MAX 16U

typedef struct Address {
        socklen_t size;
        union {
                struct sockaddr any;
                struct sockaddr_in in;
                struct sockaddr_in6 in6;
        };
} Address;

typedef struct AddressList {
        size_t n;
        Address addresses[RESOLVE_ADDRESSES_MAX];
} AddressList;

typedef struct Resolve Resolve;

/* Never from within resolve_new(); once; the Resolve may be freed in it. `list` (NULL on a failure)
 * is valid during the call; its families alternate, in getaddrinfo()'s order of preference
 * otherwise (RFC 8305, 4). `failure` is the handler's. */
typedef void (*ResolveHandler)(const AddressList *list, Failure *failure, void *userdata);

/* Worker options for names: one query may hang for long, few others may wait behind it. */
#define RESOLVE_QUEUE_MAX 16U

/* `is_proxy` is for messages. */
int resolve_new(Worker *names, const char *host, uint16_t port, bool is_proxy,
                ResolveHandler handler, void *userdata, Resolve **ret);

/* Silent from then on; a query that was not asked yet is not asked any more, and one that hangs on
 * is left to its end. */
Resolve *resolve_free(Resolve *r);
DEFINE_CLEANUP(Resolve *, resolve_free);

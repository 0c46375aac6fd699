/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>

typedef struct Query {
        /* The worker's side. */
        char *host;
        char service[sizeof("65535")];
        bool is_proxy;
        int result; /* EAI_* */
        int error;  /* errno, for EAI_SYSTEM */
        AddressList list;

        Resolve *resolve; /* the loop's side alone looks at it; NULL: nobody wants to know */
} Query;

struct Resolve {
        Worker *names;
        Query *query; /* NULL when it has been answered */
        ResolveHandler handler;
        void *userdata;
};

static Address address_copy(const struct addrinfo *ai) {
        Address a = {.size = ai->ai_addrlen};

        memcpy(&a.any, ai->ai_addr, ai->ai_addrlen);
        return a;
}

/* The first address's family leads, then they take turns. */
static void interleave(const struct addrinfo *all, AddressList *list) {
        const struct addrinfo *same = all, *other = all;
        int family = all->ai_family;
        bool turn_of_other = false;

        while ((same || other) && list->n < RESOLVE_ADDRESSES_MAX) {
                const struct addrinfo **next;

                while (same && same->ai_family != family)
                        same = same->ai_next;
                while (other && other->ai_family == family)
                        other = other->ai_next;
                next = (turn_of_other && other) || !same ? &other : &same;
                turn_of_other = !turn_of_other;
                if (!*next)
                        break;
                if ((*next)->ai_addrlen <= sizeof(struct sockaddr_in6))
                        list->addresses[list->n++] = address_copy(*next);
                *next = (*next)->ai_next;
        }
}

static void query_run(void *task) {
        /* No AI_ADDRCONFIG: it hides ::1 and IPv6-only links on machines without a global address,
         * and an address that cannot be reached is passed over anyway. */
        static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                              .ai_flags = AI_NUMERICSERV};
        struct addrinfo *all = NULL;
        Query *q = task;

        q->result = getaddrinfo(q->host, q->service, &hints, &all);
        q->error = errno;
        if (q->result != 0 || !all)
                return;
        interleave(all, &q->list);
        freeaddrinfo(all);
}

static Failure *query_failure(const Query *q) {
        const char *text;

        if (q->result == 0)
                text = "it has no address";
        else if (q->result == EAI_SYSTEM)
                text = strerrordesc_np(q->error);
        else
                text = gai_strerror(q->result);
        return failure_new(ERROR_NAME_RESOLUTION,
                           "cannot find the address of %s%s: %s; check %s, the network and the "
                           "name servers",
                           q->is_proxy ? "the proxy " : "", q->host, text,
                           q->is_proxy ? "Proxy=" : "Endpoint=");
}

static void on_query_complete(void *task, void *userdata) {
        Query *q = task;
        Resolve *r = q->resolve;

        if (!r)
                return;
        q->resolve = NULL;
        r->query = NULL;
        if (q->list.n == 0)
                r->handler(NULL, query_failure(q), r->userdata);
        else
                r->handler(&q->list, NULL, r->userdata);
}

static void query_destroy(void *task) {
        Query *q = task;

        if (q->resolve)
                q->resolve->query = NULL;
        free(q->host);
        free(q);
}

static const WorkerTaskType query_type = {
        .run = query_run,
        .complete = on_query_complete,
        .destroy = query_destroy,
};

int resolve_new(Worker *names, const char *host, uint16_t port, bool is_proxy,
                ResolveHandler handler, void *userdata, Resolve **ret) {
        _cleanup_(resolve_freep) Resolve *resolve = NULL;
        Query *q;
        int r;

        resolve = calloc(1, sizeof(Resolve));
        q = calloc(1, sizeof(Query));
        if (!resolve || !q || free_and_strdup(&q->host, host) < 0) {
                free(q);
                return -ENOMEM;
        }
        resolve->names = names;
        resolve->handler = handler;
        resolve->userdata = userdata;
        q->is_proxy = is_proxy;
        (void) snprintf(q->service, sizeof(q->service), "%u", port);

        r = worker_submit(names, &query_type, q, NULL);
        if (r < 0)
                return r;
        q->resolve = resolve;
        resolve->query = q;
        *ret = TAKE_PTR(resolve);
        return 0;
}

Resolve *resolve_free(Resolve *r) {
        if (!r)
                return NULL;
        if (r->query && !worker_withdraw(r->names, r->query))
                r->query->resolve = NULL;
        free(r);
        return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/bus-peer.h"

#include <errno.h>

#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/front/call.h"
#include "daemon/front/socket-peer.h"

#define GROUPS_MAX ((size_t) 65536) /* NGROUPS_MAX of Linux */

typedef struct Held Held;
struct Held {
        sd_bus_message *message;
        LIST_LINK(Held, held);
};

typedef struct Sender Sender;
struct Sender {
        BusPeers *peers;
        char *name;
        Peer *peer;         /* NULL: asked for, or refused */
        sd_bus_slot *asked; /* the question under way */
        LIST_HEAD(Held, held);
        size_t n_held;
        LIST_LINK(Sender, recent);
};

struct BusPeers {
        sd_bus *bus;
        sd_bus_slot *filter;
        uid_t nobody;
        LIST_HEAD(Sender, recent); /* the most recently used first */
        size_t n_senders;
        size_t n_held;
};

static void let_go(Sender *s, Held *h) {
        LIST_REMOVE(held, s, h);
        s->n_held--;
        s->peers->n_held--;
        sd_bus_message_unref(h->message);
        free(h);
}

static void forget(Sender *s) {
        while (s->held_first)
                let_go(s, s->held_first);
        LIST_REMOVE(recent, s->peers, s);
        s->peers->n_senders--;
        sd_bus_slot_unref(s->asked);
        peer_free(s->peer);
        free(s->name);
        free(s);
}

static Sender *find(BusPeers *p, const char *name) {
        Sender *s;

        LIST_FOREACH(recent, s, p)
                if (streq(s->name, name))
                        return s;
        return NULL;
}

/* Those whose messages are held stay: they are bounded by BUS_PEERS_HELD_TOTAL_MAX. */
static void make_room(BusPeers *p) {
        Sender *s = p->recent_last;

        while (s && p->n_senders >= BUS_PEERS_MAX) {
                Sender *before = s->recent_prev;

                if (s->n_held == 0)
                        forget(s);
                s = before;
        }
}

static int refuse_held(Sender *s, const char *why) {
        while (s->held_first) {
                (void) call_refuse(
                        s->held_first->message,
                        failure_new(ERROR_ACCESS_DENIED, "cannot tell who calls: %s", why));
                let_go(s, s->held_first);
        }
        forget(s);
        return 0;
}

static int read_groups(sd_bus_message *m, const gid_t **ret, size_t *ret_n) {
        const void *data;
        size_t size;
        int r;

        r = sd_bus_message_enter_container(m, 'v', "au");
        if (r < 0)
                return r;
        r = sd_bus_message_read_array(m, 'u', &data, &size);
        if (r < 0)
                return r;
        if (size / sizeof(gid_t) > GROUPS_MAX)
                return -E2BIG;
        *ret = data;
        *ret_n = size / sizeof(gid_t);
        return sd_bus_message_exit_container(m);
}

/* a{sv} with UnixUserID u and UnixGroupIDs au (D-Bus specification, since 1.13; a bus that does not
 * say the groups lets nobody in by a group). */
static int read_credentials(sd_bus_message *m, uid_t nobody, Peer **ret) {
        const gid_t *gids = NULL;
        size_t n_gids = 0;
        uint32_t uid = UINT32_MAX;
        const char *name;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = sd_bus_message_read(m, "s", &name);
                if (r < 0)
                        return r;
                if (streq(name, "UnixUserID"))
                        r = sd_bus_message_read(m, "v", "u", &uid);
                else if (streq(name, "UnixGroupIDs"))
                        r = read_groups(m, &gids, &n_gids);
                else
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        if (r < 0)
                return r;
        if (uid == UINT32_MAX || uid == nobody)
                return -EACCES;
        *ret = peer_new(DOOR_MAIN, uid, gids, n_gids, socket_peer_is_privileged(uid));
        return *ret ? 0 : -ENOMEM;
}

static int on_credentials(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        Sender *s = userdata;
        Held *h;
        int r;

        s->asked = sd_bus_slot_unref(s->asked);
        if (sd_bus_message_is_method_error(m, NULL) > 0)
                /* Gone already, or the bus is overloaded: what it sent needs no answer then. */
                return refuse_held(s, sd_bus_message_get_error(m)->message);
        r = read_credentials(m, s->peers->nobody, &s->peer);
        if (r < 0)
                return refuse_held(s, "the bus does not tell its user");
        LIST_FOREACH(held, h, s) {
                r = sd_bus_enqueue_for_read(s->peers->bus, h->message);
                if (r < 0)
                        return refuse_held(s, "too many messages wait");
        }
        return 0;
}

/* Returns what a filter returns: 1, the message was dealt with. */
static int hold(Sender *s, sd_bus_message *m) {
        Held *h;

        if (s->n_held >= BUS_PEERS_HELD_MAX || s->peers->n_held >= BUS_PEERS_HELD_TOTAL_MAX)
                return call_refuse(m, failure_new(ERROR_QUEUE_FULL,
                                                  "too many messages wait to be attributed to "
                                                  "their senders: try later"));
        h = calloc(1, sizeof(Held));
        if (!h)
                return -ENOMEM;
        h->message = sd_bus_message_ref(m);
        LIST_APPEND(held, s, h);
        s->n_held++;
        s->peers->n_held++;
        return 1;
}

static int ask(BusPeers *p, const char *name, sd_bus_message *m) {
        Sender *s;
        int r;

        make_room(p);
        s = calloc(1, sizeof(Sender));
        if (!s)
                return -ENOMEM;
        s->peers = p;
        LIST_PREPEND(recent, p, s);
        p->n_senders++;
        r = free_and_strdup(&s->name, name);
        if (r >= 0)
                r = sd_bus_call_method_async(p->bus, &s->asked, "org.freedesktop.DBus",
                                             "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                             "GetConnectionCredentials", on_credentials, s, "s",
                                             name);
        if (r >= 0)
                r = hold(s, m);
        if (r < 0 || s->n_held == 0)
                forget(s);
        return r;
}

static int on_message(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        BusPeers *p = userdata;
        const char *name = sd_bus_message_get_sender(m);
        Sender *s;

        if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0)
                return 0;
        if (!name)
                return 0; /* link_peer() knows nobody, and nothing is shown to him */
        s = find(p, name);
        if (!s)
                return ask(p, name, m);
        if (s->peer && s->n_held > 0 && s->held_first->message == m)
                let_go(s, s->held_first); /* its turn has come */
        else if (s->peer && s->n_held > 0) {
                /* It overtook those that were put back: behind them. (sd-bus 252 reads nothing
                 * while something was put back, but promises nothing.) */
                int r = hold(s, m);

                if (r == 1 && s->held_last->message == m && sd_bus_enqueue_for_read(p->bus, m) < 0)
                        return refuse_held(s, "too many messages wait");
                return r;
        } else if (!s->peer)
                return hold(s, m);
        LIST_REMOVE(recent, p, s);
        LIST_PREPEND(recent, p, s);
        return 0;
}

int bus_peers_new(sd_bus *bus, BusPeers **ret) {
        _cleanup_(bus_peers_freep) BusPeers *p = calloc(1, sizeof(BusPeers));
        int r;

        if (!p)
                return -ENOMEM;
        p->bus = bus;
        p->nobody = socket_peer_overflow_uid();
        r = sd_bus_add_filter(bus, &p->filter, on_message, p);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(p);
        return 0;
}

BusPeers *bus_peers_free(BusPeers *p) {
        if (!p)
                return NULL;
        while (p->recent_first)
                forget(p->recent_first);
        sd_bus_slot_unref(p->filter);
        free(p);
        return NULL;
}

const Peer *bus_peers_get(BusPeers *p, const char *sender) {
        Sender *s = sender ? find(p, sender) : NULL;

        return s ? s->peer : NULL;
}

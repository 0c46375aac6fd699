/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/network-watch.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/base/log.h"

#define READS_PER_TURN 16U
#define NEWS_SIZE ((size_t) 8192) /* what the kernel sends at once (NLMSG_GOODSIZE) at most */

struct NetworkWatch {
        int fd;
        sd_event_source *source;
        sd_event_source *timer; /* something came, and is told when this ends; one-shot */
        bool waiting;
        usec_t spacing;
        usec_t last_told; /* CLOCK_MONOTONIC; 0: never */
        void (*came)(void *userdata);
        void *userdata;
};

/* --- what is news */

/* NLMSG_DATA() for a header that is only read. */
static const void *data_of(const struct nlmsghdr *h) {
        return (const uint8_t *) h + NLMSG_HDRLEN;
}

static bool link_is_up(const struct nlmsghdr *h) {
        const struct ifinfomsg *info = data_of(h);

        return h->nlmsg_len >= NLMSG_LENGTH(sizeof(*info)) && (info->ifi_flags & IFF_UP) &&
               (info->ifi_flags & IFF_RUNNING);
}

/* One that the kernel still tries for duplicates (RFC 4862, 5.4) cannot be used, and comes again
 * when it can. */
static bool address_is_usable(const struct nlmsghdr *h) {
        const struct ifaddrmsg *info = data_of(h);

        return h->nlmsg_len >= NLMSG_LENGTH(sizeof(*info)) && info->ifa_scope < RT_SCOPE_LINK &&
               !(info->ifa_flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
}

static bool route_leads_out(const struct nlmsghdr *h) {
        const struct rtmsg *info = data_of(h);

        return h->nlmsg_len >= NLMSG_LENGTH(sizeof(*info)) && info->rtm_type == RTN_UNICAST &&
               !(info->rtm_flags & RTM_F_CLONED);
}

static bool is_good(const struct nlmsghdr *h) {
        switch (h->nlmsg_type) {
        case RTM_NEWLINK:
                return link_is_up(h);
        case RTM_NEWADDR:
                return address_is_usable(h);
        case RTM_NEWROUTE:
                return route_leads_out(h);
        default: /* the kernel's numbers, not ours */
                return false;
        }
}

bool network_news_are_good(const void *messages, size_t size) {
        const uint8_t *p = messages;

        while (size >= sizeof(struct nlmsghdr)) {
                struct nlmsghdr h;
                size_t step;

                memcpy(&h, p, sizeof(h));
                if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > size)
                        break;
                if (is_good((const struct nlmsghdr *) (const void *) p))
                        return true;
                step = NLMSG_ALIGN((size_t) h.nlmsg_len);
                if (step >= size)
                        break;
                p += step;
                size -= step;
        }
        return false;
}

/* --- when it is told */

static usec_t now_usec(const NetworkWatch *w) {
        uint64_t now = 0;

        (void) sd_event_now(sd_event_source_get_event(w->timer), CLOCK_MONOTONIC, &now);
        return now;
}

static int on_settled_timer(_unused_ sd_event_source *s, _unused_ uint64_t usec, void *userdata) {
        NetworkWatch *w = userdata;

        w->waiting = false;
        w->last_told = now_usec(w);
        w->came(w->userdata);
        return 0;
}

static void note(NetworkWatch *w) {
        const usec_t now = now_usec(w);
        usec_t when = usec_add(now, NETWORK_WATCH_SETTLE_USEC);

        if (w->waiting)
                return;
        if (w->last_told == 0 ||
            usec_sub(now, w->last_told) > w->spacing + NETWORK_WATCH_SPACING_LAST_USEC)
                w->spacing = NETWORK_WATCH_SPACING_FIRST_USEC;
        else {
                if (when < usec_add(w->last_told, w->spacing))
                        when = usec_add(w->last_told, w->spacing);
                w->spacing = w->spacing * 2 < NETWORK_WATCH_SPACING_LAST_USEC
                                     ? w->spacing * 2
                                     : NETWORK_WATCH_SPACING_LAST_USEC;
        }
        if (sd_event_source_set_time(w->timer, when) < 0 ||
            sd_event_source_set_enabled(w->timer, SD_EVENT_ONESHOT) < 0)
                return;
        w->waiting = true;
}

/* --- the socket */

/* 1: something came; 0: nothing more to read; or negative. */
static int read_news(NetworkWatch *w) {
        union {
                struct nlmsghdr header; /* for its alignment */
                uint8_t bytes[NEWS_SIZE];
        } news;
        struct sockaddr_nl from = {};
        socklen_t size = sizeof(from);
        ssize_t n;

        n = recvfrom(w->fd, &news, sizeof(news), MSG_DONTWAIT, (struct sockaddr *) &from, &size);
        if (n < 0 && errno == EINTR)
                return 1;
        if (n < 0 && errno == EAGAIN)
                return 0;
        /* More came than there was room for: what was lost may have been good (netlink(7)). */
        if (n < 0 && errno == ENOBUFS) {
                note(w);
                return 1;
        }
        if (n < 0)
                return -errno;
        /* The kernel's port is 0; another process may write to us where it has the right to. */
        if (size == sizeof(from) && from.nl_pid == 0 && network_news_are_good(&news, (size_t) n))
                note(w);
        return 1;
}

static int on_news_io(_unused_ sd_event_source *s, _unused_ int fd, _unused_ uint32_t revents,
                      void *userdata) {
        NetworkWatch *w = userdata;
        int r = 1;

        for (unsigned i = 0; i < READS_PER_TURN && r > 0; i++)
                r = read_news(w);
        if (r < 0) {
                log_warning_errno(r, "That a network comes is not noticed any more");
                w->source = sd_event_source_disable_unref(w->source);
        }
        return 0;
}

static int open_netlink(void) {
        const struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                           .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
                                                        RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                                        RTMGRP_IPV6_ROUTE};
        _cleanup_close_ int fd = -1;

        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
        if (fd < 0)
                return -errno;
        if (bind(fd, (const struct sockaddr *) &groups, sizeof(groups)) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int network_watch_new(sd_event *event, void (*came)(void *userdata), void *userdata,
                      NetworkWatch **ret) {
        _cleanup_(network_watch_freep) NetworkWatch *w = calloc(1, sizeof(NetworkWatch));
        int r;

        if (!w)
                return -ENOMEM;
        w->came = came;
        w->userdata = userdata;
        w->spacing = NETWORK_WATCH_SPACING_FIRST_USEC;
        w->fd = open_netlink();
        if (w->fd < 0)
                return w->fd;
        r = sd_event_add_time(event, &w->timer, CLOCK_MONOTONIC, 0, USEC_PER_MSEC, on_settled_timer,
                              w);
        if (r >= 0)
                r = sd_event_source_set_enabled(w->timer, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_io(event, &w->source, w->fd, EPOLLIN, on_news_io, w);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(w);
        return 0;
}

NetworkWatch *network_watch_free(NetworkWatch *w) {
        if (!w)
                return NULL;
        sd_event_source_disable_unref(w->source);
        sd_event_source_disable_unref(w->timer);
        close_fd(w->fd);
        free(w);
        return NULL;
}

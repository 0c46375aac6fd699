/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What of rtnetlink's news is good, and how often it is told. What the socket gives is made here;
 * real links come and go in tests/integration/daemon/test-network.c. */

#include <check.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "daemon/net/network-watch.h"
#include "tests/unit/net/run-suite.h"

/* --- messages */

typedef struct News {
        struct nlmsghdr header;
        union {
                struct ifinfomsg link;
                struct ifaddrmsg address;
                struct rtmsg route;
        } body;
} News;

static News link_with(unsigned flags) {
        return (News){.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
                                 .nlmsg_type = RTM_NEWLINK},
                      .body.link.ifi_flags = flags};
}

static News address_with(uint8_t scope, uint8_t flags) {
        return (News){.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
                                 .nlmsg_type = RTM_NEWADDR},
                      .body.address = {.ifa_scope = scope, .ifa_flags = flags}};
}

static News route_of(uint8_t type, unsigned flags) {
        return (News){.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                                 .nlmsg_type = RTM_NEWROUTE},
                      .body.route = {.rtm_type = type, .rtm_flags = flags}};
}

static bool is_good(News news) {
        return network_news_are_good(&news, news.header.nlmsg_len);
}

START_TEST(links_with_a_carrier_are_good)
{
        ck_assert(is_good(link_with(IFF_UP | IFF_RUNNING)));
        ck_assert(!is_good(link_with(IFF_UP)));
        ck_assert(!is_good(link_with(IFF_RUNNING)));
        ck_assert(!is_good(link_with(0)));
}
END_TEST

START_TEST(addresses_that_can_be_used_are_good)
{
        ck_assert(is_good(address_with(RT_SCOPE_UNIVERSE, IFA_F_PERMANENT)));
        ck_assert(is_good(address_with(RT_SCOPE_SITE, 0)));
        ck_assert(!is_good(address_with(RT_SCOPE_LINK, IFA_F_PERMANENT)));
        ck_assert(!is_good(address_with(RT_SCOPE_HOST, IFA_F_PERMANENT)));
        ck_assert(!is_good(address_with(RT_SCOPE_UNIVERSE, IFA_F_TENTATIVE)));
        ck_assert(!is_good(address_with(RT_SCOPE_UNIVERSE, IFA_F_DADFAILED)));
}
END_TEST

START_TEST(routes_that_lead_somewhere_are_good)
{
        ck_assert(is_good(route_of(RTN_UNICAST, 0)));
        ck_assert(!is_good(route_of(RTN_UNICAST, RTM_F_CLONED)));
        ck_assert(!is_good(route_of(RTN_LOCAL, 0)));
        ck_assert(!is_good(route_of(RTN_MULTICAST, 0)));
        ck_assert(!is_good(route_of(RTN_UNREACHABLE, 0)));
}
END_TEST

START_TEST(what_goes_is_not_good)
{
        static const uint16_t types[] = {
                RTM_DELLINK, RTM_DELADDR, RTM_DELROUTE, RTM_NEWNEIGH, NLMSG_DONE, NLMSG_ERROR, 0};

        for (size_t i = 0; i < ELEMENTSOF(types); i++) {
                News news = link_with(IFF_UP | IFF_RUNNING);

                news.header.nlmsg_type = types[i];
                ck_assert(!is_good(news));
        }
}
END_TEST

START_TEST(good_news_are_found_behind_others)
{
        News both[] = {link_with(0), link_with(IFF_UP | IFF_RUNNING)};

        both[0].header.nlmsg_len = sizeof(both[0]);
        ck_assert(network_news_are_good(both, sizeof(both)));
}
END_TEST

START_TEST(cut_off_and_senseless_messages_are_nothing)
{
        News whole = link_with(IFF_UP | IFF_RUNNING);

        for (uint32_t length = 0; length < whole.header.nlmsg_len; length++) {
                /* Of its own size: a byte too far would be seen. */
                _cleanup_free_ uint8_t *cut = malloc(length > 0 ? length : 1);
                News claimed = whole;

                ck_assert_ptr_nonnull(cut);
                memcpy(cut, &whole, length);
                ck_assert(!network_news_are_good(cut, length));
                claimed.header.nlmsg_len = length;
                memcpy(cut, &claimed, length);
                ck_assert(!network_news_are_good(cut, length));
        }
        for (unsigned seed = 0; seed < 2000; seed++) {
                uint32_t size = 1 + seed % 64;
                _cleanup_free_ uint8_t *noise = malloc(size);

                ck_assert_ptr_nonnull(noise);
                for (uint32_t i = 0; i < size; i++)
                        noise[i] = (uint8_t) (rand() >> 3);
                (void) network_news_are_good(noise, size);
        }
}
END_TEST

/* --- the watch, on an eventfd in place of its socket */

static int fake_fd = -1, socket_errno;
static unsigned n_reads, n_came;
static int next_errno; /* what a read fails with; 0: it gives `next` */
static uint32_t next_sender;
static News next;
static sd_event *event;
static NetworkWatch *watch;

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __real_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
ssize_t __real_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from,
                        socklen_t *from_size);
ssize_t __wrap_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from,
                        socklen_t *from_size);

int __wrap_socket(int domain, int type, int protocol) {
        if (domain != AF_NETLINK)
                return __real_socket(domain, type, protocol);
        if (socket_errno != 0) {
                errno = socket_errno;
                return -1;
        }
        fake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        return fake_fd;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size) {
        const struct sockaddr_nl *groups = (const void *) address;

        if (fd != fake_fd)
                return __real_bind(fd, address, size);
        ck_assert_uint_eq(size, sizeof(*groups));
        ck_assert_int_eq(groups->nl_family, AF_NETLINK);
        return 0;
}

ssize_t __wrap_recvfrom(int fd, void *buffer, size_t size, int flags, struct sockaddr *from,
                        socklen_t *from_size) {
        eventfd_t count;

        if (fd != fake_fd)
                return __real_recvfrom(fd, buffer, size, flags, from, from_size);
        if (eventfd_read(fd, &count) < 0)
                return -1;
        n_reads++;
        if (next_errno != 0) {
                errno = next_errno;
                return -1;
        }
        ck_assert_uint_ge(size, sizeof(next));
        memcpy(buffer, &next, sizeof(next));
        *(struct sockaddr_nl *) (void *) from =
                (struct sockaddr_nl){.nl_family = AF_NETLINK, .nl_pid = next_sender};
        *from_size = sizeof(struct sockaddr_nl);
        return (ssize_t) next.header.nlmsg_len;
}

static void on_came(void *userdata) {
        ck_assert_ptr_eq(userdata, &n_came);
        n_came++;
}

static void setup(void) {
        ck_assert_int_ge(sd_event_new(&event), 0);
        ck_assert_int_eq(network_watch_new(event, on_came, &n_came, &watch), 0);
        next = link_with(IFF_UP | IFF_RUNNING);
}

static void teardown(void) {
        network_watch_free(watch);
        sd_event_unref(event);
}

static void arrive(void) {
        unsigned before = n_reads;

        ck_assert_int_eq(eventfd_write(fake_fd, 1), 0);
        while (n_reads == before)
                ck_assert_int_gt(sd_event_run(event, USEC_PER_SEC), 0);
}

static void wait_until_told(unsigned n) {
        while (n_came < n)
                ck_assert_int_gt(sd_event_run(event, 10 * USEC_PER_SEC), 0);
}

static usec_t now_usec(void) {
        struct timespec t;

        ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &t), 0);
        return (usec_t) t.tv_sec * USEC_PER_SEC + (usec_t) t.tv_nsec / 1000;
}

START_TEST(link_address_and_route_are_one)
{
        arrive();
        next = address_with(RT_SCOPE_UNIVERSE, 0);
        arrive();
        next = route_of(RTN_UNICAST, 0);
        arrive();
        ck_assert_uint_eq(n_came, 0);
        wait_until_told(1);
        while (sd_event_run(event, 2 * NETWORK_WATCH_SETTLE_USEC) > 0)
                ;
        ck_assert_uint_eq(n_came, 1);
}
END_TEST

START_TEST(what_follows_is_told_later_each_time)
{
        usec_t first, second;

        arrive();
        wait_until_told(1);
        first = now_usec();
        arrive();
        wait_until_told(2);
        second = now_usec();
        ck_assert_uint_ge(second - first, NETWORK_WATCH_SPACING_FIRST_USEC);
        arrive();
        wait_until_told(3);
        ck_assert_uint_ge(now_usec() - second, 2 * NETWORK_WATCH_SPACING_FIRST_USEC);
}
END_TEST

START_TEST(news_that_were_lost_count_as_good)
{
        next_errno = ENOBUFS;
        arrive();
        wait_until_told(1);
}
END_TEST

START_TEST(bad_news_and_those_of_others_are_not_told)
{
        next = link_with(0);
        arrive();
        next = link_with(IFF_UP | IFF_RUNNING);
        next_sender = 4711;
        arrive();
        ck_assert_int_eq(sd_event_run(event, 2 * NETWORK_WATCH_SETTLE_USEC), 0);
        ck_assert_uint_eq(n_came, 0);
}
END_TEST

START_TEST(socket_that_fails_does_not_make_the_loop_spin)
{
        unsigned runs = 0;

        next_errno = EIO;
        arrive();
        ck_assert_int_eq(eventfd_write(fake_fd, 1), 0);
        while (sd_event_run(event, 0) > 0)
                ck_assert_uint_lt(++runs, 10);
}
END_TEST

START_TEST(kernel_without_netlink_is_said)
{
        NetworkWatch *none = NULL;

        socket_errno = EAFNOSUPPORT;
        ck_assert_int_eq(network_watch_new(event, on_came, &n_came, &none), -EAFNOSUPPORT);
        ck_assert_ptr_null(none);
        ck_assert_ptr_null(network_watch_free(NULL));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("net: network watch");
        TCase *tc = tcase_create("news");

        tcase_add_test(tc, links_with_a_carrier_are_good);
        tcase_add_test(tc, addresses_that_can_be_used_are_good);
        tcase_add_test(tc, routes_that_lead_somewhere_are_good);
        tcase_add_test(tc, what_goes_is_not_good);
        tcase_add_test(tc, good_news_are_found_behind_others);
        tcase_add_test(tc, cut_off_and_senseless_messages_are_nothing);
        suite_add_tcase(suite, tc);
        tc = tcase_create("watch");
        tcase_add_checked_fixture(tc, setup, teardown);
        tcase_add_test(tc, link_address_and_route_are_one);
        tcase_add_test(tc, what_follows_is_told_later_each_time);
        tcase_add_test(tc, news_that_were_lost_count_as_good);
        tcase_add_test(tc, bad_news_and_those_of_others_are_not_told);
        tcase_add_test(tc, socket_that_fails_does_not_make_the_loop_spin);
        tcase_add_test(tc, kernel_without_netlink_is_said);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}

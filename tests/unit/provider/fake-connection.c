/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/provider/fake-connection.h"

#include <check.h>

struct Connection {
        const ConnectionHandlers *handlers;
        void *userdata;
        bool over; /* `lost` was told: nothing may come after it */
};

Fake fake;

static void forget_topics(void) {
        for (size_t i = 0; i < fake.n_asked; i++)
                free(fake.asked[i]);
        fake.n_asked = fake.n_answered = 0;
}

void fake_done(void) {
        ck_assert_ptr_null(fake.live);
        forget_topics();
        for (size_t i = 0; i < fake.n_publishes; i++) {
                free(fake.publishes[i].topic);
                free(fake.publishes[i].payload);
        }
        free(fake.host);
        free(fake.client_id);
        free(fake.certificate);
        free(fake.user_name);
        free(fake.password);
        fake = (Fake){};
}

int connection_new(Network *n, const ConnectionParameters *p, const ConnectionHandlers *handlers,
                   void *userdata, Connection **ret) {
        Connection *c;

        if (fake.new_error < 0)
                return fake.new_error;
        ck_assert_ptr_null(fake.live); /* the former one was let go */
        c = calloc(1, sizeof(Connection));
        *c = (Connection){.handlers = handlers, .userdata = userdata};
        forget_topics();
        ck_assert_int_eq(free_and_strdup(&fake.host, p->road.tls.host), 0);
        ck_assert_int_eq(free_and_strdup(&fake.client_id, p->client_id), 0);
        ck_assert_int_eq(
                free_and_strdup(&fake.certificate, p->road.tls.certificate
                                                           ? secret_text(p->road.tls.certificate)
                                                           : NULL),
                0);
        ck_assert_int_eq(free_and_strdup(&fake.user_name, p->user_name), 0);
        ck_assert_int_eq(
                free_and_strdup(&fake.password, p->password ? secret_text(p->password) : NULL), 0);
        fake.port = p->road.tls.port;
        fake.packet_max = p->packet_max;
        fake.live = c;
        fake.made++;
        *ret = c;
        return 0;
}

int connection_subscribe(Connection *c, const char *topic) {
        ck_assert_ptr_eq(c, fake.live);
        if (fake.subscribe_error < 0)
                return fake.subscribe_error;
        ck_assert_uint_lt(fake.n_asked, FAKE_TOPICS_MAX);
        fake.asked[fake.n_asked++] = strdup(topic);
        return 0;
}

int connection_publish(Connection *c, const char *topic, const void *payload, size_t size) {
        FakePublish *p;

        ck_assert_ptr_eq(c, fake.live);
        if (fake.publish_error < 0)
                return fake.publish_error;
        ck_assert_uint_lt(fake.n_publishes, FAKE_PUBLISHES_MAX);
        p = fake.publishes + fake.n_publishes++;
        p->topic = strdup(topic);
        p->payload = calloc(1, size + 1);
        p->size = size;
        if (size > 0)
                memcpy(p->payload, payload, size);
        return 0;
}

Connection *connection_free(Connection *c) {
        if (!c)
                return NULL;
        ck_assert_ptr_eq(c, fake.live);
        fake.live = NULL;
        fake.freed++;
        free(c);
        return NULL;
}

void fake_connected(void) {
        ck_assert_ptr_nonnull(fake.live);
        fake.live->handlers->connected(fake.live->userdata);
}

void fake_subscribed(bool accepted) {
        _cleanup_free_ char *topic = NULL;

        ck_assert_ptr_nonnull(fake.live);
        ck_assert_uint_lt(fake.n_answered, fake.n_asked);
        topic = strdup(fake.asked[fake.n_answered++]);
        fake.live->handlers->subscribed(topic, accepted, fake.live->userdata);
}

void fake_subscribed_all(void) {
        while (fake.live && fake.n_answered < fake.n_asked)
                fake_subscribed(true);
}

void fake_message(const char *topic, const Payload *p) {
        _cleanup_free_ char *copy = strdup(topic);

        ck_assert_ptr_nonnull(fake.live);
        fake.live->handlers->message(copy, strlen(copy), p->data, p->size, fake.live->userdata);
}

void fake_lost(ErrorCode code, const char *text) {
        ck_assert_ptr_nonnull(fake.live);
        ck_assert(!fake.live->over);
        fake.live->over = true;
        fake.live->handlers->lost(failure_new(code, "%s", text), fake.live->userdata);
}

const FakePublish *fake_last(void) {
        ck_assert_uint_gt(fake.n_publishes, 0);
        return fake.publishes + fake.n_publishes - 1;
}

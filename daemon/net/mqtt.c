/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/mqtt.h"

#include <MQTTAsync.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "daemon/base/clock.h"
#include "daemon/net/blank.h"
#include "daemon/net/mailbox.h"

#define MQTT_QOS 0

/* How long the library may take to notice that its connection has ended. It checks its own
 * time-outs every three seconds. */
#define STOP_USEC (8 * USEC_PER_SEC)
#define TIMER_ACCURACY_USEC (100 * USEC_PER_MSEC)

/* The context of one SUBSCRIBE's callbacks. Freed with the Mqtt: the library does not promise that
 * it calls one of them. */
typedef struct Subscription Subscription;
struct Subscription {
        Mailbox *mailbox;
        LIST_LINK(Subscription, subscriptions);
        char topic[];
};

struct Mqtt {
        sd_event *event;
        Worker *worker;
        const MqttHandlers *handlers;
        void *userdata;
        Mailbox *mailbox;
        sd_event_source *source;
        sd_event_source *timer;
        usec_t stop_deadline;
        LIST_HEAD(Subscription, subscriptions);

        MQTTAsync handle; /* NULL: not made yet, or not any more */
        size_t n_tasks;   /* at the worker */
        bool started;     /* the handle was made and told to connect, or that failed */
        bool connected;
        bool ended; /* the library will not say anything more */
        bool stopping;
        bool destroying;
        bool finished;
};

typedef struct Task {
        /* The worker's side. */
        MQTTAsync handle;
        Mailbox *mailbox;
        Subscription *subscription; /* or NULL */
        char *uri, *proxy, *client_id, *user_name;
        Secret *password;
        unsigned keep_alive_sec, connect_timeout_sec;
        int result;
} Task;

/* --- on the library's threads, which hold its locks: copy, post, leave */

static void on_library_connected(void *context, MQTTAsync_successData *response) {
        (void) mailbox_post(context, mail_new(MAIL_CONNECTED, 0, NULL, 0, NULL, 0));
}

static void on_library_connect_failed(void *context, MQTTAsync_failureData *response) {
        const char *text = response && response->message ? response->message : "";

        (void) mailbox_post(context, mail_new(MAIL_CONNECT_FAILED, response ? response->code : -1,
                                              text, strlen(text), NULL, 0));
}

static void on_library_lost(void *context, char *cause) {
        (void) mailbox_post(context, mail_new(MAIL_LOST, 0, NULL, 0, NULL, 0));
}

static int on_library_message(void *context, char *topic, int topic_size,
                              MQTTAsync_message *message) {
        /* 0: a terminated string; else it holds NULs. */
        size_t size = topic_size > 0 ? (size_t) topic_size : strlen(topic);
        size_t payload_size = message->payloadlen > 0 ? (size_t) message->payloadlen : 0;

        if (!blank_is_topic(topic, size))
                (void) mailbox_post(context, mail_new(MAIL_MESSAGE, 0, topic, size,
                                                      message->payload, payload_size));
        if (payload_size > 0)
                explicit_bzero(message->payload, payload_size);
        MQTTAsync_freeMessage(&message);
        MQTTAsync_free(topic);
        return 1; /* anything else, and it is delivered again */
}

static void on_library_subscribed(void *context, MQTTAsync_successData *response) {
        Subscription *s = context;

        (void) mailbox_post(s->mailbox,
                            mail_new(MAIL_SUBSCRIBED, 0, s->topic, strlen(s->topic), NULL, 0));
}

static void on_library_subscribe_failed(void *context, MQTTAsync_failureData *response) {
        Subscription *s = context;

        /* Below 0: the connection ended, which is told by itself. */
        if (response && response->code == MQTT_BAD_SUBSCRIBE)
                (void) mailbox_post(s->mailbox, mail_new(MAIL_SUBSCRIBED, MQTT_BAD_SUBSCRIBE,
                                                         s->topic, strlen(s->topic), NULL, 0));
}

/* --- on the worker: what waits for the library's global lock */

static int library_connect(Task *t) {
        MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;

        options.keepAliveInterval = (int) t->keep_alive_sec;
        options.cleansession = 1;
        options.connectTimeout = (int) t->connect_timeout_sec;
        options.automaticReconnect = 0;
        /* MQTTVERSION_DEFAULT would reconnect by itself after a loss, as MQTT 3.1, and tell nobody.
         */
        options.MQTTVersion = MQTTVERSION_3_1_1;
        options.httpProxy = t->proxy;
        options.username = t->user_name;
        if (t->password) {
                options.binarypwd.len = (int) t->password->size;
                options.binarypwd.data = t->password->data;
        }
        options.onSuccess = on_library_connected;
        options.onFailure = on_library_connect_failed;
        options.context = t->mailbox;
        return MQTTAsync_connect(t->handle, &options);
}

static void start_run(void *task) {
        Task *t = task;

        /* Without persistence: the default writes into the current directory. */
        t->result = MQTTAsync_create(&t->handle, t->uri, t->client_id, MQTTCLIENT_PERSISTENCE_NONE,
                                     NULL);
        if (t->result != MQTTASYNC_SUCCESS) {
                t->handle = NULL;
                return;
        }
        t->result = MQTTAsync_setCallbacks(t->handle, t->mailbox, on_library_lost,
                                           on_library_message, NULL);
        if (t->result == MQTTASYNC_SUCCESS)
                t->result = library_connect(t);
}

static void subscribe_run(void *task) {
        MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
        Task *t = task;

        options.onSuccess = on_library_subscribed;
        options.onFailure = on_library_subscribe_failed;
        options.context = t->subscription;
        t->result = MQTTAsync_subscribe(t->handle, t->subscription->topic, MQTT_QOS, &options);
}

static void destroy_run(void *task) {
        Task *t = task;

        MQTTAsync_destroy(&t->handle);
}

static void task_destroy(void *task) {
        Task *t = task;

        free(t->uri);
        secret_string_free(t->proxy);
        free(t->client_id);
        free(t->user_name);
        secret_free(t->password);
        free(t);
}

/* --- on the loop */

static void mqtt_advance(Mqtt *m);

static void mqtt_finish(Mqtt *m) {
        m->finished = true;
        m->source = sd_event_source_disable_unref(m->source);
        m->timer = sd_event_source_disable_unref(m->timer);
        m->handlers->finished(m->userdata);
}

static void on_start_complete(void *task, void *userdata) {
        Mqtt *m = userdata;
        Task *t = task;

        m->n_tasks--;
        m->started = true;
        m->handle = t->handle;
        if (t->result != MQTTASYNC_SUCCESS)
                m->ended = true;
        if (t->result != MQTTASYNC_SUCCESS && !m->stopping)
                m->handlers->refused(t->result, MQTTAsync_strerror(t->result), m->userdata);
        else
                /* What was posted before now is told now. */
                (void) sd_event_source_set_enabled(m->source, SD_EVENT_ON);
        mqtt_advance(m);
}

static void on_subscribe_complete(void *task, void *userdata) {
        Mqtt *m = userdata;
        Task *t = task;

        m->n_tasks--;
        /* Not connected any more: the loss is told by itself. */
        if (t->result != MQTTASYNC_SUCCESS && t->result != MQTTASYNC_DISCONNECTED && !m->stopping)
                m->handlers->error(MQTTAsync_strerror(t->result), m->userdata);
        mqtt_advance(m);
}

static void on_destroy_complete(void *task, void *userdata) {
        Mqtt *m = userdata;

        m->n_tasks--;
        m->handle = NULL;
        mqtt_advance(m);
}

static const WorkerTaskType start_type = {start_run, on_start_complete, task_destroy};
static const WorkerTaskType subscribe_type = {subscribe_run, on_subscribe_complete, task_destroy};
static const WorkerTaskType destroy_type = {destroy_run, on_destroy_complete, task_destroy};

static int mqtt_submit(Mqtt *m, const WorkerTaskType *type, Task *t) {
        int r = worker_submit(m->worker, type, t, m);

        if (r >= 0)
                m->n_tasks++;
        return r;
}

/* The way to the end, once mqtt_stop() was called: wait for what is under way, destroy, finish. */
static void mqtt_advance(Mqtt *m) {
        Task *t;

        if (!m->stopping || m->finished || m->n_tasks > 0)
                return;
        if (m->started && !m->handle) {
                mqtt_finish(m);
                return;
        }
        if (m->destroying || !(m->ended || clock_boot_usec() >= m->stop_deadline))
                return;
        t = calloc(1, sizeof(Task));
        if (!t)
                return; /* the timer tries again */
        t->handle = m->handle;
        if (mqtt_submit(m, &destroy_type, t) >= 0)
                m->destroying = true;
}

static void deliver(Mqtt *m, const Mail *mail) {
        switch (mail->kind) {
        case MAIL_CONNECTED:
                m->connected = true;
                m->handlers->connected(m->userdata);
                break;
        case MAIL_SUBSCRIBED:
                m->handlers->subscribed(mail->text, mail->code == 0, m->userdata);
                break;
        case MAIL_MESSAGE:
                m->handlers->message(mail->text, mail->text_size, mail->payload, mail->payload_size,
                                     m->userdata);
                break;
        case MAIL_CONNECT_FAILED:
                m->handlers->refused(mail->code, mail->text_size > 0 ? mail->text : NULL,
                                     m->userdata);
                break;
        case MAIL_LOST:
                m->connected = false;
                m->handlers->lost(m->userdata);
                break;
        }
}

void mqtt_step(Mqtt *m) {
        mailbox_acknowledge(m->mailbox);
        for (;;) {
                _cleanup_(mail_freep) Mail *mail = mailbox_take(m->mailbox);

                if (!mail)
                        break;
                if (mail->kind == MAIL_CONNECT_FAILED || mail->kind == MAIL_LOST)
                        m->ended = true;
                if (!m->stopping)
                        deliver(m, mail);
        }
        if (!m->stopping && mailbox_overrun(m->mailbox))
                m->handlers->overrun(m->userdata);
        mqtt_advance(m);
}

static int on_mailbox_io(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
        mqtt_step(userdata);
        return 0;
}

static int on_stop_timer(sd_event_source *s, uint64_t usec, void *userdata) {
        Mqtt *m = userdata;

        (void) sd_event_source_set_time_relative(s, USEC_PER_SEC);
        (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        mqtt_step(m);
        return 0;
}

void mqtt_prepare_process(void) {
        static const char *const variables[] = {"http_proxy", "https_proxy", "MQTT_C_CLIENT_TRACE",
                                                "MQTT_C_CLIENT_TRACE_LEVEL",
                                                "MQTT_C_CLIENT_TRACE_MAX_LINES"};
        MQTTAsync_init_options options = MQTTAsync_init_options_initializer;

        /* The library obeys them: a proxy for each URI, 127.0.0.1 too, and a file that it opens. */
        for (size_t i = 0; i < ELEMENTSOF(variables); i++)
                (void) unsetenv(variables[i]);
        /* It sets this by itself when it first connects; no surprise in the middle of the life. */
        (void) signal(SIGPIPE, SIG_IGN);
        MQTTAsync_global_init(&options);
}

static Task *start_task_new(Mqtt *m, const MqttParameters *p) {
        Task *t = calloc(1, sizeof(Task));

        if (!t)
                return NULL;
        t->mailbox = m->mailbox;
        t->keep_alive_sec = p->keep_alive_sec;
        t->connect_timeout_sec = p->connect_timeout_sec;
        t->password = secret_copy(p->password);
        if ((p->password && !t->password) || free_and_strdup(&t->uri, p->uri) < 0 ||
            free_and_strdup(&t->proxy, p->proxy) < 0 ||
            free_and_strdup(&t->client_id, p->client_id) < 0 ||
            free_and_strdup(&t->user_name, p->user_name) < 0) {
                task_destroy(t);
                return NULL;
        }
        return t;
}

static void mqtt_destroy(Mqtt *m) {
        Subscription *s, *next;

        LIST_FOREACH_SAFE(subscriptions, s, next, m) {
                LIST_REMOVE(subscriptions, m, s);
                free(s);
        }
        sd_event_source_disable_unref(m->source);
        sd_event_source_disable_unref(m->timer);
        mailbox_free(m->mailbox);
        sd_event_unref(m->event);
        free(m);
}

int mqtt_new(sd_event *event, Worker *worker, const MqttParameters *p, const MqttHandlers *handlers,
             void *userdata, Mqtt **ret) {
        Mqtt *m = calloc(1, sizeof(Mqtt));
        Task *t;
        int r;

        if (!m)
                return -ENOMEM;
        m->event = sd_event_ref(event);
        m->worker = worker;
        m->handlers = handlers;
        m->userdata = userdata;
        r = mailbox_new(p->mails_max, p->mail_bytes_max, &m->mailbox);
        if (r >= 0)
                r = sd_event_add_io(event, &m->source, mailbox_fd(m->mailbox), EPOLLIN,
                                    on_mailbox_io, m);
        if (r >= 0)
                r = sd_event_source_set_enabled(m->source, SD_EVENT_OFF);
        if (r >= 0) {
                t = start_task_new(m, p);
                r = t ? mqtt_submit(m, &start_type, t) : -ENOMEM;
        }
        if (r < 0) {
                mqtt_destroy(m);
                return r;
        }
        *ret = m;
        return 0;
}

int mqtt_subscribe(Mqtt *m, const char *topic) {
        size_t size = strlen(topic) + 1;
        Subscription *s;
        Task *t;
        int r;

        if (!m->connected || m->stopping)
                return -ENOTCONN;
        s = calloc(1, sizeof(Subscription) + size);
        t = calloc(1, sizeof(Task));
        if (!s || !t) {
                free(s);
                free(t);
                return -ENOMEM;
        }
        s->mailbox = m->mailbox;
        memcpy(s->topic, topic, size);
        t->handle = m->handle;
        t->subscription = s;
        r = mqtt_submit(m, &subscribe_type, t);
        if (r < 0) {
                free(s);
                return r;
        }
        LIST_APPEND(subscriptions, m, s);
        return 0;
}

int mqtt_publish(Mqtt *m, const char *topic, const void *payload, size_t size) {
        int r;

        if (!m->connected || m->stopping)
                return -ENOTCONN;
        if (size > INT32_MAX)
                return -EMSGSIZE;
        r = MQTTAsync_send(m->handle, topic, (int) size, payload ? payload : "", MQTT_QOS, 0, NULL);
        switch (r) {
        case MQTTASYNC_SUCCESS:
                return 0;
        case MQTTASYNC_DISCONNECTED:
                return -ENOTCONN;
        case MQTTASYNC_BAD_UTF8_STRING:
                return -EINVAL;
        default:
                return -ENOMEM;
        }
}

void mqtt_stop(Mqtt *m) {
        if (m->stopping)
                return;
        m->stopping = true;
        m->stop_deadline = usec_add(clock_boot_usec(), STOP_USEC);
        /* Not now: `finished` must not come from within this call, and what ends it may be posted
         * already. */
        if (sd_event_add_time_relative(m->event, &m->timer, CLOCK_BOOTTIME, 0, TIMER_ACCURACY_USEC,
                                       on_stop_timer, m) < 0)
                m->stop_deadline = 0;
}

bool mqtt_waits_for_worker(const Mqtt *m) {
        return m->n_tasks > 0;
}

Mqtt *mqtt_free(Mqtt *m) {
        if (m)
                mqtt_destroy(m);
        return NULL;
}

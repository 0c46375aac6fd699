/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/net/harness.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define FILE_MAX ((size_t) 256 * 1024)
#define LOG_WAIT_STEPS 1000
#define STEP_USEC 10000

static char *directory;

/* Inside the MQTT library: fields that its threads read without its lock, and how it ends them. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
        return "race:libpaho-mqtt3a\n";
}

/* For who runs a test by hand; tests/lsan.supp says why. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
        return "leak:libpaho-mqtt3a\n";
}

void harness_setup(void) {
        char template[] = "/tmp/fleetprov-net.XXXXXX";
        char *command;

        ck_assert_ptr_nonnull(mkdtemp(template));
        directory = strdup(template);
        ck_assert_int_eq(chmod(directory, 0755), 0);
        ck_assert_int_gt(
                asprintf(&command, "'%s/make-certificates' %s", TEST_SOURCE_DIR, directory), 0);
        ck_assert_int_eq(system(command), 0);
        free(command);
}

void harness_teardown(void) {
        char *command;

        ck_assert_int_gt(asprintf(&command, "rm -rf %s", directory), 0);
        ck_assert_int_eq(system(command), 0);
        free(command);
        free(directory);
        directory = NULL;
}

const char *harness_path(const char *name) {
        static char *paths[8];
        static size_t next;
        char **path = &paths[next++ % ELEMENTSOF(paths)];

        free(*path);
        ck_assert_int_gt(asprintf(path, "%s/%s", directory, name), 0);
        return *path;
}

Secret *harness_file(const char *name) {
        Secret *s = NULL;

        ck_assert_int_eq(secret_from_file(AT_FDCWD, harness_path(name), FILE_MAX, &s), 0);
        return s;
}

uint16_t harness_free_port(void) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(a);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *) &a, size), 0);
        ck_assert_int_eq(getsockname(fd, (struct sockaddr *) &a, &size), 0);
        close(fd);
        return ntohs(a.sin_port);
}

pid_t harness_start(const char *log, const char *const argv[]) {
        pid_t pid, parent = getpid();

        (void) unlink(harness_path(log)); /* of an earlier server */
        pid = fork();
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                int in[2]; /* that never ends: s_server hangs up where its input does */
                int out = open(harness_path(log), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0644);

                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() != parent || pipe(in) < 0 || out < 0)
                        _exit(1);
                (void) dup2(in[0], 0);
                (void) dup2(out, 1);
                (void) dup2(out, 2);
                (void) setpgid(0, 0);
                execvp(argv[0], (char *const *) (uintptr_t) argv);
                _exit(127);
        }
        return pid;
}

void harness_stop(pid_t pid) {
        if (pid <= 0)
                return;
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
}

bool harness_log_has(const char *log, const char *text) {
        _cleanup_secret_ Secret *s = NULL;

        if (secret_from_file(AT_FDCWD, harness_path(log), FILE_MAX, &s) < 0)
                return false;
        return memmem(s->data, s->size, text, strlen(text)) != NULL;
}

size_t harness_log_size(const char *log) {
        struct stat st;

        return stat(harness_path(log), &st) < 0 ? 0 : (size_t) st.st_size;
}

void harness_wait_log(const char *log, const char *text) {
        for (size_t i = 0; i < LOG_WAIT_STEPS; i++) {
                if (harness_log_has(log, text))
                        return;
                (void) usleep(STEP_USEC);
        }
        ck_abort_msg("\"%s\" never came in %s", text, log);
}

/* Looks at the kernel's table: to connect would be a connection that the server sees. */
void harness_wait_listening(uint16_t port) {
        _cleanup_free_ char *wanted = NULL;

        ck_assert_int_gt(asprintf(&wanted, ":%04X ", port), 0);
        for (size_t i = 0; i < LOG_WAIT_STEPS; i++) {
                for (size_t j = 0; j < 2; j++) {
                        FILE *f = fopen(j == 0 ? "/proc/net/tcp" : "/proc/net/tcp6", "re");
                        _cleanup_free_ char *line = NULL;
                        size_t size = 0;
                        bool found = false;

                        while (f && !found && getline(&line, &size, f) > 0)
                                found = strstr(line, wanted) && strstr(line, " 0A ");
                        if (f)
                                fclose(f);
                        if (found)
                                return;
                }
                (void) usleep(STEP_USEC);
        }
        ck_abort_msg("nobody listens on %u", port);
}

int harness_listen(uint16_t port, int backlog) {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                .sin_port = htons(port)};
        static const int one = 1;
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(listener, 0);
        ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *) &a, sizeof(a)), 0);
        ck_assert_int_eq(listen(listener, backlog), 0);
        return listener;
}

pid_t harness_start_talker(uint16_t port, HarnessTalk talk) {
        int listener = harness_listen(port, 8);
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                        int fd = accept(listener, NULL, NULL);

                        if (fd < 0)
                                _exit(1);
                        talk(fd);
                        close(fd);
                }
        }
        close(listener);
        return pid;
}

pid_t harness_start_broker(uint16_t port, const char *extra) {
        FILE *f = fopen(harness_path("mosquitto.conf"), "we");

        ck_assert_ptr_nonnull(f);
        for (size_t i = 0; i < 2; i++)
                fprintf(f,
                        "listener %u %s\ncafile %s\ncertfile %s\nkeyfile %s\n"
                        "require_certificate true\nallow_anonymous true\n",
                        port, i == 0 ? "127.0.0.1" : "::1", harness_path("ca.pem"),
                        harness_path("server.pem"), harness_path("server.key"));
        fprintf(f, "persistence false\nlog_type all\nuser root\n%s", extra ? extra : "");
        ck_assert_int_eq(fclose(f), 0);

        pid_t pid = harness_start("mosquitto.log",
                                  (const char *const[]){"/usr/sbin/mosquitto", "-v", "-c",
                                                        harness_path("mosquitto.conf"), NULL});
        harness_wait_log("mosquitto.log", "running");
        return pid;
}

/* --- the client ---------------------------------------------------------------------------------
 */

static void on_connected(void *userdata) {
        Client *c = userdata;

        c->n_connected++;
}

static void on_subscribed(const char *topic, bool accepted, void *userdata) {
        Client *c = userdata;

        if (accepted)
                c->n_subscribed++;
        else
                c->n_refused++;
}

static void on_message(const char *topic, size_t topic_size, const uint8_t *payload, size_t size,
                       void *userdata) {
        Client *c = userdata;

        free(c->topic);
        free(c->payload);
        c->topic = strndup(topic, topic_size);
        c->payload = malloc(size + 1);
        ck_assert_ptr_nonnull(c->payload);
        if (size > 0)
                memcpy(c->payload, payload, size);
        c->payload[size] = 0;
        c->payload_size = size;
        c->n_messages++;
}

static void on_lost(Failure *failure, void *userdata) {
        Client *c = userdata;

        failure_free(c->failure);
        c->failure = failure;
        c->n_lost++;
}

static const ConnectionHandlers handlers = {
        .connected = on_connected,
        .subscribed = on_subscribed,
        .message = on_message,
        .lost = on_lost,
};

void client_init(Client *c, uint16_t port) {
        *c = (Client){};
        ck_assert_int_ge(sd_event_new(&c->event), 0);
        ck_assert_int_eq(network_new(c->event, &c->network), 0);
        c->trusted = harness_file("ca.pem");
        c->certificate = harness_file("client.pem");
        c->private_key = harness_file("client.key");
        c->p = (ConnectionParameters){
                .road.tls = {.host = "localhost",
                             .port = port,
                             .trusted = c->trusted,
                             .certificate = c->certificate,
                             .private_key = c->private_key},
                .client_id = "test",
                .keep_alive_sec = 60,
                .connect_timeout_usec = 15 * USEC_PER_SEC,
                .packet_max = PACKET_MAX,
        };
}

void client_done(Client *c) {
        connection_free(c->connection);
        network_free(c->network);
        secret_free(c->trusted);
        secret_free(c->certificate);
        secret_free(c->private_key);
        sd_event_unref(c->event);
        free(c->topic);
        free(c->payload);
        failure_free(c->failure);
}

void client_disconnect(Client *c) {
        c->connection = connection_free(c->connection);
}

void client_connect(Client *c) {
        client_disconnect(c);
        c->n_connected = c->n_subscribed = c->n_refused = c->n_messages = c->n_lost = 0;
        ck_assert_int_eq(connection_new(c->network, &c->p, &handlers, c, &c->connection), 0);
}

static int on_patience_over(sd_event_source *s, uint64_t usec, void *userdata) {
        *(bool *) userdata = true;
        return 0;
}

void client_run_for(Client *c, const unsigned *counter, unsigned n, unsigned seconds) {
        sd_event_source *timer = NULL;
        bool over = false;

        ck_assert_int_ge(sd_event_add_time_relative(c->event, &timer, CLOCK_MONOTONIC,
                                                    seconds * USEC_PER_SEC, 0, on_patience_over,
                                                    &over),
                         0);
        while (*counter < n) {
                if (c->n_lost > 0 && counter != &c->n_lost)
                        ck_abort_msg("lost: %s: %s", error_code_to_string(failure_code(c->failure)),
                                     failure_message(c->failure));
                ck_assert_msg(!over, "nothing came");
                ck_assert_int_ge(sd_event_run(c->event, UINT64_MAX), 0);
        }
        sd_event_source_disable_unref(timer);
}

void client_must_fail(Client *c, ErrorCode code, const char *text) {
        client_connect(c);
        client_run(c, &c->n_lost, 1);
        ck_assert_msg(failure_code(c->failure) == code, "wanted %s, got %s: %s",
                      error_code_to_string(code), error_code_to_string(failure_code(c->failure)),
                      failure_message(c->failure));
        ck_assert_msg(strstr(failure_message(c->failure), text) != NULL, "no \"%s\" in: %s", text,
                      failure_message(c->failure));
        ck_assert_uint_eq(c->n_connected, 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/front/client.h"

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "daemon/base/macro.h"

#define CALL_TIMEOUT_USEC (30 * USEC_PER_SEC)

sd_bus *client_connect(const char *address) {
        sd_bus *bus = NULL;
        int r;

        ck_assert_int_ge(sd_bus_new(&bus), 0);
        ck_assert_int_ge(sd_bus_set_address(bus, address), 0);
        ck_assert_int_ge(sd_bus_set_bus_client(bus, 1), 0);
        ck_assert_int_ge(sd_bus_negotiate_fds(bus, 1), 0);
        r = sd_bus_start(bus);
        ck_assert_msg(r >= 0, "%s: %s", address, strerrordesc_np(-r));
        return bus;
}

void client_close(sd_bus *bus) {
        sd_bus_flush_close_unref(bus);
}

static sd_bus_message *make_call(sd_bus *bus, const char *path, const char *interface,
                                 const char *member, const char *types, va_list args) {
        sd_bus_message *m = NULL;

        ck_assert_int_ge(
                sd_bus_message_new_method_call(bus, &m, IPC_BUS_NAME, path, interface, member), 0);
        if (types)
                ck_assert_int_ge(sd_bus_message_appendv(m, types, args), 0);
        return m;
}

sd_bus_message *client_call(sd_bus *bus, const char *path, const char *interface,
                            const char *member, const char *types, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        sd_bus_message *reply = NULL;
        va_list args;
        int r;

        va_start(args, types);
        m = make_call(bus, path, interface, member, types, args);
        va_end(args);
        r = sd_bus_call(bus, m, CALL_TIMEOUT_USEC, &error, &reply);
        ck_assert_msg(r >= 0, "%s: %s %s (%s)", member, error.name ? error.name : "-",
                      error.message ? error.message : "-", strerrordesc_np(-r));
        return reply;
}

void client_refused(sd_bus *bus, const char *path, const char *interface, const char *member,
                    const char *expected, const char *types, ...) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL, *reply = NULL;
        _cleanup_free_ char *name = NULL;
        va_list args;
        int r;

        va_start(args, types);
        m = make_call(bus, path, interface, member, types, args);
        va_end(args);
        r = sd_bus_call(bus, m, CALL_TIMEOUT_USEC, &error, &reply);
        ck_assert_int_lt(r, 0);
        ck_assert_int_gt(
                asprintf(&name, "%s%s", strchr(expected, '.') ? "" : IPC_ERROR_PREFIX, expected),
                0);
        ck_assert_str_eq(error.name, name);
        ck_assert_uint_gt(strlen(error.message), 0);
}

char *client_submit(sd_bus *bus, const char *key, const char *name) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;

        if (name)
                reply = client_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit",
                                    "ssa{sv}", "provision", "aws", 2, "key", "s", key, "parameters",
                                    "a{ss}", 1, name, "yes");
        else
                reply = client_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "Submit",
                                    "ssa{sv}", "provision", "aws", 1, "key", "s", key);
        ck_assert_int_gt(sd_bus_message_read(reply, "o", &path), 0);
        return strdup(path);
}

size_t client_count_jobs(sd_bus *bus) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m =
                client_call(bus, IPC_MANAGER_PATH, IPC_MANAGER_INTERFACE, "ListJobs", "b", 1);
        size_t n = 0;

        ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "(osssssuutttus)"), 0);
        while (sd_bus_message_skip(m, "(osssssuutttus)") > 0)
                n++;
        return n;
}

int raw_connect(const char *socket_path, bool handshake) {
        static const char lines[] = "\0AUTH EXTERNAL 30\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        memcpy(address.sun_path, socket_path, strlen(socket_path) + 1);
        if (connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0)
                return close_fd(fd);
        if (handshake && !raw_write(fd, lines, sizeof(lines) - 1))
                return close_fd(fd);
        return fd;
}

typedef struct Bytes {
        uint8_t *data;
        size_t size;
} Bytes;

static void put(Bytes *b, const void *data, size_t size) {
        memcpy(b->data + b->size, data, size);
        b->size += size;
}

static void put_u32(Bytes *b, uint32_t value) {
        put(b, &value, sizeof(value));
}

/* One header field: code, signature, value. */
static void put_field(Bytes *b, uint8_t code, char type, const char *value) {
        const char signature[] = {(char) code, 1, type, 0};
        size_t length = strlen(value);

        if (!*value)
                return;
        while (b->size % 8 != 0)
                b->data[b->size++] = 0;
        put(b, signature, 4);
        if (type == 'g')
                b->data[b->size++] = (uint8_t) length;
        else
                put_u32(b, (uint32_t) length);
        put(b, value, length + 1);
}

void *raw_message(const char *path, const char *interface, const char *member, const char *sender,
                  size_t body_size, size_t *ret_size) {
        const uint8_t start[] = {'l', 1, 0, 1};
        Bytes b = {calloc(1, 1024 + body_size), 0};
        uint32_t fields;

        ck_assert_ptr_nonnull(b.data);
        put(&b, start, sizeof(start));
        put_u32(&b, (uint32_t) (body_size > 0 ? body_size + 4 : 0));
        put_u32(&b, 1);
        put_u32(&b, 0);
        put_field(&b, 1, 'o', path);
        put_field(&b, 2, 's', interface);
        put_field(&b, 3, 's', member);
        put_field(&b, 7, 's', sender);
        put_field(&b, 8, 'g', body_size > 0 ? "ay" : "");
        fields = (uint32_t) (b.size - 16);
        memcpy(b.data + 12, &fields, sizeof(fields));
        while (b.size % 8 != 0)
                b.data[b.size++] = 0;
        if (body_size > 0) {
                put_u32(&b, (uint32_t) body_size);
                b.size += body_size;
        }
        *ret_size = b.size;
        return b.data;
}

bool raw_write(int fd, const void *data, size_t size) {
        for (size_t done = 0; done < size;) {
                ssize_t n = send(fd, (const uint8_t *) data + done, size - done, MSG_NOSIGNAL);

                if (n < 0)
                        return false;
                done += (size_t) n;
        }
        return true;
}

bool raw_is_closed(int fd) {
        uint8_t data[4096];
        ssize_t n;

        do
                n = recv(fd, data, sizeof(data), 0);
        while (n > 0);
        return n == 0 || errno == ECONNRESET;
}

void as_user(uid_t uid, gid_t gid, void (*what)(void *userdata), void *userdata) {
        pid_t pid = fork();
        int status;

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                ck_assert_int_eq(setgroups(0, NULL), 0);
                ck_assert_int_eq(setresgid(gid, gid, gid), 0);
                ck_assert_int_eq(setresuid(uid, uid, uid), 0);
                what(userdata);
                _exit(0); /* no leak check: it cannot look into a process that changed its user */
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "uid %u: %#x", uid, status);
}

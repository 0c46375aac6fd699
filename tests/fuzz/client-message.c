/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the daemon answers, as libfleetprov-client reads it: the library must survive a daemon of
 * another version, and one that has lost its mind. An input: a byte that says which answer it is
 * (and, by its upper bits, how many descriptors come along), then the body of the message as it
 * stands on the wire. It arrives over a connection of sd-bus, as any.
 *
 *   - read, or refused; what is read of it has what the header promises
 *   - what was read can be looked at to its end, and be let go; no descriptor is left open */

#include <dirent.h>
#include <errno.h>
#include <sys/socket.h>

#include "libclient/job.h"
#include "libclient/result.h"
#include "libclient/status.h"
#include "protocol/ipc/limits.h"
#include "tests/fuzz/fuzz.h"

#define JOB_ID "0123456789abcdef0123456789abcdef"
#define FDS_MAX 3U

typedef struct Wire {
        sd_bus *bus; /* the library's end */
        int fd;      /* the daemon's */
} Wire;

static void turn(const Wire *w, sd_bus_message **ret) {
        int r;

        while ((r = sd_bus_process(w->bus, ret)) > 0 && !(ret && *ret))
                ;
        must(r >= 0);
}

static void wire_open(Wire *w) {
        static const char answer[] =
                "DATA\r\nOK 00112233445566778899aabbccddeeff\r\nAGREE_UNIX_FD\r\n";
        char lines[256];
        int pair[2];

        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        w->fd = pair[1];
        must(sd_bus_new(&w->bus) >= 0 && sd_bus_set_fd(w->bus, pair[0], pair[0]) >= 0);
        must(sd_bus_negotiate_fds(w->bus, 1) >= 0 && sd_bus_start(w->bus) >= 0);
        must(send(w->fd, answer, sizeof(answer) - 1, 0) == sizeof(answer) - 1);
        while (sd_bus_is_ready(w->bus) == 0)
                turn(w, NULL);
        must(recv(w->fd, lines, sizeof(lines), 0) > 0);
}

static void wire_close(Wire *w) {
        sd_bus_close_unref(w->bus);
        close(w->fd);
}

typedef struct Bytes {
        uint8_t *data;
        size_t size;
} Bytes;

static void put(Bytes *b, const void *data, size_t size) {
        b->data = realloc(b->data, b->size + size);
        must(b->data);
        memcpy(b->data + b->size, data, size);
        b->size += size;
}

static void put_u32(Bytes *b, uint32_t value) {
        put(b, &value, sizeof(value));
}

static void put_field(Bytes *b, uint8_t code, char type, const char *value) {
        const char signature[] = {(char) code, 1, type, 0};
        uint8_t length = (uint8_t) strlen(value);

        while (b->size % 8 != 0)
                put(b, "", 1);
        put(b, signature, sizeof(signature));
        if (type == 'g')
                put(b, &length, 1);
        else
                put_u32(b, length);
        put(b, value, length + 1U);
}

/* A signal: nobody waits for it, so it comes out of sd_bus_process() as it is. */
static Bytes make_message(const char *signature, const uint8_t *body, size_t size, uint32_t n_fds) {
        Bytes b = {};
        uint32_t fields;

        put(&b, "l\4\0\1", 4);
        put_u32(&b, (uint32_t) size);
        put_u32(&b, 1);
        put_u32(&b, 0);
        put_field(&b, 1, 'o', "/a");
        put_field(&b, 2, 's', "a.b");
        put_field(&b, 3, 's', "C");
        put_field(&b, 8, 'g', signature);
        put_field(&b, 9, 'u', "");
        b.size -= 5; /* of the text; a number belongs there */
        put_u32(&b, n_fds);
        fields = (uint32_t) (b.size - 16);
        memcpy(b.data + 12, &fields, sizeof(fields));
        while (b.size % 8 != 0)
                put(&b, "", 1);
        put(&b, body, size);
        return b;
}

static void send_message(const Wire *w, const Bytes *b, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr header;
                uint8_t bytes[CMSG_SPACE(sizeof(int) * FDS_MAX)];
        } control = {};
        struct iovec iov = {b->data, b->size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

        if (n_fds > 0) {
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * n_fds),
                                                  .cmsg_level = SOL_SOCKET,
                                                  .cmsg_type = SCM_RIGHTS};
                memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n_fds);
        }
        must(sendmsg(w->fd, &message, 0) == (ssize_t) b->size);
}

/* Whatever sd-bus says of a body that is none, the caller is told bad-response (call.c). */
static int judge(int r) {
        must(r != -ENOMEM);
        return r;
}

static void check_error(const fleetprov_error *e) {
        for (unsigned i = 0; e; e = fleetprov_error_get_cause(e), i++) {
                must(i < 16);
                must(fleetprov_error_get_message(e) && fleetprov_error_get_name(e));
        }
}

static void check_job(const fleetprov_job *job) {
        const char *a, *b, *c;
        uint64_t time;

        must(ipc_job_id_is_valid(fleetprov_job_get_id(job)) && fleetprov_job_get_phase(job));
        for (size_t i = 0; fleetprov_job_enumerate_parameters(job, i, &a, &b); i++)
                must(a && b);
        for (size_t i = 0; fleetprov_job_enumerate_history(job, i, &time, &a, &b, &c); i++)
                must(a && b && c);
        for (size_t i = 0; fleetprov_job_get_left_certificate(job, i); i++)
                must(i < fleetprov_job_get_n_left_certificates(job));
        check_error(fleetprov_job_get_error(job));
        check_error(fleetprov_job_get_waiting_for(job));
}

static void read_details(sd_bus_message *m) {
        _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;

        if (judge(job_read_details(m, &job)) >= 0)
                check_job(job);
}

static void read_rows(sd_bus_message *m) {
        int r = sd_bus_message_enter_container(m, 'a', "(osssssuutttus)");

        while (r > 0) {
                _cleanup_(fleetprov_job_freep) fleetprov_job *job = NULL;

                r = judge(job_read_row(m, &job));
                must((r > 0) == (job != NULL));
                if (r > 0)
                        check_job(job);
        }
}

static void read_result(sd_bus_message *m) {
        _cleanup_(fleetprov_result_freep) fleetprov_result *result = NULL;

        if (judge(result_read(m, JOB_ID, &result)) < 0)
                return;
        for (int i = 0; i < SECRET_KINDS; i++) {
                fleetprov_secret *secret = NULL;

                if (!fleetprov_result_has_secret(result, i))
                        continue;
                if (fleetprov_result_read_secret(result, i, &secret) == 0)
                        must(fleetprov_secret_get_size(secret) <= IPC_SECRET_MAX);
                fleetprov_secret_free(secret);
        }
}

static void read_status(sd_bus_message *m) {
        _cleanup_(fleetprov_status_freep) fleetprov_status *status = NULL;

        if (judge(status_read_manager(m, &status)) < 0)
                return;
        if (fleetprov_status_get_n_profiles(status) > 0 && sd_bus_message_rewind(m, 1) >= 0)
                (void) judge(status_read_profile(status, 0, m));
        status_compact(status);
        for (size_t i = 0; i < fleetprov_status_get_n_profiles(status); i++)
                check_error(fleetprov_status_get_profile_error(status, i));
}

static const struct {
        const char *signature;
        void (*read)(sd_bus_message *m);
} answers[] = {
        {"a{sv}", read_details},
        {"a(osssssuutttus)", read_rows},
        {"a{sv}", read_result},
        {"a{sv}", read_status},
};

static size_t count_fds(void) {
        DIR *directory = opendir("/proc/self/fd");
        size_t n = 0;

        must(directory);
        while (readdir(directory))
                n++;
        closedir(directory);
        return n;
}

static void read_answer(const Wire *w, const uint8_t *data, size_t size) {
        size_t which = data[0] % ELEMENTSOF(answers), n_fds = data[0] >> 6;
        Bytes message =
                make_message(answers[which].signature, data + 1, size - 1, (uint32_t) n_fds);
        sd_bus_message *m = NULL;
        int fds[FDS_MAX];

        for (size_t i = 0; i < n_fds; i++)
                must((fds[i] = secret_seal("secret", strlen("secret"))) >= 0);
        send_message(w, &message, fds, n_fds);
        for (size_t i = 0; i < n_fds; i++)
                close(fds[i]);
        free(message.data);
        turn(w, &m);
        if (m)
                answers[which].read(m);
        sd_bus_message_unref(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        size_t before = count_fds();
        Wire w = {};

        if (size == 0 || size > IPC_MESSAGE_MAX / 4)
                return -1;
        wire_open(&w);
        read_answer(&w, data, size);
        wire_close(&w);
        must(count_fds() == before);
        return 0;
}

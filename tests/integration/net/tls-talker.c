/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/net/tls-talker.h"

#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#define PACKET_TYPE_SHIFT 4
#define PIECE 4096U

struct TlsPeer {
        WOLFSSL *ssl;
};

size_t tls_peer_read(TlsPeer *p, void *buffer, size_t size) {
        int n = wolfSSL_read(p->ssl, buffer, (int) size);

        if (n <= 0)
                _exit(0);
        return (size_t) n;
}

void tls_peer_write(TlsPeer *p, const void *data, size_t size) {
        if (wolfSSL_write(p->ssl, data, (int) size) != (int) size)
                _exit(0);
}

static uint8_t read_byte(TlsPeer *p) {
        uint8_t byte;

        (void) tls_peer_read(p, &byte, 1);
        return byte;
}

unsigned tls_peer_read_packet(TlsPeer *p, uint16_t *ret_id) {
        unsigned type = read_byte(p) >> PACKET_TYPE_SHIFT, shift = 0;
        size_t length = 0;
        uint8_t byte;

        do {
                byte = read_byte(p);
                length |= (size_t) (byte & 0x7f) << shift;
                shift += 7;
        } while (byte & 0x80);
        for (size_t i = 0; i < length && i < 2; i++) {
                byte = read_byte(p);
                if (ret_id)
                        *ret_id = (uint16_t) (i == 0 ? byte << 8 : *ret_id | byte);
        }
        for (size_t left = length > 2 ? length - 2 : 0; left > 0;) {
                uint8_t body[PIECE];

                left -= tls_peer_read(p, body, left < sizeof(body) ? left : sizeof(body));
        }
        return type;
}

void tls_peer_accept(TlsPeer *p, uint8_t code) {
        uint8_t connack[] = {0x20, 2, 0, code};

        (void) tls_peer_read_packet(p, NULL);
        tls_peer_write(p, connack, sizeof(connack));
}

void tls_peer_wait_end(TlsPeer *p) {
        for (;;)
                (void) read_byte(p);
}

static void serve(WOLFSSL_CTX *context, int fd, TlsTalk talk) {
        TlsPeer p = {.ssl = wolfSSL_new(context)};

        if (p.ssl && wolfSSL_set_fd(p.ssl, fd) == WOLFSSL_SUCCESS &&
            wolfSSL_accept(p.ssl) == WOLFSSL_SUCCESS)
                talk(&p);
        _exit(0);
}

static void run(int listener, TlsTalk talk) {
        WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfTLSv1_3_server_method());

        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGCHLD, SIG_IGN);
        if (!context ||
            wolfSSL_CTX_use_certificate_file(context, harness_path("server.pem"),
                                             WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS ||
            wolfSSL_CTX_use_PrivateKey_file(context, harness_path("server.key"),
                                            WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
                _exit(1);
        for (;;) {
                int fd = accept(listener, NULL, NULL);

                if (fd < 0)
                        _exit(1);
                if (fork() == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        serve(context, fd, talk);
                }
                close(fd);
        }
}

pid_t tls_talker_start(uint16_t port, TlsTalk talk) {
        int listener = harness_listen(port, 8);
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                wolfSSL_Init();
                run(listener, talk);
        }
        close(listener);
        return pid;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The floor: one provisioning with a caller's CSR on one open connection, by a client that does the
 * exchange and nothing else. MQTT 3.1.1 by hand over OpenSSL, blocking, TCP_NODELAY; no store, no
 * checks, no queue. Usage: bench-floor HOST PORT CA CLAIM KEY CSR COUNT. Payloads are JSON. */

#include <jansson.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/figures.h"

#define CREATE "$aws/certificates/create-from-csr/json"
#define REGISTER "$aws/provisioning-templates/FleetTemplate/provision/json"
#define PACKET_MAX ((size_t) 128 * 1024)

typedef struct Client {
        SSL *ssl;
        uint8_t packet[PACKET_MAX];
        size_t size; /* of the body of the packet read last */
        uint8_t type;
} Client;

static void die(const char *what) {
        fprintf(stderr, "bench-floor: %s\n", what);
        exit(1);
}

static int dial(const char *host, const char *port) {
        const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
        struct addrinfo *list;
        int one = 1;

        if (getaddrinfo(host, port, &hints, &list) != 0)
                die("no such host");
        for (struct addrinfo *a = list; a; a = a->ai_next) {
                int fd = socket(a->ai_family, SOCK_STREAM, 0);

                (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
                if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) {
                        freeaddrinfo(list);
                        return fd;
                }
                close(fd);
        }
        die("cannot connect");
        return -1;
}

static SSL *handshake(int fd, char *host, char **files) {
        SSL_CTX *context = SSL_CTX_new(TLS_client_method());
        SSL *ssl;

        if (SSL_CTX_load_verify_locations(context, files[0], NULL) != 1 ||
            SSL_CTX_use_certificate_file(context, files[1], SSL_FILETYPE_PEM) != 1 ||
            SSL_CTX_use_PrivateKey_file(context, files[2], SSL_FILETYPE_PEM) != 1)
                die("cannot read the claim");
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        ssl = SSL_new(context);
        SSL_set_tlsext_host_name(ssl, host);
        SSL_set1_host(ssl, host);
        SSL_set_fd(ssl, fd);
        if (SSL_connect(ssl) != 1)
                die("the handshake failed");
        SSL_CTX_free(context);
        return ssl;
}

static void write_packet(Client *c, uint8_t type, const void *body, size_t size) {
        uint8_t *packet = malloc(size + 5);
        size_t n = 0, left = size;

        packet[n++] = type;
        do {
                uint8_t digit = (uint8_t) (left % 128);

                left /= 128;
                packet[n++] = left > 0 ? digit | 0x80 : digit;
        } while (left > 0);
        memcpy(packet + n, body, size);
        if (SSL_write(c->ssl, packet, (int) (n + size)) <= 0)
                die("the connection is gone");
        free(packet);
}

static void read_exactly(Client *c, void *data, size_t size) {
        for (size_t done = 0; done < size;) {
                int n = SSL_read(c->ssl, (uint8_t *) data + done, (int) (size - done));

                if (n <= 0)
                        die("the connection is gone");
                done += (size_t) n;
        }
}

static void read_packet(Client *c) {
        size_t size = 0;
        uint8_t digit;

        read_exactly(c, &c->type, 1);
        for (unsigned shift = 0; shift < 28; shift += 7) {
                read_exactly(c, &digit, 1);
                size |= (size_t) (digit & 0x7f) << shift;
                if (!(digit & 0x80))
                        break;
        }
        if (size > sizeof(c->packet))
                die("a packet is too long");
        read_exactly(c, c->packet, size);
        c->size = size;
}

static size_t put_text(uint8_t *out, const char *text) {
        size_t n = strlen(text);

        out[0] = (uint8_t) (n >> 8);
        out[1] = (uint8_t) n;
        memcpy(out + 2, text, n);
        return n + 2;
}

static void mqtt_connect(Client *c) {
        uint8_t body[256];
        size_t n = put_text(body, "MQTT");

        memcpy(body + n, (uint8_t[]){4, 2, 0, 60}, 4); /* 3.1.1, clean session, keep alive */
        n += 4;
        n += put_text(body + n, "bench-floor");
        write_packet(c, 0x10, body, n);
        read_packet(c);
        if (c->type != 0x20 || c->packet[1] != 0)
                die("CONNECT was refused");
}

static void mqtt_subscribe(Client *c, const char *base, const char *suffix) {
        uint8_t body[512] = {0, 1};
        char topic[256];
        size_t n = 2;

        (void) snprintf(topic, sizeof(topic), "%s/%s", base, suffix);
        n += put_text(body + n, topic);
        body[n++] = 0; /* QoS */
        write_packet(c, 0x82, body, n);
        read_packet(c);
        if (c->type != 0x90 || c->packet[2] != 0)
                die("SUBSCRIBE was refused");
}

/* Publishes, and gives the answer that comes next. */
static json_t *ask(Client *c, const char *topic, const char *payload) {
        size_t size = strlen(payload), n;
        uint8_t *body = malloc(strlen(topic) + size + 2);
        json_t *answer;

        n = put_text(body, topic);
        memcpy(body + n, payload, size);
        write_packet(c, 0x30, body, n + size);
        free(body);
        do
                read_packet(c);
        while ((c->type & 0xf0) != 0x30);
        n = 2 + ((size_t) c->packet[0] << 8 | c->packet[1]);
        answer = json_loadb((char *) c->packet + n, c->size - n, 0, NULL);
        if (!answer || memcmp(c->packet + n - strlen("accepted"), "accepted", strlen("accepted")))
                die("the request was refused");
        return answer;
}

static void provision(Client *c, const char *create, int serial) {
        json_t *created = ask(c, CREATE, create), *request, *registered;
        char number[32], *text;

        (void) snprintf(number, sizeof(number), "floor-%d", serial);
        request = json_pack("{s:O, s:{s:s}}", "certificateOwnershipToken",
                            json_object_get(created, "certificateOwnershipToken"), "parameters",
                            "SerialNumber", number);
        text = json_dumps(request, JSON_COMPACT);
        registered = ask(c, REGISTER, text);
        json_decref(registered);
        json_decref(request);
        json_decref(created);
        free(text);
}

static char *create_request(const char *csr_file) {
        char pem[16 * 1024] = "";
        FILE *f = fopen(csr_file, "re");
        json_t *o;
        char *text;

        if (!f || fread(pem, 1, sizeof(pem) - 1, f) == 0)
                die("cannot read the CSR");
        fclose(f);
        o = json_pack("{s:s}", "certificateSigningRequest", pem);
        text = json_dumps(o, JSON_COMPACT);
        json_decref(o);
        return text;
}

int main(int argc, char **argv) {
        static Client c;
        char *create;
        double *times, start;
        int n;

        if (argc != 8)
                die("usage: bench-floor HOST PORT CA CLAIM KEY CSR COUNT");
        n = atoi(argv[7]);
        times = calloc((size_t) n, sizeof(double));
        create = create_request(argv[6]);
        c.ssl = handshake(dial(argv[1], argv[2]), argv[1], argv + 3);
        mqtt_connect(&c);
        mqtt_subscribe(&c, CREATE, "accepted");
        mqtt_subscribe(&c, CREATE, "rejected");
        mqtt_subscribe(&c, REGISTER, "accepted");
        mqtt_subscribe(&c, REGISTER, "rejected");
        start = figures_now_ms();
        for (int i = 0; i < n; i++) {
                double began = figures_now_ms();

                provision(&c, create, i);
                times[i] = figures_now_ms() - began;
        }
        printf("floor");
        figures_print(times, (size_t) n, figures_now_ms() - start);
        SSL_free(c.ssl);
        free(create);
        free(times);
        return 0;
}

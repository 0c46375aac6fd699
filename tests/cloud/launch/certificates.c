/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/launch/certificates.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "daemon/base/macro.h"
#include "tests/cloud/launch/dps-keys.h"
#include "tests/cloud/launch/pki.h"

#define RSA_BITS 2048
#define OWN_NAMES "DNS:localhost,IP:127.0.0.1,IP:::1"

static EVP_PKEY *make_key(bool rsa) {
        return rsa ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");
}

/* The pair of that name below the directory, made where it is missing. */
static int provide(int dir_fd, const char *name, PairKind kind, const char *common_name,
                   const Pair *issuer, Pair *ret) {
        EVP_PKEY *key;
        Pair pair;
        int r;

        r = pair_read(dir_fd, name, &pair);
        if (r == -ENOENT) {
                key = make_key(false);
                r = pair_make(kind, key, common_name, NULL, issuer, &pair);
                if (r < 0) {
                        EVP_PKEY_free(key);
                        return r;
                }
                r = pair_write(dir_fd, name, &pair);
                if (r < 0)
                        pair_clear(&pair);
        }
        if (r >= 0)
                *ret = pair;
        return r;
}

static bool is_address(const char *name) {
        struct in6_addr address;

        return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

static char *alternative_names(const Options *options) {
        char *names = NULL;
        size_t n = 0;
        FILE *out = open_memstream(&names, &n);

        if (!out)
                return NULL;
        fputs(OWN_NAMES, out);
        for (unsigned i = 0; i < options->n_names; i++)
                fprintf(out, ",%s:%s", is_address(options->names[i]) ? "IP" : "DNS",
                        options->names[i]);
        if (fclose(out) != 0) {
                free(names);
                return NULL;
        }
        return names;
}

/* Made anew each time: its key and its names are options. */
static int make_server(const Place *place, const Options *options, const Pair *authority) {
        _cleanup_free_ char *names = alternative_names(options);
        EVP_PKEY *key = make_key(options->server_key_is_rsa);
        Pair server;
        int r;

        r = names ? pair_make(PAIR_SERVER, key, "localhost", names, authority, &server) : -ENOMEM;
        if (r < 0) {
                EVP_PKEY_free(key);
                return r;
        }
        r = pair_write(place->cloud_fd, "server", &server);
        pair_clear(&server);
        return r;
}

/* claim, claim-2, …; and all of them in one file, by which the plugin knows them. */
static int make_claims(const Place *place, unsigned n, const Pair *authority) {
        char *all = NULL;
        size_t all_n = 0;
        FILE *out = open_memstream(&all, &all_n);
        int r = out ? 0 : -ENOMEM;

        for (unsigned i = 1; r >= 0 && i <= n; i++) {
                _cleanup_free_ char *name = NULL;
                _cleanup_free_ char *pem = NULL;
                Pair claim;

                r = i == 1 ? asprintf(&name, "claim") : asprintf(&name, "claim-%u", i);
                if (r >= 0)
                        r = provide(place->dir_fd, name, PAIR_CLIENT, "fleet claim", authority,
                                    &claim);
                if (r < 0)
                        break;
                pem = certificate_to_pem(claim.certificate);
                pair_clear(&claim);
                r = pem && fputs(pem, out) >= 0 ? 0 : -ENOMEM;
        }
        if (out && fclose(out) != 0)
                r = -ENOMEM;
        if (r >= 0)
                r = place_write(place->cloud_fd, "claims.pem", 0644, all, all_n);
        free(all);
        return r;
}

/* A device of DPS that has a certificate. */
static int make_dps_device(const Place *place, const Pair *authority) {
        Pair device;
        int r;

        r = provide(place->dir_fd, "dps-device", PAIR_CLIENT, "x509-1", authority, &device);
        if (r >= 0)
                pair_clear(&device);
        return r;
}

/* ca.pem for the clients, trust.pem for the broker. */
static int write_authorities(const Place *place, const Pair *server, const Pair *claims,
                             const Pair *devices) {
        _cleanup_free_ char *server_pem = certificate_to_pem(server->certificate);
        _cleanup_free_ char *claims_pem = certificate_to_pem(claims->certificate);
        _cleanup_free_ char *devices_pem = certificate_to_pem(devices->certificate);
        _cleanup_free_ char *trust = NULL;
        int r;

        if (!server_pem || !claims_pem || !devices_pem ||
            asprintf(&trust, "%s%s", claims_pem, devices_pem) < 0)
                return -ENOMEM;
        r = place_write(place->dir_fd, "ca.pem", 0644, server_pem, strlen(server_pem));
        if (r < 0)
                return r;
        return place_write(place->cloud_fd, "trust.pem", 0644, trust, strlen(trust));
}

int certificates_make(const Place *place, const Options *options) {
        Pair server = {}, claims = {}, devices = {};
        int r;

        r = provide(place->cloud_fd, "server-ca", PAIR_AUTHORITY, "Test cloud server CA", NULL,
                    &server);
        if (r >= 0)
                r = provide(place->cloud_fd, "claim-ca", PAIR_AUTHORITY, "Test cloud claim CA",
                            NULL, &claims);
        if (r >= 0)
                r = provide(place->cloud_fd, "device-ca", PAIR_AUTHORITY, "Test cloud device CA",
                            NULL, &devices);
        if (r >= 0)
                r = make_server(place, options, &server);
        if (r >= 0)
                r = make_claims(place, options->n_claims, &claims);
        if (r >= 0)
                r = make_dps_device(place, &claims);
        if (r >= 0)
                r = dps_keys_make(place);
        if (r >= 0)
                r = write_authorities(place, &server, &claims, &devices);
        if (r < 0)
                fprintf(stderr, "cannot make the certificates: %s\n", strerror(-r));
        pair_clear(&server);
        pair_clear(&claims);
        pair_clear(&devices);
        return r;
}

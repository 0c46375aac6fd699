/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/soak/trouble.h"

#include <check.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>

static unsigned draw(unsigned n) {
        uint32_t random;

        ck_assert_int_eq(getrandom(&random, sizeof(random), 0), sizeof(random));
        return random % n;
}

/* What an answer, a piece of work or a session can meet. Those that stay (throttle, deny-…) would
 * be the whole hour's; they strike a few times. */
static const char *const kinds[] = {
        "drop",
        "drop-answer",
        "delay=700",
        "late=4",
        "double",
        "replay",
        "foreign-first",
        "malformed",
        "truncated",
        "wrong-types",
        "oversize=100000",
        "extra-fields",
        "indefinite",
        "reject=500:InternalError:soak",
        "reject=429:ThrottlingException:soak",
        "reject=400:InvalidCertificateOwnershipToken:soak",
        "reject=403:ACCESS_DENIED:soak",
        "cut-before",
        "cut-after",
        "foreign",
        "token-ttl=1",
        "configuration=missing",
        "configuration=large=3000",
};

/* Those of a session know no operation. */
static const char *const session_kinds[] = {
        "connack=3",
        "connack=5",
        "connect-drop",
        "suback-refuse",
};

/* One kind at a time: an answer that is dropped and has a foreign one before it is two answers to
 * the client and none to the cloud, which then takes the next request for a second. */
static void add_fault(Trouble *t) {
        static const char *const operations[] = {"create-csr", "create-keys", "register", "any"};

        cloud_clear(t->cloud);
        t->faults++;
        if (draw(8) == 0) {
                cloud_add(t->cloud, session_kinds[draw(ELEMENTSOF(session_kinds))]);
                return;
        }
        cloud_add(t->cloud, kinds[draw(ELEMENTSOF(kinds))],
                  place_text(&t->cloud->place, "--operation=%s",
                             operations[draw(ELEMENTSOF(operations))]),
                  place_text(&t->cloud->place, "--count=%u", 1 + draw(4)));
}

/* Takes one of the cloud's claims over into the daemon's folder, by rename. */
static void bring_claim(Trouble *t, unsigned claim) {
        static const struct {
                const char *end;
                mode_t mode;
        } files[] = {{"pem", 0644}, {"key", 0600}};

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                const char *from =
                        place_text(&t->daemon->place, "%s/claim%s.%s", t->cloud->place.dir,
                                   claim == 0 ? "" : "-2", files[i].end);
                const char *to = place_text(&t->daemon->place, "%s/claims/device.%s",
                                            t->daemon->place.dir, files[i].end);
                _cleanup_free_ char *text = file_read(from, NULL);
                const char *fresh;

                ck_assert_ptr_nonnull(text);
                fresh = place_write(&t->daemon->place, "fresh", files[i].mode, text);
                ck_assert_int_eq(rename(fresh, to), 0);
        }
        t->claim = claim;
}

/* `variant` changes what a session is made of, or what a job is given. */
static void configure(Trouble *t, unsigned variant) {
        const char *dir = t->daemon->place.dir;
        const char *more =
                place_text(&t->daemon->place,
                           "Certificate=%s/claims/device.pem\nPrivateKey=%s/claims/device.key\n"
                           "ResponseTimeoutSec=2\nConnectTimeoutSec=5\nKeepAliveSec=%u\n"
                           "AllowUsers=root 12001 12002 12003 12004 12005\nParameter.Variant=%u\n",
                           dir, dir, 30 + variant % 2, variant % 3);

        daemon_configure(
                t->daemon,
                place_text(&t->daemon->place,
                           "[Daemon]\nMaxJobsPerUser=100000\nMaxJobs=100000\nDefaultProfile=json\n"
                           "%s%s%s",
                           cloud_profile(
                                   t->cloud, "json",
                                   place_text(&t->daemon->place, "ClientId=soak-json\n%s", more)),
                           "",
                           cloud_profile(t->cloud, "cbor",
                                         place_text(&t->daemon->place,
                                                    "ClientId=soak-cbor\nPayloadFormat=cbor\n%s",
                                                    more))));
}

static void reload(Trouble *t, unsigned variant) {
        configure(t, variant);
        ck_assert_int_eq(agent_reload(t->client, NULL), FLEETPROV_OK);
        t->reloads++;
}

void trouble_start(Trouble *t, Cloud *cloud, Daemon *daemon) {
        *t = (Trouble){.cloud = cloud, .daemon = daemon};
        daemon_make(daemon);
        ck_assert_int_eq(mkdir(place_path(&daemon->place, "claims"), 0755), 0);
        bring_claim(t, 0);
        configure(t, 0);
        daemon_start(daemon);
        ck_assert_int_eq(chmod(daemon->socket, 0666), 0);
        t->client = agent_open(daemon->socket);
}

void trouble_strike(Trouble *t) {
        unsigned kind = draw(40);

        if (kind < 24)
                add_fault(t);
        else if (kind < 28)
                cloud_clear(t->cloud);
        else if (kind < 30)
                reload(t, draw(6));
        else if (kind < 32) {
                bring_claim(t, !t->claim);
                t->claims++;
        } else if (kind < 34)
                cloud_fault(t->cloud, "kick", NULL);
}

void trouble_end(Trouble *t) {
        cloud_clear(t->cloud);
        reload(t, 0);
        daemon_wait_session(t->daemon, "json", "ready");
        daemon_wait_session(t->daemon, "cbor", "ready");
}

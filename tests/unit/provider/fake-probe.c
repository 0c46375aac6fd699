/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/provider/fake-probe.h"

#include <check.h>

struct Probe {
        ProbeHandler handler;
        void *userdata;
};

FakeProbe fake_probe;

static void set(char **p, const char *text) {
        ck_assert_int_eq(free_and_strdup(p, text), 0);
}

void fake_probe_done(void) {
        ck_assert_ptr_null(fake_probe.live);
        free(fake_probe.host);
        free(fake_probe.trusted);
        free(fake_probe.certificate);
        free(fake_probe.private_key);
        free(fake_probe.client_id);
        fake_probe = (FakeProbe){};
}

int probe_new(Network *n, const ProbeParameters *p, ProbeHandler handler, void *userdata,
              Probe **ret) {
        Probe *probe;

        if (fake_probe.new_error < 0)
                return fake_probe.new_error;
        ck_assert_ptr_null(fake_probe.live); /* the former one was let go */
        probe = calloc(1, sizeof(Probe));
        *probe = (Probe){.handler = handler, .userdata = userdata};
        set(&fake_probe.host, p->road.tls.host);
        set(&fake_probe.trusted, secret_text(p->road.tls.trusted));
        set(&fake_probe.certificate, secret_text(p->road.tls.certificate));
        set(&fake_probe.private_key, secret_text(p->road.tls.private_key));
        set(&fake_probe.client_id, p->client_id);
        fake_probe.port = p->road.tls.port;
        fake_probe.timeout_usec = p->timeout_usec;
        fake_probe.live = probe;
        fake_probe.made++;
        *ret = probe;
        return 0;
}

Probe *probe_free(Probe *p) {
        if (!p)
                return NULL;
        ck_assert_ptr_eq(p, fake_probe.live);
        fake_probe.live = NULL;
        fake_probe.freed++;
        free(p);
        return NULL;
}

void fake_probe_says(ProbeVerdict verdict, ErrorCode code, const char *text) {
        Probe *p = fake_probe.live;

        ck_assert_ptr_nonnull(p);
        p->handler(verdict, code == ERROR_NONE ? NULL : failure_new(code, "%s", text), p->userdata);
        /* Whoever was told has freed it. */
        ck_assert_ptr_ne(p, fake_probe.live);
}

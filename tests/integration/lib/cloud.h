/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A test cloud of a test's own. What goes wrong here fails the test. */

#include <stdbool.h>

#include "tests/integration/lib/place.h"

typedef struct Cloud {
        Place place;
        pid_t pid;
        const char *name;     /* by which it is called; NULL: the address */
        unsigned port_wanted; /* 0: any */
        unsigned port;        /* stays the same when it is started again */
        const char *address;  /* it listens at; NULL: localhost */
        bool has_dps;
        unsigned dps_port; /* likewise */
} Cloud;

void cloud_start(Cloud *c);
void cloud_start_dps(Cloud *c);                     /* with Azure DPS as well */
void cloud_start_at(Cloud *c, const char *address); /* which must outlive it */
void cloud_stop(Cloud *c);                          /* it is away */
void cloud_again(Cloud *c);                         /* it is back, with the same names and claims */
void cloud_done(Cloud *c);                          /* stopped, and the directory removed */

/* tests/cloud/fault with these arguments, up to a NULL. */
void cloud_fault(Cloud *c, ...) __attribute__((sentinel));
#define cloud_add(c, ...) cloud_fault(c, "add", __VA_ARGS__, NULL)
void cloud_clear(Cloud *c);

/* "ACTIVE", "PENDING_ACTIVATION"…; the caller frees it. */
char *cloud_certificate_state(Cloud *c, const char *certificate_id);

/* How many operations of that name were served so. */
size_t cloud_count(Cloud *c, const char *operation, const char *outcome);

/* How many certificates were made since it was started first. */
size_t cloud_count_certificates(Cloud *c);

/* Whether the journal knows this certificate. */
bool cloud_knows(Cloud *c, const char *certificate_id);

/* The client broke no rule of the service. */
void cloud_assert_no_breach(Cloud *c);

/* It broke this one and no other; that is forgotten now. */
void cloud_expect_breach(Cloud *c, const char *breach);
/* It may have broken this one so often, and no other; likewise. */
void cloud_allow_breach(Cloud *c, const char *breach, size_t at_most);
void cloud_forget_breaches(Cloud *c);

/* A [Profile NAME] section for this cloud's DPS, but for who the device is and how it shows that,
 * which `more` says; "DIR/" in it is where the cloud keeps its files. */
const char *cloud_dps_profile(Cloud *c, const char *name, const char *more);

/* A [Profile NAME] section for this cloud. `more`: further lines, which may be "". A template is
 * set unless `more` sets one, and so is a short ResponseTimeoutSec=. */
const char *cloud_profile(Cloud *c, const char *name, const char *more);

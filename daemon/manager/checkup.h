/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Profile.Check, the doctor. One at a time in a daemon, so that a fleet of callers costs no more
 * than one. checkup-files.c looks at what is on this machine, on the crypto worker; checkup.c at
 * the way to the server and at what the claim may do there, and answers. Its connections are its
 * own, under a client id of its own: the session and its jobs do not notice. */

#include "daemon/config/claim.h"
#include "daemon/front/front.h"
#include "daemon/manager/manager-internal.h"
#include "daemon/model/check-report.h"
#include "daemon/net/probe.h"

/* AWS IoT Core takes one CONNECT a second of a client id (its quotas page). */
#define CHECKUP_PAUSE_USEC USEC_PER_SEC

/* Two answers of each operation that AWS has here. */
#define CHECKUP_TOPICS_MAX ((size_t) 6)

typedef struct CheckFiles CheckFiles;

struct Checkup {
        Manager *manager;
        FrontCall *call;
        Profile *profile; /* a copy of what is looked at: a reload may come */
        CheckReport report;
        CheckFiles *files;         /* while they are being read */
        Claim *claim;              /* NULL: there is none that could be used */
        Secret *trusted;           /* NULL: likewise */
        Secret *proxy_credentials; /* NULL: none */

        char *client_id;
        char *topics[CHECKUP_TOPICS_MAX];
        size_t n_topics, first; /* the first of them that the probe asks about */
        const char *refused[CHECKUP_TOPICS_MAX];
        size_t n_refused;
        Probe *probe;
        sd_event_source *pause;
};

Checkup *checkup_free(Checkup *c); /* whose call is answered as given up */

/* checkup-files.c: fills report, claim and trusted; then checkup_files_read(). */
int check_files_new(Checkup *c, CheckFiles **ret);
CheckFiles *check_files_forget(CheckFiles *files);
void checkup_files_read(Checkup *c);

/* What a look at a profile needs of it: a copy. NULL where memory is short. */
Profile *checkup_copy_profile(const Profile *p);

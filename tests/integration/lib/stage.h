/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where most tests play: one cloud, one daemon with a profile `aws`, and one application. Test
 * programs include this, and fill a Suite. */

#include <check.h>

#include "tests/integration/lib/daemon.h"
#include "tests/integration/lib/identity.h"
#include "tests/integration/lib/process.h"

extern Cloud cloud;
extern Daemon d;
extern fleetprov_client *client;

/* A new case of the suite. Shared: its tests share one cloud, which they must leave running. Alone:
 * each has one of its own, and may stop it. After each test the daemon must end well, and the cloud
 * have no breach to tell. */
TCase *stage_shared(Suite *suite, const char *name);
TCase *stage_alone(Suite *suite, const char *name);

/* The same with DPS. */
TCase *stage_shared_dps(Suite *suite, const char *name);
TCase *stage_alone_dps(Suite *suite, const char *name);

/* Its tests start cloud and daemon themselves, on hosts of their own, where such may be had. */
TCase *stage_elsewhere(Suite *suite, const char *name);

/* Daemon and application with a profile `azure`; see cloud_dps_profile(). */
void stage_start_azure(const char *more);

/* Starts daemon and application; `daemon` stands in [Daemon], `more` in [Profile aws]. */
void stage_start(const char *daemon, const char *more);

/* Daemon and application again; the daemon was told to end, or killed. */
void stage_restart(bool kill);

/* How many certificates the cloud has made since stage_start(). */
size_t stage_certificates(void);

/* What each program ends with: its exit status. */
int stage_run(Suite *suite);

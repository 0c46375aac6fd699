/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Two network namespaces with one cable between them: the cloud's side, and the daemon's, at which
 * nothing is but the cable. Needs root. What goes wrong here fails the test. */

#include <stdbool.h>

#define CABLE_CLOUD_ADDRESS "10.77.0.1"  /* the interface `cable` */
#define CABLE_DAEMON_ADDRESS "10.77.0.2" /* the interface `other` */

/* With a router in between, whose far end is `other`, with the daemon's address. */
#define CABLE_NAT_ADDRESS "10.78.0.1"    /* its near end, the interface `inside` */
#define CABLE_BEHIND_ADDRESS "10.78.0.2" /* the daemon's interface then, `behind` */

typedef struct Cable {
        int cloud_side, daemon_side;
        int nat_side; /* of cable_lay_behind_nat() */
} Cable;

/* Leaves the caller on the cloud's side. */
void cable_lay(Cable *c);

/* The same, the daemon behind a router that lends it its address and keeps a table of flows
 * (nftables). False: this kernel has no such thing; that is said on standard error. */
bool cable_lay_behind_nat(Cable *c);

/* What the caller starts from now on is there. */
void cable_go(int side);

/* ip(8) with these arguments, there, and stays. */
void cable_ip(int side, const char *arguments);

/* sysctl(8) NAME=VALUE there, and stays. */
void cable_set(int side, const char *setting);

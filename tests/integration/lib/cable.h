/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Two network namespaces with one cable between them: the cloud's side, and the daemon's, at which
 * nothing is but the cable. Needs root. What goes wrong here fails the test. */

#define CABLE_CLOUD_ADDRESS "10.77.0.1"  /* the interface `cable` */
#define CABLE_DAEMON_ADDRESS "10.77.0.2" /* the interface `other` */

typedef struct Cable {
        int cloud_side, daemon_side;
} Cable;

/* Leaves the caller on the cloud's side. */
void cable_lay(Cable *c);

/* What the caller starts from now on is there. */
void cable_go(int side);

/* ip(8) with these arguments, there, and stays. */
void cable_ip(int side, const char *arguments);

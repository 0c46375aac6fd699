/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The directories of one cloud. DIR holds what a client needs; DIR/cloud is the broker's own, with
 * its keys, its log and the control socket. Started as root, the broker runs as an unprivileged
 * user and DIR/cloud belongs to that one: it is its working directory, and so it needs no way to
 * DIR itself, which may be closed to it. */

#include <sys/types.h>

typedef struct Place {
        char *dir; /* absolute */
        int dir_fd;
        int cloud_fd; /* DIR/cloud */
        uid_t uid;    /* of the broker */
        gid_t gid;
} Place;

/* Makes what is missing. Negative errno, and a message on standard error. */
int place_open(const char *dir, Place *ret);
void place_close(Place *place);

/* Puts a whole file below the directory, by one rename. */
int place_write(int dir_fd, const char *name, mode_t mode, const void *bytes, size_t n);

/* Writes DIR/profile.conf, a drop-in for fleetprovd. */
int place_write_profile(const Place *place, int port);

/* Writes DIR/azure.conf, likewise. */
int place_write_dps_profile(const Place *place, int port);

/* Copies the file at an absolute path to DIR/cloud. */
int place_copy(const Place *place, const char *from, const char *name, mode_t mode);

/* Hands DIR/cloud, and all in it, to the broker's user. */
int place_hand_over(const Place *place);

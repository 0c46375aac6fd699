/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where a job's key is in the token of KeyStore=, and what becomes of a job whose token is not as
 * it should be. That a job's result has the URI of a key says that one may be there: it is on
 * record from before the key is made until it is removed (manager/job-keys.c). */

#include "daemon/crypto/token.h"
#include "daemon/model/job.h"
#include "daemon/model/profile.h"

/* A card may take minutes to find the primes of an RSA key. One that says nothing for longer hangs;
 * its thread goes on waiting, the job and its lane do not. */
#define KEY_PLACE_PATIENCE_USEC (5 * USEC_PER_MINUTE)

/* Puts the URI into the job's result. 1: that is new, and must become durable before the key is
 * made; 0: it stood there. Negative, with *ret_failure: the token is not there (see
 * key_place_may_come()), or the job has a certificate whose key is in another one. */
int key_place_choose(Job *job, const Profile *profile, const Token *store, Failure **ret_failure);

/* The job's key is not in a token this time: what its result says of one is said to people, and
 * forgotten. */
void key_place_leave(Job *job);

/* What an order in the token came to: whether the token may yet come; and what is told. */
bool key_place_may_come(int error);
Failure *key_place_failure(const Profile *profile, int error, const char *why);
Failure *key_place_silence(const Profile *profile);

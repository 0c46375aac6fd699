/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a job that is being worked at carries from try to try, in memory alone: where its exchange
 * stands, the request that was made for it, and its secrets. */

#include "daemon/model/assignment.h"
#include "daemon/model/exchange.h"
#include "daemon/model/job.h"
#include "daemon/model/profile.h"
#include "daemon/provider/key-maker.h"

/* AWS keeps a token for an hour; what is left of it must suffice for the answer to RegisterThing.
 */
#define TOKEN_USABLE_USEC (55 * USEC_PER_MINUTE)

typedef struct JobRun {
        Exchange exchange;     /* aws-iot */
        Assignment assignment; /* azure-dps */
        char *csr;             /* PEM: the caller's, or made here */
        uint8_t *spki;         /* the public key that the certificate must carry */
        size_t spki_size;
        JobSecrets secrets;
        TokenKey *token_key;     /* in the place of secrets.private_key; NULL: none */
        Failure *failure;        /* of the last try */
        bool saw_foreign_answer; /* in this try: a certificate for another key */
} JobRun;

/* Gives the job its run, from what it asks for and what an earlier try or life has left: its
 * result so far and its stored secrets (NULL: none). Nothing where it has one. -EINVAL: the CSR
 * cannot be read. */
int job_run_begin(Job *job, const Profile *profile, const JobSecrets *stored, usec_t now_boot);

/* Defined in lane.h: void job_run_free(Job *job); */

/* The caller's request: its text, and the key that the certificate must carry. -EINVAL: it cannot
 * be read. */
int job_run_adopt_csr(JobRun *run, const char *pem);

/* What the job asks for, or else its profile. */
KeySource job_run_key_source(const Job *job, const Profile *profile);
KeyType job_run_key_type(const Job *job, const Profile *profile);

/* The key becomes the job's, with its request, in place of any before. Takes what is in `made`. */
void job_run_take_key(JobRun *run, MadeKey *made);

/* What is told of an end that was not success: the last try's failure, behind the reason where that
 * is another one. NULL: nothing. The caller's to free. */
Failure *job_run_final_failure(const JobRun *run, JobState outcome);

/* The certificate that was made is not to be used any more: it goes on record as left behind. */
int job_give_up_certificate(Job *job);

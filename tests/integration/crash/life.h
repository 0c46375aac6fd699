/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* One application's job and the daemons that it outlives: the application runs as a process of its
 * own and knows nothing of their deaths; whoever keeps the daemons reads here what it has got. */

#include "tests/integration/lib/agent.h"
#include "tests/integration/lib/daemon.h"
#include "tests/integration/lib/identity.h"
#include "tests/integration/lib/process.h"

/* How a device shows DPS who it is. */
typedef enum Device {
        DEVICE_OF_AWS, /* it does not: the job is AWS's */
        DEVICE_WITH_KEY,
        DEVICE_OF_GROUP,
        DEVICE_WITH_CERTIFICATE,
} Device;

/* How an application asks. */
typedef struct Ask {
        const char *name; /* of the operation and key source */
        int operation;
        const char *key_source;
        bool brings_csr, brings_token;
        bool verified;    /* the profile has VerifyCertificate=yes */
        bool fails_first; /* refused by the template, and asked for again with another parameter */
        bool releases;    /* in the end */
        bool follows;     /* another one of the same daemon, whose token is spent */
        Device device;
        bool issued; /* … and a certificate is, along with it */
} Ask;

/* A job that is struck more often is out of luck beyond belief. */
#define LEFT_MAX 32U

/* What it has got, in memory that both processes share. */
typedef struct Got {
        char job[33];
        int state;
        char error[33], service_code[65];
        char certificate[129], thing[65]; /* or device */
        char before[129];                 /* the certificate of the other one that it follows */
        Trace key;            /* of the private key or, where there is none, the ownership token */
        unsigned n_delivered; /* how often secrets were handed over */
        unsigned n_left;      /* certificates on record as left behind */
        char left[LEFT_MAX][129];
        unsigned n_perhaps; /* times that its history says that one may have been made */
        bool went_on;       /* its history says that a daemon went on with the certificate */
        bool tried_alone;   /* … of a thing that was registered */
        bool asked_after;   /* … of what became of the registration */
        bool over;
} Got;

/* What was on the disk when the daemon died. Points of the disk's thread and the loop's are passed
 * in no fixed order, so where it died does not say it. */
typedef struct Record {
        bool asked; /* that a certificate, or a thing, is asked for */
        bool kept;  /* azure-dps: the operation's id */
} Record;
Record record_read(const Daemon *daemon);

typedef struct Application {
        const Ask *ask;
        const char *socket, *key, *serial;
        /* What it brings, or NULL. */
        const char *csr, *csr_key, *token, *certificate, *certificate_key;
        Got *got;
} Application;

/* Memory for that many, zeroed, shared with children. */
Got *got_new(size_t n);

/* Submits, with this client (NULL: none yet), however often that takes; the client to go on with.
 */
fleetprov_client *application_submit(const Application *a, fleetprov_client *client, JobId *ret);

/* Waits as long as it takes, fetches the result and checks it, acknowledges, and asks for the same
 * again, which must find the same. An end that was announced must not be undone. */
void application_finish(const Application *a, fleetprov_client *client, JobId id);

/* Both. Whatever fails, fails the test. */
void application_run(void *application);

/* As a child process. */
pid_t application_start(Application *a);

/* How many lines of the cloud's journal are this client's, and hold both, in this order; fnmatch(3)
 * patterns. */
size_t client_count(Cloud *c, const char *client_id, const char *operation, const char *pattern);

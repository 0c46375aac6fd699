/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A profile's registrar with Azure DPS: one job after another registers its device, each on a
 * connection of its own, since the connection is made in the device's name. The rules are the
 * model's (assignment); here they are carried out. Loop thread only. */

#include <systemd/sd-event.h>

#include "daemon/base/worker.h"
#include "daemon/crypto/certificate.h"
#include "daemon/model/job.h"
#include "daemon/model/profile.h"
#include "daemon/net/connection.h"

/* How long a token opens the door; one is made for each connection. */
#define DPS_TOKEN_LIFETIME_SEC ((uint64_t) 3600)

typedef struct Registrar Registrar;

/* What the profile's claim is made of. Copied. Either the key, or certificate and its key. */
typedef struct RegistrarClaim {
        const Secret *trusted;           /* PEM bundle */
        const Secret *certificate;       /* PEM; x509 */
        const Secret *private_key;       /* PEM, not encrypted */
        const Secret *symmetric_key;     /* bytes, as sas_key_read() gives them; also the group's */
        const Secret *secondary_key;     /* likewise; NULL: none */
        const Secret *proxy_credentials; /* NULL: none */
        TokenKey *token_key;             /* in the place of private_key; NULL: none */
        Token *key_store;                /* device keys are made there; NULL: in memory */
} RegistrarClaim;

/* As LaneOps (lane.h), and with its meanings; they may be called from within a registrar_* call.
 * Each may call registrar_*, but registrar_free(). */
typedef struct RegistrarOps {
        void (*session_changed)(void *userdata, Registrar *r);
        void (*progress)(void *userdata, Job *job, JobPhase phase, const char *note);
        void (*note)(void *userdata, Job *job); /* registrar_noted() answers */
        /* How long the service said to wait is in the job, for a next daemon's eyes; nobody waits
         * until it is on record. */
        void (*told_to_wait)(void *userdata, Job *job);
        void (*store)(void *userdata, Job *job, const JobSecrets *secrets, const char *note);
        void (*put_back)(void *userdata, Job *job, usec_t delay_usec, bool throttled,
                         Failure *failure, const char *note);
        void (*finished)(void *userdata, Job *job, JobState outcome, Failure *failure,
                         const JobSecrets *secrets, const char *note);
} RegistrarOps;

typedef struct RegistrarOptions {
        sd_event *event;
        Network *network;
        Worker *crypto; /* makes keys */
        Worker *tokens; /* makes those that are made in tokens; NULL: there are none */
        const RegistrarOps *ops;
        void *userdata;
        bool (*clock_is_synchronised)(void); /* NULL: the kernel's word */
} RegistrarOptions;

/* The profile must live as long as the registrar. */
int registrar_new(const RegistrarOptions *options, const Profile *profile, Registrar **ret);

/* The job at work, if any, stays where it is: the caller puts it back itself. */
Registrar *registrar_free(Registrar *r);
DEFINE_CLEANUP(Registrar *, registrar_free);

/* From the next connection on. -EINVAL: it is not what the profile's Authentication= needs. */
int registrar_set_claim(Registrar *r, const RegistrarClaim *claim);

const Profile *registrar_profile(const Registrar *r);
SessionState registrar_state(const Registrar *r);          /* offline between registrations */
usec_t registrar_connected_since_real(const Registrar *r); /* 0: not ready */
const Failure *registrar_last_error(const Registrar *r);
Job *registrar_job(const Registrar *r);
bool registrar_is_free(const Registrar *r); /* there is a claim, and nobody at work */

/* Begins with a job, or goes on with it; nobody else is at work, and there is a claim. `secrets`:
 * what <id>.secret holds (NULL: nothing). -EINVAL: it has no registration id, or its certificate
 * request cannot be read. */
int registrar_start(Registrar *r, Job *job, const JobSecrets *secrets);

/* What RegistrarOps.store asked for is durable (0), or could not be made so. */
void registrar_stored(Registrar *r, int error);
void registrar_noted(Registrar *r, int error); /* likewise */

/* A network came: a connection that is being made and hangs is begun anew. */
void registrar_hurry(Registrar *r);

/* To the job at work; nothing where there is none. */
void registrar_cancel(Registrar *r);
void registrar_expire(Registrar *r);

/* The id under which this job's device registers: what the profile fixes, or the job brings; NULL:
 * none. Belongs to them. */
const char *registrar_id_of(const Profile *profile, const JobSpec *spec);

/* Whether this profile's service issues a certificate along with a registration. */
bool registrar_issues(const Profile *profile);

/* What is wrong with such a job in a profile of azure-dps; NULL: nothing. Its CSR is not looked
 * into.
 */
Failure *registrar_refuses(const JobSpec *spec, const Profile *profile);

/* Whether the profile's claim is for the device that the job is about: a certificate (NULL: it is
 * none) is for the one that it names. NULL: it is. */
Failure *registrar_refuses_device(const JobSpec *spec, const Profile *profile,
                                  const Certificate *certificate);

/* Defined in lane.h: void job_run_free(Job *job); */

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Inside daemon/manager. One file for each stretch of a job's way:
 *
 *   held.c         requests that wait for something to be over
 *   admission.c    how many requests of one owner are written at a time
 *   submission.c   may it, can it, is it known already
 *   acceptance.c   then it is made durable, and then answered
 *   dispatch.c     whose turn it is; what the lane tells while a job is at work
 *   change.c       the only way to another state on record: written first, told after
 *   deadline.c     jobs whose time is over
 *   ending.c       cancel, and the one way to an end
 *   delivery.c     result, acknowledge, release, retention
 *   rotation.c     rotations: their turn, and the session that each of them has of its own
 *   job-keys.c     keys in a token that are of no use to anybody any more
 *   rotation-key.c … whose key is in a token
 *   claim-key.c    the key that a rotation was handed: kept until its end, and no longer
 *   way.c          a lane or a registrar: to the rest of the manager they are one
 *   slot.c         a profile: its way, its queue, its status
 *   claim-order.c  reads it on a worker
 *   claim-expiry.c says that one will expire, or has
 *   tokens.c       the worker for PKCS#11 tokens
 *   slot-claim.c   a profile's claim, and the watch on its files
 *   reload.c       another configuration
 *   refusal.c      how much of it the journal gets
 *   surroundings.c the clock is set, a network comes
 *   unwritten.c    what the disk does not take, and those who wait for it
 *   uptime.c       the time that deadlines count by, over power cuts
 *   checkup.c      the doctor; checkup-files.c what it sees without a network
 *   audit.c        the journal entries that do not change
 */

#include "daemon/base/clock-watch.h"
#include "daemon/base/log-limit.h"
#include "daemon/config/claim.h"
#include "daemon/config/config.h"
#include "daemon/front/front.h"
#include "daemon/manager/manager.h"
#include "daemon/manager/way.h"
#include "daemon/model/expiry.h"
#include "daemon/model/queue.h"
#include "daemon/net/network-watch.h"
#include "daemon/store/store.h"

/* What concerns very many jobs at once is done for so many at a time, and then no more until the
 * disk has taken most of it: `status` is answered in between. */
#define MANAGER_CHORES_MAX ((size_t) 64)
#define MANAGER_CHORES_USEC (5 * USEC_PER_MSEC)

/* Requests that are looked at later (held.c). */
typedef struct HeldSubmit {
        Peer *peer;
        JobSpec *spec;
        FrontCall *call;
} HeldSubmit;

typedef struct Held {
        HeldSubmit *submits;
        size_t n;
} Held;

typedef struct RotationKey RotationKey;

/* Rotations go one after the other, beside the claim's session: each in a session of its own. */
typedef struct Rotation {
        Queue *queue;       /* those that wait for their turn */
        Job *job;           /* whose turn it is; NULL: nobody's */
        bool preparing;     /* its secrets are being read, or its key is looked for */
        RotationKey *key;   /* looks for it, in the token; or NULL */
        Lane *lane;         /* opened for it, or still to be closed after one that is gone */
        JobSecrets secrets; /* its own, until it begins */
        Profile profile;    /* the slot's, but for the names below; it shares all its texts */
        char *client_id, *verify_client_id;
        bool without_session; /* what is left of it can be done without */
        unsigned failures;    /* of its session, in a row */
        unsigned refusals;    /* of these, those that speak of its certificate */
} Rotation;

typedef struct ClaimOrder ClaimOrder;
typedef struct KeyRemoval KeyRemoval;
typedef struct Slot Slot;
struct Slot {
        Manager *manager;
        Profile *profile;
        Way way;
        Queue *queue;
        Job *preparing; /* its secrets are being read, then it is at work */
        Rotation rotation;
        usec_t throttled_until; /* boot clock */
        sd_event_source *throttle_timer;
        Failure *throttled_by;                     /* until then; else NULL */
        sd_event_source *claim_watch[CLAIM_FILES]; /* the folders its claim's files stand in */
        sd_event_source *claim_timer;              /* debounces them */
        sd_event_source *claim_retry_timer;    /* for refused_claim, or a token that is not there */
        sd_event_source *claim_patience_timer; /* while claim_awaited, with a token */
        unsigned claim_failures;               /* of its token, in a row */
        unsigned claim_drops;                  /* of `claim` without a word, before it connected */
        Token *key_store;                      /* also where there is no claim; NULL: none (yet) */
        Claim *claim;            /* what the session was opened with; NULL: none yet */
        Claim *former_claim;     /* the last that connected, until `claim` has; or NULL */
        Claim *refused_claim;    /* what the files hold and the service does not take; or NULL */
        ClaimOrder *claim_order; /* they are being read */
        Claim *loaded_claim;     /* they were: to be taken up; NULL: loaded_failure says why */
        Failure *loaded_failure;
        bool claim_is_loaded; /* there is either */
        bool claim_awaited;   /* they are read for the first time: whoever needs it is held */
        Held held;            /* these */
        Expiry expiry;        /* what was said of its certificate's end */
        char *expiry_of;      /* that one's fingerprint; or NULL */
        bool claim_is_stale;  /* the files changed since they were read last */
        bool claim_connected; /* `claim` has */
        bool claim_refused;   /* fall back to former_claim */
        bool claim_due;       /* look at the files, or fall back, once nothing is at work */
        ProfileStatus status;
        Profile *next_profile; /* reload: takes its place when the job at work is done */
        LIST_LINK(Slot, slots);
};

typedef struct Admission Admission;
typedef struct Checkup Checkup;

struct Manager {
        sd_event *event;
        ManagerOptions options;
        Config *config; /* its profiles belong to the slots */
        Network *network;
        Worker *crypto;
        Worker *tokens;        /* the thread of the tokens; NULL until a profile names one */
        TokenPool *token_pool; /* likewise */
        Store *store;
        Front *front;
        JobTable *jobs;
        uint64_t next_serial;
        LIST_HEAD(Slot, slots);
        LIST_HEAD(Job, retained);
        LIST_HEAD(Admission, admissions);
        sd_event_source *dispatch; /* starts jobs: one defer source of normal priority */
        sd_event_source *orphan_timer;
        sd_event_source *deadline_timer;
        usec_t deadline_due; /* boot clock; when that timer ends */
        sd_event_source *retention_timer;
        usec_t retention_not_before; /* boot clock; after the disk refused */
        sd_event_source *uptime_timer;
        usec_t uptime_interval;      /* until it is noted again */
        ClockWatch *clock_watch;     /* NULL: there is none to be had */
        NetworkWatch *network_watch; /* likewise */
        LogLimit *refusals;          /* NULL: none yet */
        sd_event_source *refusal_timer;
        Job *noted;          /* its last line says that it asks for a certificate; it will */
        bool is_ending;      /* no job is begun any more */
        size_t n_unwritten;  /* jobs that hold the others until the disk takes theirs */
        Checkup *checkup;    /* the one that is under way; or NULL */
        FrontCall **reloads; /* wait for the claims of what changed to be read */
        size_t n_reloads;
        sd_event_source *expiry_timer;
        sd_event_source *idle_timer; /* gives memory back once nothing has moved for a while */
};

typedef enum SecretsChange {
        SECRETS_KEEP,
        SECRETS_REPLACE,
        SECRETS_ERASE,
        SECRETS_SPEND, /* the same, and the end does not wait for it */
} SecretsChange;

typedef struct Ending Ending;
typedef struct Keeping Keeping;

/* What the manager keeps for a job beside what the job is. */
typedef struct JobErrand {
        Manager *manager;
        Slot *slot;                  /* NULL: its profile is gone */
        sd_event_source *wait_timer; /* between two tries, or until the disk takes it again */
        Admission *admission;        /* while the request is being written */
        FrontCall **submits;         /* wait for the request to be durable */
        size_t n_submits;
        FrontCall **cancels; /* wait for the end to be durable */
        size_t n_cancels;
        FrontCall **acknowledges; /* wait for the secrets to be erased */
        size_t n_acknowledges;
        Ending *unwritten;                             /* an end that the disk did not take */
        Keeping *keeping;                              /* likewise, a certificate on the way */
        KeyRemoval *key_removal;                       /* under way */
        sd_event_source *key_timer;                    /* until it is tried again, or given up */
        void (*key_settled)(Job *job, void *userdata); /* who waits for that */
        void *key_userdata;
        Held held; /* ask for its key while it, or its secrets, are being erased */
        SecretsChange secrets_coming; /* the last of those being written */
        size_t n_secrets_coming;
        bool creating;  /* the request is being written */
        bool ending;    /* the end is being written */
        bool releasing; /* the job is being erased */
        bool retained;  /* stands in the manager's list */
        bool waits_for_disk;
        bool holds_others; /* counted in n_unwritten */
} JobErrand;

int errand_new(Manager *m, Job *job);
void errand_free(Job *job);
int errand_add_call(FrontCall ***calls, size_t *n, FrontCall *call);
/* Reads what is stored of the job's secrets; `done` is told of it (see store.h on when), unless the
 * job is gone by then. `secrets` is valid during the call alone, NULL on an error (see
 * store_read_secrets()). -ENOMEM: nothing is read. */
typedef void (*ErrandSecretsDone)(Job *job, int error, const JobSecrets *secrets, void *userdata);
int errand_read_secrets(Job *job, ErrandSecretsDone done, void *userdata);

/* --- held.c */
/* Takes spec and call in any case. */
void held_add(Held *h, const Peer *peer, JobSpec *spec, FrontCall *call);
Held held_take(Held *h);               /* all of them, for one who may have to free `h` first */
void held_submit(Manager *m, Held *h); /* as if they came now */
void held_drop(Held *h);               /* answered that nothing comes of it */

/* --- manager.c */
void manager_tell_status(const Manager *m); /* to systemd, as STATUS= */

/* --- admission.c */
/* True: it waits for others of its owner, and is submitted later. Takes spec and call then. */
bool admission_hold(Manager *m, const Peer *peer, JobSpec *spec, FrontCall *call);
/* A request of that owner is being written; it is no more. NULL: memory is short, not counted. */
Admission *admission_enter(Manager *m, const Peer *owner);
void admission_leave(Manager *m, Admission *a);
void admission_end(Manager *m); /* those that wait are answered that nothing comes of it */

/* --- acceptance.c */
/* Writes the request of a job that is in the table, answers who submitted it, and queues it; or the
 * job is gone. */
void acceptance_begin(Job *job);
/* The same for a job that has ended, and is asked for again. Takes the spec, and what it needs of
 * the secrets. */
void acceptance_start_over(Job *job, JobSpec *spec, JobSecrets *secrets);
/* Whether the job's last line says already that it asks for a certificate. It counts no more then:
 * it asks now, or another line comes, or the job goes. */
bool acceptance_forget_note(Manager *m, const Job *job);

/* --- submission.c */
void manager_submit(Manager *m, const Peer *peer, JobSpec *spec, FrontCall *call);
/* The caller's groups and the rule of the profile as they are now. NULL: it may. */
Failure *submission_refuses_peer(const Profile *profile, const Peer *peer);

/* --- doors.c */

/* All users of a further door may have one part in so many of MaxJobs= on record, and as many as
 * one user may in any case. */
#define DOOR_JOBS_PART 2U

/* Whether the profile exists at this door. */
bool doors_show(const Manager *m, const char *door, const char *profile);

/* The profiles that exist there, in their order; that of a name; that of no name. NULL: none. */
Slot *doors_slot_at(const Manager *m, const char *door, size_t i);
Slot *doors_find_slot(const Manager *m, const char *door, const char *profile);
Slot *doors_default_slot(const Manager *m, const char *door);

/* Why a job's owner may not use the profile now, by door or by rule; NULL: he may. */
Failure *doors_refuse(const Manager *m, const Profile *profile, const Peer *peer);

size_t doors_jobs_max(const Manager *m);

/* quota.c: NULL: there is room for it; the second asks for the bytes alone, of a job that is on
 * record and is asked for again. The failure is the caller's. */
Failure *quota_check(const Manager *m, const Peer *peer, const JobSpec *spec);
Failure *quota_check_bytes(const Manager *m, const Peer *peer, const JobSpec *spec);

/* Logs which sockets have no section, and which sections no socket. */
void doors_say(const Manager *m);

/* --- dispatch.c */
extern const LaneOps dispatch_lane_ops;
extern const RegistrarOps dispatch_registrar_ops;
int dispatch_init(Manager *m);
void dispatch_kick(Manager *m);
/* Into its turn. */
typedef enum DispatchPlace {
        DISPATCH_LAST,   /* behind its owner's others */
        DISPATCH_RESUME, /* before its owner's others */
        DISPATCH_FIRST,  /* before everybody */
} DispatchPlace;
void dispatch_enqueue(Job *job, DispatchPlace place);
/* Whether it asks for a certificate as soon as it is queued. */
bool dispatch_asks_next(const Job *job);
/* A job whose record says that it asks for a certificate did not come to that. */
void dispatch_take_note_back(Manager *m);
/* Jobs of the profile that wait between two tries come back now. */
void dispatch_end_waits(Slot *s);

/* --- rotation.c */
int rotation_init(Slot *s);
void rotation_done(Slot *s);
/* Begins with whose turn it is, and closes what nobody needs. Never from within a lane's call. */
void rotation_run(Slot *s);
void rotation_session_changed(Slot *s);
/* True: the job keeps its turn, and its session. */
bool rotation_put_back(Slot *s, const Job *job, usec_t delay_usec);
void rotation_forget(Slot *s, Job *job); /* it has ended */
/* Another profile comes: whoever is not at work goes back to its turn. False: somebody is. */
bool rotation_stand_down(Slot *s);

/* --- rotation-key.c */
/* Looks in the slot's token for the key of the certificate that the job rotates. `done` takes
 * neither; it is not told after rotation_key_forget(). On an error nothing is under way. */
typedef void (*RotationKeyDone)(Slot *s, TokenKey *key, int error, const char *why);
int rotation_key_find(Slot *s, const Job *job, RotationKeyDone done, RotationKey **ret);
RotationKey *rotation_key_forget(RotationKey *k); /* gives NULL; NULL is fine */

/* --- claim-key.c */
/* What is wrong with the certificate and key handed in; NULL: nothing, and the key is PKCS#8. */
Failure *claim_key_check(JobSpec *spec, const Profile *profile);
/* The job has ended: its claim's key goes from the disk, and what is of no use to anybody with it.
 * Where it was ended by a power cut the next start does it. */
void claim_key_erase(Job *job);
/* What is stored of the job, and the key that its second submission brings. `then` gets them; it
 * takes the spec, and may take of the secrets. */
typedef void (*ClaimKeyThen)(Job *job, JobSpec *spec, JobSecrets *secrets);
void claim_key_merge(Job *job, JobSpec *spec, ClaimKeyThen then);

/* --- job-keys.c */
/* What the job asks of keys does not go with KeyStore=; NULL: it does. */
Failure *job_keys_refuse(const JobSpec *spec, const Profile *profile);
/* The job has ended, and that is on record: the key that was made for it in a token goes, where
 * neither its caller nor the job itself may come to use it. */
void job_keys_end(Job *job);
/* The job is about to be forgotten: `then` when its key is gone, or when that has to be left to
 * people, which is said. False: there is nothing to wait for. */
bool job_keys_settle(Job *job, void (*then)(Job *job, void *userdata), void *userdata);
/* The slot's token is there: what had to wait for it. */
void job_keys_sweep(Slot *s);
void job_keys_forget(JobErrand *errand);

/* --- change.c */
typedef struct Change {
        Job *job;
        JobState state;
        JobPhase phase;
        const char *text; /* for the history; copied */
        Failure *failure; /* what job->failure becomes; taken; NULL: none */
        SecretsChange secrets;
        const JobSecrets *new_secrets; /* SECRETS_REPLACE */
        bool acknowledged;             /* what it becomes */
        bool anew;                     /* the whole record, where there may be no file any more */
        JobSpec *starts_over; /* a second submission under the same key: what it asks; taken */
        void (*done)(Job *job, int error, void *userdata); /* applied when error is 0 */
        void *userdata;
} Change;

/* Writes the change down, and applies it when it is durable. */
void change_commit(const Change *change);
/* Writes the job down as it is, and does not wait until the disk has it for sure: the daemon's
 * death does not undo it, a power cut may. `done` may be NULL. */
void change_note(Job *job, void (*done)(Job *job, int error, void *userdata), void *userdata);
/* Applies at once what need not survive: a phase. */
void change_phase(Job *job, JobState state, JobPhase phase, const char *text);

/* --- deadline.c */
void deadline_watch(Job *job); /* it counts from now on, if it has one */

/* --- ending.c */
/* Takes the failure. `secrets`: what belongs to the result, or NULL. */
void ending_begin(Job *job, JobState outcome, Failure *failure, const JobSecrets *secrets,
                  const char *text);
Ending *ending_free(Ending *e); /* of no use but to the job that goes */
void ending_cancel(Job *job);
void ending_answer_cancels(Job *job);
void manager_cancel(Manager *m, Job *job, FrontCall *call);

/* --- delivery.c */
void manager_get_result(Manager *m, Job *job, FrontCall *call);
void manager_acknowledge(Manager *m, Job *job, FrontCall *call);
void manager_release(Manager *m, Job *job, FrontCall *call);
void delivery_retain(Job *job);
void delivery_unretain(Job *job);
void delivery_arm_retention(Manager *m); /* RetainSec= may be another */

/* --- unwritten.c */
/* The disk did not take what belongs to the job: `again` is called in a while, through its
 * wait_timer; if it is the disk's fault, no job is begun until unwritten_over(). */
void unwritten_wait(Job *job, int error, sd_event_time_handler_t again, void *userdata);
void unwritten_over(Job *job); /* it is written, or given up */
/* The job's result so far and these secrets (NULL: as they are) become durable, then the lane is
 * told; it is not told of a disk's trouble that may pass, but to a job that was cancelled. */
void keeping_begin(Job *job, const JobSecrets *secrets, const char *note);
/* The same with what the lane is about to do. */
void keeping_note(Job *job);
void keeping_give_up(Job *job);    /* where it waits for the disk: tells the lane */
Keeping *keeping_free(Keeping *k); /* for the job that goes or ends */

/* --- idle.c */
/* Something moved: memory is given back a while after the last time this was called. */
void idle_postpone(Manager *m);

/* --- slot.c */
int slot_new(Manager *m, Profile *profile, Slot **ret); /* takes the profile on success */
Slot *slot_free(Slot *s);
Slot *slot_find(const Manager *m, const char *name);
Slot *slot_of_lane(const Manager *m, const Lane *lane);
/* The way that the job is at work on; none: on none. */
Way slot_way_of(const Slot *s, const Job *job);
Queue *slot_queue_of(const Slot *s, const Job *job);
void slot_forget_job(Slot *s, Job *job); /* it does not wait here any more */
void slot_refresh_status(Slot *s);
/* What jobs of a registrar carry from try to try fits its claim; nothing of it is at work. */
void slot_forget_tries(Slot *s);
int slot_describe(Slot *s);                            /* status: endpoint and claim */
void slot_set_status_error(Slot *s, Failure *failure); /* takes it */
/* As it stands in the configuration: a request that comes now is held to this one, and begins only
 * when it is in its place. */
const Profile *slot_newest_profile(const Slot *s);
/* Another profile of the same name, when nothing is at work. Takes it. A session that serves it as
 * well as the old one goes on. */
void slot_change_profile(Slot *s, Profile *profile);

/* --- claim-order.c */
int claim_order_new(Slot *s, ClaimOrder **ret); /* slot_claim_loaded() follows */
ClaimOrder *claim_order_forget(ClaimOrder *order);

/* --- claim-expiry.c */
void claim_expiry_look(Slot *s);
void claim_expiry_look_at_all(Manager *m);
void claim_expiry_watch(Manager *m); /* every hour */

/* --- tokens.c */
/* There is a thread for tokens if the profile needs one. */
int tokens_begin(Manager *m, const Profile *profile);
/* The worker that reads the profile's claim. */
Worker *tokens_worker(const Manager *m, const Profile *profile);
void tokens_end(Manager *m);

/* --- slot-claim.c */
void slot_claim_begin(Slot *s); /* watches it, and has it read by the worker */
/* Takes all of them; a key store may come without a claim. */
void slot_claim_loaded(Slot *s, Claim *claim, Token *key_store, Failure *failure);
void slot_claim_end(Slot *s); /* forgets all of it */
void slot_claim_session_changed(Slot *s);
bool slot_claim_is_refused(const Slot *s); /* and there is a former one to fall back to */
void slot_claim_settle(Slot *s);           /* the lane is free: take up what changed */

/* --- reload.c */
int reload_now(Manager *m, char **ret_why);
void reload_answer(Manager *m, FrontCall *call); /* once all of it is in force; takes the call */
void reload_claim_read(Manager *m);              /* somebody may have waited for that */
void reload_end(Manager *m);                     /* nobody is answered any more */
void reload_end_orphans(Manager *m);             /* soon: jobs whose profile is gone */
void reload_settle(Slot *s); /* the lane is free: put next_profile in its place */

/* --- checkup.c */
void manager_check(Manager *m, const Peer *peer, const char *profile, FrontCall *call);

/* --- surroundings.c */
void surroundings_watch(Manager *m);

/* --- uptime.c */
void uptime_begin_notes(Manager *m);
void uptime_note_now(Manager *m); /* where some job counts by it */

/* --- refusal.c */
void refusal_log(Manager *m, const Peer *peer, const JobSpec *spec, const Failure *failure);
void refusal_end(Manager *m); /* tells what was not told yet, and forgets all */

/* --- audit.c */
void audit_accepted(const Job *job);
/* door/uid; a door's name is as long as systemd lets a descriptor's name be. */
typedef struct OwnerText {
        char text[255 + sizeof("/4294967295")];
} OwnerText;
OwnerText audit_owner_text(const Peer *owner);
void audit_refused(const Peer *peer, const JobSpec *spec, const Failure *failure);
void audit_refused_more(unsigned n, const char *cause); /* that were not logged each */
void audit_finished(const Job *job);
void audit_delivered(const Job *job);
void audit_released(const Job *job);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FLEETPROV_CLIENT_H
#define FLEETPROV_CLIENT_H

/*
 * libfleetprov-client: ask fleetprovd, the fleet provisioning daemon of this machine, for a device
 * identity, and wait for it, by a blocking call or inside any event loop.
 *
 * The library starts no thread, installs no signal handler, prints nothing and owns no loop. It
 * speaks D-Bus with the daemon, on its socket or on a message bus.
 *
 * THE SHORT WAY
 *
 *      fleetprov_client_new(&client, NULL);
 *      fleetprov_request_new(&request, FLEETPROV_OPERATION_PROVISION, NULL);
 *      fleetprov_request_set_key(request, "device-identity");
 *      fleetprov_request_add_parameter(request, "SerialNumber", "4711");
 *      fleetprov_client_provision(client, request, FLEETPROV_FOREVER, 0, &result, &error);
 *
 * IN AN EVENT LOOP
 *
 *      Each call (fleetprov_client_submit() and its like) returns at once with a ticket. Poll
 *      fleetprov_client_get_fd() for fleetprov_client_get_events() until
 *      fleetprov_client_get_timeout(), ask all three anew before each poll, call
 *      fleetprov_client_dispatch() after it, then fleetprov_client_pop_event() until it returns 0.
 *      The answer to a call is an event of type FLEETPROV_EVENT_ANSWER that carries its ticket;
 * what happens to jobs comes as events of its own.
 *
 * RETURN VALUES
 *
 *      A function that returns int returns 0 or more on success and a negative errno where this
 *      program or machine failed: -ENOMEM, -EINVAL (an argument breaks its rule), -ETIMEDOUT and so
 *      on. Where a function also has a `ret_error`, it may return a positive value: the enum
 *      fleetprov_code that the daemon gave, or that the job ended with; *ret_error then says more.
 *      `ret_*` arguments are filled on success alone (`ret_error`: on a positive return alone).
 *
 * OWNERSHIP
 *
 *      What a `ret_*` argument or a `steal` function gives is the caller's, to be freed by the
 *      type's own free function; these take NULL, and return NULL. Strings that getters return
 *      belong to the object and live as long as it; they are UTF-8 as the daemon and the cloud sent
 *      it: escape control characters before a terminal sees them.
 *
 * THREADS
 *
 *      There is no global state. One object belongs to one thread at a time: different clients may
 *      be used by different threads at once, one client may not. A client does not survive a fork;
 *      requests, results and the like do. No function may be called from a signal handler.
 *
 * THE DAEMON RESTARTS
 *
 *      Jobs outlive the daemon, and the library outlives its absence: it connects again by itself
 *      (as long as it is dispatched), sends again what was not answered, and tells
 *      FLEETPROV_EVENT_DISCONNECTED and FLEETPROV_EVENT_RESYNC. One thing is not sent again: a
 *      request without a key, since it could be done twice; its answer is then
 *      FLEETPROV_CONNECTION_LOST. Give requests a key.
 */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Words --------------------------------------------------------------------------------- */

/* Every way in which a request can end badly. In JSON and in the daemon's log: the same names, in
 * lower case with dashes; as D-Bus errors: in CamelCase. */
enum fleetprov_code {
        FLEETPROV_OK = 0,
        FLEETPROV_BAD_PARAMETER = 1,
        FLEETPROV_NO_MEMORY = 2,
        FLEETPROV_MQTT_ERROR = 3,
        FLEETPROV_TIMEOUT = 4,
        FLEETPROV_SERVER_REFUSED = 5, /* see status code and error code of the service */
        FLEETPROV_BAD_RESPONSE = 6,
        FLEETPROV_INTERNAL_FAILURE = 7,
        FLEETPROV_NOT_INITIALIZED = 8, /* no such profile, or its claim is missing */
        FLEETPROV_NAME_RESOLUTION = 9,
        FLEETPROV_CONNECT_FAILED = 10, /* to a call: no daemon */
        FLEETPROV_PROXY_REFUSED = 11,
        FLEETPROV_TLS_CLOCK = 12,
        FLEETPROV_TLS_TRUST = 13,
        FLEETPROV_TLS_HOSTNAME = 14,
        FLEETPROV_TLS_FAILED = 15,
        FLEETPROV_CREDENTIALS_REFUSED = 16,
        FLEETPROV_CONNECTION_LOST = 17, /* to a call: the daemon went away before it answered */
        FLEETPROV_PERMISSION_DENIED_BY_POLICY = 18,
        FLEETPROV_THROTTLED = 19,
        FLEETPROV_ACCESS_DENIED = 20,
        FLEETPROV_QUEUE_FULL = 21,
        FLEETPROV_NO_SUCH_JOB = 22,
        FLEETPROV_ID_CONFLICT = 23, /* the key stands for another request */
        FLEETPROV_NOT_FINISHED = 24,
        FLEETPROV_CANCELLED = 25,
        FLEETPROV_EXPIRED = 26, /* the deadline passed */
        FLEETPROV_VERIFY_FAILED = 27,
        FLEETPROV_KEY_MISMATCH = 28,
        FLEETPROV_RESULT_GONE = 29, /* its secrets were acknowledged, or kept long enough */
        FLEETPROV_STORAGE = 30
};

/* What a job asks for. */
enum fleetprov_operation {
        FLEETPROV_OPERATION_PROVISION = 0,
        FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR = 1,
        FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE = 2,
        FLEETPROV_OPERATION_REGISTER_THING = 3,
        FLEETPROV_OPERATION_ROTATE = 4 /* a new identity for one in force, tried before it counts */
};

enum fleetprov_state {
        FLEETPROV_STATE_UNKNOWN = -1, /* a newer daemon's word */
        FLEETPROV_STATE_QUEUED = 0,
        FLEETPROV_STATE_RUNNING = 1,
        FLEETPROV_STATE_SUCCEEDED = 2,
        FLEETPROV_STATE_FAILED = 3,
        FLEETPROV_STATE_CANCELLED = 4,
        FLEETPROV_STATE_EXPIRED = 5
};

/* The secrets that a result may hold. */
enum fleetprov_secret_kind {
        FLEETPROV_SECRET_PRIVATE_KEY = 0,     /* PEM */
        FLEETPROV_SECRET_OWNERSHIP_TOKEN = 1, /* for register-thing */
        FLEETPROV_SECRET_SYMMETRIC_KEY = 2    /* base64 */
};

enum fleetprov_event_type {
        FLEETPROV_EVENT_ANSWER = 0,       /* to a call: see the ticket, then the error */
        FLEETPROV_EVENT_JOB_ADDED = 1,    /* job id */
        FLEETPROV_EVENT_JOB_CHANGED = 2,  /* job id, state, phase */
        FLEETPROV_EVENT_JOB_REMOVED = 3,  /* job id */
        FLEETPROV_EVENT_DISCONNECTED = 4, /* the daemon is away; the library tries again */
        FLEETPROV_EVENT_RESYNC = 5        /* events were missed (the daemon is back, or too few were
                                           * popped): read the jobs that matter once more */
};

/* A timeout that never comes. */
#define FLEETPROV_FOREVER ((uint64_t) -1)

/* Flag of fleetprov_client_provision(): tell the daemon that the result has arrived, so that it
 * erases the secrets. Without it they wait there (RetainSec=), for fleetprov_client_acknowledge()
 * once they are safe on the caller's disk. */
#define FLEETPROV_ACKNOWLEDGE 1U

/* "bad-parameter", "queued", "create-certificate-from-csr". Static; NULL for an unknown value and
 * for FLEETPROV_OK. Any thread. */
const char *fleetprov_code_to_string(int code);
const char *fleetprov_state_to_string(int state);
const char *fleetprov_operation_to_string(int operation);

/* 1 where the state is an end: succeeded, failed, cancelled, expired; else 0. */
int fleetprov_state_is_final(int state);

typedef struct fleetprov_client fleetprov_client;
typedef struct fleetprov_request fleetprov_request;
typedef struct fleetprov_event fleetprov_event;
typedef struct fleetprov_job fleetprov_job;
typedef struct fleetprov_result fleetprov_result;
typedef struct fleetprov_secret fleetprov_secret;
typedef struct fleetprov_error fleetprov_error;
typedef struct fleetprov_status fleetprov_status;

/* ---- The connection ------------------------------------------------------------------------ */

/* Connects. `address`:
 *   NULL                  the daemon's socket where it can be opened, else the system bus
 *   "/…"                  the path of a socket of the daemon
 *   "system", "session"   that message bus
 *   else                  a D-Bus address of a message bus: "unix:path=…"
 * Does not wait for the daemon to answer. Errors: -ENOENT, -ECONNREFUSED (no daemon there),
 * -EACCES (the caller is not in the group that may), -EAGAIN (it has too many connections),
 * -EINVAL, -ENOMEM and what connect(2) says. */
int fleetprov_client_new(fleetprov_client **ret, const char *address);

/* Closes. Jobs go on; calls without an answer are forgotten. */
fleetprov_client *fleetprov_client_free(fleetprov_client *client);

/* The descriptor to poll. It stays the same for the client's life and belongs to the client. */
int fleetprov_client_get_fd(fleetprov_client *client);

/* The poll(2) events to wait for: POLLIN, or 0 while 1024 events wait to be popped. */
int fleetprov_client_get_events(fleetprov_client *client);

/* When fleetprov_client_dispatch() is due even if nothing happens on the descriptor: absolute
 * microseconds of CLOCK_MONOTONIC; 0 for at once, FLEETPROV_FOREVER for never. */
int fleetprov_client_get_timeout(fleetprov_client *client, uint64_t *ret_usec);

/* Reads and writes what can be without blocking, connects again where that is due. Returns 1 where
 * events wait to be popped, else 0. A lost connection is an event, not an error. */
int fleetprov_client_dispatch(fleetprov_client *client);

/* Takes the oldest event: 1, or 0 when there is none. */
int fleetprov_client_pop_event(fleetprov_client *client, fleetprov_event **ret);

/* Blocks until the answer to `ticket` is there (0: until any event is), and takes it. Other events
 * stay, to be popped later. `timeout_usec` is from now. -ETIMEDOUT: the ticket stays good.
 * -EINTR: a signal came; the ticket stays good. -ENOENT: no such ticket, or its event was taken. */
int fleetprov_client_wait(fleetprov_client *client, uint64_t ticket, uint64_t timeout_usec,
                          fleetprov_event **ret);

/* ---- Calls: each returns at once, the answer is an event ----------------------------------- */

/* Hands a request in. Answer: job id. The request may be freed or used again at once. */
int fleetprov_client_submit(fleetprov_client *client, const fleetprov_request *request,
                            uint64_t *ret_ticket);

/* The caller's job with this key in this profile. Answer: job id, or FLEETPROV_NO_SUCH_JOB. */
int fleetprov_client_find_job(fleetprov_client *client, const char *profile, const char *key,
                              uint64_t *ret_ticket);

/* Everything about a job but its result. `job_id`: 32 hex digits. Answer: one job. */
int fleetprov_client_get_job(fleetprov_client *client, const char *job_id, uint64_t *ret_ticket);

/* What a job has brought. Answer: a result, also of one that failed with FLEETPROV_VERIFY_FAILED;
 * FLEETPROV_NOT_FINISHED; FLEETPROV_RESULT_GONE; or the error that the job ended with. */
int fleetprov_client_get_result(fleetprov_client *client, const char *job_id, uint64_t *ret_ticket);

/* The caller's jobs (for root, everybody's), oldest first; `all` 0 leaves out those whose result
 * was acknowledged. Answer: any number of jobs, without key, parameters, history and error text
 * (fleetprov_client_get_job() has them). */
int fleetprov_client_list_jobs(fleetprov_client *client, int all, uint64_t *ret_ticket);

/* "I have it": the daemon erases the secrets; answered when they are off its disk. */
int fleetprov_client_acknowledge(fleetprov_client *client, const char *job_id,
                                 uint64_t *ret_ticket);

/* Ends a job: a waiting one at once, a running one after its current step. */
int fleetprov_client_cancel(fleetprov_client *client, const char *job_id, uint64_t *ret_ticket);

/* Erases a job that has ended, with all it holds, and frees its key. */
int fleetprov_client_release(fleetprov_client *client, const char *job_id, uint64_t *ret_ticket);

/* Daemon and profiles; works while the cloud is away. Answer: a status. */
int fleetprov_client_get_status(fleetprov_client *client, uint64_t *ret_ticket);

/* Has the daemon read its configuration again (root alone); answered when the new one is in force,
 * or with FLEETPROV_BAD_PARAMETER when it was refused and the old one stays. */
int fleetprov_client_reload(fleetprov_client *client, uint64_t *ret_ticket);

/* Has the daemon look at everything that can be wrong with a profile: files, clock, network, and
 * what the cloud lets the claim do. For those who may submit. May take several times the profile's
 * ConnectTimeoutSec=. FLEETPROV_QUEUE_FULL: another check is under way, try again later. Answer:
 * checks. -EINVAL: no name of a profile. */
int fleetprov_client_check(fleetprov_client *client, const char *profile, uint64_t *ret_ticket);

/* ---- Blocking calls ------------------------------------------------------------------------ */

/* Submits, waits for the end, fetches the result, and with FLEETPROV_ACKNOWLEDGE in `flags`
 * acknowledges it. Survives restarts of the daemon. `timeout_usec`, from now, ends this waiting
 * alone (-ETIMEDOUT): the job goes on, and the same request with its key finds it again. So with
 * -EINTR, when a signal came. A positive return: see RETURN VALUES. FLEETPROV_VERIFY_FAILED among
 * them: the identity is there and was not let in; the same request with its key has the same one
 * tried again, and fleetprov_client_find_job() and fleetprov_client_get_result() fetch it as it is.
 * `ret_error` may be NULL. */
int fleetprov_client_provision(fleetprov_client *client, const fleetprov_request *request,
                               uint64_t timeout_usec, unsigned flags, fleetprov_result **ret_result,
                               fleetprov_error **ret_error);

/* Waits until a job has ended, in whatever way, and gives its details. A positive return means that
 * the daemon refused to tell; `ret_error` may be NULL. -ETIMEDOUT and -EINTR as above. */
int fleetprov_client_wait_job(fleetprov_client *client, const char *job_id, uint64_t timeout_usec,
                              fleetprov_job **ret_job, fleetprov_error **ret_error);

/* ---- A request ----------------------------------------------------------------------------- */

/* `operation`: an enum fleetprov_operation. `profile`: [A-Za-z0-9_-]{1,64}, or NULL for the
 * daemon's default, or its only one. */
int fleetprov_request_new(fleetprov_request **ret, int operation, const char *profile);
fleetprov_request *fleetprov_request_free(fleetprov_request *request);

/* The idempotency key: [A-Za-z0-9._:@-]{1,64}, not 32 hex digits. The same user, profile and key
 * find the same job again while it is queued, running or succeeded; after a failure the job is
 * tried again. Setters replace a former value; NULL takes it back. */
int fleetprov_request_set_key(fleetprov_request *request, const char *key);

/* A parameter of the template: name up to 128 bytes, value up to 4096, 64 of them, 32 KiB in all;
 * beyond that -E2BIG. -EEXIST: the name is there. */
int fleetprov_request_add_parameter(fleetprov_request *request, const char *name,
                                    const char *value);

/* A certificate signing request in PEM, up to 8 KiB (-E2BIG); the caller keeps its key. */
int fleetprov_request_set_csr(fleetprov_request *request, const char *pem);

/* "ec-p256", "ec-p384", "rsa-2048", "rsa-3072"; -EINVAL for another one. */
int fleetprov_request_set_key_type(fleetprov_request *request, const char *type);

/* Who makes the key: "daemon" or "cloud"; -EINVAL for another word. */
int fleetprov_request_set_key_source(fleetprov_request *request, const char *source);

/* JSON for the cloud (Azure), up to 64 KiB. */
int fleetprov_request_set_payload(fleetprov_request *request, const char *json);

/* Registration id (Azure), up to 128 bytes, where the profile lets a request bring one. */
int fleetprov_request_set_registration_id(fleetprov_request *request, const char *id);

/* When the daemon gives the job up: microseconds from the submit, in time that the machine is up.
 * FLEETPROV_FOREVER: the profile's own. 0: -EINVAL. */
int fleetprov_request_set_deadline(fleetprov_request *request, uint64_t usec);

/* The ownership token of a create operation, for register-thing: up to 64 KiB. The bytes go into a
 * sealed memory file at once, the library keeps no other copy; wipe your own. -E2BIG, -EINVAL
 * (empty) and what memfd_create(2) says. */
int fleetprov_request_set_ownership_token(fleetprov_request *request, const void *data,
                                          size_t size);

/* rotate: the certificate in force, PEM, the leaf first, up to 64 KiB (-E2BIG), and its private
 * key, likewise, PEM and not encrypted, which travels as the token above does; wipe your own.
 * Derive the idempotency key from the certificate: then a second run finds the same job, whatever
 * happened. The key is left out where it is in a token of the daemon's, which finds it there. */
int fleetprov_request_set_certificate(fleetprov_request *request, const char *pem);
int fleetprov_request_set_private_key(fleetprov_request *request, const void *data, size_t size);

/* ---- An event ------------------------------------------------------------------------------ */

fleetprov_event *fleetprov_event_free(fleetprov_event *event);

/* An enum fleetprov_event_type. */
int fleetprov_event_get_type(const fleetprov_event *event);

/* Of an answer: the ticket of its call; else 0. */
uint64_t fleetprov_event_get_ticket(const fleetprov_event *event);

/* Of an answer: NULL where the call succeeded. */
const fleetprov_error *fleetprov_event_get_error(const fleetprov_event *event);

/* The job that the event is about, or that a call named or got; NULL where there is none. */
const char *fleetprov_event_get_job_id(const fleetprov_event *event);

/* Of FLEETPROV_EVENT_JOB_CHANGED: an enum fleetprov_state, and the phase ("" for none). */
int fleetprov_event_get_state(const fleetprov_event *event);
const char *fleetprov_event_get_phase(const fleetprov_event *event);

/* Of an answer to get_job and list_jobs. `index` counts from 0; NULL beyond the last. */
size_t fleetprov_event_get_n_jobs(const fleetprov_event *event);
const fleetprov_job *fleetprov_event_get_job(const fleetprov_event *event, size_t index);

/* Of an answer to check, the line at `index`, counted from 0: 1, or 0 beyond the last. What was
 * looked at ("files", "tls", …), "ok", "warning" or "failed", and a sentence that names the mend.
 * What depends on a line that failed is left out. Each may be NULL. */
int fleetprov_event_enumerate_checks(const fleetprov_event *event, size_t index,
                                     const char **ret_check, const char **ret_result,
                                     const char **ret_message);

/* Take out of the event what it holds; NULL where it holds none, or not any more. */
fleetprov_job *fleetprov_event_steal_job(fleetprov_event *event, size_t index);
fleetprov_result *fleetprov_event_steal_result(fleetprov_event *event);
fleetprov_status *fleetprov_event_steal_status(fleetprov_event *event);
fleetprov_error *fleetprov_event_steal_error(fleetprov_event *event);

/* ---- A job, as it was when it was read ------------------------------------------------------ */

fleetprov_job *fleetprov_job_free(fleetprov_job *job);

const char *fleetprov_job_get_id(const fleetprov_job *job);
const char *fleetprov_job_get_key(const fleetprov_job *job); /* NULL: none, or not told */
const char *fleetprov_job_get_operation(const fleetprov_job *job);
const char *fleetprov_job_get_profile(const fleetprov_job *job);
uint32_t fleetprov_job_get_owner(const fleetprov_job *job);    /* uid */
int fleetprov_job_get_state(const fleetprov_job *job);         /* enum fleetprov_state */
const char *fleetprov_job_get_phase(const fleetprov_job *job); /* "" for none */
uint32_t fleetprov_job_get_attempts(const fleetprov_job *job);

/* Microseconds since 1970-01-01 UTC; 0: not yet. */
uint64_t fleetprov_job_get_created(const fleetprov_job *job);
uint64_t fleetprov_job_get_started(const fleetprov_job *job);
uint64_t fleetprov_job_get_finished(const fleetprov_job *job);

/* What is left until the deadline, in microseconds; FLEETPROV_FOREVER: there is none. */
uint64_t fleetprov_job_get_deadline(const fleetprov_job *job);

/* 1 where the result was acknowledged, else 0. */
int fleetprov_job_get_acknowledged(const fleetprov_job *job);

/* The parameter at `index`, counted from 0: 1, or 0 beyond the last. */
int fleetprov_job_enumerate_parameters(const fleetprov_job *job, size_t index,
                                       const char **ret_name, const char **ret_value);

/* Certificates that were made for this job and not delivered: how many, and their ids (NULL beyond
 * the last, and where only their number is known). */
uint32_t fleetprov_job_get_n_left_certificates(const fleetprov_job *job);
const char *fleetprov_job_get_left_certificate(const fleetprov_job *job, size_t index);

/* The history, oldest first: 1, or 0 beyond the last. `ret_time` as above; each may be NULL. */
int fleetprov_job_enumerate_history(const fleetprov_job *job, size_t index, uint64_t *ret_time,
                                    const char **ret_state, const char **ret_phase,
                                    const char **ret_message);

/* Why it failed; why it has not started. NULL: no reason known. In a listed job an error has its
 * code alone. */
const fleetprov_error *fleetprov_job_get_error(const fleetprov_job *job);
const fleetprov_error *fleetprov_job_get_waiting_for(const fleetprov_job *job);

/* ---- A result: NULL for what it does not have ---------------------------------------------- */

fleetprov_result *fleetprov_result_free(fleetprov_result *result);

const char *fleetprov_result_get_job_id(const fleetprov_result *result);
const char *fleetprov_result_get_thing_name(const fleetprov_result *result);
const char *fleetprov_result_get_certificate_id(const fleetprov_result *result);
const char *fleetprov_result_get_certificate_pem(const fleetprov_result *result);
/* Where the key was made in a token and stays there: its PKCS#11 URI (RFC 7512), without a PIN. */
const char *fleetprov_result_get_private_key_uri(const fleetprov_result *result);
const char *fleetprov_result_get_device_id(const fleetprov_result *result);
const char *fleetprov_result_get_assigned_hub(const fleetprov_result *result);
const char *fleetprov_result_get_registration_state(const fleetprov_result *result); /* JSON */

/* The device configuration: 1, or 0 beyond the last entry. */
int fleetprov_result_enumerate_configuration(const fleetprov_result *result, size_t index,
                                             const char **ret_name, const char **ret_value);

/* 1: there were secrets, and the daemon has erased them. */
int fleetprov_result_get_secrets_erased(const fleetprov_result *result);

/* 1 where the result holds this secret (enum fleetprov_secret_kind), else 0. */
int fleetprov_result_has_secret(const fleetprov_result *result, int kind);

/* The secret as a sealed memory file: a new descriptor, close-on-exec, the caller's to close.
 * -ENOENT: the result has none. */
int fleetprov_result_dup_secret_fd(const fleetprov_result *result, int kind);

/* Reads the secret into memory that is wiped when it is freed. -ENOENT: the result has none. */
int fleetprov_result_read_secret(const fleetprov_result *result, int kind, fleetprov_secret **ret);

/* The bytes; a terminator follows the last one, and does not count. */
const void *fleetprov_secret_get_data(const fleetprov_secret *secret);
size_t fleetprov_secret_get_size(const fleetprov_secret *secret);
fleetprov_secret *fleetprov_secret_free(fleetprov_secret *secret); /* wipes */

/* ---- An error: NULL or 0 for what it does not have ------------------------------------------ */

fleetprov_error *fleetprov_error_free(fleetprov_error *error);

int fleetprov_error_get_code(const fleetprov_error *error);            /* enum fleetprov_code */
const char *fleetprov_error_get_name(const fleetprov_error *error);    /* "tls-trust" */
const char *fleetprov_error_get_phase(const fleetprov_error *error);   /* where the job was */
const char *fleetprov_error_get_message(const fleetprov_error *error); /* for people; never NULL */

/* What the service said, word for word. */
int fleetprov_error_get_status_code(const fleetprov_error *error);
const char *fleetprov_error_get_service_code(const fleetprov_error *error);
const char *fleetprov_error_get_service_message(const fleetprov_error *error);
const char *fleetprov_error_get_tracking_id(const fleetprov_error *error);

/* 1 where the same request may succeed later. */
int fleetprov_error_get_retriable(const fleetprov_error *error);

/* 1 where the error says whether it is retriable (a job's does, a refused call's does not). */
int fleetprov_error_has_retriable(const fleetprov_error *error);

/* What lies behind it, or NULL; lives as long as `error`. */
const fleetprov_error *fleetprov_error_get_cause(const fleetprov_error *error);

/* ---- A status ------------------------------------------------------------------------------ */

fleetprov_status *fleetprov_status_free(fleetprov_status *status);

const char *fleetprov_status_get_version(const fleetprov_status *status);
const char *fleetprov_status_get_state(const fleetprov_status *status); /* "running", "stopping" */
const char *fleetprov_status_get_default_profile(const fleetprov_status *status); /* "": none */
uint32_t fleetprov_status_get_queued(const fleetprov_status *status);
uint32_t fleetprov_status_get_running(const fleetprov_status *status);
uint32_t fleetprov_status_get_finished(const fleetprov_status *status);
size_t fleetprov_status_get_n_profiles(const fleetprov_status *status);

/* Of the profile at `index`, counted from 0: NULL or 0 beyond the last, and for what is not known.
 * Times are microseconds since 1970-01-01 UTC. */
const char *fleetprov_status_get_profile_name(const fleetprov_status *status, size_t index);
const char *fleetprov_status_get_profile_provider(const fleetprov_status *status, size_t index);
const char *fleetprov_status_get_profile_endpoint(const fleetprov_status *status, size_t index);
const char *fleetprov_status_get_profile_session(const fleetprov_status *status, size_t index);
uint64_t fleetprov_status_get_profile_connected_since(const fleetprov_status *status, size_t index);
const char *fleetprov_status_get_claim_subject(const fleetprov_status *status, size_t index);
const char *fleetprov_status_get_claim_fingerprint(const fleetprov_status *status, size_t index);
uint64_t fleetprov_status_get_claim_not_after(const fleetprov_status *status, size_t index);
const fleetprov_error *fleetprov_status_get_profile_error(const fleetprov_status *status,
                                                          size_t index);

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The inside of a client.
 *
 * client.c      life, descriptor, dispatch, the queue of events
 * connection.c  opens the bus, subscribes, notices that the daemon is away or back
 * call.c        one call: send, send again after a loss, turn the reply into an event
 * calls.c       the public calls, each a message that call.c carries
 * wait.c        blocking
 *
 * Everything happens inside dispatch; nothing calls out. A bus that is lost is let go only after
 * sd_bus_process() has returned, never from a callback of its own.
 */

#include <systemd/sd-bus.h>

#include "libclient/event.h"
#include "libclient/fleetprov-client.h"
#include "libclient/macro.h"

#define CLIENT_EVENTS_MAX 1024U  /* that wait to be popped */
#define CLIENT_DISPATCH_MAX 256U /* messages in one dispatch, so that a loop stays fair */
#define CLIENT_CALL_TIMEOUT_USEC (60 * USEC_PER_SEC)
#define CLIENT_BACKOFF_MIN_USEC (100 * USEC_PER_MSEC)
#define CLIENT_BACKOFF_MAX_USEC (5 * USEC_PER_SEC)

typedef enum CallKind {
        CALL_SUBMIT,
        CALL_FIND_JOB,
        CALL_GET_JOB,
        CALL_GET_RESULT,
        CALL_LIST_JOBS,
        CALL_ACKNOWLEDGE,
        CALL_CANCEL,
        CALL_RELEASE,
        CALL_STATUS,
        CALL_STATUS_PROFILE, /* a part of CALL_STATUS, with no event of its own */
        CALL_RELOAD,
        CALL_CHECK,
} CallKind;

typedef struct Call Call;
struct Call {
        fleetprov_client *client;
        CallKind kind;
        uint64_t ticket;
        char *job_id;
        bool repeatable; /* may be sent again when its answer was lost */
        bool repeated;
        bool collecting;       /* CALL_STATUS whose parts are under way */
        usec_t deadline;       /* of the try under way */
        sd_bus_message *draft; /* sealed; each try sends a copy, since a message is sent once */
        sd_bus_slot *slot;     /* the try under way */
        fleetprov_status *status;
        size_t missing;  /* parts of the status without an answer */
        uint64_t parent; /* CALL_STATUS_PROFILE: the ticket of the whole */
        size_t index;    /* and which profile */
        Call *next;
};

struct fleetprov_client {
        char *address;  /* "system", "session", or a D-Bus address */
        bool on_socket; /* of the daemon itself; else a message bus */

        int epoll_fd;   /* what the caller polls: stays when the connection does not */
        int watched_fd; /* the connection's, in epoll_fd; -1: none */
        uint32_t watched_events;

        sd_bus *bus; /* kept when lost, until the next one is open: drafts are made on it */
        bool open;
        bool seen; /* the daemon has answered once: from now on its absence is waited out */
        bool away; /* FLEETPROV_EVENT_DISCONNECTED was told */
        usec_t retry_at;
        usec_t backoff;

        Call *calls;
        uint64_t last_ticket;
        uint64_t waited_ticket; /* of a blocking call: reads on even when the queue is full */

        fleetprov_event *events, *events_tail;
        size_t n_events;
        bool overrun;
};

/* client.c */
usec_t client_now(void);
void client_post(fleetprov_client *c, fleetprov_event *event); /* takes it; NULL: lost to ENOMEM */
fleetprov_event *client_take_event(fleetprov_client *c, uint64_t ticket); /* 0: the oldest */

/* Renews what epoll_fd watches: after anything that may have written or read. */
void client_rearm(fleetprov_client *c);

/* connection.c */
int connection_choose(fleetprov_client *c, const char *address);
int connection_open(fleetprov_client *c);
void connection_lost(fleetprov_client *c);  /* outside of sd-bus callbacks alone */
void connection_retry(fleetprov_client *c); /* sets retry_at, and lengthens the back-off */
void connection_away(fleetprov_client *c);
void connection_alive(fleetprov_client *c);

/* call.c */
int call_new(fleetprov_client *c, CallKind kind, const char *job_id, const char *path,
             const char *interface, const char *member, Call **ret);
int call_start(Call **call, uint64_t *ret_ticket); /* takes it on success: it is NULL then */
Call *call_free(Call *call);
DEFINE_CLEANUP(Call *, call_free);
void call_send_waiting(fleetprov_client *c);
bool call_any_waiting(const fleetprov_client *c);
void call_forget_tries(fleetprov_client *c); /* the connection of the tries is gone */
void call_fail_all(fleetprov_client *c, int code, const char *message); /* retriable */
void call_free_all(fleetprov_client *c);

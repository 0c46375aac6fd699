/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "libclient/ctl/complain.h"
#include "libclient/ctl/interrupt.h"
#include "protocol/ipc/limits.h"
#include "protocol/ipc/names.h"

usec_t ctl_now(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / 1000;
}

void ctl_complain(Ctl *ctl, const char *format, ...) {
        va_list ap;

        free(ctl->said);
        va_start(ap, format);
        if (vasprintf(&ctl->said, format, ap) < 0)
                ctl->said = NULL;
        va_end(ap);
        complain("%s", ctl->said ? ctl->said : "out of memory");
}

usec_t ctl_time_left(const Ctl *ctl) {
        usec_t now;

        if (ctl->deadline == USEC_INFINITY)
                return FLEETPROV_FOREVER;
        now = ctl_now();
        return ctl->deadline > now ? ctl->deadline - now : 0;
}

/* A daemon takes nobody by the uid that the kernel shows for all it cannot name
 * (user_namespaces(7)), and can only close the door on him. */
#define OVERFLOW_UID ((uid_t) 65534)

static ExitStatus turned_away(void) {
        return geteuid() == OVERFLOW_UID ? STATUS_DENIED : STATUS_BUSY;
}

ExitStatus ctl_connect(Ctl *ctl) {
        const char *where = ctl->options.address ? ctl->options.address : IPC_DEFAULT_SOCKET;
        int r;

        r = fleetprov_client_new(&ctl->client, ctl->options.address);
        if (r >= 0)
                return STATUS_OK;
        switch (-r) {
        case EACCES:
        case EPERM:
                ctl_complain(ctl,
                             "%s: may not be opened; become a member of group fleetprov, or root",
                             where);
                return STATUS_DENIED;
        case ENOMEM:
                ctl_complain(ctl, "out of memory");
                return STATUS_FAILED;
        case EAGAIN:
                ctl_complain(ctl, "%s: the daemon closed the connection; %s", where,
                             turned_away() == STATUS_DENIED
                                     ? "it does not serve this user, nobody: be another one"
                                     : "it has too many callers: try again later");
                return turned_away();
        case EINVAL:
                ctl_complain(ctl, "%s: no address of a daemon; see fleetprovctl --help", where);
                return STATUS_USAGE;
        default:
                ctl_complain(ctl, "%s: no daemon there (%s); start it: systemctl start fleetprovd",
                             where, strerror(-r));
                return STATUS_NO_DAEMON;
        }
}

ExitStatus status_of_error(const fleetprov_error *error) {
        switch ((enum fleetprov_code) fleetprov_error_get_code(error)) {
        case FLEETPROV_BAD_PARAMETER:
                return STATUS_USAGE;
        case FLEETPROV_CONNECT_FAILED:
                return STATUS_NO_DAEMON;
        case FLEETPROV_CONNECTION_LOST:
                /* Turned away at the door, before anything could have been done. */
                return fleetprov_error_get_retriable(error) ? turned_away() : STATUS_NO_DAEMON;
        case FLEETPROV_TIMEOUT:
        case FLEETPROV_EXPIRED:
                return STATUS_TIMEOUT;
        case FLEETPROV_ACCESS_DENIED:
                return STATUS_DENIED;
        case FLEETPROV_CANCELLED:
                return STATUS_CANCELLED;
        case FLEETPROV_QUEUE_FULL:
        case FLEETPROV_THROTTLED:
                return STATUS_BUSY;
        case FLEETPROV_OK:
        case FLEETPROV_NO_MEMORY:
        case FLEETPROV_MQTT_ERROR:
        case FLEETPROV_SERVER_REFUSED:
        case FLEETPROV_BAD_RESPONSE:
        case FLEETPROV_INTERNAL_FAILURE:
        case FLEETPROV_NOT_INITIALIZED:
        case FLEETPROV_NAME_RESOLUTION:
        case FLEETPROV_PROXY_REFUSED:
        case FLEETPROV_TLS_CLOCK:
        case FLEETPROV_TLS_TRUST:
        case FLEETPROV_TLS_HOSTNAME:
        case FLEETPROV_TLS_FAILED:
        case FLEETPROV_CREDENTIALS_REFUSED:
        case FLEETPROV_PERMISSION_DENIED_BY_POLICY:
        case FLEETPROV_NO_SUCH_JOB:
        case FLEETPROV_ID_CONFLICT:
        case FLEETPROV_NOT_FINISHED:
        case FLEETPROV_VERIFY_FAILED:
        case FLEETPROV_KEY_MISMATCH:
        case FLEETPROV_RESULT_GONE:
        case FLEETPROV_STORAGE:
                return STATUS_FAILED;
        }
        return STATUS_FAILED;
}

ExitStatus status_of_job(const fleetprov_job *job) {
        const fleetprov_error *error = fleetprov_job_get_error(job);

        switch ((enum fleetprov_state) fleetprov_job_get_state(job)) {
        case FLEETPROV_STATE_SUCCEEDED:
                return STATUS_OK;
        case FLEETPROV_STATE_CANCELLED:
                return STATUS_CANCELLED;
        case FLEETPROV_STATE_EXPIRED:
                return STATUS_TIMEOUT;
        case FLEETPROV_STATE_FAILED:
                return error && fleetprov_error_get_code(error) == FLEETPROV_ACCESS_DENIED
                               ? STATUS_DENIED
                               : STATUS_FAILED;
        case FLEETPROV_STATE_QUEUED:
        case FLEETPROV_STATE_RUNNING:
        case FLEETPROV_STATE_UNKNOWN:
                return STATUS_FAILED;
        }
        return STATUS_FAILED;
}

void ctl_be_patient(Ctl *ctl) {
        if (ctl->deadline == USEC_INFINITY)
                ctl->deadline = USEC_INFINITY - 1;
}

static usec_t call_timeout(const Ctl *ctl) {
        return ctl->deadline == USEC_INFINITY ? CTL_CALL_TIMEOUT_USEC : ctl_time_left(ctl);
}

ExitStatus ctl_ask(Ctl *ctl, int started, uint64_t ticket, const char *what, fleetprov_event **ret,
                   fleetprov_error **ret_error) {
        fleetprov_event *event = NULL;
        int r = started;

        if (r >= 0)
                do
                        r = fleetprov_client_wait(ctl->client, ticket, call_timeout(ctl), &event);
                while (r == -EINTR && !interrupt_seen());
        if (r == -EINTR) {
                interrupt_obey();
                return STATUS_FAILED;
        }
        if (r == -ETIMEDOUT && ctl->deadline != USEC_INFINITY) {
                complain("%s: no answer within --timeout; give it more time", what);
                return STATUS_TIMEOUT;
        }
        if (r == -ETIMEDOUT) {
                complain("%s: the daemon does not answer; look at it: systemctl status fleetprovd",
                         what);
                return STATUS_NO_DAEMON;
        }
        if (r < 0) {
                complain("%s: %s", what, strerror(-r));
                return STATUS_FAILED;
        }
        if (fleetprov_event_get_error(event)) {
                *ret_error = fleetprov_event_steal_error(event);
                fleetprov_event_free(event);
                if (*ret_error)
                        return STATUS_OK;
                complain("%s: out of memory", what);
                return STATUS_FAILED;
        }
        *ret = event;
        return STATUS_OK;
}

ExitStatus ctl_answer(Ctl *ctl, int started, uint64_t ticket, const char *what,
                      fleetprov_event **ret, fleetprov_error **ret_error) {
        _cleanup_(fleetprov_error_freep) fleetprov_error *error = NULL;
        ExitStatus status;

        status = ctl_ask(ctl, started, ticket, what, ret, &error);
        if (status != STATUS_OK || !error)
                return status;
        complain_error(what, error);
        status = status_of_error(error);
        if (ret_error)
                *ret_error = TAKE_PTR(error);
        return status;
}

ExitStatus ctl_get_job(Ctl *ctl, const char *id, fleetprov_job **ret) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        r = fleetprov_client_get_job(ctl->client, id, &ticket);
        status = ctl_answer(ctl, r, ticket, id, &event, NULL);
        if (status == STATUS_OK)
                *ret = fleetprov_event_steal_job(event, 0);
        return status;
}

ExitStatus ctl_get_status(Ctl *ctl, fleetprov_status **ret) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        r = fleetprov_client_get_status(ctl->client, &ticket);
        status = ctl_answer(ctl, r, ticket, "status", &event, NULL);
        if (status == STATUS_OK)
                *ret = fleetprov_event_steal_status(event);
        return status;
}

const char *ctl_default_profile(const fleetprov_status *status) {
        const char *name = fleetprov_status_get_default_profile(status);

        if (*name)
                return name;
        if (fleetprov_status_get_n_profiles(status) == 1)
                return fleetprov_status_get_profile_name(status, 0);
        return NULL;
}

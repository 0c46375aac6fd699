/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One call: a draft that is sent as often as it takes until an answer comes, and the event that
 * the answer becomes. */

#include "libclient/client.h"

#include <errno.h>

#include "protocol/ipc/limits.h"
#include "protocol/ipc/names.h"

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *ret_error);

Call *call_free(Call *call) {
        if (!call)
                return NULL;
        sd_bus_slot_unref(call->slot);
        sd_bus_message_unref(call->draft);
        fleetprov_status_free(call->status);
        free(call->job_id);
        free(call);
        return NULL;
}

static void call_unlink(Call *call) {
        for (Call **p = &call->client->calls; *p; p = &(*p)->next)
                if (*p == call) {
                        *p = call->next;
                        return;
                }
}

int call_new(fleetprov_client *c, CallKind kind, const char *job_id, const char *path,
             const char *interface, const char *member, Call **ret) {
        _cleanup_(call_freep) Call *call = calloc(1, sizeof(Call));
        int r;

        if (!call)
                return -ENOMEM;
        call->client = c;
        call->kind = kind;
        call->repeatable = true;
        if (job_id && !(call->job_id = strdup(job_id)))
                return -ENOMEM;
        r = sd_bus_message_new_method_call(c->bus, &call->draft, c->on_socket ? NULL : IPC_BUS_NAME,
                                           path, interface, member);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(call);
        return 0;
}

static int call_send(Call *call) {
        sd_bus_message *m = NULL;
        usec_t timeout;
        int r;

        r = sd_bus_message_new_method_call(
                call->client->bus, &m, sd_bus_message_get_destination(call->draft),
                sd_bus_message_get_path(call->draft), sd_bus_message_get_interface(call->draft),
                sd_bus_message_get_member(call->draft));
        if (r < 0)
                return r;
        /* These answer when a running exchange, or a walk through a slow network, has come to its
         * end: only the caller knows how long that may take. */
        timeout = call->kind == CALL_CANCEL || call->kind == CALL_RELOAD || call->kind == CALL_CHECK
                          ? USEC_INFINITY
                          : CLIENT_CALL_TIMEOUT_USEC;
        call->deadline = usec_add(client_now(), timeout);
        r = sd_bus_message_rewind(call->draft, true);
        if (r >= 0)
                r = sd_bus_message_copy(m, call->draft, true);
        if (r >= 0)
                r = sd_bus_call_async(call->client->bus, &call->slot, m, on_reply, call, timeout);
        sd_bus_message_unref(m);
        return r < 0 ? r : 0;
}

static bool call_waits(const Call *call) {
        return !call->slot && !call->collecting;
}

bool call_any_waiting(const fleetprov_client *c) {
        for (const Call *call = c->calls; call; call = call->next)
                if (call_waits(call))
                        return true;
        return false;
}

void call_send_waiting(fleetprov_client *c) {
        for (Call *call = c->calls; call; call = call->next)
                if (call_waits(call) && call_send(call) < 0) {
                        /* The connection just went: sd_bus_process() will say so, too. */
                        connection_retry(c);
                        return;
                }
}

int call_start(Call **callp, uint64_t *ret_ticket) {
        Call *call = *callp;
        fleetprov_client *c = call->client;
        Call **tail = &c->calls;
        int r;

        /* The serial number of a draft is never seen by anyone. */
        r = sd_bus_message_seal(call->draft, 1, 0);
        if (r < 0)
                return r;
        if (c->open) {
                r = call_send(call);
                if (r < 0 && r != -ENOTCONN && r != -ECONNRESET)
                        return r;
        }
        call->ticket = ++c->last_ticket;
        while (*tail)
                tail = &(*tail)->next;
        *tail = TAKE_PTR(*callp);
        client_rearm(c);
        if (ret_ticket)
                *ret_ticket = call->ticket;
        return 0;
}

/* Ends the call with an event; takes both. */
static void call_finish(Call *call, fleetprov_event *event) {
        if (event)
                event->ticket = call->ticket;
        if (event && !event->job_id)
                event->job_id = TAKE_PTR(call->job_id);
        /* Without memory for the answer the caller would wait for ever; RESYNC is told then. */
        client_post(call->client, event);
        call_unlink(call);
        call_free(call);
}

/* Takes the error; NULL reads as no-memory. */
static void call_fail(Call *call, fleetprov_error *error) {
        fleetprov_event *event = event_new(FLEETPROV_EVENT_ANSWER);

        if (event) {
                event->failed = true;
                event->error = error;
        } else
                fleetprov_error_free(error);
        call_finish(call, event);
}

void call_forget_tries(fleetprov_client *c) {
        Call *next;

        for (Call *call = c->calls; call; call = next) {
                next = call->next;
                if (!call->slot)
                        continue;
                call->slot = sd_bus_slot_unref(call->slot);
                call->repeated = true;
                if (!call->repeatable)
                        call_fail(call, error_new(FLEETPROV_CONNECTION_LOST,
                                                  "the daemon went away before it answered"));
        }
}

void call_fail_all(fleetprov_client *c, int code, const char *message) {
        Call *next;

        for (Call *call = c->calls; call; call = next) {
                next = call->next;
                if (call->kind == CALL_STATUS_PROFILE) {
                        call_unlink(call);
                        call_free(call);
                } else {
                        fleetprov_error *error = error_new(code, "%s", message);

                        if (error)
                                error->retriable = 1;
                        call_fail(call, error);
                }
        }
}

void call_free_all(fleetprov_client *c) {
        while (c->calls) {
                Call *call = c->calls;

                c->calls = call->next;
                call_free(call);
        }
}

/* A status is the manager's properties and then each profile's: one call each. */
static int collect_profiles(Call *call) {
        fleetprov_client *c = call->client;

        call->collecting = true;
        for (size_t i = 0; i < call->status->n_profiles; i++) {
                _cleanup_(call_freep) Call *part = NULL;
                int r;

                r = call_new(c, CALL_STATUS_PROFILE, NULL, call->status->paths.strings[i],
                             "org.freedesktop.DBus.Properties", "GetAll", &part);
                if (r < 0)
                        return r;
                r = sd_bus_message_append(part->draft, "s", IPC_PROFILE_INTERFACE);
                if (r < 0)
                        return r;
                part->parent = call->ticket;
                part->index = i;
                r = call_start(&part, NULL);
                if (r < 0)
                        return r;
                call->missing++;
        }
        return 0;
}

static void finish_status(Call *call) {
        fleetprov_event *event = event_new(FLEETPROV_EVENT_ANSWER);

        if (event) {
                status_compact(call->status);
                event->status = TAKE_PTR(call->status);
        }
        call_finish(call, event);
}

static void on_profile_part(Call *part, sd_bus_message *m) {
        Call *whole = part->client->calls;

        while (whole && whole->ticket != part->parent)
                whole = whole->next;
        /* A profile that a reload took away in between is left out, and no failure. */
        if (whole && !sd_bus_message_is_method_error(m, NULL))
                (void) status_read_profile(whole->status, part->index, m);
        call_unlink(part);
        call_free(part);
        if (whole && --whole->missing == 0)
                finish_status(whole);
}

static int read_job_path(sd_bus_message *m, fleetprov_event *event) {
        const char *path, *id;
        int r;

        r = sd_bus_message_read(m, "o", &path);
        if (r < 0)
                return r;
        id = strrchr(path, '/') + 1;
        if (!ipc_job_id_is_valid(id))
                return -EBADMSG;
        event->job_id = strdup(id);
        return event->job_id ? 0 : -ENOMEM;
}

static int read_jobs(sd_bus_message *m, fleetprov_event *event) {
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(osssssuutttus)");
        if (r < 0)
                return r;
        for (;;) {
                fleetprov_job *job = NULL;

                r = job_read_row(m, &job);
                if (r <= 0)
                        return r;
                r = event_add_job(event, job);
                if (r < 0)
                        return r;
        }
}

static int read_answer(Call *call, sd_bus_message *m, fleetprov_event *event) {
        fleetprov_job *job = NULL;
        int r;

        switch (call->kind) {
        case CALL_SUBMIT:
        case CALL_FIND_JOB:
                return read_job_path(m, event);
        case CALL_GET_JOB:
                r = job_read_details(m, &job);
                return r < 0 ? r : event_add_job(event, job);
        case CALL_GET_RESULT:
                return result_read(m, call->job_id, &event->result);
        case CALL_LIST_JOBS:
                return read_jobs(m, event);
        case CALL_STATUS:
                r = status_read_manager(m, &call->status);
                return r < 0 ? r : collect_profiles(call);
        case CALL_CHECK:
                return check_list_read(m, &event->checks);
        case CALL_STATUS_PROFILE:
        case CALL_ACKNOWLEDGE:
        case CALL_CANCEL:
        case CALL_RELEASE:
        case CALL_RELOAD:
                return 0;
        }
        return -EINVAL;
}

/* Whether the error says that no daemon was there to answer, rather than its answer. */
static bool error_is_absence(const sd_bus_error *e) {
        static const char *const names[] = {
                SD_BUS_ERROR_NO_REPLY,
                SD_BUS_ERROR_DISCONNECTED,
                SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                SD_BUS_ERROR_SERVICE_UNKNOWN,
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (sd_bus_error_has_name(e, names[i]))
                        return true;
        return strncmp(e->name, "org.freedesktop.DBus.Error.Spawn.", 33) == 0;
}

static void on_error(Call *call, sd_bus_message *m, const sd_bus_error *e) {
        fleetprov_client *c = call->client;
        fleetprov_error *error;

        /* Turned away before any answer: connection_lost() ends all calls, and says why. */
        if (error_is_absence(e) && !c->seen && c->on_socket && client_now() < call->deadline)
                return;
        if (error_is_absence(e) && client_now() < call->deadline) {
                call->repeated = true;
                if (c->seen && call->repeatable) {
                        /* It waits without a try; connection_lost(), the name's new owner or the
                         * back-off sends it again. */
                        connection_away(c);
                        connection_retry(c);
                        return;
                }
                if (c->seen)
                        error = error_new(FLEETPROV_CONNECTION_LOST,
                                          "the daemon went away before it answered");
                else
                        error = error_new(FLEETPROV_CONNECT_FAILED, "no daemon answers: %s",
                                          e->message ? e->message : e->name);
                call_fail(call, error);
                return;
        }
        if (call->kind == CALL_STATUS_PROFILE) {
                on_profile_part(call, m);
                return;
        }
        error = error_from_bus(e, call->job_id != NULL);
        /* Released by the first try, whose answer got lost. */
        if (call->kind == CALL_RELEASE && call->repeated && error &&
            error->code == FLEETPROV_NO_SUCH_JOB) {
                fleetprov_error_free(error);
                call_finish(call, event_new(FLEETPROV_EVENT_ANSWER));
                return;
        }
        call_fail(call, error);
}

static int on_reply(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *ret_error) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        Call *call = userdata;
        const sd_bus_error *e = sd_bus_message_get_error(m);
        int r;

        call->slot = sd_bus_slot_unref(call->slot);
        if (!e || !error_is_absence(e))
                connection_alive(call->client);
        if (e) {
                on_error(call, m, e);
                return 0;
        }
        if (call->kind == CALL_STATUS_PROFILE) {
                on_profile_part(call, m);
                return 0;
        }
        event = event_new(FLEETPROV_EVENT_ANSWER);
        r = event ? read_answer(call, m, event) : -ENOMEM;
        if (r < 0) {
                call_fail(call, r == -ENOMEM ? NULL
                                             : error_new(FLEETPROV_BAD_RESPONSE,
                                                         "the daemon's answer is not what its "
                                                         "interface says: %s",
                                                         strerror(-r)));
                return 0;
        }
        if (!call->collecting)
                call_finish(call, TAKE_PTR(event));
        else if (call->missing == 0)
                finish_status(call);
        return 0;
}

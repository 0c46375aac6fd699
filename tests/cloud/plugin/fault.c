/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/fault.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "tests/cloud/plugin/fault-kind.h"
#include "tests/cloud/plugin/wake.h"

#define ALL_OPERATIONS ((1U << OPERATION_MAX) - 1)

static Fault *fault_free(Fault *fault) {
        if (!fault)
                return NULL;
        free(fault->client);
        free(fault->given);
        free(fault->value);
        free(fault);
        return NULL;
}

DEFINE_CLEANUP(Fault *, fault_free);

/* 0: there is none of that name. */
static unsigned operations_from_string(const char *name) {
        if (!name || streq(name, "any"))
                return ALL_OPERATIONS;
        for (Operation operation = 0; operation < OPERATION_MAX; operation++)
                if (streq(name, operation_to_string(operation)))
                        return 1U << operation;
        return 0;
}

static int complain(char **ret_why, const char *what, const char *why) {
        return asprintf(ret_why, "%s: %s", what, why) < 0 ? -ENOMEM : -EINVAL;
}

static int fault_new(const json_t *request, Fault **ret, char **ret_why) {
        _cleanup_(fault_freep) Fault *fault = calloc(1, sizeof(*fault));
        const char *kind = "", *value = NULL, *operation = NULL, *client = NULL;
        json_int_t count = 1, after = 0;
        const char *why;
        int always = 0;

        if (!fault)
                return -ENOMEM;
        if (json_unpack((json_t *) (uintptr_t) request, "{s:s, s?s, s?s, s?I, s?b, s?I, s?s}",
                        "kind", &kind, "value", &value, "operation", &operation, "count", &count,
                        "always", &always, "after", &after, "client", &client) < 0)
                return complain(ret_why, "fault", "a field is missing or of the wrong type");
        fault->kind = fault_kind_from_string(kind);
        if (fault->kind == FAULT_MAX)
                return complain(ret_why, kind, "no such fault; see fault --help");
        fault->operations = operations_from_string(operation);
        if (fault->operations == 0)
                return complain(
                        ret_why, operation,
                        "no such operation; create-csr, create-keys, register, dps-register, "
                        "dps-query or any");
        if (operation && fault_info(fault->kind)->scope != SCOPE_REQUEST)
                return complain(ret_why, kind, "strikes sessions, and takes no --operation");
        if (count < 1 || after < 0)
                return complain(ret_why, kind, "count wants to be above 0, after not below 0");
        fault->given = value ? strdup(value) : NULL;
        fault->value = value ? strdup(value) : NULL;
        fault->client = client ? strdup(client) : NULL;
        if ((value && (!fault->given || !fault->value)) || (client && !fault->client))
                return -ENOMEM;
        why = fault_parse_value(fault);
        if (why)
                return complain(ret_why, kind, why);
        /* A rate says nothing about one request. */
        fault->always = always || fault->kind == FAULT_THROTTLE;
        fault->remaining = (uint64_t) count;
        fault->after = (uint64_t) after;
        *ret = TAKE_PTR(fault);
        return 0;
}

static void remove_fault(Faults *faults, Fault *fault) {
        LIST_REMOVE(faults, faults, fault);
        faults->n_faults--;
        fault_free(fault);
}

/* Those that have struck their last make room. */
static void remove_spent(Faults *faults) {
        Fault *fault, *next;

        LIST_FOREACH_SAFE(faults, fault, next, faults)
                if (!fault->always && fault->remaining == 0)
                        remove_fault(faults, fault);
}

int faults_add(Faults *faults, const json_t *request, unsigned *ret_id, char **ret_why) {
        Fault *fault = NULL;
        int r;

        if (faults->n_faults >= FAULTS_MAX)
                remove_spent(faults);
        if (faults->n_faults >= FAULTS_MAX)
                return complain(ret_why, "fault", "there are too many; clear some");
        r = fault_new(request, &fault, ret_why);
        if (r < 0)
                return r;
        fault->id = ++faults->last_id;
        LIST_APPEND(faults, faults, fault);
        faults->n_faults++;
        *ret_id = fault->id;
        return 0;
}

size_t faults_clear(Faults *faults, unsigned id) {
        Fault *fault, *next;
        size_t n = 0;

        LIST_FOREACH_SAFE(faults, fault, next, faults)
                if (id == 0 || fault->id == id) {
                        remove_fault(faults, fault);
                        n++;
                }
        return n;
}

static json_t *operations_to_json(unsigned operations) {
        if (operations == ALL_OPERATIONS)
                return json_string("any");
        for (Operation operation = 0; operation < OPERATION_MAX; operation++)
                if (operations == 1U << operation)
                        return json_string(operation_to_string(operation));
        return NULL;
}

json_t *faults_list(const Faults *faults) {
        json_t *list = json_array();
        const Fault *fault;

        LIST_FOREACH(faults, fault, faults)
                json_array_append_new(
                        list, json_pack("{s:i, s:s, s:s*, s:o*, s:s*, s:o, s:I, s:I}", "id",
                                        (int) fault->id, "kind", fault_kind_to_string(fault->kind),
                                        "value", fault->given, "operation",
                                        fault_info(fault->kind)->scope == SCOPE_REQUEST
                                                ? operations_to_json(fault->operations)
                                                : NULL,
                                        "client", fault->client, "remaining",
                                        fault->always ? json_string("always")
                                                      : json_integer((json_int_t) fault->remaining),
                                        "after", (json_int_t) fault->after, "hits",
                                        (json_int_t) fault->hits));
        return list;
}

/* True when this many have come within the second. */
static bool throttle_strikes(Fault *fault) {
        usec_t now = wake_now();

        if (fault->window_usec == 0 || now - fault->window_usec >= USEC_PER_SEC) {
                fault->window_usec = now;
                fault->in_window = 0;
        }
        return ++fault->in_window > fault->number;
}

/* Counts the event; true when the fault strikes it. One that has struck its last stays listed. */
static bool strikes(Faults *faults, Fault *fault) {
        if (!fault->always && fault->remaining == 0)
                return false;
        if (fault->after > 0) {
                fault->after--;
                return false;
        }
        if (fault->kind == FAULT_THROTTLE && !throttle_strikes(fault))
                return false;
        if (!fault->always)
                fault->remaining--;
        fault->hits++;
        faults->hits++;
        return true;
}

static bool of_client(const Fault *fault, const char *client) {
        return !fault->client || streq(fault->client, client);
}

void faults_strike_request(Faults *faults, Operation operation, const char *client, Strike *ret) {
        Fault *fault;

        *ret = (Strike){};
        LIST_FOREACH(faults, fault, faults)
                if (fault_info(fault->kind)->scope == SCOPE_REQUEST && !ret->by[fault->kind] &&
                    (fault->operations & 1U << operation) && of_client(fault, client) &&
                    strikes(faults, fault))
                        ret->by[fault->kind] = fault;
}

void faults_strike_connect(Faults *faults, const char *client, Strike *ret) {
        Fault *fault;

        *ret = (Strike){};
        LIST_FOREACH(faults, fault, faults)
                if (fault_info(fault->kind)->scope == SCOPE_CONNECT && !ret->by[fault->kind] &&
                    of_client(fault, client) && strikes(faults, fault))
                        ret->by[fault->kind] = fault;
}

void faults_strike_topic(Faults *faults, FaultScope scope, const char *topic, const char *client,
                         Strike *ret) {
        Fault *fault;

        *ret = (Strike){};
        LIST_FOREACH(faults, fault, faults)
                if (fault_info(fault->kind)->scope == scope && !ret->by[fault->kind] &&
                    of_client(fault, client) &&
                    (!fault->value || fnmatch(fault->value, topic, 0) == 0) &&
                    strikes(faults, fault))
                        ret->by[fault->kind] = fault;
}

json_t *strike_names(const Strike *strike) {
        json_t *names = NULL;

        for (FaultKind kind = 0; kind < FAULT_MAX; kind++)
                if (strike->by[kind]) {
                        if (!names)
                                names = json_array();
                        json_array_append_new(names, json_string(fault_kind_to_string(kind)));
                }
        return names;
}

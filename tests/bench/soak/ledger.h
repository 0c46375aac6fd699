/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the clients of a soak know of their jobs, in memory that all processes share and that
 * survives their deaths: what was promised to anybody must hold at the end of the round. */

#include <stdatomic.h>
#include <sys/types.h>

#include "daemon/base/macro.h"
#include "protocol/ipc/limits.h"

#define CLIENTS 20U
#define ENTRIES_MAX 2048U /* of one client in one round; then it asks for no more */
#define CERTIFICATE_ID_SIZE 65U

typedef struct Entry {
        char key[IPC_KEY_MAX + 1];
        char id[IPC_JOB_ID_LENGTH + 1];        /* "": Submit was not answered (yet) */
        char certificate[CERTIFICATE_ID_SIZE]; /* that a result had */
        const char *profile;                   /* a constant: the same in all processes */
        int operation;
        bool refused;  /* Submit was answered by an error */
        bool steered;  /* cancelled, or asked for again: its end may change */
        bool released; /* Release was sent */
        int end;       /* the final state that was seen; -1: none */
} Entry;

typedef struct Account {
        Entry entries[ENTRIES_MAX];
        _Atomic size_t n;
        _Atomic unsigned deaths;
} Account;

typedef struct Ledger {
        atomic_bool pause; /* the round is over: finish, and end */
        atomic_uint round; /* keys of one never stand in the next */
        char broken[512];  /* what a client saw that must not be; "": nothing */
        Account accounts[CLIENTS];
} Ledger;

Ledger *ledger_new(void); /* shared with all children */
void ledger_free(Ledger *l);
void ledger_begin_round(Ledger *l);

/* A fresh one; NULL: the round has enough. */
Entry *account_add(Account *a);

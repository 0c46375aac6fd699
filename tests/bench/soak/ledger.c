/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/soak/ledger.h"

#include <check.h>
#include <sys/mman.h>

Ledger *ledger_new(void) {
        Ledger *l = mmap(NULL, sizeof(Ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                         -1, 0);

        ck_assert_ptr_ne(l, MAP_FAILED);
        return l;
}

void ledger_free(Ledger *l) {
        ck_assert_int_eq(munmap(l, sizeof(Ledger)), 0);
}

void ledger_begin_round(Ledger *l) {
        for (size_t i = 0; i < CLIENTS; i++) {
                memset(l->accounts[i].entries, 0, sizeof(l->accounts[i].entries));
                l->accounts[i].n = 0;
        }
        l->round++;
        l->pause = false;
}

Entry *account_add(Account *a) {
        Entry *e;

        if (a->n >= ENTRIES_MAX)
                return NULL;
        e = a->entries + a->n;
        *e = (Entry){.end = -1};
        return e;
}

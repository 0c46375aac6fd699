/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/model/exchange-way.h"

#include <check.h>

Exchange exchange_at_step(ExchangeStep step) {
        static const ExchangeEventType way[] = {EXCHANGE_EVENT_START,  EXCHANGE_EVENT_KEY_MADE,
                                                EXCHANGE_EVENT_NOTED,  EXCHANGE_EVENT_CREATED,
                                                EXCHANGE_EVENT_STORED, EXCHANGE_EVENT_REGISTERED,
                                                EXCHANGE_EVENT_STORED};
        Exchange x;

        exchange_init(&x, OPERATION_PROVISION, KEY_SOURCE_DAEMON);
        if (step == EXCHANGE_KEEPING || step == EXCHANGE_VERIFYING)
                exchange_wants_verify(&x);
        if (step == EXCHANGE_PLACING_KEY)
                exchange_keeps_key_in_token(&x);
        for (size_t i = 0; x.step != step && i < ELEMENTSOF(way); i++)
                (void) exchange_step(&x, way[i], 0);
        ck_assert_int_eq(x.step, step);
        return x;
}

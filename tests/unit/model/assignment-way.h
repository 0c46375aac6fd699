/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Leads an assignment to where a test begins. */

#include <check.h>

#include "daemon/model/assignment.h"

static inline AssignmentEffect feed_all(Assignment *a, AssignmentEventType type, usec_t retry_after,
                                        uint64_t random) {
        AssignmentEvent event = {.type = type, .retry_after_usec = retry_after, .random = random};

        return assignment_step(a, &event);
}

static inline AssignmentEffect feed(Assignment *a, AssignmentEventType type) {
        return feed_all(a, type, USEC_INFINITY, 0);
}

static inline Assignment at_step_with(AssignmentStep step, bool makes_key, bool has_secondary) {
        static const AssignmentEventType way[] = {
                ASSIGNMENT_EVENT_START,     ASSIGNMENT_EVENT_KEY_MADE, ASSIGNMENT_EVENT_STORED,
                ASSIGNMENT_EVENT_CONNECTED, ASSIGNMENT_EVENT_NOTED,    ASSIGNMENT_EVENT_ASSIGNING,
                ASSIGNMENT_EVENT_STORED,    ASSIGNMENT_EVENT_TIMER,    ASSIGNMENT_EVENT_ASSIGNED};
        Assignment a;

        assignment_init(&a, makes_key, has_secondary);
        if (step == ASSIGNMENT_PLACING_KEY)
                assignment_keeps_key_in_token(&a);
        for (size_t i = 0; a.step != step && i < ELEMENTSOF(way); i++)
                (void) feed(&a, way[i]);
        ck_assert_int_eq(a.step, step);
        return a;
}

static inline Assignment at_step(AssignmentStep step) {
        return at_step_with(step, true, false);
}

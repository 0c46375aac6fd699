/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The end of a claim's certificate, and when it is spoken of: once it comes near, once it is past,
 * and once a day after either, by the clock that never jumps. A real clock that is set to and fro
 * brings no more than that. Pure. */

#include "daemon/base/macro.h"

#define EXPIRY_WARNING_USEC (30 * USEC_PER_DAY)
#define EXPIRY_REPEAT_USEC USEC_PER_DAY

typedef enum ExpiryStage {
        EXPIRY_FAR,
        EXPIRY_NEAR, /* EXPIRY_WARNING_USEC or less to go */
        EXPIRY_PAST,
        EXPIRY_STAGE_MAX,
} ExpiryStage;

/* Of one certificate; zero at its beginning. */
typedef struct Expiry {
        bool was_told[EXPIRY_STAGE_MAX];
        usec_t told_boot[EXPIRY_STAGE_MAX]; /* when, by the boot clock */
} Expiry;

/* Both on the real clock. */
ExpiryStage expiry_stage(usec_t not_after, usec_t now);

/* Whether this stage is to be spoken of now, which is noted then. EXPIRY_FAR never is. */
bool expiry_is_due(Expiry *e, ExpiryStage stage, usec_t now_boot);

/* "the claim's certificate (SUBJECT) expires on DATE, in N days; …", with the mend. NULL: out of
 * memory. The caller frees it. */
char *expiry_text(const char *subject, usec_t not_after, usec_t now);

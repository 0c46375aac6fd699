/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/expiry.h"

#include <stdio.h>
#include <time.h>

#define DATE_SIZE sizeof("2147483647-12-31 23:59:59 UTC")
#define MEND "bring another certificate and key to where Certificate= and PrivateKey= point"

ExpiryStage expiry_stage(usec_t not_after, usec_t now) {
        if (not_after <= now)
                return EXPIRY_PAST;
        return not_after - now <= EXPIRY_WARNING_USEC ? EXPIRY_NEAR : EXPIRY_FAR;
}

bool expiry_is_due(Expiry *e, ExpiryStage stage, usec_t now_boot) {
        if (stage == EXPIRY_FAR ||
            (e->was_told[stage] && usec_sub(now_boot, e->told_boot[stage]) < EXPIRY_REPEAT_USEC))
                return false;
        e->was_told[stage] = true;
        e->told_boot[stage] = now_boot;
        return true;
}

static void date_text(usec_t real, char text[static DATE_SIZE]) {
        time_t t = (time_t) (real / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&t, &tm) || strftime(text, DATE_SIZE, "%F %T UTC", &tm) == 0)
                memcpy(text, "?", sizeof("?"));
}

static unsigned long long days(usec_t span) {
        return (unsigned long long) (span / USEC_PER_DAY);
}

char *expiry_text(const char *subject, usec_t not_after, usec_t now) {
        const bool named = subject && *subject;
        char date[DATE_SIZE], *text;
        int r = -1;

        date_text(not_after, date);
        switch (expiry_stage(not_after, now)) {
        case EXPIRY_PAST:
                r = asprintf(&text,
                             "the claim's certificate%s%s%s has expired on %s, %llu days ago by "
                             "this machine's clock; set the clock if that is wrong, else " MEND,
                             named ? " (" : "", named ? subject : "", named ? ")" : "", date,
                             days(now - not_after));
                break;
        case EXPIRY_NEAR:
                r = asprintf(&text,
                             "the claim's certificate%s%s%s expires on %s, in %llu days; " MEND
                             " before that",
                             named ? " (" : "", named ? subject : "", named ? ")" : "", date,
                             days(not_after - now));
                break;
        case EXPIRY_FAR:
                r = asprintf(&text, "the claim's certificate%s%s%s is good until %s, for %llu days",
                             named ? " (" : "", named ? subject : "", named ? ")" : "", date,
                             days(not_after - now));
                break;
        case EXPIRY_STAGE_MAX:
                break;
        }
        return r < 0 ? NULL : text;
}

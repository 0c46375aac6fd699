/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The audit trail: entries whose MESSAGE_ID never changes, so that a journal can be searched for
 * them years from now. They are documented in fleetprovd(8). */

#include <stdio.h>

#include "daemon/base/log.h"
#include "daemon/manager/manager-internal.h"

#define MESSAGE_ACCEPTED "7ee785a50173419f8f0c21c79a96ed8b"
#define MESSAGE_REFUSED "6a7f5a6369ee413eb48e0f6e481fa658"
#define MESSAGE_FINISHED "4c1069df062145049c983122d325d4dd"
#define MESSAGE_DELIVERED "2ae0c466f0094896b43a97492408f6dc"
#define MESSAGE_RELEASED "dffcf17479c241ce9747a4a7bd4c8930"

OwnerText audit_owner_text(const Peer *owner) {
        OwnerText t;

        (void) snprintf(t.text, sizeof(t.text), "%s/%u", owner->door, (unsigned) owner->uid);
        return t;
}

static void audit(int level, const char *message_id, const Job *job, const char *text) {
        const OwnerText owner = audit_owner_text(job->owner);
        const LogField fields[] = {
                {"MESSAGE_ID", message_id},
                {"FLEETPROV_JOB", job->id},
                {"FLEETPROV_KEY", job->spec->key},
                {"FLEETPROV_PROFILE", job->spec->profile},
                {"FLEETPROV_OPERATION", operation_to_string(job->spec->operation)},
                {"FLEETPROV_OWNER", owner.text},
                {"FLEETPROV_PHASE", job->failure ? job_phase_to_string(job->failure->phase) : NULL},
                {"FLEETPROV_THING", job->result.thing_name},
                {"FLEETPROV_CERTIFICATE_ID", job->result.certificate_id},
                {"FLEETPROV_ERROR", job->failure ? error_code_to_string(job->failure->code) : NULL},
        };

        log_message(level, fields, ELEMENTSOF(fields), "Job %s: %s", job->id, text);
}

void audit_accepted(const Job *job) {
        _cleanup_free_ char *text = NULL;
        const OwnerText owner = audit_owner_text(job->owner);

        if (asprintf(&text, "accepted %s for %s, profile %s",
                     operation_to_string(job->spec->operation), owner.text,
                     job->spec->profile) < 0) {
                text = NULL;
                return;
        }
        audit(LOG_INFO, MESSAGE_ACCEPTED, job, text);
}

void audit_refused(const Peer *peer, const JobSpec *spec, const Failure *failure) {
        const OwnerText owner = audit_owner_text(peer);
        const LogField fields[] = {
                {"MESSAGE_ID", MESSAGE_REFUSED},
                {"FLEETPROV_KEY", spec->key},
                {"FLEETPROV_PROFILE", spec->profile},
                {"FLEETPROV_OPERATION", operation_to_string(spec->operation)},
                {"FLEETPROV_OWNER", owner.text},
                {"FLEETPROV_ERROR", error_code_to_string(failure_code(failure))},
        };

        log_message(LOG_NOTICE, fields, ELEMENTSOF(fields), "Refused %s for %s: %s",
                    operation_to_string(spec->operation), owner.text, failure_message(failure));
}

void audit_refused_more(unsigned n, const char *cause) {
        const LogField fields[] = {{"MESSAGE_ID", MESSAGE_REFUSED}};

        log_message(LOG_NOTICE, fields, ELEMENTSOF(fields),
                    "Refused %u more requests in a minute: %s", n, cause);
}

void audit_finished(const Job *job) {
        _cleanup_free_ char *text = NULL;
        int r;

        if (job->state == JOB_SUCCEEDED)
                r = asprintf(&text, "succeeded%s%s%s%s", job->result.thing_name ? ", thing " : "",
                             job->result.thing_name ? job->result.thing_name : "",
                             job->result.certificate_id ? ", certificate " : "",
                             job->result.certificate_id ? job->result.certificate_id : "");
        else
                r = asprintf(&text, "%s: %s", job_state_to_string(job->state),
                             failure_message(job->failure));
        if (r < 0) {
                text = NULL;
                return;
        }
        audit(job->state == JOB_SUCCEEDED ? LOG_INFO : LOG_WARNING, MESSAGE_FINISHED, job, text);
}

void audit_delivered(const Job *job) {
        audit(LOG_INFO, MESSAGE_DELIVERED, job, "delivered, its secrets are erased");
}

void audit_released(const Job *job) {
        audit(LOG_INFO, MESSAGE_RELEASED, job, "released, all it held is erased");
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a job may ask of a profile of azure-dps. Who the device is, and what is said of it, is the
 * profile's where the profile fixes it. */

#include <errno.h>
#include <fnmatch.h>

#include "daemon/provider/dps.h"
#include "protocol/dps/name.h"
#include "protocol/dps/request.h"

static Failure *bad(const char *text) {
        return failure_new(ERROR_BAD_PARAMETER, "%s", text);
}

/* Ids that differ in case alone are the same device to DPS ("Azure DPS concepts", registration ID),
 * so they are to the pattern. */
static Failure *check_brought_id(const char *id, const Profile *profile) {
        if (!dps_registration_id_is_valid(id))
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Option 'registration-id': '%.*s' is none: 1 to %zu letters, "
                                   "digits, '-', '.', '_' and ':', and at the end a letter, a "
                                   "digit or '-'",
                                   (int) DPS_REGISTRATION_ID_MAX, id, DPS_REGISTRATION_ID_MAX);
        if (fnmatch(profile->dps.registration_ids, id, FNM_NOESCAPE | FNM_CASEFOLD) != 0)
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Option 'registration-id': '%s' does not match "
                                   "RegistrationIds=%s of [Profile %s]",
                                   id, profile->dps.registration_ids, profile->name);
        return NULL;
}

static Failure *check_id(const JobSpec *spec, const Profile *profile) {
        const char *fixed = profile->dps.registration_id, *id = spec->registration_id;

        if (!fixed && !id)
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Option 'registration-id' is missing: [Profile %s] has no "
                                   "RegistrationId=, so the job must bring one that matches "
                                   "RegistrationIds=%s",
                                   profile->name, profile->dps.registration_ids);
        if (!fixed)
                return check_brought_id(id, profile);
        if (id && !streq(id, fixed))
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Option 'registration-id' is fixed by RegistrationId= of "
                                   "[Profile %s]; leave it out",
                                   profile->name);
        return NULL;
}

static Failure *check_payload(const JobSpec *spec, const Profile *profile) {
        _cleanup_free_ char *why = NULL;
        int r;

        if (!spec->payload)
                return NULL;
        if (profile->dps.payload && !streq(profile->dps.payload, spec->payload))
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Option 'payload' is fixed by Payload= of [Profile %s]; leave "
                                   "it out",
                                   profile->name);
        r = dps_payload_check(spec->payload, &why);
        if (r < 0)
                return failure_new(r == -ENOMEM ? ERROR_NO_MEMORY : ERROR_BAD_PARAMETER,
                                   "Option 'payload': %s", why ? why : "out of memory");
        return NULL;
}

/* A key is made, or certified, only where a certificate is issued for it. */
static Failure *check_key(const JobSpec *spec, const Profile *profile) {
        if (spec->key_source == KEY_SOURCE_CLOUD || spec->key_source == KEY_SOURCE_CALLER)
                return bad("Option 'key-source': DPS makes no keys; leave it out");
        if (!spec->csr && spec->key_type == KEY_TYPE_INVALID &&
            spec->key_source == KEY_SOURCE_INVALID)
                return NULL;
        if (registrar_issues(profile))
                return NULL;
        return failure_new(ERROR_BAD_PARAMETER,
                           "Option '%s' goes with a certificate, and profile '%s' has none "
                           "issued: ApiVersion=%s does not do that",
                           spec->csr                            ? "csr"
                           : spec->key_type != KEY_TYPE_INVALID ? "key-type"
                                                                : "key-source",
                           profile->name, profile->dps.api_version);
}

static Failure *check_operation(const JobSpec *spec, const Profile *profile) {
        if (spec->operation == OPERATION_PROVISION)
                return NULL;
        return failure_new(ERROR_BAD_PARAMETER,
                           "Operation '%s' is one of aws-iot; profile '%s' is of azure-dps, which "
                           "does provision alone",
                           operation_to_string(spec->operation), profile->name);
}

Failure *registrar_refuses(const JobSpec *spec, const Profile *profile) {
        Failure *f;

        f = check_operation(spec, profile);
        if (f)
                return f;
        if (spec->parameters.n > 0)
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Option 'parameters' goes with aws-iot; profile '%s' is of "
                                   "azure-dps, which takes 'payload'",
                                   profile->name);
        if (spec->ownership_token)
                return bad("Option 'ownership-token' goes with register-thing alone");
        if (spec->certificate || spec->private_key)
                return bad("Options 'certificate' and 'private-key' go with rotate alone");
        f = check_id(spec, profile);
        if (!f)
                f = check_payload(spec, profile);
        return f ? f : check_key(spec, profile);
}

Failure *registrar_refuses_device(const JobSpec *spec, const Profile *profile,
                                  const Certificate *certificate) {
        const char *id = registrar_id_of(profile, spec);

        if (!certificate || !id || dps_registration_id_equal(certificate->common_name, id))
                return NULL;
        return failure_new(ERROR_BAD_PARAMETER,
                           "Registration id '%s' is not the one that the certificate of profile "
                           "'%s' is for: that is of \"%s\", and DPS wants the common name (CN) to "
                           "be the registration id",
                           id, profile->name, certificate->subject);
}

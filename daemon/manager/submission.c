/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What happens to a request before it is a job: may this caller, can this profile do it, is it
 * known already, is there room. What is accepted goes on in acceptance.c. */

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/crypto/csr.h"
#include "daemon/manager/manager-internal.h"
#include "daemon/model/exchange.h"

Failure *submission_refuses_peer(const Profile *profile, const Peer *peer) {
        /* That the door lists the profile is his right (doors.c). */
        if (!streq(peer->door, DOOR_MAIN) || access_rule_allows(&profile->access, peer))
                return NULL;
        return failure_new(ERROR_ACCESS_DENIED,
                           "User %u may not use profile '%s'; add it to AllowUsers= or a group of "
                           "it to AllowGroups= of [Profile %s]",
                           (unsigned) peer->uid, profile->name, profile->name);
}

static Failure *bad(const char *text) {
        return failure_new(ERROR_BAD_PARAMETER, "%s", text);
}

/* --- does the request make sense */

static Failure *check_csr(const JobSpec *spec) {
        _cleanup_csr_ Csr *csr = NULL;
        _cleanup_free_ char *why = NULL;

        if (!spec->csr) {
                if (spec->operation == OPERATION_CREATE_CERTIFICATE_FROM_CSR)
                        return bad("Option 'csr' is missing: create-certificate-from-csr needs a "
                                   "certificate signing request");
                return NULL;
        }
        if (spec->operation != OPERATION_PROVISION &&
            spec->operation != OPERATION_CREATE_CERTIFICATE_FROM_CSR)
                return failure_new(ERROR_BAD_PARAMETER, "Option 'csr' does not go with %s",
                                   operation_to_string(spec->operation));
        if (spec->key_type != KEY_TYPE_INVALID || spec->key_source != KEY_SOURCE_INVALID)
                return bad("Option 'csr' does not go with 'key-type' or 'key-source': whoever "
                           "brings a request has the key already");
        if (csr_parse(spec->csr, strlen(spec->csr), &csr, &why) < 0)
                return failure_new(ERROR_BAD_PARAMETER, "Option 'csr': %s",
                                   why ? why : "out of memory");
        return NULL;
}

static bool registers_a_thing(Operation operation) {
        return exchange_goes_whole_way(operation) || operation == OPERATION_REGISTER_THING;
}

static Failure *check_operation(const JobSpec *spec, const Profile *profile) {
        const bool rotates = spec->operation == OPERATION_ROTATE;
        const bool registers = registers_a_thing(spec->operation);
        const bool makes_keys = exchange_goes_whole_way(spec->operation);

        if (registers && !(rotates ? profile->rotation_template : profile->template_name))
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Profile '%s' has no %s=, which %s needs; set it in [Profile "
                                   "%s]",
                                   profile->name, rotates ? "RotationTemplate" : "Template",
                                   operation_to_string(spec->operation), profile->name);
        if ((spec->operation == OPERATION_REGISTER_THING) != (spec->ownership_token != NULL))
                return bad(
                        spec->ownership_token
                                ? "Option 'ownership-token' goes with register-thing alone"
                                : "Option 'ownership-token' is missing: register-thing needs it");
        if (spec->parameters.n > 0 && !registers)
                return failure_new(ERROR_BAD_PARAMETER, "Option 'parameters' does not go with %s",
                                   operation_to_string(spec->operation));
        if (!makes_keys && spec->key_source != KEY_SOURCE_INVALID)
                return bad("Option 'key-source' goes with provision and rotate alone");
        if (!makes_keys && spec->key_type != KEY_TYPE_INVALID)
                return bad("Option 'key-type' goes with provision and rotate alone");
        if (spec->key_source == KEY_SOURCE_CALLER)
                return bad("Option 'key-source': daemon or cloud; for a key of the caller's own, "
                           "bring 'csr'");
        if (!rotates && (spec->certificate || spec->private_key))
                return bad("Options 'certificate' and 'private-key' go with rotate alone");
        if (spec->payload || spec->registration_id)
                return failure_new(ERROR_BAD_PARAMETER,
                                   "Options 'payload' and 'registration-id' go with azure-dps; "
                                   "profile '%s' is of %s",
                                   profile->name, provider_to_string(profile->provider));
        return NULL;
}

static Failure *check_parameters(const JobSpec *spec, const Profile *profile) {
        for (size_t i = 0; i < spec->parameters.n; i++) {
                const Parameter *p = spec->parameters.items + i;
                const char *fixed = parameters_get(&profile->fixed_parameters, p->name);

                if (fixed && !streq(fixed, p->value))
                        return failure_new(ERROR_BAD_PARAMETER,
                                           "Parameter '%s' is fixed by Parameter.%s= of "
                                           "[Profile %s]; leave it out",
                                           p->name, p->name, profile->name);
        }
        return NULL;
}

/* A D-Bus error has one message: what is wrong with the claim belongs into it. */
static Failure *no_claim(const Slot *slot, const Profile *profile) {
        const Failure *why = slot->status.last_error;

        return failure_with_cause(failure_new(ERROR_NOT_INITIALIZED,
                                              "Profile '%s' has no claim %s yet%s%s", profile->name,
                                              profile->dps.symmetric_key ? "key" : "certificate",
                                              why ? ": " : "", why ? failure_message(why) : ""),
                                  failure_copy(why));
}

/* A rotation brings its own. */
static bool needs_claim(const Slot *slot, const JobSpec *spec) {
        return spec->operation != OPERATION_ROTATE ||
               slot_newest_profile(slot)->provider == PROVIDER_AZURE_DPS;
}

/* It is being read for the first time: whether there is one will be known in a moment. */
static bool awaits_claim(const Slot *slot, const JobSpec *spec) {
        const bool needs_token = slot_newest_profile(slot)->key_store && !slot->key_store;

        return slot->claim_awaited && !slot->claim && (needs_claim(slot, spec) || needs_token);
}

static Failure *check_spec(JobSpec *spec, const Slot *slot) {
        const Profile *profile = slot_newest_profile(slot);
        Failure *f;

        if (profile->provider == PROVIDER_AZURE_DPS) {
                f = registrar_refuses(spec, profile);
                if (!f && !slot->claim)
                        f = no_claim(slot, profile);
                if (!f)
                        f = registrar_refuses_device(spec, profile, slot->claim->description);
                return f ? f : check_csr(spec);
        }
        if (!slot->claim && needs_claim(slot, spec))
                return no_claim(slot, profile);
        f = check_operation(spec, profile);
        if (!f)
                f = job_keys_refuse(spec, profile);
        if (!f)
                f = check_csr(spec);
        if (!f)
                f = check_parameters(spec, profile);
        if (!f && spec->operation == OPERATION_ROTATE)
                f = claim_key_check(spec, profile);
        return f;
}

/* What the template will be given stands in the record: the profile's defaults, what the job
 * brings, and above all what the profile fixes. */
static int complete_spec(JobSpec *spec, const Profile *profile) {
        _cleanup_(parameters_done) Parameters all = {};
        int r;

        if (spec->deadline_usec == 0)
                spec->deadline_usec = profile->deadline_usec;
        if (!registers_a_thing(spec->operation))
                return 0;
        r = parameters_merge(&all, &profile->default_parameters);
        if (r >= 0)
                r = parameters_merge(&all, &spec->parameters);
        if (r >= 0)
                r = parameters_merge(&all, &profile->fixed_parameters);
        if (r < 0)
                return r;
        parameters_done(&spec->parameters);
        spec->parameters = all;
        all = (Parameters){};
        return 0;
}

/* --- a key that is known */

/* After failed, cancelled or expired the same job is queued again with its history. */
static void start_over(Job *job, JobSpec *spec, FrontCall *call) {
        JobErrand *errand = job->errand;

        if (errand_add_call(&errand->submits, &errand->n_submits, call) < 0) {
                job_spec_free(spec);
                return;
        }
        if (errand->creating) { /* an equal request is being written already */
                job_spec_free(spec);
                return;
        }
        errand->creating = true;
        errand->admission = admission_enter(errand->manager, job->owner);
        /* What RetainSec= says of its last end must not be written behind this. */
        delivery_unretain(job);
        if (spec->operation == OPERATION_ROTATE)
                claim_key_merge(job, spec, acceptance_start_over);
        else {
                JobSecrets secrets = {.ownership_token = TAKE_PTR(spec->ownership_token)};

                acceptance_start_over(job, spec, &secrets);
                job_secrets_done(&secrets);
        }
}

static bool may_start_over(const Job *job) {
        return job_state_is_final(job->state) && job->state != JOB_SUCCEEDED;
}

/* Its certificate was not let in, and its caller took it all the same: there is no key any more to
 * try it with, and another identity is not made behind his back. */
static bool was_taken_as_it_is(const Job *job) {
        return job->acknowledged && job->state != JOB_SUCCEEDED && !job->errand->creating;
}

static Failure *taken_as_it_is(const Job *job) {
        return failure_with_cause(
                failure_new(ERROR_RESULT_GONE,
                            "The identity of job %s was fetched and acknowledged although its "
                            "certificate was not let in, so it cannot be tried here any more; try "
                            "it where it is, or release the job to have a new one made",
                            job->id),
                failure_copy(job->failure));
}

/* What is released is not found again, and its key is free only when it is gone. And whether a
 * failed one was taken as it is, is known when that is written down. */
static bool must_be_over_first(const Job *job) {
        const JobErrand *errand = job->errand;

        return errand->releasing || (errand->n_acknowledges > 0 && may_start_over(job));
}

static void meet_known_job(Job *job, JobSpec *spec, FrontCall *call) {
        JobErrand *errand = job->errand;

        if (!job_spec_same_request(job->spec, spec)) {
                front_call_fail(call,
                                failure_new(ERROR_ID_CONFLICT,
                                            "Key '%s' stands for another request (%s, job %s); use "
                                            "another key, or release that job",
                                            spec->key, operation_to_string(job->spec->operation),
                                            job->id));
                job_spec_free(spec);
                return;
        }
        if (was_taken_as_it_is(job)) {
                front_call_fail(call, taken_as_it_is(job));
                job_spec_free(spec);
                return;
        }
        if (may_start_over(job)) {
                Failure *f = quota_check_bytes(errand->manager, job->owner, spec);

                if (f) {
                        front_call_fail(call, f);
                        job_spec_free(spec);
                        return;
                }
                start_over(job, spec, call);
                return;
        }
        job_spec_free(spec);
        if (errand->creating)
                (void) errand_add_call(&errand->submits, &errand->n_submits, call);
        else
                front_call_job(call, job);
}

/* --- a new job */

static int accept(Manager *m, const Peer *peer, JobSpec *spec, const Profile *profile,
                  FrontCall *call) {
        _cleanup_peer_ Peer *owner = peer_copy(peer);
        _cleanup_job_ Job *job = NULL;
        int r;

        if (!owner) {
                job_spec_free(spec);
                front_call_fail(call, NULL);
                return -ENOMEM;
        }
        r = job_new(owner, spec, clock_real_usec(), clock_boot_usec(), &job);
        if (r < 0) {
                job_spec_free(spec);
                front_call_fail(call, failure_from_errno(r, "Cannot make a job"));
                return r;
        }
        TAKE_PTR(owner);
        job->serial = m->next_serial++;
        r = free_and_strdup(&job->profile_fingerprint, profile->fingerprint);
        if (r >= 0)
                r = errand_new(m, job);
        if (r >= 0)
                r = job_table_add(m->jobs, job);
        if (r < 0) {
                errand_free(job);
                front_call_fail(call, failure_from_errno(r, "Cannot keep the job"));
                return r;
        }
        if (errand_add_call(&job->errand->submits, &job->errand->n_submits, call) < 0) {
                job_table_remove(m->jobs, job);
                errand_free(job);
                return -ENOMEM;
        }
        acceptance_begin(TAKE_PTR(job));
        return 0;
}

static void refuse(Manager *m, const Peer *peer, JobSpec *spec, FrontCall *call, Failure *failure) {
        refusal_log(m, peer, spec, failure);
        job_spec_free(spec);
        front_call_fail(call, failure);
}

static Failure *no_such_profile(const Manager *m, const char *door, const char *name) {
        if (*name)
                return failure_new(ERROR_NOT_INITIALIZED,
                                   "There is no profile '%s'; 'fleetprovctl profiles' lists those "
                                   "there are",
                                   name);
        if (!streq(door, DOOR_MAIN) && !doors_slot_at(m, door, 0))
                return failure_new(ERROR_NOT_INITIALIZED,
                                   "There is no profile at this socket; name some in Profiles= of "
                                   "[Socket %s]",
                                   door);
        if (!m->slots_first)
                return failure_new(ERROR_NOT_INITIALIZED,
                                   "No profile is configured; add a [Profile NAME] section, see "
                                   "fleetprovd.conf(5)");
        return failure_new(ERROR_NOT_INITIALIZED,
                           "There are several profiles; name one, or set DefaultProfile=");
}

void manager_submit(Manager *m, const Peer *peer, JobSpec *spec, FrontCall *call) {
        Slot *slot = *spec->profile ? doors_find_slot(m, peer->door, spec->profile)
                                    : doors_default_slot(m, peer->door);
        const Profile *profile;
        Job *known = NULL;
        Failure *f;

        if (admission_hold(m, peer, spec, call))
                return;
        if (!slot) {
                refuse(m, peer, spec, call, no_such_profile(m, peer->door, spec->profile));
                return;
        }
        profile = slot_newest_profile(slot);
        f = submission_refuses_peer(profile, peer);
        if (f) {
                refuse(m, peer, spec, call, f);
                return;
        }
        if (free_and_strdup(&spec->profile, profile->name) < 0) {
                refuse(m, peer, spec, call, NULL);
                return;
        }
        if (spec->key)
                known = job_table_find_key(m->jobs, peer, spec->profile, spec->key);
        if (known && must_be_over_first(known)) {
                held_add(&known->errand->held, peer, spec, call);
                return;
        }
        /* A job that is known needs no claim and no room to be found again. */
        if (known && !may_start_over(known)) {
                meet_known_job(known, spec, call);
                return;
        }
        if (awaits_claim(slot, spec)) {
                held_add(&slot->held, peer, spec, call);
                return;
        }
        /* Before the request is looked at: the signature of a CSR costs milliseconds. */
        f = known ? NULL : quota_check(m, peer, spec);
        if (!f)
                f = check_spec(spec, slot);
        if (f) {
                refuse(m, peer, spec, call, f);
                return;
        }
        if (complete_spec(spec, profile) < 0) {
                refuse(m, peer, spec, call, NULL);
                return;
        }
        if (known)
                meet_known_job(known, spec, call);
        else
                (void) accept(m, peer, spec, profile, call);
}

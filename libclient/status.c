/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/status.h"

#include <errno.h>

static void profile_status_done(ProfileStatus *p) {
        free(p->name);
        free(p->provider);
        free(p->endpoint);
        free(p->session);
        free(p->claim.subject);
        free(p->claim.fingerprint);
        fleetprov_error_free(p->last_error);
        *p = (ProfileStatus){0};
}

_public_ fleetprov_status *fleetprov_status_free(fleetprov_status *status) {
        if (!status)
                return NULL;
        free(status->version);
        free(status->state);
        free(status->default_profile);
        string_list_done(&status->paths);
        for (size_t i = 0; i < status->n_profiles; i++)
                profile_status_done(&status->profiles[i]);
        free(status->profiles);
        free(status);
        return NULL;
}

int status_read_manager(sd_bus_message *m, fleetprov_status **ret) {
        static const DictField fields[] = {
                {"Version", dict_read_string, offsetof(fleetprov_status, version)},
                {"State", dict_read_string, offsetof(fleetprov_status, state)},
                {"DefaultProfile", dict_read_string, offsetof(fleetprov_status, default_profile)},
                {"Queued", dict_read_u32, offsetof(fleetprov_status, queued)},
                {"Running", dict_read_u32, offsetof(fleetprov_status, running)},
                {"Finished", dict_read_u32, offsetof(fleetprov_status, finished)},
                {"Profiles", dict_read_strings, offsetof(fleetprov_status, paths)},
        };
        _cleanup_(fleetprov_status_freep) fleetprov_status *s = NULL;
        int r;

        s = calloc(1, sizeof(fleetprov_status));
        if (!s)
                return -ENOMEM;
        r = dict_read(m, fields, ELEMENTSOF(fields), s, 0);
        if (r < 0)
                return r;
        s->profiles = calloc(s->paths.n ? s->paths.n : 1, sizeof(ProfileStatus));
        if (!s->profiles)
                return -ENOMEM;
        s->n_profiles = s->paths.n;
        *ret = TAKE_PTR(s);
        return 0;
}

static int read_claim(sd_bus_message *m, void *to, unsigned depth) {
        static const DictField fields[] = {
                {"subject", dict_read_string, offsetof(Claim, subject)},
                {"fingerprint", dict_read_string, offsetof(Claim, fingerprint)},
                {"notAfter", dict_read_u64, offsetof(Claim, not_after)},
        };
        int r;

        r = sd_bus_message_enter_container(m, 'v', "a{sv}");
        if (r < 0)
                return r;
        r = dict_read(m, fields, ELEMENTSOF(fields), to, depth + 1);
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

int status_read_profile(fleetprov_status *status, size_t index, sd_bus_message *m) {
        static const DictField fields[] = {
                {"Name", dict_read_string, offsetof(ProfileStatus, name)},
                {"Provider", dict_read_string, offsetof(ProfileStatus, provider)},
                {"Endpoint", dict_read_string, offsetof(ProfileStatus, endpoint)},
                {"SessionState", dict_read_string, offsetof(ProfileStatus, session)},
                {"ConnectedSince", dict_read_u64, offsetof(ProfileStatus, connected_since)},
                {"Claim", read_claim, offsetof(ProfileStatus, claim)},
                {"LastError", error_read, offsetof(ProfileStatus, last_error)},
        };
        ProfileStatus *p = &status->profiles[index];
        int r;

        r = dict_read(m, fields, ELEMENTSOF(fields), p, 0);
        if (r < 0)
                return r;
        if (!p->name)
                return -EBADMSG;
        p->known = true;
        return 0;
}

void status_compact(fleetprov_status *status) {
        size_t n = 0;

        for (size_t i = 0; i < status->n_profiles; i++) {
                if (!status->profiles[i].known) {
                        profile_status_done(&status->profiles[i]);
                        continue;
                }
                if (n != i) {
                        status->profiles[n] = status->profiles[i];
                        status->profiles[i] = (ProfileStatus){0};
                }
                n++;
        }
        status->n_profiles = n;
}

_public_ const char *fleetprov_status_get_version(const fleetprov_status *status) {
        return status ? status->version : NULL;
}

_public_ const char *fleetprov_status_get_state(const fleetprov_status *status) {
        return status ? status->state : NULL;
}

_public_ const char *fleetprov_status_get_default_profile(const fleetprov_status *status) {
        return status && status->default_profile ? status->default_profile : "";
}

_public_ uint32_t fleetprov_status_get_queued(const fleetprov_status *status) {
        return status ? status->queued : 0;
}

_public_ uint32_t fleetprov_status_get_running(const fleetprov_status *status) {
        return status ? status->running : 0;
}

_public_ uint32_t fleetprov_status_get_finished(const fleetprov_status *status) {
        return status ? status->finished : 0;
}

_public_ size_t fleetprov_status_get_n_profiles(const fleetprov_status *status) {
        return status ? status->n_profiles : 0;
}

static const ProfileStatus *profile_at(const fleetprov_status *status, size_t index) {
        static const ProfileStatus nothing = {0};

        return status && index < status->n_profiles ? &status->profiles[index] : &nothing;
}

_public_ const char *fleetprov_status_get_profile_name(const fleetprov_status *status,
                                                       size_t index) {
        return profile_at(status, index)->name;
}

_public_ const char *fleetprov_status_get_profile_provider(const fleetprov_status *status,
                                                           size_t index) {
        return profile_at(status, index)->provider;
}

_public_ const char *fleetprov_status_get_profile_endpoint(const fleetprov_status *status,
                                                           size_t index) {
        return profile_at(status, index)->endpoint;
}

_public_ const char *fleetprov_status_get_profile_session(const fleetprov_status *status,
                                                          size_t index) {
        return profile_at(status, index)->session;
}

_public_ uint64_t fleetprov_status_get_profile_connected_since(const fleetprov_status *status,
                                                               size_t index) {
        return profile_at(status, index)->connected_since;
}

_public_ const char *fleetprov_status_get_claim_subject(const fleetprov_status *status,
                                                        size_t index) {
        return profile_at(status, index)->claim.subject;
}

_public_ const char *fleetprov_status_get_claim_fingerprint(const fleetprov_status *status,
                                                            size_t index) {
        return profile_at(status, index)->claim.fingerprint;
}

_public_ uint64_t fleetprov_status_get_claim_not_after(const fleetprov_status *status,
                                                       size_t index) {
        return profile_at(status, index)->claim.not_after;
}

_public_ const fleetprov_error *fleetprov_status_get_profile_error(const fleetprov_status *status,
                                                                   size_t index) {
        return profile_at(status, index)->last_error;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/manager/way.h"

#include <errno.h>

static int make_lane(const WayOptions *o, const Profile *profile, Way *ret) {
        const LaneOptions options = {.event = o->event,
                                     .network = o->network,
                                     .crypto = o->crypto,
                                     .tokens = o->tokens,
                                     .ops = o->lane_ops,
                                     .userdata = o->userdata};
        Way way = {};
        int r;

        r = lane_new(&options, profile, &way.lane);
        if (r >= 0)
                *ret = way;
        return r;
}

static int make_registrar(const WayOptions *o, const Profile *profile, Way *ret) {
        const RegistrarOptions options = {.event = o->event,
                                          .network = o->network,
                                          .crypto = o->crypto,
                                          .tokens = o->tokens,
                                          .ops = o->registrar_ops,
                                          .userdata = o->userdata};
        Way way = {};
        int r;

        r = registrar_new(&options, profile, &way.registrar);
        if (r >= 0)
                *ret = way;
        return r;
}

int way_new(const WayOptions *options, const Profile *profile, Way *ret) {
        switch (profile->provider) {
        case PROVIDER_AWS_IOT:
                return make_lane(options, profile, ret);
        case PROVIDER_AZURE_DPS:
                return make_registrar(options, profile, ret);
        case PROVIDER_MAX:
        case PROVIDER_INVALID:
                break;
        }
        return -EINVAL;
}

void way_done(Way *way) {
        lane_free(way->lane);
        registrar_free(way->registrar);
        *way = (Way){};
}

int way_open(Way way, const Claim *claim) {
        if (way.registrar)
                return registrar_set_claim(
                        way.registrar,
                        &(RegistrarClaim){.trusted = claim->trusted,
                                          .certificate = claim->certificate,
                                          .private_key = claim->private_key,
                                          .token_key = claim->token_key,
                                          .key_store = claim->key_store,
                                          .symmetric_key = claim->symmetric_key,
                                          .secondary_key = claim->secondary_key,
                                          .proxy_credentials = claim->proxy_credentials});
        return lane_open(way.lane, &(LaneClaim){.trusted = claim->trusted,
                                                .certificate = claim->certificate,
                                                .private_key = claim->private_key,
                                                .token_key = claim->token_key,
                                                .key_store = claim->key_store,
                                                .proxy_credentials = claim->proxy_credentials});
}

SessionState way_state(Way way) {
        return way.registrar ? registrar_state(way.registrar) : lane_state(way.lane);
}

usec_t way_connected_since_real(Way way) {
        return way.registrar ? registrar_connected_since_real(way.registrar)
                             : lane_connected_since_real(way.lane);
}

const Failure *way_last_error(Way way) {
        return way.registrar ? registrar_last_error(way.registrar) : lane_last_error(way.lane);
}

bool way_is_free(Way way) {
        return way.registrar ? registrar_is_free(way.registrar) : lane_is_free(way.lane);
}

Job *way_job(Way way) {
        return way.registrar ? registrar_job(way.registrar) : lane_job(way.lane);
}

int way_start(Way way, Job *job, const JobSecrets *secrets) {
        return way.registrar ? registrar_start(way.registrar, job, secrets)
                             : lane_start(way.lane, job, secrets);
}

void way_noted(Way way, int error) {
        if (way.lane)
                lane_noted(way.lane, error);
        if (way.registrar)
                registrar_noted(way.registrar, error);
}

void way_stored(Way way, int error) {
        if (way.lane)
                lane_stored(way.lane, error);
        if (way.registrar)
                registrar_stored(way.registrar, error);
}

void way_cancel(Way way) {
        if (way.lane)
                lane_cancel(way.lane);
        if (way.registrar)
                registrar_cancel(way.registrar);
}

void way_expire(Way way) {
        if (way.lane)
                lane_expire(way.lane);
        if (way.registrar)
                registrar_expire(way.registrar);
}

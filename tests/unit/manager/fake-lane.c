/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "tests/unit/manager/bench.h"

unsigned lanes_made;
bool lanes_open_ready = true;
bool lanes_note;

int lane_new(const LaneOptions *options, const Profile *profile, Lane **ret) {
        Lane *lane = calloc(1, sizeof(Lane));

        ck_assert_ptr_nonnull(lane);
        lane->options = *options;
        lane->profile = profile;
        lane->state = SESSION_OFFLINE;
        lane->noted = lane->stored = 1;
        lanes_made++;
        *ret = lane;
        return 0;
}

void lane_change_profile(Lane *lane, const Profile *profile) {
        ck_assert_ptr_null(lane->job);
        lane->profile = profile;
}

Lane *lane_free(Lane *lane) {
        if (!lane)
                return NULL;
        secret_free(lane->private_key);
        job_secrets_done(&lane->got);
        failure_free(lane->last_error);
        free(lane);
        return NULL;
}

void lane_make_ready(Lane *lane) {
        lane->state = SESSION_READY;
        lane->options.ops->session_changed(lane->options.userdata, lane);
}

void lane_fail(Lane *lane, ErrorCode code) {
        failure_free(lane->last_error);
        lane->last_error = failure_new(code, "so it is");
        lane->state = SESSION_BACKOFF;
        lane->options.ops->session_changed(lane->options.userdata, lane);
}

void lane_put_back(Lane *lane, usec_t delay_usec) {
        Job *job = lane->job;

        lane->job = NULL;
        lane->options.ops->put_back(lane->options.userdata, job, delay_usec, false,
                                    failure_new(ERROR_SERVER_REFUSED, "so it is"), "later");
}

int lane_open(Lane *lane, const LaneClaim *claim) {
        secret_free(lane->private_key);
        lane->private_key = secret_copy(claim->private_key);
        lane->opened++;
        if (lanes_open_ready)
                lane_make_ready(lane);
        return 0;
}

void lane_close(Lane *lane, Failure *why) {
        failure_free(why);
        lane->state = SESSION_OFFLINE;
}

void lane_hurry(Lane *lane) {
}

void lane_retry(Lane *lane) {
        lane->retried++;
}

const Profile *lane_profile(const Lane *lane) {
        return lane->profile;
}

SessionState lane_state(const Lane *lane) {
        return lane->state;
}

usec_t lane_connected_since_real(const Lane *lane) {
        return 0;
}

const Failure *lane_last_error(const Lane *lane) {
        return lane->last_error;
}

bool lane_is_free(const Lane *lane) {
        return lane->state == SESSION_READY && !lane->job;
}

Job *lane_job(const Lane *lane) {
        return lane->job;
}

int lane_start(Lane *lane, Job *job, const JobSecrets *secrets) {
        ck_assert_ptr_null(lane->job);
        ck_assert(!job_state_is_final(job->state));
        lane->job = job;
        lane->cancelled = lane->expired = false;
        job_secrets_done(&lane->got);
        if (secrets)
                ck_assert_int_eq(job_secrets_copy(secrets, &lane->got), 0);
        lane->options.ops->progress(lane->options.userdata, job, PHASE_CREATE, "at work");
        if (lanes_note)
                lane->options.ops->note(lane->options.userdata, job);
        return 0;
}

void lane_finish(Lane *lane, JobState outcome, ErrorCode code, const JobSecrets *secrets) {
        Job *job = lane->job;

        ck_assert_ptr_nonnull(job);
        lane->job = NULL;
        lane->options.ops->finished(lane->options.userdata, job, outcome,
                                    code == ERROR_NONE ? NULL : failure_new(code, "so it is"),
                                    secrets, "over");
}

void lane_noted(Lane *lane, int error) {
        lane->noted = error;
}

void lane_stored(Lane *lane, int error) {
        lane->stored = error;
}

void lane_cancel(Lane *lane) {
        lane->cancelled = true;
}

void lane_expire(Lane *lane) {
        lane->expired = true;
        lane_finish(lane, JOB_EXPIRED, ERROR_EXPIRED, NULL);
}

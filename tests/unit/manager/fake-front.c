/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/manager/bench.h"

const char *told = "";
size_t n_told;

static void answer(FrontCall *call, Answer with) {
        ck_assert_msg(call->answer == ANSWER_NONE, "a call is answered twice");
        call->answer = with;
}

void front_call_job(FrontCall *call, const Job *job) {
        answer(call, ANSWER_JOB);
        memcpy(call->id, job->id, sizeof(call->id));
        call->job_was_durable = disk_file(job->id) != NULL;
}

void front_call_result(FrontCall *call, const Job *job, const JobSecrets *secrets) {
        answer(call, ANSWER_RESULT);
}

void front_call_check(FrontCall *call, const FrontCheck *checks, size_t n) {
        answer(call, ANSWER_DONE);
}

void front_call_done(FrontCall *call) {
        answer(call, ANSWER_DONE);
}

void front_call_fail(FrontCall *call, Failure *failure) {
        answer(call, ANSWER_FAILED);
        call->code = failure_code(failure);
        failure_free(failure);
}

FrontCall *front_call_free(FrontCall *call) {
        if (call)
                answer(call, ANSWER_DROPPED);
        return NULL;
}

int front_new(sd_event *event, const FrontOptions *options, Front **ret) {
        *ret = NULL;
        return 0;
}

Front *front_free(Front *f) {
        return NULL;
}

const char *front_door_at(const Front *f, size_t i) {
        return NULL;
}

void front_set_stopping(Front *f) {
}

/* What is told must be durable by then, but for phases. */
void front_job_added(Front *f, const Job *job) {
        ck_assert(!job->hidden);
        ck_assert_ptr_nonnull(disk_file(job->id));
        told = "added";
        n_told++;
}

void front_job_changed(Front *f, const Job *job) {
        ck_assert(!job->hidden);
        ck_assert_ptr_nonnull(disk_file(job->id));
        if (job_state_is_final(job->state))
                ck_assert_int_eq(disk_file(job->id)->state, job->state);
        told = "changed";
        n_told++;
}

void front_job_removed(Front *f, const Job *job) {
        ck_assert_ptr_null(disk_file(job->id));
        told = "removed";
        n_told++;
}

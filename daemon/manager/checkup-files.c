/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The half of a checkup that is done without a network. Files block, and an encrypted key takes its
 * time: the crypto worker does it, with copies. */

#include <errno.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "daemon/base/clock.h"
#include "daemon/config/secret-path.h"
#include "daemon/manager/checkup.h"
#include "daemon/manager/manager-internal.h"

struct CheckFiles {
        Profile *profile;
        TokenPool *tokens;
        char *state_directory;
        CheckReport report;
        Claim *claim;
        Secret *trusted, *proxy_credentials;
        Checkup *checkup; /* loop thread only; NULL: nobody waits for it any more */
};

static void files_free(void *p) {
        CheckFiles *f = p;

        profile_free(f->profile);
        token_pool_unref(f->tokens);
        free(f->state_directory);
        check_report_done(&f->report);
        claim_free(f->claim);
        secret_free(f->trusted);
        secret_free(f->proxy_credentials);
        free(f);
}

/* --- on the worker */

static void look_at_state_directory(CheckFiles *f) {
        struct statfs fs;

        if (statfs(f->state_directory, &fs) < 0)
                check_report_say(&f->report, CHECK_STATE_DIRECTORY, CHECK_RESULT_FAILED,
                                 "the state directory %s cannot be looked at: %s",
                                 f->state_directory, strerrordesc_np(errno));
        else if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
                check_report_say(&f->report, CHECK_STATE_DIRECTORY, CHECK_RESULT_WARNING,
                                 "the state directory %s is in memory: a reboot loses jobs, their "
                                 "keys and the certificates in them, and the same request then "
                                 "makes a second identity; put it on a disk "
                                 "(--state-directory=, StateDirectory=)",
                                 f->state_directory);
        else
                check_report_say(&f->report, CHECK_STATE_DIRECTORY, CHECK_RESULT_OK,
                                 "%s is on a file system that outlives a reboot",
                                 f->state_directory);
}

/* Also where the claim as a whole is of no use. */
static void look_at_dates(CheckFiles *f) {
        _cleanup_certificate_ Certificate *c = NULL;
        _cleanup_secret_ Secret *pem = NULL;
        _cleanup_free_ char *why = NULL, *why_not = NULL;
        usec_t now = clock_real_usec();

        if (f->profile->certificate && path_read(f->profile->certificate, "the claim's certificate",
                                                 CERTIFICATE_PEM_MAX, &pem, &why) >= 0)
                (void) certificate_parse(secret_text(pem), pem->size, &c, &why_not);
        check_report_expiry(&f->report, c ? c->subject : NULL, c ? c->not_after : 0, now);
        check_report_clock(&f->report, c ? c->not_before : 0, now, BUILD_TIME_SEC * USEC_PER_SEC,
                           clock_is_synchronised());
}

static void say_files_are_good(CheckFiles *f, bool pair) {
        check_report_say(&f->report, CHECK_FILES, CHECK_RESULT_OK,
                         "the claim's files are there and can be read");
        check_report_say(&f->report, CHECK_MODES, CHECK_RESULT_OK,
                         "secret files are kept from others");
        if (pair)
                check_report_say(&f->report, CHECK_KEY_MATCH, CHECK_RESULT_OK,
                                 "certificate and key belong together");
}

static int look_at_claim(CheckFiles *f) {
        Failure *failure = NULL;
        int r;

        r = claim_load(f->profile, f->tokens, &f->claim, &failure);
        if (r < 0) {
                check_report_claim_refused(&f->report, r, failure);
                failure_free(failure);
        }
        return r;
}

static void on_files_run(void *p) {
        CheckFiles *f = p;
        Failure *failure = NULL;
        int claim_error;

        look_at_state_directory(f);
        look_at_dates(f);
        claim_error = look_at_claim(f);
        /* Name, port and server are worth a look without a claim, too. */
        if (claim_load_way(f->profile, &f->trusted, &f->proxy_credentials, &failure) < 0 &&
            claim_error >= 0)
                check_report_claim_refused(&f->report, -ENOENT, failure);
        else if (claim_error >= 0)
                say_files_are_good(f, f->claim->certificate != NULL);
        failure_free(failure);
}

/* --- on the loop */

static void on_files_complete(void *p, _unused_ void *userdata) {
        CheckFiles *f = p;
        Checkup *c = f->checkup;

        if (!c)
                return;
        c->files = NULL;
        c->report = f->report;
        f->report = (CheckReport){};
        c->claim = TAKE_PTR(f->claim);
        c->trusted = TAKE_PTR(f->trusted);
        c->proxy_credentials = TAKE_PTR(f->proxy_credentials);
        checkup_files_read(c);
}

static const WorkerTaskType files_task = {
        .run = on_files_run, .complete = on_files_complete, .destroy = files_free};

int check_files_new(Checkup *c, CheckFiles **ret) {
        CheckFiles *f = calloc(1, sizeof(CheckFiles));
        int r;

        if (!f)
                return -ENOMEM;
        f->checkup = c;
        f->tokens = token_pool_ref(c->manager->token_pool);
        f->profile = checkup_copy_profile(c->profile);
        f->state_directory = strdup(c->manager->options.state_directory);
        if (!f->profile || !f->state_directory) {
                files_free(f);
                return -ENOMEM;
        }
        r = worker_submit(tokens_worker(c->manager, c->profile), &files_task, f, NULL);
        if (r < 0)
                return r; /* the worker destroyed it */
        *ret = f;
        return 0;
}

CheckFiles *check_files_forget(CheckFiles *files) {
        if (files)
                files->checkup = NULL;
        return NULL;
}

Profile *checkup_copy_profile(const Profile *p) {
        _cleanup_profile_ Profile *copy = calloc(1, sizeof(Profile));

        if (!copy)
                return NULL;
        copy->port = p->port;
        copy->payload_format = p->payload_format;
        copy->key_source = p->key_source;
        copy->connect_timeout_usec = p->connect_timeout_usec;
        copy->dps.authentication = p->dps.authentication;
        if (profile_copy_claim_source(p, copy) < 0 ||
            free_and_strdup(&copy->endpoint, p->endpoint) < 0 ||
            free_and_strdup(&copy->alpn, p->alpn) < 0 ||
            free_and_strdup(&copy->websocket_path, p->websocket_path) < 0 ||
            free_and_strdup(&copy->template_name, p->template_name) < 0 ||
            free_and_strdup(&copy->client_id, p->client_id) < 0 ||
            free_and_strdup(&copy->cipher_list, p->cipher_list) < 0 ||
            free_and_strdup(&copy->dps.gateway_hostname, p->dps.gateway_hostname) < 0)
                return NULL;
        return TAKE_PTR(copy);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Configuration files. An input is the main file and, behind a byte 0x1e, which no file may hold, a
 * drop-in beside it; both are read from disk, as by the daemon's --config=.
 *
 *   - taken, or -EINVAL with a reason that names a file and is fit to be shown
 *   - what is taken is within the bounds that fleetprovd.conf(5) tells, whatever a file says
 *   - read once more it says the same */

#include "daemon/config/config.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "protocol/aws/topic.h"
#include "protocol/dps/name.h"
#include "protocol/ipc/limits.h"
#include "tests/fuzz/fuzz.h"

#define SEPARATOR 0x1e

typedef struct Files {
        char *main, *folder, *drop_in;
} Files;

static void files_done(Files *f) {
        free(f->main);
        free(f->folder);
        free(f->drop_in);
}

static void files_write(Files *f, const uint8_t *data, size_t size) {
        const uint8_t *second = size > 0 ? memchr(data, SEPARATOR, size) : NULL;
        size_t first = second ? (size_t) (second - data) : size;

        must(asprintf(&f->main, "%s/f.conf", fuzz_directory()) > 0);
        must(asprintf(&f->folder, "%s.d", f->main) > 0);
        must(asprintf(&f->drop_in, "%s/a.conf", f->folder) > 0);
        must(mkdir(f->folder, 0700) == 0 || errno == EEXIST);
        fuzz_write_file(f->main, data, first);
        fuzz_write_file(f->drop_in, second ? second + 1 : data, second ? size - first - 1 : 0);
}

static void check_parameters(const Parameters *p) {
        must(p->n <= IPC_PARAMETERS_MAX);
        for (size_t i = 0; i < p->n; i++) {
                must(*p->items[i].name && strlen(p->items[i].name) <= IPC_PARAMETER_NAME_MAX);
                must(strlen(p->items[i].value) <= IPC_PARAMETER_VALUE_MAX);
                must(fuzz_is_text(p->items[i].name) && fuzz_is_text(p->items[i].value));
        }
}

static void check_aws(const Profile *p) {
        must(p->certificate && p->private_key && p->client_id);
        must(fuzz_is_printable(p->client_id) && strlen(p->client_id) <= 128);
        must(!p->template_name || aws_template_name_is_valid(p->template_name));
        must(!p->rotation_template || aws_template_name_is_valid(p->rotation_template));
        must(!p->dps.id_scope && !p->dps.registration_id && !p->dps.symmetric_key);
}

static void check_dps(const Profile *p, const DpsSettings *dps) {
        must(!p->template_name && !p->rotation_template);
        must(dps_id_scope_is_valid(dps->id_scope));
        must(!dps->registration_id || dps_registration_id_is_valid(dps->registration_id));
        must(!dps->registration_id || !dps->registration_ids);
        must(dps->authentication >= 0 && dps->authentication < AUTHENTICATION_MAX);
        must(dps->symmetric_key || (p->certificate && p->private_key));
        must(!dps->api_version || dps_api_version_is_valid(dps->api_version));
        must(!dps->payload || fuzz_is_text(dps->payload));
        must(!dps->default_payload || fuzz_is_text(dps->default_payload));
}

static void check_profile(const Profile *p) {
        must(ipc_profile_name_is_valid(p->name));
        must(p->provider >= 0 && p->provider < PROVIDER_MAX && p->port > 0);
        must(p->endpoint && fuzz_is_printable(p->endpoint) && !strpbrk(p->endpoint, " /\\@"));
        must(p->fingerprint);
        if (p->provider == PROVIDER_AWS_IOT)
                check_aws(p);
        else
                check_dps(p, &p->dps);
        must(!p->template_name || aws_template_name_is_valid(p->template_name));
        must(p->payload_format >= 0 && p->payload_format < PAYLOAD_FORMAT_MAX);
        must(p->key_type >= KEY_TYPE_INVALID && p->key_type < KEY_TYPE_MAX);
        must(p->key_source >= KEY_SOURCE_INVALID && p->key_source < KEY_SOURCE_MAX);
        must(p->keep_alive_sec >= 30 && p->keep_alive_sec <= 1200);
        must(p->connect_timeout_usec >= 100 * USEC_PER_MSEC);
        must(p->connect_timeout_usec <= 60 * USEC_PER_MINUTE);
        must(p->response_timeout_usec >= 100 * USEC_PER_MSEC);
        must(p->response_timeout_usec <= 60 * USEC_PER_MINUTE);
        must(p->deadline_usec >= USEC_PER_SEC);
        check_parameters(&p->fixed_parameters);
        check_parameters(&p->default_parameters);
}

static void check_config(const Config *c) {
        must(c->max_jobs > 0 && c->max_jobs <= CONFIG_MAX_JOBS_MAX);
        must(c->max_jobs_per_user > 0 && c->max_jobs_per_user <= CONFIG_MAX_JOBS_MAX);
        must(c->retain_usec >= CONFIG_RETAIN_MIN);
        must(c->retain_usec <= CONFIG_RETAIN_MAX || c->retain_usec == USEC_INFINITY);
        must(c->n_profiles <= CONFIG_PROFILES_MAX && c->bus);
        must(!c->default_profile || config_find_profile(c, c->default_profile));
        for (size_t i = 0; i < c->n_profiles; i++) {
                check_profile(c->profiles[i]);
                must(config_find_profile(c, c->profiles[i]->name) == c->profiles[i]);
        }
}

static void check_same(const Config *a, const Config *b) {
        must(a->max_jobs == b->max_jobs && a->retain_usec == b->retain_usec);
        must(fuzz_same_text(a->default_profile, b->default_profile));
        must(a->n_profiles == b->n_profiles && a->n_files == b->n_files);
        for (size_t i = 0; i < a->n_profiles; i++) {
                const Profile *p = a->profiles[i], *q = b->profiles[i];

                must(streq(p->name, q->name) && profile_same_connection(p, q));
                must(parameters_equal(&p->fixed_parameters, &q->fixed_parameters));
                must(parameters_equal(&p->default_parameters, &q->default_parameters));
        }
}

/* Parameters read files of the machine by name: not from /dev, /proc and /sys, please. */
static bool names_a_device(const uint8_t *data, size_t size) {
        for (size_t i = 0; i + 2 < size; i++)
                if (data[i] == '@' && data[i + 1] == '/' && strchr("dps/.", data[i + 2]))
                        return true;
        return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_config_ Config *c = NULL, *again = NULL;
        _cleanup_(files_done) Files files = {};
        char *why = NULL;
        int r;

        if (names_a_device(data, size))
                return -1;
        files_write(&files, data, size);
        r = config_load_root(fuzz_directory(), files.main, &c, &why);
        must(r == 0 || r == -EINVAL);
        must((r == 0) == (c != NULL));
        if (r < 0) {
                must(why && (strncmp(why, files.main, strlen(files.main)) == 0));
                fuzz_check_why(why, false);
                return 0;
        }
        must(!why);
        check_config(c);
        must(config_load_root(fuzz_directory(), files.main, &again, &why) == 0 && !why);
        check_same(c, again);
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* configuration.json, as fleetprovctl finds it in a directory that --out= names: it says whose
 * identity is there. An input is the file.
 *
 *   - the directory opens whatever stands in the file, and holds an identity
 *   - what is taken of the file is a member of its object, as it is; what is no object says nothing
 */

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

#include "libclient/ctl/out-dir.h"
#include "tests/fuzz/fuzz.h"

static void make_directory(const char *path) {
        must(mkdir(path, 0700) == 0 || errno == EEXIST);
}

/* DIR/job/configuration.json, and DIR/current that leads there. */
static char *make_out(const uint8_t *data, size_t size) {
        _cleanup_free_ char *job = NULL, *file = NULL, *link = NULL;
        char *dir = NULL;

        must(asprintf(&dir, "%s/out", fuzz_directory()) > 0);
        must(asprintf(&job, "%s/job", dir) > 0 && asprintf(&link, "%s/current", dir) > 0);
        must(asprintf(&file, "%s/configuration.json", job) > 0);
        make_directory(dir);
        make_directory(job);
        must(symlink("job", link) == 0 || errno == EEXIST);
        fuzz_write_file(file, data, size);
        return dir;
}

static void check_member(const json_t *o, const char *name, const char *taken) {
        must(fuzz_same_text(json_string_value(json_object_get(o, name)), taken));
        must(!taken || fuzz_is_text(taken));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *dir = make_out(data, size), *why = NULL;
        Out *out = NULL;
        json_t *o;

        must(out_open(dir, &out, &why) == 0 && !why);
        must(out->holds_identity);
        o = json_loadb((const char *) data, size, JSON_REJECT_DUPLICATES, NULL);
        check_member(o, "id", out->id);
        check_member(o, "key", out->key);
        check_member(o, "profile", out->profile);
        check_member(o, "thingName", out->thing);
        json_decref(o);
        out_free(out);
        return 0;
}

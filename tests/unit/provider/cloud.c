/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/provider/cloud.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/wait.h>

#include "daemon/base/macro.h"

static char *read_all(const char *path) {
        char *text = calloc(1, 16 * 1024);
        FILE *f = fopen(path, "re");

        ck_assert_msg(f, "%s was not made", path);
        ck_assert_uint_gt(fread(text, 1, 16 * 1024 - 1, f), 0);
        (void) fclose(f);
        return text;
}

/* In a directory of its own: "in" holds the text (or nothing), "out" and "also" come back. */
static char *run_openssl(const char *script, const char *in, char **ret_also) {
        char directory[] = "/tmp/test-cloud-XXXXXX", path[64], *out;
        _cleanup_free_ char *command = NULL;
        FILE *f;

        ck_assert_ptr_nonnull(mkdtemp(directory));
        (void) snprintf(path, sizeof(path), "%s/in", directory);
        f = fopen(path, "we");
        ck_assert_ptr_nonnull(f);
        ck_assert_int_ge(fputs(in ? in : "", f), 0);
        (void) fclose(f);
        ck_assert_int_gt(asprintf(&command, "cd %s && { %s; } 2>log", directory, script), 0);
        ck_assert_int_eq(WEXITSTATUS(system(command)), 0);
        (void) snprintf(path, sizeof(path), "%s/out", directory);
        out = read_all(path);
        if (ret_also) {
                (void) snprintf(path, sizeof(path), "%s/also", directory);
                *ret_also = read_all(path);
        }
        (void) snprintf(path, sizeof(path), "rm -r %s", directory);
        ck_assert_int_eq(system(path), 0);
        return out;
}

char *cloud_sign(const char *csr) {
        return run_openssl("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                           "-keyout ca.key -subj /CN=CA -days 30 -out ca.pem && "
                           "openssl x509 -req -in in -CA ca.pem -CAkey ca.key -CAcreateserial "
                           "-days 7 -out out",
                           csr, NULL);
}

char *cloud_make_key(char **ret_csr) {
        return run_openssl("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 "
                           "-out out && openssl req -new -key out -subj /CN=device -out also",
                           NULL, ret_csr);
}

char *cloud_sign_for_nobody(void) {
        _cleanup_free_ char *csr = NULL;

        free(cloud_make_key(&csr));
        return cloud_sign(csr);
}

static Payload payload_of(Encoding e, json_t *root) {
        _cleanup_free_ char *text = NULL;

        ck_assert_ptr_nonnull(root);
        text = json_dumps(root, JSON_COMPACT);
        json_decref(root);
        return payload_from_json(e, text);
}

Payload cloud_created(Encoding e, const char *id, const char *certificate, const char *key,
                      const char *token) {
        json_t *root = json_pack("{s:s, s:s, s:s}", "certificateId", id, "certificatePem",
                                 certificate, "certificateOwnershipToken", token);

        if (key)
                ck_assert_int_eq(json_object_set_new(root, "privateKey", json_string(key)), 0);
        return payload_of(e, root);
}

Payload cloud_registered(Encoding e, const char *thing, const char *configuration) {
        json_t *root = json_pack("{s:s}", "thingName", thing);

        if (configuration)
                ck_assert_int_eq(json_object_set_new(root, "deviceConfiguration",
                                                     json_loads(configuration, 0, NULL)),
                                 0);
        return payload_of(e, root);
}

Payload cloud_rejected(Encoding e, int status, const char *code, const char *message) {
        return payload_of(e, json_pack("{s:i, s:s, s:s}", "statusCode", status, "errorCode", code,
                                       "errorMessage", message));
}

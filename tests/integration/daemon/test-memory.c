/* SPDX-License-Identifier: GPL-2.0-or-later */

/* An image of the daemon's whole memory, taken when a result was acknowledged, holds nothing of it
 * that was secret, in no form: heap, stacks, what libraries keep. The daemon runs with the
 * environment that its unit gives it. Needs root: nobody else may look into the daemon. */

#include <stdio.h>

#include "tests/integration/lib/memory-image.h"
#include "tests/integration/lib/proxies.h"
#include "tests/integration/lib/rotation.h"

#define SKIPPED                                                                             \
        "daemon-memory: SKIPPED, nothing of it was tried: only root may look into memory, " \
        "and he needs CAP_SYS_PTRACE\n"

/* As systemd sets it. */
static void take_environment(const char *unit) {
        static const char key[] = "\nEnvironment=GLIBC_TUNABLES=";
        _cleanup_free_ char *content = file_read(unit, NULL);
        char *value = content ? strstr(content, key) : NULL;

        ck_assert_msg(value, "%s sets no GLIBC_TUNABLES", unit);
        value += strlen(key);
        value[strcspn(value, "\n")] = '\0';
        ck_assert_int_eq(setenv("GLIBC_TUNABLES", value, 1), 0);
}

/* The sanitizer's allocator knows nothing of that, and keeps what is freed: it is told to clear it,
 * too. */
static void take_sanitizer_options(void) {
        _cleanup_free_ char *options = NULL;
        const char *own = getenv("ASAN_OPTIONS");

        ck_assert_int_ge(asprintf(&options, "%s:max_free_fill_size=1000000000:free_fill_byte=90",
                                  own ? own : ""),
                         0);
        ck_assert_int_eq(setenv("ASAN_OPTIONS", options, 1), 0);
}

/* False: even root may not look, where a container takes CAP_SYS_PTRACE from him. */
static bool can_look(void) {
        if (memory_can_be_read(d.pid))
                return true;
        fputs(SKIPPED, stderr);
        return false;
}

static bool start(const char *more) {
        take_environment(UNIT);
        take_sanitizer_options();
        stage_start("", more);
        return can_look();
}

static void must_be_nowhere(const Pieces *p, const char *when) {
        _cleanup_free_ char *found = memory_find(d.pid, p);

        ck_assert_msg(!found, "%s: %s", when, found);
}

/* The claim's key is there as long as the daemon is: who finds that would find another as well. */
static void must_see_what_is_there(void) {
        _cleanup_free_ char *pem = file_read(place_path(&cloud.place, "claim.key"), NULL);
        _cleanup_free_ char *found = NULL;
        Pieces p = {};

        ck_assert_ptr_nonnull(pem);
        pieces_add_key(&p, pem);
        found = memory_find(d.pid, &p);
        ck_assert_ptr_nonnull(found);
        pieces_done(&p);
}

static void add_secrets(Pieces *p, const fleetprov_result *result) {
        if (fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY)) {
                _cleanup_free_ char *key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);

                pieces_add_key(p, key);
        }
        if (fleetprov_result_has_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN)) {
                _cleanup_free_ char *token = agent_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN);

                pieces_add_text(p, token);
        }
        if (fleetprov_result_has_secret(result, FLEETPROV_SECRET_SYMMETRIC_KEY)) {
                _cleanup_free_ char *key = agent_secret(result, FLEETPROV_SECRET_SYMMETRIC_KEY);

                pieces_add_base64(p, key);
        }
        ck_assert_uint_gt(p->n, 0);
}

/* Submitted, fetched twice, acknowledged, released. */
static void take_and_look(const Wish *wish, Pieces *p) {
        JobId id = agent_submit(client, wish);
        fleetprov_result *result = agent_result(client, id);

        add_secrets(p, result);
        fleetprov_result_free(result);
        fleetprov_result_free(agent_fetch(client, id));
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        must_be_nowhere(p, "acknowledged");
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, id), FLEETPROV_OK);
        must_be_nowhere(p, "released");
        pieces_done(p);
}

#define WEBSOCKET "Transport=websocket\n"
static const struct {
        const char *profile, *source, *type; /* "%u": the port of a proxy with a password */
        int operation;
} ways[] = {
        {"", "daemon", "ec-p256", FLEETPROV_OPERATION_PROVISION},
        {"", "daemon", "ec-p384", FLEETPROV_OPERATION_PROVISION},
        {"", "daemon", "rsa-2048", FLEETPROV_OPERATION_PROVISION},
        {"VerifyCertificate=yes", "daemon", "ec-p256", FLEETPROV_OPERATION_PROVISION},
        {"VerifyCertificate=yes", "daemon", "rsa-2048", FLEETPROV_OPERATION_PROVISION},
        {"PayloadFormat=json", "cloud", NULL, FLEETPROV_OPERATION_PROVISION},
        {"PayloadFormat=cbor\nVerifyCertificate=yes", "cloud", NULL, FLEETPROV_OPERATION_PROVISION},
        {"PayloadFormat=json", NULL, NULL, FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
        {"PayloadFormat=cbor", NULL, NULL, FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
        /* What frames and proxies leave. */
        {WEBSOCKET "PayloadFormat=json", "cloud", NULL, FLEETPROV_OPERATION_PROVISION},
        {WEBSOCKET "PayloadFormat=cbor\nVerifyCertificate=yes", "cloud", NULL,
         FLEETPROV_OPERATION_PROVISION},
        {WEBSOCKET "PayloadFormat=json", NULL, NULL,
         FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
        {WEBSOCKET, "daemon", "ec-p256", FLEETPROV_OPERATION_PROVISION},
        {"Proxy=http://127.0.0.1:%u\nPayloadFormat=json", "cloud", NULL,
         FLEETPROV_OPERATION_PROVISION},
        {WEBSOCKET "Proxy=socks5://127.0.0.1:%u\nPayloadFormat=cbor\nVerifyCertificate=yes",
         "cloud", NULL, FLEETPROV_OPERATION_PROVISION},
};

static const char *with_proxy(const char *lines) {
        const char *at = strstr(lines, "%u");
        uint16_t port;

        if (!at)
                return lines;
        port = proxy_free_port();
        if (strstr(lines, "=http:"))
                proxy_start_http(&cloud.place, "127.0.0.1", port, "gateway", "s3cr3t");
        else
                proxy_start_socks(&cloud.place, "127.0.0.1", port, "gateway", "s3cr3t");
        return place_text(&cloud.place, "%.*s%u%s\nProxyCredentials=%s", (int) (at - lines), lines,
                          port, at + strlen("%u"),
                          place_write(&cloud.place, "proxy", 0600, "gateway:s3cr3t\n"));
}

START_TEST(delivered_keys_and_tokens_are_nowhere)
{
        const bool is_create = ways[_i].operation != FLEETPROV_OPERATION_PROVISION;
        Pieces p = {};

        if (!start(with_proxy(ways[_i].profile)))
                return;
        take_and_look(&(Wish){.operation = ways[_i].operation,
                              .serial = is_create ? NULL : "memory",
                              .key_source = ways[_i].source,
                              .key_type = ways[_i].type},
                      &p);
        must_see_what_is_there();
}
END_TEST

START_TEST(token_of_a_request_is_nowhere_once_it_is_used)
{
        _cleanup_free_ char *key = NULL, *csr = NULL, *token = NULL;
        fleetprov_result *result;
        Pieces p = {};
        JobId id;

        identity_make_csr(&key, &csr);
        if (!start(""))
                return;
        id = agent_submit(
                client,
                &(Wish){.operation = FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR, .csr = csr});
        result = agent_result(client, id);
        token = agent_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN);
        fleetprov_result_free(result);
        pieces_add_text(&p, token);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        must_be_nowhere(&p, "acknowledged");

        id = agent_submit(client, &(Wish){.operation = FLEETPROV_OPERATION_REGISTER_THING,
                                          .serial = "memory",
                                          .token = token,
                                          .token_size = strlen(token)});
        fleetprov_result_free(agent_result(client, id));
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        must_be_nowhere(&p, "used");
        pieces_done(&p);
}
END_TEST

START_TEST(rotation_leaves_neither_key)
{
        static const char *const types[] = {"ec-p256", "rsa-2048"};
        Identity old;
        Wish wish;
        Pieces p = {};

        if (!start(place_text(&cloud.place, "RotationTemplate=FleetRotation\nKeyType=%s",
                              types[_i])))
                return;
        old = rotation_first_identity("memory");
        pieces_add_key(&p, old.private_key);
        must_be_nowhere(&p, "the old key, acknowledged");
        wish = rotation_wish(&old, "memory");
        take_and_look(&wish, &p);
        identity_done(&old);
}
END_TEST

START_TEST(symmetric_key_of_a_registration_is_nowhere)
{
        Pieces p = {};

        take_environment(UNIT);
        take_sanitizer_options();
        stage_start_azure(place_text(&cloud.place,
                                     "RegistrationIds=sensor-*\nAuthentication=group-key\n"
                                     "SymmetricKey=DIR/dps-group.key\n%s",
                                     _i == 1 ? WEBSOCKET : ""));
        if (!can_look())
                return;
        take_and_look(&(Wish){.profile = "azure", .registration_id = "sensor-1"}, &p);
}
END_TEST

/* What glibc is told to clear when it is freed, and ASan as well, this one keeps as it was. */
#ifdef __SANITIZE_THREAD__
#define CAN_CLEAR false
#else
#define CAN_CLEAR true
#endif

int main(void) {
        Suite *suite = suite_create("daemon: memory");
        TCase *aws = stage_shared(suite, "aws"), *azure = stage_shared_dps(suite, "azure");

        if (!CAN_CLEAR) {
                fputs("daemon-memory: SKIPPED, nothing of it was tried: ThreadSanitizer's memory "
                      "is "
                      "not cleared when it is freed\n",
                      stderr);
                return 77;
        }
        if (geteuid() != 0) {
                fputs(SKIPPED, stderr);
                return 77;
        }
        tcase_add_loop_test(aws, delivered_keys_and_tokens_are_nowhere, 0, ELEMENTSOF(ways));
        tcase_add_test(aws, token_of_a_request_is_nowhere_once_it_is_used);
        tcase_add_loop_test(aws, rotation_leaves_neither_key, 0, 2);
        tcase_add_loop_test(azure, symmetric_key_of_a_registration_is_nowhere, 0, 2);
        return stage_run(suite);
}

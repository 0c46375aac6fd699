/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What is erased is gone from the disk, and not only from its folders: the whole of it is searched,
 * free blocks, journal and all, for the key as it is (PEM and the number itself) and for the sealed
 * bytes that held it. The disk is ext4 as mkfs makes it; file systems that write to another place
 * are out of the daemon's reach, which the manual says. */

#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <sys/stat.h>

#include "tests/integration/lib/disk-image.h"
#include "tests/integration/lib/stage.h"

#define DISK_MEBIBYTES 32U
#define PIECE 24U      /* bytes: nothing of this length is met by chance */
#define BLOCK 1024U    /* of a file system as small as this one */
#define PIECES_MAX 64U /* of one sealed file */

static DiskImage disk;

/* Pieces of a sealed file, from all over it. */
typedef struct Pieces {
        unsigned char bytes[PIECES_MAX][PIECE];
        size_t n;
} Pieces;

static void start(const char *daemon) {
        disk_image_make(&disk, DISK_MEBIBYTES);
        daemon_make(&d);
        d.state = place_path(&disk.place, "mount/state");
        daemon_configure(&d, place_text(&d.place, "[Daemon]\n%s\n%s", daemon,
                                        cloud_profile(&cloud, "aws", "")));
        daemon_start(&d);
        client = agent_open(d.socket);
}

static void away(void) {
        client = fleetprov_client_free(client);
        daemon_stop(&d);
        disk_image_unmount(&disk);
}

static void back(void) {
        disk_image_mount(&disk);
        daemon_start(&d);
        client = agent_open(d.socket);
}

static const char *secret_path(JobId id) {
        return place_text(&d.place, "%s/%s.secret", d.state, id.text);
}

/* The next block of the file may be anywhere. */
static bool is_in_one_block(size_t at) {
        return at / BLOCK == (at + PIECE - 1) / BLOCK;
}

/* Its header (10 bytes) is alike in all of them, and so are version and id of the key in a record
 * (4 + 9 bytes): nonce and what follows are not. */
static void take_pieces(Pieces *p, JobId id) {
        _cleanup_free_ char *sealed = NULL;
        size_t size, step;

        sealed = file_read(secret_path(id), &size);
        ck_assert_ptr_nonnull(sealed);
        ck_assert_uint_gt(size, 23 + PIECE);
        step = (size - 23 - PIECE) / (PIECES_MAX - 1) + 1;
        for (size_t at = 23; at + PIECE <= size && p->n < PIECES_MAX; at += step)
                if (is_in_one_block(at))
                        memcpy(p->bytes[p->n++], sealed + at, PIECE);
        ck_assert_uint_gt(p->n, 1);
        if (is_in_one_block(size - PIECE))
                memcpy(p->bytes[p->n - 1], sealed + size - PIECE, PIECE);
}

static size_t count_on_disk(const Pieces *p) {
        size_t n = 0;

        for (size_t i = 0; i < p->n; i++)
                n += disk_image_has(&disk, p->bytes[i], PIECE);
        return n;
}

/* The secret number: of EC the scalar, of RSA a prime. */
static size_t number_of(const char *pem, unsigned char *ret, size_t max) {
        BIO *in = BIO_new_mem_buf(pem, -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
        BIGNUM *number = NULL;
        int n;

        ck_assert_ptr_nonnull(key);
        ck_assert_int_eq(EVP_PKEY_get_bn_param(key,
                                               EVP_PKEY_get_base_id(key) == EVP_PKEY_EC
                                                       ? OSSL_PKEY_PARAM_PRIV_KEY
                                                       : OSSL_PKEY_PARAM_RSA_FACTOR1,
                                               &number),
                         1);
        ck_assert_int_le(BN_num_bytes(number), (int) max);
        n = BN_bn2bin(number, ret);
        BN_clear_free(number);
        EVP_PKEY_free(key);
        BIO_free(in);
        return (size_t) n;
}

/* The key has its public half in it, which the certificate in the record has, too. */
static bool is_public(const char *line, const char *certificate_pem) {
        _cleanup_free_ char *joined = strdup(certificate_pem);
        char *to = joined;

        ck_assert_ptr_nonnull(joined);
        for (const char *from = certificate_pem; *from; from++)
                if (*from != '\n')
                        *to++ = *from;
        *to = '\0';
        return strstr(joined, line) != NULL;
}

/* In no form: each line of the PEM's base64, and the number itself. */
static void assert_key_not_on_disk(const char *pem, const char *certificate_pem) {
        _cleanup_free_ char *copy = strdup(pem);
        unsigned char number[512];
        char *save = NULL;
        size_t n, lines = 0;

        ck_assert_ptr_nonnull(copy);
        for (const char *line = strtok_r(copy, "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
                if (strlen(line) < 16 || strncmp(line, "-----", 5) == 0 ||
                    is_public(line, certificate_pem))
                        continue;
                lines++;
                ck_assert_msg(!disk_image_has(&disk, line, strlen(line)),
                              "a line of the key is on the disk");
        }
        ck_assert_uint_ge(lines, 2);
        n = number_of(pem, number, sizeof(number));
        ck_assert_uint_ge(n, 16);
        ck_assert_msg(!disk_image_has(&disk, number, n), "the key's number is on the disk");
}

static void assert_erased(const Pieces *p) {
        size_t n = count_on_disk(p);

        ck_assert_msg(n == 0, "%zu of %zu pieces of the sealed secrets are on the disk still", n,
                      p->n);
}

/* The record without the secrets is what stays. */
static void assert_record(JobId id, const char *certificate) {
        fleetprov_result *result = agent_result(client, id);

        ck_assert_str_eq(fleetprov_result_get_certificate_id(result), certificate);
        ck_assert_int_eq(fleetprov_result_get_secrets_erased(result), 1);
        ck_assert_int_eq(fleetprov_result_has_secret(result, FLEETPROV_SECRET_PRIVATE_KEY), 0);
        fleetprov_result_free(result);
}

typedef struct Way {
        const char *name;
        Wish wish;
        const char *daemon;
        AgentCall call; /* NULL: RetainSec= does it */
} Way;

static const Way ways[] = {
        {"acknowledged", {.key = "k"}, "", fleetprov_client_acknowledge},
        {"acknowledged-rsa",
         {.key = "k", .key_type = "rsa-2048"},
         "",
         fleetprov_client_acknowledge},
        {"acknowledged-cloud-key",
         {.key = "k", .key_source = "cloud"},
         "",
         fleetprov_client_acknowledge},
        {"acknowledged-create",
         {.key = "k", .operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE},
         "",
         fleetprov_client_acknowledge},
        {"released", {.key = "k"}, "", fleetprov_client_release},
        {"retained", {.key = "k"}, "RetainSec=3s", NULL},
        {"retained-without-key", {}, "RetainSec=3s", NULL},
};

START_TEST(erased_secrets_are_nowhere_on_the_disk)
{
        const Way *way = ways + _i;
        _cleanup_free_ char *key = NULL, *certificate = NULL, *pem = NULL;
        fleetprov_result *result;
        Pieces pieces = {};
        Wish wish = way->wish;
        JobId id;

        start(way->daemon);
        if (wish.operation == FLEETPROV_OPERATION_PROVISION)
                wish.serial = way->name;
        id = agent_submit(client, &wish);
        result = agent_result(client, id);
        key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY);
        certificate = strdup(fleetprov_result_get_certificate_id(result));
        pem = strdup(fleetprov_result_get_certificate_pem(result));
        fleetprov_result_free(result);
        take_pieces(&pieces, id);
        away();
        /* So the search does find what is there, and only sealed. */
        ck_assert_uint_eq(count_on_disk(&pieces), pieces.n);
        assert_key_not_on_disk(key, pem);
        back();
        if (way->call)
                ck_assert_int_eq(agent_call(client, way->call, id), FLEETPROV_OK);
        else
                WAIT_FOR(!file_exists(secret_path(id)));
        if (way->call != fleetprov_client_release && wish.key)
                assert_record(id, certificate);
        else
                WAIT_FOR(agent_count_jobs(client, 1) == 0);
        away();
        assert_erased(&pieces);
        assert_key_not_on_disk(key, pem);
        /* And nothing of it comes back. */
        back();
        ck_assert_uint_eq(agent_count_jobs(client, 1),
                          way->call != fleetprov_client_release && wish.key ? 1 : 0);
        away();
        assert_erased(&pieces);
}
END_TEST

/* The power goes right after the answer: that it was erased is as durable as that it was said. */
START_TEST(what_was_acknowledged_is_erased_when_the_power_goes)
{
        Pieces pieces = {};
        JobId id;

        start("");
        id = agent_submit(client, &(Wish){.serial = "power", .key = "k"});
        fleetprov_result_free(agent_result(client, id));
        take_pieces(&pieces, id);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        disk_image_cut_power(&disk);
        client = fleetprov_client_free(client);
        daemon_kill(&d);
        disk_image_unmount(&disk);
        assert_erased(&pieces);
        back();
        ck_assert(!file_exists(secret_path(id)));
        away();
}
END_TEST

/* A token that is handed in has done its work when the thing is registered. */
START_TEST(spent_token_is_nowhere_on_the_disk)
{
        _cleanup_free_ char *token = NULL;
        fleetprov_result *result;
        Pieces pieces = {};
        JobId id;

        start("");
        id = agent_submit(client,
                          &(Wish){.operation = FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE});
        result = agent_result(client, id);
        token = agent_secret(result, FLEETPROV_SECRET_OWNERSHIP_TOKEN);
        fleetprov_result_free(result);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        cloud_add(&cloud, "delay=1500", "--operation=register");
        id = agent_submit(client, &(Wish){.operation = FLEETPROV_OPERATION_REGISTER_THING,
                                          .serial = "token",
                                          .token = token,
                                          .token_size = strlen(token)});
        take_pieces(&pieces, id);
        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        away();
        assert_erased(&pieces);
        ck_assert(!disk_image_has(&disk, token, strlen(token) < 32 ? strlen(token) : 32));
        disk_image_mount(&disk);
}
END_TEST

static void clean_up(void) {
        disk_image_done(&disk);
}

int main(void) {
        Suite *suite = suite_create("disk: erasure");
        TCase *tc;

        disk_image_or_skip("disk-erasure");
        tc = stage_shared(suite, "erasure");
        tcase_add_checked_fixture(tc, NULL, clean_up);
        tcase_add_loop_test(tc, erased_secrets_are_nowhere_on_the_disk, 0, ELEMENTSOF(ways));
        tcase_add_test(tc, what_was_acknowledged_is_erased_when_the_power_goes);
        tcase_add_test(tc, spent_token_is_nowhere_on_the_disk);
        return stage_run(suite);
}

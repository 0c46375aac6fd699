/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/seal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include "daemon/crypto/wolfcrypt.h"

#define VERSION 1
#define ID_SIZE ((size_t) 8)
#define HEAD_SIZE (1 + ID_SIZE) /* what is authenticated of the record itself */
#define NONCE_SIZE ((size_t) 12)
#define TAG_SIZE ((size_t) 16)

_Static_assert(SEAL_OVERHEAD == HEAD_SIZE + NONCE_SIZE + TAG_SIZE, "the format in the header");
_Static_assert(SEAL_KEY_ID_LENGTH == 2 * ID_SIZE, "two digits a byte");

/* Fills from the kernel's generator: for 32 bytes it needs no state of ours. */
static int random_bytes(uint8_t *data, size_t size) {
        while (size > 0) {
                ssize_t n = getrandom(data, size, 0);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                data += n;
                size -= (size_t) n;
        }
        return 0;
}

static void id_to_text(const uint8_t id[static ID_SIZE], char text[static SEAL_KEY_ID_LENGTH + 1]) {
        for (size_t i = 0; i < ID_SIZE; i++)
                (void) snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static int key_raw_id(const SealKey *key, uint8_t id[static ID_SIZE]) {
        static const char label[] = "fleetprovd state key";
        uint8_t digest[WC_SHA256_DIGEST_SIZE];
        wc_Sha256 sha;
        int r;

        r = wc_InitSha256(&sha);
        if (r < 0)
                return wolfcrypt_errno(r);
        r = wc_Sha256Update(&sha, (const byte *) label, sizeof(label) - 1);
        if (r >= 0)
                r = wc_Sha256Update(&sha, key->key, sizeof(key->key));
        if (r >= 0)
                r = wc_Sha256Final(&sha, digest);
        wc_Sha256Free(&sha);
        explicit_bzero(&sha, sizeof(sha)); /* it holds the last block, which is the key */
        if (r < 0)
                return wolfcrypt_errno(r);
        memcpy(id, digest, ID_SIZE);
        return 0;
}

static int key_name(SealKey *key) {
        uint8_t id[ID_SIZE];
        int r;

        r = key_raw_id(key, id);
        if (r < 0)
                return r;
        id_to_text(id, key->id);
        return 0;
}

int seal_key_from_secret(const Secret *secret, SealKey **ret) {
        static const char info[] = "fleetprovd state key";
        _cleanup_seal_key_ SealKey *key = NULL;
        int r;

        if (secret->size < SEAL_SECRET_MIN || secret->size > UINT32_MAX)
                return -EINVAL;
        key = calloc(1, sizeof(*key));
        if (!key)
                return -ENOMEM;
        if (secret->size == SEAL_KEY_SIZE)
                memcpy(key->key, secret->data, SEAL_KEY_SIZE);
        else {
                r = wc_HKDF(WC_SHA256, secret->data, (word32) secret->size, NULL, 0,
                            (const byte *) info, sizeof(info) - 1, key->key, sizeof(key->key));
                if (r < 0)
                        return wolfcrypt_errno(r);
        }
        r = key_name(key);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(key);
        return 0;
}

int seal_key_generate(SealKey **ret) {
        _cleanup_seal_key_ SealKey *key = NULL;
        int r;

        key = calloc(1, sizeof(*key));
        if (!key)
                return -ENOMEM;
        r = random_bytes(key->key, sizeof(key->key));
        if (r < 0)
                return r;
        r = key_name(key);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(key);
        return 0;
}

int seal_key_to_secret(const SealKey *key, Secret **ret) {
        Secret *secret = secret_new(key->key, sizeof(key->key));

        if (!secret)
                return -ENOMEM;
        *ret = secret;
        return 0;
}

SealKey *seal_key_free(SealKey *key) {
        if (!key)
                return NULL;
        explicit_bzero(key, sizeof(*key));
        free(key);
        return NULL;
}

/* The cipher with its key; on the heap, where it can be wiped as a whole. */
static Aes *cipher_free(Aes *aes) {
        if (!aes)
                return NULL;
        wc_AesFree(aes);
        explicit_bzero(aes, sizeof(*aes));
        free(aes);
        return NULL;
}
DEFINE_CLEANUP(Aes *, cipher_free);

static int cipher_new(const SealKey *key, Aes **ret) {
        _cleanup_(cipher_freep) Aes *aes = NULL;
        size_t alignment = _Alignof(Aes) > sizeof(void *) ? _Alignof(Aes) : sizeof(void *);
        void *memory;
        int r;

        /* wolfSSL asks for more alignment than malloc promises where AES-NI is built in. */
        if (posix_memalign(&memory, alignment, sizeof(*aes)) != 0)
                return -ENOMEM;
        aes = memory;
        memset(aes, 0, sizeof(*aes));
        r = wc_AesInit(aes, NULL, INVALID_DEVID);
        if (r >= 0)
                r = wc_AesGcmSetKey(aes, key->key, sizeof(key->key));
        if (r < 0)
                return wolfcrypt_errno(r);
        *ret = TAKE_PTR(aes);
        return 0;
}

/* The record's head followed by the caller's additional data; the head's length is fixed, so that
 * no two pairs read alike. */
static uint8_t *authenticated_data(const uint8_t *head, const void *aad, size_t aad_size) {
        uint8_t *data = malloc(HEAD_SIZE + aad_size);

        if (!data)
                return NULL;
        memcpy(data, head, HEAD_SIZE);
        if (aad_size > 0)
                memcpy(data + HEAD_SIZE, aad, aad_size);
        return data;
}

int seal(const SealKey *key, const void *aad, size_t aad_size, const Secret *plain, uint8_t **ret,
         size_t *ret_size) {
        _cleanup_(cipher_freep) Aes *aes = NULL;
        _cleanup_free_ uint8_t *record = NULL, *authenticated = NULL;
        uint8_t *nonce, *text, *tag;
        int r;

        if (plain->size > SEAL_PLAIN_MAX || aad_size > SEAL_AAD_MAX)
                return -EMSGSIZE;
        record = malloc(plain->size + SEAL_OVERHEAD);
        if (!record)
                return -ENOMEM;
        nonce = record + HEAD_SIZE;
        text = nonce + NONCE_SIZE;
        tag = text + plain->size;
        record[0] = VERSION;
        r = key_raw_id(key, record + 1);
        if (r < 0)
                return r;
        r = random_bytes(nonce, NONCE_SIZE);
        if (r < 0)
                return r;
        authenticated = authenticated_data(record, aad, aad_size);
        if (!authenticated)
                return -ENOMEM;
        r = cipher_new(key, &aes);
        if (r < 0)
                return r;
        r = wc_AesGcmEncrypt(aes, text, plain->data, (word32) plain->size, nonce, NONCE_SIZE, tag,
                             TAG_SIZE, authenticated, (word32) (HEAD_SIZE + aad_size));
        if (r < 0)
                return wolfcrypt_errno(r);
        *ret = TAKE_PTR(record);
        *ret_size = plain->size + SEAL_OVERHEAD;
        return 0;
}

int unseal(const SealKey *key, const void *aad, size_t aad_size, const void *record, size_t size,
           Secret **ret) {
        _cleanup_(cipher_freep) Aes *aes = NULL;
        _cleanup_free_ uint8_t *authenticated = NULL;
        _cleanup_secret_ Secret *plain = NULL;
        const uint8_t *bytes = record, *nonce, *text, *tag;
        char id[SEAL_KEY_ID_LENGTH + 1];
        int r;

        r = seal_record_key_id(record, size, id);
        if (r < 0)
                return r;
        if (aad_size > SEAL_AAD_MAX)
                return -EMSGSIZE;
        if (!streq(id, key->id))
                return -ENOKEY;
        plain = secret_new(NULL, size - SEAL_OVERHEAD);
        if (!plain)
                return -ENOMEM;
        nonce = bytes + HEAD_SIZE;
        text = nonce + NONCE_SIZE;
        tag = text + plain->size;
        authenticated = authenticated_data(bytes, aad, aad_size);
        if (!authenticated)
                return -ENOMEM;
        r = cipher_new(key, &aes);
        if (r < 0)
                return r;
        r = wc_AesGcmDecrypt(aes, plain->data, text, (word32) plain->size, nonce, NONCE_SIZE, tag,
                             TAG_SIZE, authenticated, (word32) (HEAD_SIZE + aad_size));
        if (r == AES_GCM_AUTH_E)
                return -EBADMSG;
        if (r < 0)
                return wolfcrypt_errno(r);
        *ret = TAKE_PTR(plain);
        return 0;
}

int seal_record_key_id(const void *record, size_t size,
                       char ret_id[static SEAL_KEY_ID_LENGTH + 1]) {
        const uint8_t *bytes = record;

        if (size < SEAL_OVERHEAD || size > SEAL_PLAIN_MAX + SEAL_OVERHEAD || bytes[0] != VERSION)
                return -EBADMSG;
        id_to_text(bytes + 1, ret_id);
        return 0;
}

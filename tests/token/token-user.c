/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/token/token-user.h"

#include <check.h>
#include <dlfcn.h>
#include <stdio.h>

#include "daemon/crypto/pkcs11-standard.h"
#include "tests/token/soft-token.h"

#define CKR_ATTRIBUTE_SENSITIVE 0x00000011UL
#define KEYS_MAX ((size_t) 16)
#define ID_MAX ((size_t) 32)

typedef struct User {
        void *library;
        CK_FUNCTION_LIST *f;
        CK_SESSION_HANDLE session;
} User;

static void must(CK_RV rv, const char *what) {
        ck_assert_msg(rv == CKR_OK, "%s: 0x%lx", what, rv);
}

static CK_SLOT_ID find_slot(CK_FUNCTION_LIST *f) {
        CK_SLOT_ID slots[KEYS_MAX];
        CK_ULONG n = KEYS_MAX;

        must(f->C_GetSlotList(CK_TRUE, slots, &n), "C_GetSlotList");
        for (CK_ULONG i = 0; i < n; i++) {
                CK_TOKEN_INFO info;

                must(f->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
                if (memcmp(info.label, SOFT_TOKEN_LABEL " ", sizeof(SOFT_TOKEN_LABEL)) == 0)
                        return slots[i];
        }
        ck_abort_msg("there is no token");
}

/* Each time anew: what another program changed is seen then. */
static User user_open(void) {
        CK_UTF8CHAR pin[] = SOFT_TOKEN_PIN;
        CK_C_GetFunctionList get = NULL;
        User u = {.library = dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL)};

        ck_assert_ptr_nonnull(u.library);
        *(void **) &get = dlsym(u.library, "C_GetFunctionList");
        ck_assert_ptr_nonnull(get);
        must(get(&u.f), "C_GetFunctionList");
        must(u.f->C_Initialize(NULL), "C_Initialize");
        must(u.f->C_OpenSession(find_slot(u.f), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                &u.session),
             "C_OpenSession");
        must(u.f->C_Login(u.session, CKU_USER, pin, sizeof(pin) - 1), "C_Login");
        return u;
}

static void user_close(User *u) {
        must(u->f->C_Finalize(NULL), "C_Finalize");
        (void) dlclose(u->library);
}

static size_t read_hex(const char *hex, uint8_t id[static ID_MAX]) {
        size_t n = strlen(hex) / 2;

        ck_assert_uint_le(n, ID_MAX);
        for (size_t i = 0; i < n; i++) {
                unsigned byte;

                ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
                id[i] = (uint8_t) byte;
        }
        return n;
}

static size_t find_keys(const User *u, const char *hex, CK_OBJECT_HANDLE keys[static KEYS_MAX]) {
        CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
        CK_ATTRIBUTE template[2] = {{CKA_CLASS, &class, sizeof(class)}};
        uint8_t id[ID_MAX];
        CK_ULONG n = 0;

        if (hex)
                template[1] = (CK_ATTRIBUTE){CKA_ID, id, read_hex(hex, id)};
        must(u->f->C_FindObjectsInit(u->session, template, hex ? 2 : 1), "C_FindObjectsInit");
        must(u->f->C_FindObjects(u->session, keys, KEYS_MAX, &n), "C_FindObjects");
        must(u->f->C_FindObjectsFinal(u->session), "C_FindObjectsFinal");
        return n;
}

static CK_OBJECT_HANDLE the_key(const User *u, const char *id) {
        CK_OBJECT_HANDLE keys[KEYS_MAX];

        ck_assert_uint_eq(find_keys(u, id, keys), 1);
        return keys[0];
}

size_t token_user_count(const char *id) {
        CK_OBJECT_HANDLE keys[KEYS_MAX];
        User u = user_open();
        size_t n = find_keys(&u, id, keys);

        user_close(&u);
        return n;
}

void token_user_expect_guarded(const char *id) {
        static const struct {
                CK_ATTRIBUTE_TYPE type;
                CK_BBOOL value;
        } flags[] = {
                {CKA_TOKEN, CK_TRUE},        {CKA_PRIVATE, CK_TRUE},
                {CKA_SENSITIVE, CK_TRUE},    {CKA_ALWAYS_SENSITIVE, CK_TRUE},
                {CKA_EXTRACTABLE, CK_FALSE}, {CKA_NEVER_EXTRACTABLE, CK_TRUE},
                {CKA_LOCAL, CK_TRUE},
        };
        uint8_t secret[512];
        CK_ATTRIBUTE value = {CKA_VALUE, secret, sizeof(secret)};
        CK_ATTRIBUTE exponent = {CKA_PRIVATE_EXPONENT, secret, sizeof(secret)};
        User u = user_open();
        CK_OBJECT_HANDLE key = the_key(&u, id);

        for (size_t i = 0; i < ELEMENTSOF(flags); i++) {
                CK_BBOOL seen = 2;
                CK_ATTRIBUTE a = {flags[i].type, &seen, sizeof(seen)};

                must(u.f->C_GetAttributeValue(u.session, key, &a, 1), "C_GetAttributeValue");
                ck_assert_msg(seen == flags[i].value, "attribute 0x%lx is %u", flags[i].type, seen);
        }
        /* One of them it has, as an EC or as an RSA key. */
        ck_assert(u.f->C_GetAttributeValue(u.session, key, &value, 1) == CKR_ATTRIBUTE_SENSITIVE ||
                  u.f->C_GetAttributeValue(u.session, key, &exponent, 1) ==
                          CKR_ATTRIBUTE_SENSITIVE);
        user_close(&u);
}

/* PKCS#1 v1.5 signs a DigestInfo (RFC 8017, 9.2). */
size_t token_user_sign(const char *id, bool rsa, const uint8_t digest[32], uint8_t signature[512]) {
        static const uint8_t prefix[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                         0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
        CK_MECHANISM mechanism = {.mechanism = rsa ? CKM_RSA_PKCS : CKM_ECDSA};
        uint8_t info[sizeof(prefix) + 32];
        CK_ULONG size = 512;
        User u = user_open();

        memcpy(info, prefix, sizeof(prefix));
        memcpy(info + sizeof(prefix), digest, 32);
        must(u.f->C_SignInit(u.session, &mechanism, the_key(&u, id)), "C_SignInit");
        must(u.f->C_Sign(u.session, rsa ? info : info + sizeof(prefix), rsa ? sizeof(info) : 32,
                         signature, &size),
             "C_Sign");
        user_close(&u);
        return size;
}

void token_user_remove(const char *id) {
        User u = user_open();

        must(u.f->C_DestroyObject(u.session, the_key(&u, id)), "C_DestroyObject");
        user_close(&u);
}

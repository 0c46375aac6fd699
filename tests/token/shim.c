/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A PKCS#11 module around SoftHSM, which writes down each login and has faults on request. Both
 * stand in the folder $TOKEN_SHIM_DIR: `logins` gets a line for each C_Login, and so do
 * `signatures` and `made` for C_Sign and C_GenerateKeyPair; `fault` holds the name of the fault
 * that is on, as soft-token.h lists them. */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/crypto/pkcs11-standard.h"

#define PATH_SIZE ((size_t) 4096)
#define NAME_SIZE ((size_t) 32)
#define LOOK_AGAIN_USEC 10000
#define SLOW_USEC 500000
#define SLOTS ((size_t) 16)

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;

static int open_file(const char *name, int flags) {
        const char *dir = getenv("TOKEN_SHIM_DIR");
        char path[PATH_SIZE];

        if (!dir)
                return -1;
        (void) snprintf(path, sizeof(path), "%s/%s", dir, name);
        return open(path, flags | O_CLOEXEC, 0600);
}

/* A line more. */
static void note(const char *name) {
        int fd = open_file(name, O_WRONLY | O_APPEND | O_CREAT);

        if (fd < 0)
                return;
        if (write(fd, "x\n", 2) != 2)
                abort();
        close(fd);
}

static int fault_is(const char *name) {
        char text[NAME_SIZE] = "";
        int fd = open_file("fault", O_RDONLY);
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

        if (fd >= 0)
                close(fd);
        return n > 0 && strcmp(text, name) == 0;
}

static void fault_is_over(void) {
        int fd = open_file("fault", O_WRONLY | O_TRUNC);

        if (fd >= 0)
                close(fd);
}

/* What a token forgets that is taken out. */
static void forget_sessions(void) {
        CK_SLOT_ID slots[SLOTS];
        CK_ULONG n = SLOTS;

        if (real->C_GetSlotList(CK_TRUE, slots, &n) == CKR_OK)
                for (CK_ULONG i = 0; i < n; i++)
                        (void) real->C_CloseAllSessions(slots[i]);
}

static int is_removed(void) {
        if (!fault_is("removed"))
                return 0;
        forget_sessions();
        return 1;
}

static CK_RV shim_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                        CK_ULONG size) {
        int dies = fault_is("die-in-login");
        CK_RV rv;

        note("logins");
        if (dies && fault_is("die-in-login")) {
                fault_is_over();
                _exit(1); /* a filter of system calls may not let it kill itself */
        }
        rv = real->C_Login(session, user, pin, size);
        return rv;
}

static CK_RV shim_slots(CK_BBOOL present, CK_SLOT_ID_PTR slots, CK_ULONG_PTR n) {
        if (!is_removed())
                return real->C_GetSlotList(present, slots, n);
        *n = 0;
        return CKR_OK;
}

static CK_RV shim_token(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info) {
        CK_RV rv;

        if (is_removed())
                return CKR_TOKEN_NOT_PRESENT;
        rv = real->C_GetTokenInfo(slot, info);
        if (rv == CKR_OK && fault_is("count-low"))
                info->flags |= CKF_USER_PIN_COUNT_LOW;
        if (rv == CKR_OK && fault_is("final-try"))
                info->flags |= CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY;
        if (rv == CKR_OK && fault_is("locked"))
                info->flags |= CKF_USER_PIN_LOCKED;
        return rv;
}

static CK_RV shim_session(CK_SESSION_HANDLE session, CK_SESSION_INFO_PTR info) {
        return is_removed() ? CKR_DEVICE_REMOVED : real->C_GetSessionInfo(session, info);
}

static CK_RV shim_sign_init(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                            CK_OBJECT_HANDLE key) {
        if (is_removed())
                return CKR_DEVICE_REMOVED;
        if (fault_is("session-lost")) {
                fault_is_over();
                forget_sessions();
                return CKR_SESSION_HANDLE_INVALID;
        }
        if (fault_is("no-pss") && mechanism->mechanism == CKM_RSA_PKCS_PSS)
                return CKR_MECHANISM_INVALID;
        return real->C_SignInit(session, mechanism, key);
}

static CK_RV shim_sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG size,
                       CK_BYTE_PTR signature, CK_ULONG_PTR signature_size) {
        note("signatures");
        while (fault_is("hang"))
                (void) usleep(LOOK_AGAIN_USEC);
        if (fault_is("slow"))
                (void) usleep(SLOW_USEC);
        return real->C_Sign(session, data, size, signature, signature_size);
}

static void die_if(const char *fault) {
        if (!fault_is(fault))
                return;
        fault_is_over();
        _exit(1);
}

static CK_RV shim_generate(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism,
                           CK_ATTRIBUTE_PTR public, CK_ULONG n_public, CK_ATTRIBUTE_PTR private,
                           CK_ULONG n_private, CK_OBJECT_HANDLE_PTR public_key,
                           CK_OBJECT_HANDLE_PTR private_key) {
        CK_RV rv;

        if (is_removed())
                return CKR_DEVICE_REMOVED;
        note("made");
        die_if("die-before-make");
        while (fault_is("hang-in-make"))
                (void) usleep(LOOK_AGAIN_USEC);
        if (fault_is("full"))
                return CKR_DEVICE_MEMORY;
        rv = real->C_GenerateKeyPair(session, mechanism, public, n_public, private, n_private,
                                     public_key, private_key);
        die_if("die-after-make");
        return rv;
}

static CK_RV shim_destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
        CK_RV rv;

        if (fault_is("no-removal"))
                return CKR_TOKEN_WRITE_PROTECTED;
        die_if("die-before-removal");
        rv = real->C_DestroyObject(session, object);
        die_if("die-after-removal");
        return rv;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list);

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list) {
        CK_C_GetFunctionList get = NULL;
        void *library = real ? NULL : dlopen(SOFTHSM, RTLD_NOW | RTLD_LOCAL);

        if (library)
                *(void **) &get = dlsym(library, "C_GetFunctionList");
        if (!real && (!get || get(&real) != CKR_OK))
                return CKR_ARGUMENTS_BAD;
        ours = *real;
        ours.C_GetFunctionList = C_GetFunctionList;
        ours.C_Login = shim_login;
        ours.C_GetSlotList = shim_slots;
        ours.C_GetTokenInfo = shim_token;
        ours.C_GetSessionInfo = shim_session;
        ours.C_SignInit = shim_sign_init;
        ours.C_Sign = shim_sign;
        ours.C_GenerateKeyPair = shim_generate;
        ours.C_DestroyObject = shim_destroy;
        *list = &ours;
        return CKR_OK;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/crypto/token-internal.h"

#include <errno.h>

#include "daemon/crypto/why.h"

static const struct {
        CK_RV rv;
        const char *text;
} names[] = {
#define NAME(rv) \
        { rv, #rv }
        NAME(CKR_OK),
        NAME(CKR_SLOT_ID_INVALID),
        NAME(CKR_ARGUMENTS_BAD),
        NAME(CKR_NEED_TO_CREATE_THREADS),
        NAME(CKR_CANT_LOCK),
        NAME(CKR_DEVICE_ERROR),
        NAME(CKR_DEVICE_MEMORY),
        NAME(CKR_DEVICE_REMOVED),
        NAME(CKR_KEY_HANDLE_INVALID),
        NAME(CKR_MECHANISM_INVALID),
        NAME(CKR_OBJECT_HANDLE_INVALID),
        NAME(CKR_PIN_INCORRECT),
        NAME(CKR_PIN_INVALID),
        NAME(CKR_PIN_LEN_RANGE),
        NAME(CKR_PIN_EXPIRED),
        NAME(CKR_PIN_LOCKED),
        NAME(CKR_SESSION_CLOSED),
        NAME(CKR_SESSION_COUNT),
        NAME(CKR_SESSION_HANDLE_INVALID),
        NAME(CKR_SIGNATURE_INVALID),
        NAME(CKR_TOKEN_NOT_PRESENT),
        NAME(CKR_TOKEN_NOT_RECOGNIZED),
        NAME(CKR_TOKEN_WRITE_PROTECTED),
        NAME(CKR_USER_ALREADY_LOGGED_IN),
        NAME(CKR_USER_NOT_LOGGED_IN),
        NAME(CKR_USER_PIN_NOT_INITIALIZED),
        NAME(CKR_CRYPTOKI_ALREADY_INITIALIZED),
#undef NAME
};

const char *token_error_text(CK_RV rv) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i].rv == rv)
                        return names[i].text;
        return "CKR";
}

/* PKCS#11 v2.40, 5.1.2 and 5.1.3. */
bool token_error_is_loss(CK_RV rv) {
        return rv == CKR_DEVICE_REMOVED || rv == CKR_DEVICE_ERROR || rv == CKR_SESSION_CLOSED ||
               rv == CKR_SESSION_HANDLE_INVALID || rv == CKR_TOKEN_NOT_PRESENT ||
               rv == CKR_TOKEN_NOT_RECOGNIZED || rv == CKR_SLOT_ID_INVALID ||
               rv == CKR_USER_NOT_LOGGED_IN || rv == CKR_KEY_HANDLE_INVALID ||
               rv == CKR_OBJECT_HANDLE_INVALID;
}

int token_error_why(CK_RV rv, const char *what, char **ret_why) {
        return why(ret_why, -EIO, "%s: the token failed with %s (0x%lx)", what,
                   token_error_text(rv), rv);
}

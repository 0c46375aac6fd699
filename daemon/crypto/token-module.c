/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A PKCS#11 module, and the tokens in its slots. wolfSSL's own look-up by a token's name takes slot
 * -1 (5.5.4), and its login knows no latch; so the module is spoken to directly. */

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#include "daemon/crypto/token-internal.h"
#include "daemon/crypto/why.h"

#define SLOTS_MAX 256UL

static int initialize(TokenModule *m, char **ret_why) {
        CK_C_INITIALIZE_ARGS threads = {.flags = CKF_OS_LOCKING_OK};
        CK_RV rv = m->f->C_Initialize(&threads);

        /* One thread at a time calls it anyway. */
        if (rv == CKR_CANT_LOCK || rv == CKR_NEED_TO_CREATE_THREADS)
                rv = m->f->C_Initialize(NULL);
        /* Another module that we have loaded may be a wrapper around this one. */
        if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
                return 0;
        if (rv != CKR_OK)
                return why(ret_why, -ELIBACC,
                           "the module %s does not start: %s (0x%lx); look at its own "
                           "configuration, and whether the daemon's user can read it",
                           m->path, token_error_text(rv), rv);
        m->initialized = true;
        return 0;
}

static int load(TokenModule *m, char **ret_why) {
        CK_C_GetFunctionList get = NULL;
        void *library;

        /* Never closed again: a module's threads and exit handlers outlive dlclose(). */
        library = dlopen(m->path, RTLD_NOW | RTLD_LOCAL);
        if (!library)
                return why(ret_why, -ELIBACC,
                           "the module of Pkcs11Module= cannot be loaded: %s; under systemd the "
                           "service's ExecPaths= must have it",
                           dlerror());
        *(void **) &get = dlsym(library, "C_GetFunctionList");
        if (!get || get(&m->f) != CKR_OK || !m->f || m->f->version.major != 2)
                return why(ret_why, -ELIBACC,
                           "%s is no PKCS#11 module of version 2; check Pkcs11Module=", m->path);
        return initialize(m, ret_why);
}

int token_module_load(TokenPool *p, const char *path, TokenModule **ret, char **ret_why) {
        TokenModule *m;
        int r;

        LIST_FOREACH(modules, m, p)
                if (streq(m->path, path)) {
                        *ret = m;
                        return 0;
                }
        m = calloc(1, sizeof(*m));
        if (!m)
                return -ENOMEM;
        m->path = strdup(path);
        r = m->path ? load(m, ret_why) : -ENOMEM;
        if (r < 0) {
                free(m->path);
                free(m);
                return r;
        }
        LIST_APPEND(modules, p, m);
        *ret = m;
        return 0;
}

void token_module_end(TokenModule *m) {
        if (m->initialized)
                (void) m->f->C_Finalize(NULL);
        free(m->path);
        free(m);
}

/* --- tokens */

/* Its fields are padded with blanks and have no terminator. */
static size_t field_size(const uint8_t *field, size_t size) {
        while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == '\0'))
                size--;
        return size;
}

static bool field_is(const char *wanted, const uint8_t *field, size_t size) {
        return !wanted || (field_size(field, size) == strlen(wanted) &&
                           memcmp(field, wanted, strlen(wanted)) == 0);
}

static void write_field(FILE *out, const uint8_t *field, size_t size) {
        size = field_size(field, size);
        for (size_t i = 0; i < size; i++)
                fputc(field[i] < 0x20 || field[i] >= 0x7f ? '?' : field[i], out);
}

char *token_describe(const CK_TOKEN_INFO *info) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);

        if (!out)
                return NULL;
        fputs("token '", out);
        write_field(out, info->label, sizeof(info->label));
        fputs("' (serial ", out);
        write_field(out, info->serialNumber, sizeof(info->serialNumber));
        fputc(')', out);
        return fclose(out) == 0 ? TAKE_PTR(text) : NULL;
}

bool token_is_meant(const Pkcs11Uri *u, CK_SLOT_ID slot, const CK_TOKEN_INFO *info) {
        return (!u->has_slot_id || u->slot_id == slot) &&
               field_is(u->token, info->label, sizeof(info->label)) &&
               field_is(u->manufacturer, info->manufacturerID, sizeof(info->manufacturerID)) &&
               field_is(u->model, info->model, sizeof(info->model)) &&
               field_is(u->serial, info->serialNumber, sizeof(info->serialNumber));
}

/* Asking for the number first makes a module look for tokens that came since (v2.40, 5.5). */
static int list_slots(TokenModule *m, CK_SLOT_ID **ret, CK_ULONG *ret_n, char **ret_why) {
        _cleanup_free_ CK_SLOT_ID *slots = NULL;
        CK_ULONG n = 0;
        CK_RV rv;

        rv = m->f->C_GetSlotList(CK_TRUE, NULL, &n);
        if (rv != CKR_OK)
                return token_error_why(rv, "cannot list the slots", ret_why);
        n = n > SLOTS_MAX ? SLOTS_MAX : n + 1; /* one may come right now */
        slots = calloc(n, sizeof(*slots));
        if (!slots)
                return -ENOMEM;
        rv = m->f->C_GetSlotList(CK_TRUE, slots, &n);
        if (rv != CKR_OK)
                return token_error_why(rv, "cannot list the slots", ret_why);
        *ret = TAKE_PTR(slots);
        *ret_n = n;
        return 0;
}

int token_find_slot(TokenModule *m, const Pkcs11Uri *u, CK_SLOT_ID *ret_slot,
                    CK_TOKEN_INFO *ret_info, char **ret_why) {
        _cleanup_free_ CK_SLOT_ID *slots = NULL;
        CK_ULONG n = 0, found = 0;
        int r;

        r = list_slots(m, &slots, &n, ret_why);
        if (r < 0)
                return r;
        for (CK_ULONG i = 0; i < n; i++) {
                CK_TOKEN_INFO info = {};

                if (m->f->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
                    !(info.flags & CKF_TOKEN_INITIALIZED) || !token_is_meant(u, slots[i], &info))
                        continue;
                found++;
                *ret_slot = slots[i];
                *ret_info = info;
        }
        if (found == 1)
                return 0;
        if (found > 1)
                return why(ret_why, -ENODEV,
                           "%lu tokens are like that; name the one by serial= or slot-id=", found);
        return why(
                ret_why, -ENODEV,
                "there is no such token now among the %lu that the module %s sees; put it in, or "
                "correct token=, serial= or slot-id= in the URI; it is looked for again",
                n, m->path);
}

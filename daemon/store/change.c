/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/change.h"

Change *change_new(ChangeType type, const char *id) {
        Change *c = calloc(1, sizeof(Change));

        if (!c)
                return NULL;
        c->type = type;
        memcpy(c->id, id, sizeof(c->id));
        c->secret_fd = c->erase_fd = -1;
        c->file.fd = -1;
        return c;
}

Change *change_free(Change *c) {
        if (!c)
                return NULL;
        free(c->lines);
        secret_context_done(&c->context);
        job_secrets_done(&c->secrets);
        close_fd(c->secret_fd);
        close_fd(c->erase_fd);
        close_fd(c->file.fd);
        free(c);
        return NULL;
}

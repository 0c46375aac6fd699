/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The thread of the tokens: all that is asked of PKCS#11 modules is asked there, and nothing else,
 * so that a token that never answers holds up nobody but those with keys in tokens. It is no
 * business of the watchdog's either: a new daemon would find the same token. Who has no key in a
 * token has none of this. */

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/crypto/crypto.h"
#include "daemon/manager/manager-internal.h"

/* Claims to read, handshakes, keys to make. Those that wait hold descriptors. */
#define TOKENS_QUEUE_MAX ((size_t) 64)

/* At the end, for what is under way there: a token does not like to be left amid a command. */
#define TOKENS_PATIENCE_USEC (10 * USEC_PER_SEC)

static void on_tokens_idle(void *userdata) {
        crypto_trim();
}

static int make_pool(Manager *m) {
        const TokenLatchStore *latches;
        void *userdata;
        int r;

        r = store_latches_new(m->store, &latches, &userdata);
        if (r < 0)
                return r;
        r = token_pool_new(latches, userdata, &m->token_pool);
        if (r < 0)
                latches->free(userdata);
        return r;
}

int tokens_begin(Manager *m, const Profile *profile) {
        const WorkerOptions options = {.name = "tokens",
                                       .queue_max = TOKENS_QUEUE_MAX,
                                       .linger_usec = WORKER_LINGER_USEC,
                                       .may_hang = true,
                                       .patience_usec = TOKENS_PATIENCE_USEC,
                                       .idle = on_tokens_idle};
        int r = 0;

        if (m->tokens || !profile_uses_token(profile))
                return 0;
        if (!m->token_pool)
                r = make_pool(m);
        if (r >= 0)
                r = worker_new(m->event, &options, &m->tokens);
        if (r < 0)
                return log_error_errno(r, "Profile %s: cannot begin with tokens", profile->name);
        network_set_tokens(m->network, m->tokens);
        return 0;
}

Worker *tokens_worker(const Manager *m, const Profile *profile) {
        return m->tokens && profile_uses_token(profile) ? m->tokens : m->crypto;
}

/* The task that hangs, if one does, has the pool until the process ends. */
void tokens_end(Manager *m) {
        m->tokens = worker_free(m->tokens);
        m->token_pool = token_pool_unref(m->token_pool);
}

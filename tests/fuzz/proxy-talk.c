/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What a proxy answers. The first byte of an input says which kind it is, whether we have a user
 * and password, and in how large pieces the rest comes.
 *
 *   - wherever reads are cut, the end is the same
 *   - nothing is read beyond what was asked for, and something is asked for until the end
 *   - a talk is bounded
 *   - a refusal is proxy-refused, in printable words without the password, and has its status */

#include <errno.h>

#include "daemon/net/http-answer.h"
#include "daemon/net/proxy-talk.h"
#include "tests/fuzz/fuzz.h"

#define WITH_SOCKS 0x80U
#define WITH_CREDENTIALS 0x40U
#define STEP 0x3fU
#define PASSWORD "sesame"

static ProxyTalk *begin(unsigned how) {
        char name[] = "proxy";
        const Proxy proxy = {
                .kind = how & WITH_SOCKS ? PROXY_SOCKS5 : PROXY_HTTP, .host = name, .port = 3128};
        _cleanup_secret_ Secret *credentials =
                how & WITH_CREDENTIALS ? secret_new("user:" PASSWORD, strlen("user:" PASSWORD))
                                       : NULL;
        ProxyTalk *t = NULL;

        must(proxy_talk_new(&proxy, credentials, "cloud.example", 443, &t) == 0);
        return t;
}

static void check_failure(const Failure *f, const uint8_t *data, size_t size) {
        must(f && f->code == ERROR_PROXY_REFUSED);
        must(fuzz_is_printable(f->message));
        /* Unless it is the proxy that says it. */
        must(!strstr(f->message, PASSWORD) || memmem(data, size, PASSWORD, strlen(PASSWORD)));
        must(f->status_code >= 0 && f->status_code <= 999);
}

/* How much of it was taken is *ret_used. */
static ProxyTalkStatus talk(unsigned how, size_t step, const uint8_t *data, size_t size,
                            size_t *ret_used, Failure **ret) {
        _cleanup_(proxy_talk_freep) ProxyTalk *t = begin(how);
        ProxyTalkStatus status = PROXY_TALK_GOES_ON;
        size_t at = 0;

        while (status == PROXY_TALK_GOES_ON) {
                size_t n = proxy_talk_wants(t), unsent;

                (void) proxy_talk_output(t, &unsent);
                proxy_talk_sent(t, unsent);
                must(n > 0 && n <= PROXY_TALK_WANTS_MAX);
                n = n < step ? n : step;
                if (n > size - at)
                        n = size - at;
                if (n == 0)
                        break;
                status = proxy_talk_feed(t, data + at, n, ret);
                at += n;
                must(at <= HTTP_ANSWER_MAX + 1);
        }
        *ret_used = at;
        return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_failure_ Failure *whole = NULL, *slow = NULL;
        size_t used, used_slowly;
        ProxyTalkStatus status;

        if (size == 0)
                return 0;
        status = talk(data[0], SIZE_MAX, data + 1, size - 1, &used, &whole);
        must(talk(data[0], 1 + (data[0] & STEP), data + 1, size - 1, &used_slowly, &slow) ==
             status);
        must(used == used_slowly);
        must((status == PROXY_TALK_OVER) == (whole != NULL));
        if (whole) {
                check_failure(whole, data, size);
                must(streq(whole->message, slow->message));
        }
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Topics of Azure DPS with their query strings, as a broker could name them. An input is one
 * topic's name.
 *
 *   - what is taken has its numbers and its request id within their bounds
 *   - written plainly, with only what we look for, it reads as the same
 *   - a text that is encoded and decoded again is the same text */

#include <stdio.h>

#include "daemon/base/macro.h"
#include "protocol/dps/topic.h"
#include "protocol/dps/url.h"
#include "tests/fuzz/fuzz.h"

static void check_again(const DpsAnswerTopic *t) {
        _cleanup_free_ char *rid = dps_url_encode(t->rid), *retry = NULL, *text = NULL;
        DpsAnswerTopic again = {};

        must(rid);
        must(asprintf(&retry, "&retry-after=%u", t->retry_after_sec) > 0);
        must(asprintf(&text, "$dps/registrations/res/%d/?$rid=%s%s", t->status, rid,
                      t->has_retry_after ? retry : "") > 0);
        must(dps_topic_parse(text, strlen(text), &again));
        must(again.status == t->status && streq(again.rid, t->rid));
        must(again.has_retry_after == t->has_retry_after);
        must(!t->has_retry_after || again.retry_after_sec == t->retry_after_sec);
}

static void check_url(const char *text) {
        _cleanup_free_ char *encoded = dps_url_encode(text), *decoded = malloc(strlen(text) + 1);

        must(encoded && decoded && !strpbrk(encoded, "+#/?&= $"));
        must(dps_url_decode(encoded, strlen(encoded), decoded, strlen(text) + 1));
        must(streq(decoded, text));
        must(*text == '\0' || !dps_url_decode(encoded, strlen(encoded), decoded, strlen(text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        DpsAnswerTopic topic = {};

        must(text);
        check_url(text);
        if (!dps_topic_parse((const char *) data, size, &topic))
                return 0;
        must(topic.status >= DPS_HTTP_MIN && topic.status <= DPS_HTTP_MAX);
        must(*topic.rid && strlen(topic.rid) <= DPS_RID_MAX);
        must(!topic.has_retry_after || topic.retry_after_sec <= DPS_RETRY_AFTER_MAX_SEC);
        check_again(&topic);
        return 0;
}

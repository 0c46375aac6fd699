/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>

#include "daemon/base/macro.h"

#define JOURNAL_FILE "journal.jsonl"
#define BREACHES_FILE "breaches"

/* "2026-01-31T12:00:00.123Z" and its NUL. */
#define TIME_LENGTH 25

struct Record {
        int journal_fd;
        int breaches_fd;
        uint64_t counts[BREACH_MAX];
};

static const char *const breach_table[BREACH_MAX] = {
        [BREACH_SECOND_REQUEST] = "second-request",
        [BREACH_CLIENT_ID_TAKEN_OVER] = "client-id-taken-over",
        [BREACH_CLIENT_ID_INVALID] = "client-id-invalid",
        [BREACH_SUBSCRIBE_WITHOUT_RIGHT] = "subscribe-without-right",
        [BREACH_TOO_MANY_SUBSCRIPTIONS] = "too-many-subscriptions",
        [BREACH_PUBLISH_WITHOUT_RIGHT] = "publish-without-right",
        [BREACH_QOS_2] = "qos-2",
        [BREACH_RETAINED] = "retained",
        [BREACH_PAYLOAD_TOO_LARGE] = "payload-too-large",
        [BREACH_KEYS_WITH_PAYLOAD] = "keys-with-payload",
        [BREACH_REQUEST_MALFORMED] = "request-malformed",
        [BREACH_NOT_SUBSCRIBED] = "not-subscribed",
        [BREACH_TOKEN_UNKNOWN] = "token-unknown",
        [BREACH_TOKEN_FOREIGN] = "token-foreign",
        [BREACH_TOKEN_EXPIRED] = "token-expired",
        [BREACH_TOKEN_SPENT] = "token-spent",
        [BREACH_QUERIED_TOO_EARLY] = "queried-too-early",
        [BREACH_REGISTERED_ANEW] = "registered-anew",
};

static int open_for_appending(const char *name) {
        int fd = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

        return fd < 0 ? -errno : fd;
}

int record_new(Record **ret) {
        Record *record = calloc(1, sizeof(*record));
        int r;

        if (!record)
                return -ENOMEM;
        record->breaches_fd = -1;
        r = record->journal_fd = open_for_appending(JOURNAL_FILE);
        if (r >= 0)
                r = record->breaches_fd = open_for_appending(BREACHES_FILE);
        if (r < 0) {
                record_free(record);
                return r;
        }
        *ret = record;
        return 0;
}

Record *record_free(Record *record) {
        if (!record)
                return NULL;
        close_fd(record->journal_fd);
        close_fd(record->breaches_fd);
        free(record);
        return NULL;
}

static void format_now(char ret[TIME_LENGTH]) {
        struct timespec now;
        struct tm tm;
        char seconds[sizeof("2026-01-31T12:00:00")];

        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(ret, TIME_LENGTH, "%s.%03uZ", seconds, (unsigned) (now.tv_nsec / 1000000) % 1000);
}

static void append_line(int fd, json_t *event) {
        _cleanup_free_ char *line = NULL;
        char now[TIME_LENGTH];
        json_t *whole;
        size_t n;

        format_now(now);
        whole = json_pack("{s:s}", "time", now);
        json_object_update(whole, event);
        json_decref(event);
        line = json_dumps(whole, JSON_COMPACT);
        json_decref(whole);
        if (!line)
                return;
        n = strlen(line);
        line[n] = '\n';
        if (write(fd, line, n + 1) != (ssize_t) (n + 1))
                mosquitto_log_printf(MOSQ_LOG_ERR, "cannot write to the journal: %s",
                                     strerror(errno));
}

void record_journal(Record *record, json_t *event) {
        if (event)
                append_line(record->journal_fd, event);
}

void record_breach(Record *record, Breach breach, uint64_t connection, const char *client_id,
                   const char *detail) {
        record->counts[breach]++;
        append_line(record->breaches_fd,
                    json_pack("{s:s, s:I, s:s*, s:s*}", "breach", breach_table[breach],
                              "connection", (json_int_t) connection, "client", client_id, "detail",
                              detail));
}

json_t *record_breach_counts(const Record *record) {
        json_t *counts = json_object();

        for (Breach breach = 0; breach < BREACH_MAX; breach++)
                json_object_set_new(counts, breach_table[breach],
                                    json_integer((json_int_t) record->counts[breach]));
        return counts;
}

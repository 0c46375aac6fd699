/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The names that a checkup makes up: a client id of its own, and the statements of a policy. */

#include <stdio.h>

#include "daemon/model/check-report.h"

#define AWS_DOMAIN ".amazonaws.com"
#define REGION_LENGTH_MAX ((size_t) 32)

int check_client_id(const char *client_id, char **ret) {
        static const char end[] = CHECK_CLIENT_ID_END;
        size_t n = strlen(client_id), room = CHECK_CLIENT_ID_MAX - strlen(end);
        /* Where it is cut and ends like that already, another end keeps it apart. */
        const char *last =
                n == CHECK_CLIENT_ID_MAX && streq(client_id + room, end) ? "-CHECK" : end;

        return asprintf(ret, "%.*s%s", (int) (n > room ? room : n), client_id, last) < 0 ? -ENOMEM
                                                                                         : 0;
}

/* "….iot.eu-west-1.amazonaws.com" */
static size_t find_region(const char *endpoint, const char **ret) {
        static const char words[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
        const char *domain = strstr(endpoint, AWS_DOMAIN), *start = domain;
        size_t n;

        while (start && start > endpoint && start[-1] != '.')
                start--;
        n = start ? (size_t) (domain - start) : 0;
        if (n == 0 || n > REGION_LENGTH_MAX || strspn(start, words) != n) {
                *ret = "REGION";
                return strlen(*ret);
        }
        *ret = start;
        return n;
}

/* AWS General Reference, "Amazon Resource Names": other partitions have names of their own. */
static const char *partition_of(const char *region) {
        if (strncmp(region, "cn-", 3) == 0)
                return "aws-cn";
        return strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov" : "aws";
}

/* "$aws/certificates/create-from-csr/json/accepted": the request, its answers, and both formats are
 * all below "$aws/certificates/create-from-csr/". */
static int root_length(const char *topic) {
        size_t n = strlen(topic);

        for (unsigned slashes = 0; n > 0; n--)
                if (topic[n - 1] == '/' && ++slashes == 2)
                        break;
        return (int) n;
}

static bool is_repeated(const char *const *topics, size_t i) {
        int n = root_length(topics[i]);

        for (size_t k = 0; k < i; k++)
                if (root_length(topics[k]) == n && strncmp(topics[k], topics[i], (size_t) n) == 0)
                        return true;
        return false;
}

static void write_resources(FILE *f, const char *kind, const char *endpoint,
                            const char *const *topics, size_t n_topics) {
        const char *region, *comma = "";
        int length = (int) find_region(endpoint, &region);

        fputs("\"Resource\": [", f);
        for (size_t i = 0; i < n_topics; i++) {
                if (is_repeated(topics, i))
                        continue;
                fprintf(f, "%s\"arn:%s:iot:%.*s:ACCOUNT:%s/%.*s*\"", comma, partition_of(region),
                        length, region, kind, root_length(topics[i]), topics[i]);
                comma = ", ";
        }
        fputs("]}", f);
}

int check_policy_statements(const char *endpoint, const char *const *topics, size_t n_topics,
                            char **ret) {
        char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        fputs("{\"Effect\": \"Allow\", \"Action\": [\"iot:Subscribe\"], ", f);
        write_resources(f, "topicfilter", endpoint, topics, n_topics);
        fputs(", {\"Effect\": \"Allow\", \"Action\": [\"iot:Publish\", \"iot:Receive\"], ", f);
        write_resources(f, "topic", endpoint, topics, n_topics);
        if (fclose(f) != 0) {
                free(text);
                return -ENOMEM;
        }
        *ret = text;
        return 0;
}

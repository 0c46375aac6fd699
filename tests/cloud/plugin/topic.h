/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The topics of fleet provisioning: which operation, which format, which template, which half of
 * the exchange. Topics are case sensitive and exact; nothing else below $aws is served.
 *
 * https://docs.aws.amazon.com/iot/latest/developerguide/fleet-provision-api.html */

#include <stdbool.h>

typedef enum Operation {
        OPERATION_CREATE_CSR,
        OPERATION_CREATE_KEYS,
        OPERATION_REGISTER,
        OPERATION_DPS_REGISTER, /* these two: dps-topic.h */
        OPERATION_DPS_QUERY,
        OPERATION_MAX,
} Operation;

typedef enum Format {
        FORMAT_JSON,
        FORMAT_CBOR,
        FORMAT_MAX,
} Format;

typedef enum TopicPart {
        TOPIC_REQUEST,
        TOPIC_ACCEPTED,
        TOPIC_REJECTED,
} TopicPart;

/* The longest template name of the service. */
#define TEMPLATE_NAME_MAX 36

/* Longer than the longest topic: prefix, template, suffixes. */
#define TOPIC_LENGTH_MAX 128

typedef struct Topic {
        Operation operation;
        Format format;
        TopicPart part;
        char template_name[TEMPLATE_NAME_MAX + 1]; /* empty unless it is a register topic */
} Topic;

/* "create-csr", "create-keys", "register", "dps-register", "dps-query"; as the fault tool and the
 * journal write them. */
const char *operation_to_string(Operation operation);

/* "json", "cbor". */
const char *format_to_string(Format format);

/* True, with *ret filled, when the name is a topic of fleet provisioning. */
bool topic_parse(const char *name, Topic *ret);

/* The answer topic that belongs to a request. The caller frees; NULL when memory is out. */
char *topic_answer(const Topic *request, bool accepted);

/* May a claim subscribe to this filter? An answer topic may be named whole, or with wildcards below
 * the three prefixes that the service's sample policies allow. */
bool topic_filter_allowed(const char *filter);

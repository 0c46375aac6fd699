/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The topics of Azure's Device Provisioning Service, with their query strings.
 *
 * https://learn.microsoft.com/azure/iot-dps/iot-dps-mqtt-support */

#include <stdbool.h>
#include <stddef.h>

#include "tests/cloud/plugin/topic.h"

#define DPS_ANSWERS "$dps/registrations/res/#"
#define DPS_RID_MAX 64
#define DPS_OPERATION_ID_MAX 128

typedef struct DpsRequest {
        Operation operation; /* OPERATION_DPS_REGISTER or _QUERY */
        char rid[DPS_RID_MAX + 1];
        char operation_id[DPS_OPERATION_ID_MAX + 1]; /* of a query */
} DpsRequest;

/* Decodes percent-encoded text of n bytes; false where it is none, or does not fit into room. */
bool dps_url_decode(const char *s, size_t n, char *ret, size_t room);

/* True, with *ret filled, when the name is a request's topic, with all parameters that it needs. */
bool dps_topic_parse(const char *name, DpsRequest *ret);

/* The answer's topic. retry_after NULL: without; swapped: it comes first, with one nobody knows.
 * The caller frees; NULL when memory is out. */
char *dps_topic_answer(const char *rid, int status, const char *retry_after, bool swapped);

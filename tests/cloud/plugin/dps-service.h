/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The way of a request to DPS: rules that it may break, faults that strike it, its work, the
 * journal, and the answer that is put into the outbox. */

#include "tests/cloud/plugin/dps-topic.h"
#include "tests/cloud/plugin/service.h"

Verdict dps_service_request(Cloud *cloud, Connection *connection, const DpsRequest *request,
                            const void *payload, size_t n);

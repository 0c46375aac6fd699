/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* From an outcome to the answers that go out: one as a rule, more or other ones where a fault says
 * so. */

#include "tests/cloud/plugin/cloud.h"
#include "tests/cloud/plugin/outcome.h"

/* last: the request counts as answered once this has gone out. */
void reply_send(Cloud *cloud, const Connection *connection, const Topic *topic,
                const Outcome *outcome, const Strike *strike, bool last);

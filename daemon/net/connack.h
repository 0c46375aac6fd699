/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a CONNACK's return code says (MQTT 3.1.1, 3.2.2.3), in a sentence with the mend. PURE. */

#include "daemon/model/failure.h"

/* code above 0. status_code is the code, too. `client_id_name`: where the client id comes from;
 * NULL: ClientId=. */
Failure *connack_failure(int code, const char *endpoint, const char *client_id,
                         const char *client_id_name);

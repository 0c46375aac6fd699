/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* [Profile NAME]: from entries of the tree to a Profile. Every key of the documentation is known
 * here by name; what this version cannot do yet is refused as such and never ignored. */

#include "daemon/config/config-specifier.h"
#include "daemon/config/config-tree.h"
#include "daemon/model/profile.h"

#define CONFIG_PROFILE_SECTION "Profile "

#define CONFIG_PORT_DEFAULT ((uint16_t) 8883)
#define CONFIG_PORT_HTTPS ((uint16_t) 443) /* AWS IoT: MQTT there is told from HTTPS by ALPN */
#define CONFIG_ALPN_MQTT "x-amzn-mqtt-ca"

/* AWS IoT Core, "Device communication protocols" (without ALPN); Azure, "Communicate with DPS using
 * the MQTT protocol". */
#define CONFIG_WEBSOCKET_PATH_AWS "/mqtt"
#define CONFIG_WEBSOCKET_PATH_AZURE "/$iothub/websocket"
#define CONFIG_KEEP_ALIVE_DEFAULT (60 * USEC_PER_SEC)
#define CONFIG_KEEP_ALIVE_MIN (30 * USEC_PER_SEC) /* AWS IoT quotas: 30 to 1200 s */
#define CONFIG_KEEP_ALIVE_MAX (1200 * USEC_PER_SEC)
#define CONFIG_TIMEOUT_DEFAULT (30 * USEC_PER_SEC)
#define CONFIG_TIMEOUT_MIN (100 * USEC_PER_MSEC)
#define CONFIG_TIMEOUT_MAX USEC_PER_HOUR
#define CONFIG_DEADLINE_MIN USEC_PER_SEC
#define CONFIG_DEADLINE_MAX (3660 * USEC_PER_DAY) /* some ten years; or infinity */
#define CONFIG_PATH_MAX ((size_t) 4095)

/* -EINVAL with *ret_why; -ENOMEM. */
int config_profile_load(const ConfigTree *t, const ConfigSection *section,
                        const Specifiers *specifiers, Profile **ret, char **ret_why);

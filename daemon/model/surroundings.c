/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/surroundings.h"

/* What stands between us and the service: the way to it, and who answers there (a hotel's portal
 * has another certificate, and a proxy of its own). */
static bool is_about_the_way(ErrorCode code) {
        return code == ERROR_NAME_RESOLUTION || code == ERROR_CONNECT_FAILED ||
               code == ERROR_PROXY_REFUSED || code == ERROR_CONNECTION_LOST ||
               code == ERROR_TIMEOUT || code == ERROR_TLS_TRUST || code == ERROR_TLS_HOSTNAME ||
               code == ERROR_TLS_FAILED || code == ERROR_MQTT_ERROR;
}

/* A token that is signed with a time (Azure's SAS) is refused as any wrong password is. */
static bool is_about_time(ErrorCode code) {
        return code == ERROR_TLS_CLOCK || code == ERROR_CREDENTIALS_REFUSED;
}

bool surroundings_mend(Surroundings change, ErrorCode code) {
        switch (change) {
        case SURROUNDINGS_CLOCK_SET:
                return is_about_time(code);
        case SURROUNDINGS_NETWORK_CAME:
                return is_about_the_way(code);
        case SURROUNDINGS_MAX:
                break;
        }
        return false;
}

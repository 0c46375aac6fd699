/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/connack.h"

#define CONNACK_VERSION 1
#define CONNACK_CLIENT_ID 2
#define CONNACK_UNAVAILABLE 3
#define CONNACK_BAD_LOGIN 4
#define CONNACK_NOT_AUTHORISED 5
#define CONNACK_AWS_NOT_AUTHORISED 7 /* of no standard: what AWS IoT Core answers in place of 5 */

Failure *connack_failure(int code, const char *endpoint, const char *client_id,
                         const char *client_id_name) {
        const char *setting = client_id_name ? client_id_name : "ClientId=";
        Failure *f;

        switch (code) {
        case CONNACK_VERSION:
                f = failure_new(ERROR_SERVER_REFUSED,
                                "%s does not speak MQTT 3.1.1 (CONNACK %d); check Endpoint=",
                                endpoint, code);
                break;
        case CONNACK_CLIENT_ID:
                f = failure_new(ERROR_SERVER_REFUSED,
                                "%s does not take the client id \"%s\" (CONNACK %d); check %s",
                                endpoint, client_id, code, setting);
                break;
        case CONNACK_UNAVAILABLE:
                f = failure_new(ERROR_SERVER_REFUSED,
                                "%s is not available at the moment (CONNACK %d)", endpoint, code);
                break;
        case CONNACK_BAD_LOGIN:
                f = failure_new(
                        ERROR_CREDENTIALS_REFUSED,
                        "%s refused user name and password (CONNACK %d); check the key, the "
                        "names, and this machine's clock",
                        endpoint, code);
                break;
        case CONNACK_NOT_AUTHORISED:
        case CONNACK_AWS_NOT_AUTHORISED:
                f = failure_new(
                        ERROR_CREDENTIALS_REFUSED,
                        "%s does not allow the client id \"%s\" to connect with these "
                        "credentials (CONNACK %d); check that the certificate is active and "
                        "that its policy allows iot:Connect for this client id, or %s",
                        endpoint, client_id, code, setting);
                break;
        default:
                f = failure_new(ERROR_SERVER_REFUSED, "%s refused the MQTT connection (CONNACK %d)",
                                endpoint, code);
                break;
        }
        if (f) {
                f->status_code = code;
                f->retriable = code == CONNACK_UNAVAILABLE;
        }
        return f;
}

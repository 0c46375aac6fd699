/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/lib/rotation.h"

void identity_done(Identity *i) {
        free(i->certificate);
        free(i->private_key);
        free(i->certificate_id);
        *i = (Identity){};
}

/* As an application does it: fetched, then acknowledged. */
static Identity take_over(const Wish *wish) {
        JobId id = agent_submit(client, wish);
        fleetprov_result *result = agent_result(client, id);
        Identity identity = {
                .certificate = strdup(fleetprov_result_get_certificate_pem(result)),
                .private_key = agent_secret(result, FLEETPROV_SECRET_PRIVATE_KEY),
                .certificate_id = strdup(fleetprov_result_get_certificate_id(result)),
        };

        identity_assert(&cloud, result, wish->serial, NULL, NULL);
        fleetprov_result_free(result);
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        return identity;
}

Identity rotation_first_identity(const char *serial) {
        return take_over(&(Wish){.serial = serial});
}

Wish rotation_wish(const Identity *old, const char *serial) {
        return (Wish){
                .operation = FLEETPROV_OPERATION_ROTATE,
                .serial = serial,
                .certificate = old->certificate,
                .private_key = old->private_key,
        };
}

Identity rotation_new_identity(const Identity *old, const char *serial) {
        Wish wish = rotation_wish(old, serial);

        return take_over(&wish);
}

void rotation_must_be_refused(const Wish *wish, int code, const char *text) {
        fleetprov_error *error = NULL;

        ck_assert_int_eq(agent_refused(client, wish, &error), code);
        ck_assert_msg(strstr(fleetprov_error_get_message(error), text) != NULL, "%s",
                      fleetprov_error_get_message(error));
        fleetprov_error_free(error);
}

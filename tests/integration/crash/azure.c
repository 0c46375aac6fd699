/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/integration/crash/azure.h"

#include "tests/integration/lib/stage.h"

#define ISSUING_VERSION "2025-07-01-preview"

const char *azure_prefix(Device device) {
        switch (device) {
        case DEVICE_OF_AWS:
                return "";
        case DEVICE_WITH_KEY:
                return "gw-";
        case DEVICE_OF_GROUP:
                return "sensor-";
        case DEVICE_WITH_CERTIFICATE:
                return "x509-";
        }
        return "";
}

static const char *certificate_lines(Daemon *daemon, const char *id) {
        _cleanup_free_ char *key = NULL, *certificate = NULL;

        identity_make_device(&cloud, id, &key, &certificate);
        return place_text(&daemon->place, "Authentication=x509\nCertificate=%s\nPrivateKey=%s\n",
                          place_write(&daemon->place, "device.pem", 0644, certificate),
                          place_write(&daemon->place, "device.key", 0600, key));
}

static const char *device_lines(Daemon *daemon, const Ask *ask, const char *id) {
        switch (ask->device) {
        case DEVICE_OF_AWS:
                break;
        case DEVICE_WITH_KEY:
                return ask->issued ? "SymmetricKey=DIR/dps.key\nApiVersion=" ISSUING_VERSION "\n"
                                   : "SymmetricKey=DIR/dps.key\n";
        case DEVICE_OF_GROUP:
                return "Authentication=group-key\nSymmetricKey=DIR/dps-group.key\n";
        case DEVICE_WITH_CERTIFICATE:
                return certificate_lines(daemon, id);
        }
        return "";
}

const char *azure_profile(Daemon *daemon, const Ask *ask, const char *id) {
        return cloud_dps_profile(&cloud, "azure",
                                 place_text(&daemon->place, "RegistrationId=%s\n%s", id,
                                            device_lines(daemon, ask, id)));
}

static void check_registrations(const Application *a, const char *point, const Record *record) {
        const Got *got = a->got;
        const bool perhaps = a->ask->issued && record->asked && !record->kept;
        size_t n = client_count(&cloud, a->key, "\"operation\":\"dps-register\"",
                                "\"outcome\":\"assigning\"");

        ck_assert_msg(n >= 1 && n <= (record->kept ? 1 : 2), "%s: registered %zu times", point, n);
        ck_assert_msg(!got->asked_after || record->kept, "%s: asked after what is not known",
                      point);
        ck_assert_msg(got->n_perhaps == perhaps, "%s: %u perhaps", point, got->n_perhaps);
        if (a->ask->issued)
                ck_assert_msg(n <= 1U + perhaps, "%s: registered %zu times unseen", point, n);
        ck_assert_uint_eq(got->n_left, 0);
}

void azure_check(Daemon *daemon, const Application *a, const char *point, const Record *record) {
        const Ask *ask = a->ask;
        const Got *got = a->got;

        ck_assert_msg(got->state == FLEETPROV_STATE_SUCCEEDED, "%s: %s %s", point,
                      fleetprov_state_to_string(got->state), got->error);
        ck_assert_str_eq(got->thing, a->key);
        ck_assert_uint_eq(folder_count(daemon->state, ".secret"), 0);
        ck_assert_uint_eq(folder_count(daemon->state, ".new"), 0);
        ck_assert_uint_eq(got->n_delivered,
                          ask->issued ? !ask->brings_csr : ask->device == DEVICE_OF_GROUP);
        ck_assert_int_eq(got->certificate[0] != '\0', ask->issued);
        check_registrations(a, point, record);
}

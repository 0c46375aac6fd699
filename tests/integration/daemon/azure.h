/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the tests of azure-dps share: profiles, and what the cloud did since the daemon's start. */

#include <errno.h>

#include "tests/integration/lib/other-clock.h"
#include "tests/integration/lib/stage.h"

#define KEY "RegistrationId=gw-1\nSymmetricKey=DIR/dps.key"
#define GROUP "RegistrationIds=sensor-*\nAuthentication=group-key\nSymmetricKey=DIR/dps-group.key"
#define DEVICE_CERTIFICATE                                                             \
        "RegistrationId=x509-1\nAuthentication=x509\nCertificate=DIR/dps-device.pem\n" \
        "PrivateKey=DIR/dps-device.key"
#define ANY "RegistrationIds=*\nSymmetricKey=DIR/dps.key"

static size_t registered_before;

static inline void start(const char *more) {
        registered_before = cloud_count(&cloud, "dps-register", "assigning");
        stage_start_azure(more);
}

/* From here to other_clock_end() the daemons that are started have the test's clock. "yes", "no",
 * or a file: whether the kernel says that it is synchronised. A refusal of a token is read by that.
 */
static inline void set_synchronised(const char *synchronised) {
        ck_assert_int_eq(setenv("FLEETPROV_TEST_SYNCHRONISED", synchronised, 1), 0);
        other_clock_begin(&cloud.place);
}

static inline void start_synchronised(const char *yes_or_no, const char *more) {
        set_synchronised(yes_or_no);
        start(more);
        other_clock_end();
}

/* That the service took, since start(). */
static inline size_t registrations(void) {
        return cloud_count(&cloud, "dps-register", "assigning") - registered_before;
}

static inline void assert_assigned(const fleetprov_result *result, const char *device) {
        ck_assert_str_eq(fleetprov_result_get_device_id(result), device);
        ck_assert_str_eq(fleetprov_result_get_assigned_hub(result), "hub.test.azure-devices.net");
        ck_assert_ptr_nonnull(
                strstr(fleetprov_result_get_registration_state(result), "\"status\":\"assigned\""));
}

static inline void must_assign(const Wish *wish, const char *device) {
        fleetprov_result *result = agent_result(client, agent_submit(client, wish));

        assert_assigned(result, device);
        fleetprov_result_free(result);
        ck_assert_uint_eq(registrations(), 1);
}

static inline void assert_no_secret(const fleetprov_result *result) {
        fleetprov_secret *secret = NULL;

        ck_assert_int_eq(
                fleetprov_result_read_secret(result, FLEETPROV_SECRET_SYMMETRIC_KEY, &secret),
                -ENOENT);
}

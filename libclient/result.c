/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/result.h"

#include <errno.h>

_public_ fleetprov_result *fleetprov_result_free(fleetprov_result *result) {
        if (!result)
                return NULL;
        free(result->job_id);
        free(result->thing_name);
        free(result->certificate_id);
        free(result->certificate_pem);
        free(result->private_key_uri);
        free(result->device_id);
        free(result->assigned_hub);
        free(result->registration_state);
        string_map_done(&result->configuration);
        for (size_t i = 0; i < SECRET_KINDS; i++)
                closep(&result->secrets[i]);
        free(result);
        return NULL;
}

int result_read(sd_bus_message *m, const char *job_id, fleetprov_result **ret) {
#define SECRET(kind) (offsetof(fleetprov_result, secrets) + sizeof(int) * (kind))
        static const DictField fields[] = {
                {"thingName", dict_read_string, offsetof(fleetprov_result, thing_name)},
                {"certificateId", dict_read_string, offsetof(fleetprov_result, certificate_id)},
                {"certificatePem", dict_read_string, offsetof(fleetprov_result, certificate_pem)},
                {"privateKeyUri", dict_read_string, offsetof(fleetprov_result, private_key_uri)},
                {"deviceId", dict_read_string, offsetof(fleetprov_result, device_id)},
                {"assignedHub", dict_read_string, offsetof(fleetprov_result, assigned_hub)},
                {"registrationState", dict_read_string,
                 offsetof(fleetprov_result, registration_state)},
                {"deviceConfiguration", dict_read_string_map,
                 offsetof(fleetprov_result, configuration)},
                {"privateKey", dict_read_fd, SECRET(FLEETPROV_SECRET_PRIVATE_KEY)},
                {"ownershipToken", dict_read_fd, SECRET(FLEETPROV_SECRET_OWNERSHIP_TOKEN)},
                {"symmetricKey", dict_read_fd, SECRET(FLEETPROV_SECRET_SYMMETRIC_KEY)},
                {"secretsErased", dict_read_bool, offsetof(fleetprov_result, secrets_erased)},
        };
#undef SECRET
        _cleanup_(fleetprov_result_freep) fleetprov_result *result = NULL;
        int r;

        result = calloc(1, sizeof(fleetprov_result));
        if (!result)
                return -ENOMEM;
        for (size_t i = 0; i < SECRET_KINDS; i++)
                result->secrets[i] = -1;
        result->job_id = strdup(job_id);
        if (!result->job_id)
                return -ENOMEM;
        r = dict_read(m, fields, ELEMENTSOF(fields), result, 0);
        if (r < 0)
                return r;
        for (size_t i = 0; i < SECRET_KINDS; i++) {
                if (result->secrets[i] < 0)
                        continue;
                r = secret_check_sealed(result->secrets[i]);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(result);
        return 0;
}

_public_ const char *fleetprov_result_get_job_id(const fleetprov_result *result) {
        return result ? result->job_id : NULL;
}

_public_ const char *fleetprov_result_get_thing_name(const fleetprov_result *result) {
        return result ? result->thing_name : NULL;
}

_public_ const char *fleetprov_result_get_certificate_id(const fleetprov_result *result) {
        return result ? result->certificate_id : NULL;
}

_public_ const char *fleetprov_result_get_certificate_pem(const fleetprov_result *result) {
        return result ? result->certificate_pem : NULL;
}

_public_ const char *fleetprov_result_get_private_key_uri(const fleetprov_result *result) {
        return result ? result->private_key_uri : NULL;
}

_public_ const char *fleetprov_result_get_device_id(const fleetprov_result *result) {
        return result ? result->device_id : NULL;
}

_public_ const char *fleetprov_result_get_assigned_hub(const fleetprov_result *result) {
        return result ? result->assigned_hub : NULL;
}

_public_ const char *fleetprov_result_get_registration_state(const fleetprov_result *result) {
        return result ? result->registration_state : NULL;
}

_public_ int fleetprov_result_enumerate_configuration(const fleetprov_result *result, size_t index,
                                                      const char **ret_name,
                                                      const char **ret_value) {
        return result ? string_map_enumerate(&result->configuration, index, ret_name, ret_value)
                      : 0;
}

_public_ int fleetprov_result_get_secrets_erased(const fleetprov_result *result) {
        return result && result->secrets_erased;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/request.h"

#include <errno.h>

#include "libclient/secret.h"
#include "protocol/ipc/limits.h"
#include "protocol/ipc/vocabulary.h"

_Static_assert((int) FLEETPROV_OPERATION_PROVISION == (int) OPERATION_PROVISION, "differ");
_Static_assert((int) FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR ==
                       (int) OPERATION_CREATE_CERTIFICATE_FROM_CSR,
               "differ");
_Static_assert((int) FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE ==
                       (int) OPERATION_CREATE_KEYS_AND_CERTIFICATE,
               "differ");
_Static_assert((int) FLEETPROV_OPERATION_REGISTER_THING == (int) OPERATION_REGISTER_THING,
               "differ");
_Static_assert((int) FLEETPROV_OPERATION_ROTATE == (int) OPERATION_ROTATE, "differ");

_public_ const char *fleetprov_operation_to_string(int operation) {
        return operation_to_string((Operation) operation);
}

_public_ fleetprov_request *fleetprov_request_free(fleetprov_request *request) {
        if (!request)
                return NULL;
        free(request->profile);
        free(request->key);
        free(request->csr);
        free(request->certificate);
        free(request->key_type);
        free(request->key_source);
        free(request->payload);
        free(request->registration_id);
        string_map_done(&request->parameters);
        closep(&request->token_fd);
        closep(&request->private_key_fd);
        free(request);
        return NULL;
}

static int replace(char **to, const char *s) {
        char *copy = NULL;

        if (s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }
        free(*to);
        *to = copy;
        return 0;
}

static int replace_bounded(char **to, const char *s, size_t max) {
        if (s && strlen(s) > max)
                return -E2BIG;
        if (s && !*s)
                return -EINVAL;
        return replace(to, s);
}

_public_ int fleetprov_request_new(fleetprov_request **ret, int operation, const char *profile) {
        _cleanup_(fleetprov_request_freep) fleetprov_request *request = NULL;
        int r;

        if (!ret || operation < FLEETPROV_OPERATION_PROVISION ||
            operation > FLEETPROV_OPERATION_ROTATE)
                return -EINVAL;
        if (profile && !ipc_profile_name_is_valid(profile))
                return -EINVAL;
        request = calloc(1, sizeof(fleetprov_request));
        if (!request)
                return -ENOMEM;
        request->operation = operation;
        request->deadline = FLEETPROV_FOREVER;
        request->token_fd = request->private_key_fd = -1;
        r = replace(&request->profile, profile);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(request);
        return 0;
}

_public_ int fleetprov_request_set_key(fleetprov_request *request, const char *key) {
        if (!request || (key && !ipc_key_is_valid(key)))
                return -EINVAL;
        return replace(&request->key, key);
}

_public_ int fleetprov_request_add_parameter(fleetprov_request *request, const char *name,
                                             const char *value) {
        size_t size;
        int r;

        if (!request || !name || !*name || !value)
                return -EINVAL;
        size = strlen(name) + strlen(value);
        if (strlen(name) > IPC_PARAMETER_NAME_MAX || strlen(value) > IPC_PARAMETER_VALUE_MAX ||
            request->parameters.n >= IPC_PARAMETERS_MAX ||
            request->parameters_size + size > IPC_PARAMETERS_TOTAL_MAX)
                return -E2BIG;
        if (string_map_get(&request->parameters, name))
                return -EEXIST;
        r = string_map_add(&request->parameters, name, value);
        if (r < 0)
                return r;
        request->parameters_size += size;
        return 0;
}

_public_ int fleetprov_request_set_csr(fleetprov_request *request, const char *pem) {
        return request ? replace_bounded(&request->csr, pem, IPC_CSR_MAX) : -EINVAL;
}

_public_ int fleetprov_request_set_key_type(fleetprov_request *request, const char *type) {
        if (!request || (type && (int) key_type_from_string(type) < 0))
                return -EINVAL;
        return replace(&request->key_type, type);
}

_public_ int fleetprov_request_set_key_source(fleetprov_request *request, const char *source) {
        if (!request || (source && !streq(source, "daemon") && !streq(source, "cloud")))
                return -EINVAL;
        return replace(&request->key_source, source);
}

_public_ int fleetprov_request_set_payload(fleetprov_request *request, const char *json) {
        return request ? replace_bounded(&request->payload, json, IPC_PAYLOAD_MAX) : -EINVAL;
}

_public_ int fleetprov_request_set_registration_id(fleetprov_request *request, const char *id) {
        return request ? replace_bounded(&request->registration_id, id, IPC_REGISTRATION_ID_MAX)
                       : -EINVAL;
}

_public_ int fleetprov_request_set_deadline(fleetprov_request *request, uint64_t usec) {
        if (!request || usec == 0)
                return -EINVAL;
        request->deadline = usec;
        return 0;
}

static int replace_secret(int *to, const void *data, size_t size) {
        int fd = secret_seal(data, size);

        if (fd < 0)
                return fd;
        closep(to);
        *to = fd;
        return 0;
}

_public_ int fleetprov_request_set_ownership_token(fleetprov_request *request, const void *data,
                                                   size_t size) {
        return request ? replace_secret(&request->token_fd, data, size) : -EINVAL;
}

_public_ int fleetprov_request_set_certificate(fleetprov_request *request, const char *pem) {
        return request ? replace_bounded(&request->certificate, pem, IPC_CERTIFICATE_MAX) : -EINVAL;
}

_public_ int fleetprov_request_set_private_key(fleetprov_request *request, const void *data,
                                               size_t size) {
        return request ? replace_secret(&request->private_key_fd, data, size) : -EINVAL;
}

static int append_string(sd_bus_message *m, const char *name, const char *value) {
        return value ? sd_bus_message_append(m, "{sv}", name, "s", value) : 0;
}

static int append_secret(sd_bus_message *m, const char *name, int fd) {
        return fd >= 0 ? sd_bus_message_append(m, "{sv}", name, "h", fd) : 0;
}

static int append_parameters(sd_bus_message *m, const StringMap *map) {
        int r;

        if (map->n == 0)
                return 0;
        if ((r = sd_bus_message_open_container(m, 'e', "sv")) < 0 ||
            (r = sd_bus_message_append(m, "s", "parameters")) < 0 ||
            (r = sd_bus_message_open_container(m, 'v', "a{ss}")) < 0 ||
            (r = sd_bus_message_open_container(m, 'a', "{ss}")) < 0)
                return r;
        for (size_t i = 0; i < map->n; i++) {
                r = sd_bus_message_append(m, "{ss}", map->pairs[i].name, map->pairs[i].value);
                if (r < 0)
                        return r;
        }
        for (unsigned i = 0; i < 3; i++) {
                r = sd_bus_message_close_container(m);
                if (r < 0)
                        return r;
        }
        return 0;
}

int request_append(const fleetprov_request *request, sd_bus_message *m) {
        int r;

        r = sd_bus_message_append(m, "ss", fleetprov_operation_to_string(request->operation),
                                  request->profile ? request->profile : "");
        if (r < 0)
                return r;
        if ((r = sd_bus_message_open_container(m, 'a', "{sv}")) < 0 ||
            (r = append_string(m, "key", request->key)) < 0 ||
            (r = append_parameters(m, &request->parameters)) < 0 ||
            (r = append_string(m, "csr", request->csr)) < 0 ||
            (r = append_string(m, "key-type", request->key_type)) < 0 ||
            (r = append_string(m, "key-source", request->key_source)) < 0 ||
            (r = append_string(m, "payload", request->payload)) < 0 ||
            (r = append_string(m, "registration-id", request->registration_id)) < 0 ||
            (r = append_string(m, "certificate", request->certificate)) < 0)
                return r;
        if (request->deadline != FLEETPROV_FOREVER) {
                r = sd_bus_message_append(m, "{sv}", "deadline-usec", "t", request->deadline);
                if (r < 0)
                        return r;
        }
        if ((r = append_secret(m, "ownership-token", request->token_fd)) < 0 ||
            (r = append_secret(m, "private-key", request->private_key_fd)) < 0)
                return r;
        return sd_bus_message_close_container(m);
}

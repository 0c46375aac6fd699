/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Get this device its identity: cc example.c $(pkg-config --cflags --libs libfleetprov-client) */

#include <fleetprov-client.h>
#include <stdio.h>

int main(int argc, char **argv) {
        fleetprov_client *client = NULL;
        fleetprov_request *request = NULL;
        fleetprov_result *result = NULL;
        fleetprov_secret *key = NULL;
        fleetprov_error *error = NULL;
        int r;

        if (argc < 2)
                return fprintf(stderr, "usage: %s SERIAL-NUMBER [SOCKET]\n", argv[0]), 2;
        if ((r = fleetprov_client_new(&client, argc > 2 ? argv[2] : NULL)) == 0 &&
            (r = fleetprov_request_new(&request, FLEETPROV_OPERATION_PROVISION, NULL)) == 0 &&
            (r = fleetprov_request_set_key(request, "device-identity")) == 0 &&
            (r = fleetprov_request_add_parameter(request, "SerialNumber", argv[1])) == 0 &&
            (r = fleetprov_client_provision(client, request, FLEETPROV_FOREVER, 0, &result,
                                            &error)) == 0 &&
            (r = fleetprov_result_read_secret(result, FLEETPROV_SECRET_PRIVATE_KEY, &key)) == 0)
                printf("%s: a certificate, and its key of %u bytes\n%s",
                       fleetprov_result_get_thing_name(result),
                       (unsigned) fleetprov_secret_get_size(key),
                       fleetprov_result_get_certificate_pem(result));
        else
                fprintf(stderr, "no identity: %s (%d)\n",
                        error ? fleetprov_error_get_message(error) : "local failure", r);
        fleetprov_secret_free(key);
        fleetprov_error_free(error);
        fleetprov_result_free(result);
        fleetprov_request_free(request);
        fleetprov_client_free(client);
        return r == 0 ? 0 : 1;
}

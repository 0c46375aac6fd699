/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plugin as mosquitto sees it: entry points and callbacks. Mosquitto 2.0.11 has one thread;
 * what a callback returns beside success and "denied" closes the connection that it was called for.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include <openssl/pem.h>

#include "tests/cloud/plugin/access.h"
#include "tests/cloud/plugin/control.h"
#include "tests/cloud/plugin/dps-service.h"
#include "tests/cloud/plugin/service.h"
#include "tests/cloud/plugin/wake.h"

#define CLAIMS_FILE "claims.pem"

/* How the broker is to close a connection: any error that it has no other use for. */
#define CLOSE_THE_CONNECTION MOSQ_ERR_CONN_LOST

static int on_connect(_unused_ int event, void *event_data, void *userdata) {
        struct mosquitto_evt_basic_auth *auth = event_data;
        AccessResult result;

        if (dps_is_user_name(auth->username))
                result = access_connect_dps(userdata, auth->client, auth->username, auth->password);
        else
                result = access_connect(userdata, auth->client);
        switch (result) {
        case ACCESS_ALLOWED:
                return MOSQ_ERR_SUCCESS;
        case ACCESS_REFUSED:
                return MOSQ_ERR_AUTH;
        case ACCESS_DROP:
                break;
        }
        return CLOSE_THE_CONNECTION;
}

static int on_disconnect(_unused_ int event, void *event_data, void *userdata) {
        struct mosquitto_evt_disconnect *disconnect = event_data;
        Cloud *cloud = userdata;
        Connection *connection = connections_find_client(&cloud->connections, disconnect->client);

        if (connection)
                service_forget(cloud, connection);
        access_disconnect(cloud, disconnect->client);
        return MOSQ_ERR_SUCCESS;
}

static int on_access(_unused_ int event, void *event_data, void *userdata) {
        struct mosquitto_evt_acl_check *check = event_data;
        AccessResult result = ACCESS_REFUSED;
        Cloud *cloud = userdata;

        /* The will of a connection that has ended. */
        if (!connections_find_client(&cloud->connections, check->client))
                return MOSQ_ERR_ACL_DENIED;

        switch (check->access) {
        case MOSQ_ACL_READ:
                result = ACCESS_ALLOWED;
                break;
        case MOSQ_ACL_WRITE:
                result = access_publish(cloud, check->client, check->topic, check->payloadlen,
                                        check->qos, check->retain);
                break;
        case MOSQ_ACL_SUBSCRIBE:
                result = access_subscribe(cloud, check->client, check->topic, check->qos);
                break;
        case MOSQ_ACL_UNSUBSCRIBE:
                access_unsubscribe(cloud, check->client, check->topic);
                result = ACCESS_ALLOWED;
                break;
        default:
                break;
        }
        switch (result) {
        case ACCESS_ALLOWED:
                return MOSQ_ERR_SUCCESS;
        case ACCESS_REFUSED:
                return MOSQ_ERR_ACL_DENIED;
        case ACCESS_DROP:
                break;
        }
        return CLOSE_THE_CONNECTION;
}

static int on_message(_unused_ int event, void *event_data, void *userdata) {
        struct mosquitto_evt_message *message = event_data;
        Cloud *cloud = userdata;
        Connection *connection = connections_find_client(&cloud->connections, message->client);
        DpsRequest request;
        Verdict verdict;
        Topic topic;

        if (connection && connection->role == ROLE_REGISTRATION &&
            dps_topic_parse(message->topic, &request)) {
                verdict = dps_service_request(cloud, connection, &request, message->payload,
                                              message->payloadlen);
                return verdict == VERDICT_CUT ? CLOSE_THE_CONNECTION : MOSQ_ERR_SUCCESS;
        }
        if (!connection || !topic_parse(message->topic, &topic))
                return CLOSE_THE_CONNECTION;
        if (service_request(cloud, connection, &topic, message->payload, message->payloadlen) ==
            VERDICT_CUT)
                return CLOSE_THE_CONNECTION;
        return MOSQ_ERR_SUCCESS;
}

/* The first turn of the loop: the broker listens. */
static void tell_ready(Cloud *cloud) {
        static const char ready[] = "ready\n";

        if (write(cloud->ready_fd, ready, strlen(ready)) < 0)
                mosquitto_log_printf(MOSQ_LOG_WARNING, "cannot tell that the cloud is ready: %s",
                                     strerror(errno));
        cloud->ready_fd = close_fd(cloud->ready_fd);
}

static int on_tick(_unused_ int event, _unused_ void *event_data, void *userdata) {
        Cloud *cloud = userdata;

        if (cloud->ready_fd >= 0)
                tell_ready(cloud);
        control_dispatch(cloud);
        service_serve_key_requests(cloud);
        outbox_flush(&cloud->outbox, &cloud->connections, cloud->record);
        return MOSQ_ERR_SUCCESS;
}

static const struct {
        int event;
        MOSQ_FUNC_generic_callback callback;
} callbacks[] = {
        {MOSQ_EVT_BASIC_AUTH, on_connect}, {MOSQ_EVT_DISCONNECT, on_disconnect},
        {MOSQ_EVT_ACL_CHECK, on_access},   {MOSQ_EVT_MESSAGE, on_message},
        {MOSQ_EVT_TICK, on_tick},
};

static int load_claims(Cloud *cloud) {
        FILE *file = fopen(CLAIMS_FILE, "re");
        X509 *certificate;
        int r = 0;

        if (!file)
                return -errno;
        while (r >= 0 && cloud->n_claims < CLAIMS_MAX &&
               (certificate = PEM_read_X509(file, NULL, NULL, NULL))) {
                r = fingerprint_of(certificate, &cloud->claims[cloud->n_claims++]);
                X509_free(certificate);
        }
        fclose(file);
        return r < 0 ? r : cloud->n_claims > 0 ? 0 : -ENODATA;
}

static void read_options(Cloud *cloud, const struct mosquitto_opt *options, int n) {
        for (int i = 0; i < n; i++)
                if (streq(options[i].key, "token_ttl"))
                        cloud->token_ttl_usec = strtoull(options[i].value, NULL, 10) * USEC_PER_SEC;
                else if (streq(options[i].key, "ready_fd"))
                        cloud->ready_fd = (int) strtol(options[i].value, NULL, 10);
}

static Cloud *cloud_free(Cloud *cloud) {
        if (!cloud)
                return NULL;
        control_close(cloud);
        key_pool_free(cloud->keys);
        outbox_clear(&cloud->outbox);
        while (cloud->connections.connections_first) {
                service_forget(cloud, cloud->connections.connections_first);
                connections_remove(&cloud->connections, cloud->connections.connections_first);
        }
        connections_clear(&cloud->connections);
        faults_clear(&cloud->faults, 0);
        registry_free(cloud->registry);
        dps_registry_clear(&cloud->dps);
        authority_free(cloud->authority);
        record_free(cloud->record);
        close_fd(cloud->ready_fd);
        free(cloud);
        return NULL;
}

DEFINE_CLEANUP(Cloud *, cloud_free);

static int cloud_new(const struct mosquitto_opt *options, int n, Cloud **ret) {
        _cleanup_(cloud_freep) Cloud *cloud = calloc(1, sizeof(*cloud));
        int r;

        if (!cloud)
                return -ENOMEM;
        cloud->control_fd = cloud->ready_fd = -1;
        cloud->token_ttl_usec = TOKEN_TTL_SEC_DEFAULT * USEC_PER_SEC;
        read_options(cloud, options, n);
        if ((r = wake_setup()) < 0 || (r = load_claims(cloud)) < 0 ||
            (r = dps_keys_load(&cloud->dps_keys)) < 0 ||
            (r = authority_new(&cloud->authority)) < 0 ||
            (r = registry_new(&cloud->registry)) < 0 || (r = record_new(&cloud->record)) < 0 ||
            (r = key_pool_new(&cloud->keys)) < 0 || (r = control_open(cloud)) < 0)
                return r;
        *ret = TAKE_PTR(cloud);
        return 0;
}

mosq_plugin_EXPORT __attribute__((visibility("default"))) int mosquitto_plugin_version(
        int supported_version_count, const int *supported_versions) {
        for (int i = 0; i < supported_version_count; i++)
                if (supported_versions[i] == MOSQ_PLUGIN_VERSION)
                        return MOSQ_PLUGIN_VERSION;
        return -1;
}

__attribute__((visibility("default"))) int mosquitto_plugin_init(mosquitto_plugin_id_t *identifier,
                                                                 void **userdata,
                                                                 struct mosquitto_opt *options,
                                                                 int option_count) {
        Cloud *cloud = NULL;
        int r = cloud_new(options, option_count, &cloud);

        if (r < 0) {
                mosquitto_log_printf(MOSQ_LOG_ERR, "the fleet cloud cannot start: %s",
                                     strerror(-r));
                return MOSQ_ERR_UNKNOWN;
        }
        for (size_t i = 0; i < ELEMENTSOF(callbacks); i++)
                mosquitto_callback_register(identifier, callbacks[i].event, callbacks[i].callback,
                                            NULL, cloud);
        cloud->plugin = identifier;
        *userdata = cloud;
        wake_at(0); /* the first tick, which tells that the cloud is ready, is not to wait */
        return MOSQ_ERR_SUCCESS;
}

/* The broker has freed its clients by now. It frees no callback of its own accord. */
__attribute__((visibility("default"))) int mosquitto_plugin_cleanup(
        void *userdata, _unused_ struct mosquitto_opt *options, _unused_ int option_count) {
        Cloud *cloud = userdata;

        for (size_t i = 0; i < ELEMENTSOF(callbacks); i++)
                mosquitto_callback_unregister(cloud->plugin, callbacks[i].event,
                                              callbacks[i].callback, NULL);
        cloud_free(cloud);
        wake_shutdown();
        return MOSQ_ERR_SUCCESS;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A bare Paho client that connects without TLS and then does nothing: what the library costs idle.
 * Usage: bench-paho-idle URI. Prints "connected" and stays until it is killed. */

#include <MQTTAsync.h>
#include <stdio.h>
#include <unistd.h>

static void on_connected(void *context, MQTTAsync_successData *data) {
        puts("connected");
        (void) fflush(stdout);
}

int main(int argc, char **argv) {
        MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
        MQTTAsync client;

        if (argc != 2 || MQTTAsync_create(&client, argv[1], "bench-paho-idle",
                                          MQTTCLIENT_PERSISTENCE_NONE, NULL) != MQTTASYNC_SUCCESS)
                return 2;
        options.MQTTVersion = MQTTVERSION_3_1_1;
        options.keepAliveInterval = 60;
        options.onSuccess = on_connected;
        if (MQTTAsync_connect(client, &options) != MQTTASYNC_SUCCESS)
                return 1;
        for (;;)
                (void) pause();
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Bytes that the broker would never send: a CONNACK with any code, an answer that is no MQTT. The
 * plugin is preloaded into the broker, and stands before OpenSSL's SSL_write(); without the preload
 * nothing here has an effect. The broker writes a packet whole, by one call. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* At one time. */
#define WIRE_REPLACEMENTS_MAX 64

typedef struct WireMarker {
        char text[32]; /* no terminator */
} WireMarker;

/* The next CONNACK "not authorised" for MQTT 3.1.1 says this code instead; -1: none does. */
void wire_set_connack(int code);

/* The packet whose payload is the marker goes out as these bytes. They are copied. False when there
 * are too many already. */
bool wire_replace(const void *bytes, size_t n, WireMarker *ret);

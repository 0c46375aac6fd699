/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Messages for tests that need no peer: made, sealed, read again. */

#include <systemd/sd-bus.h>

typedef struct MessageBus {
        sd_bus *bus;
        int peer_fd;
} MessageBus;

/* A bus object that nobody answers. */
MessageBus message_bus_open(void);
void message_bus_close(MessageBus *b);

sd_bus_message *message_call(MessageBus *b); /* to be filled in */
void message_seal(sd_bus_message *m);        /* to be read from the beginning */

/* Reads the entry `name` of an a{sv} at the start of the sealed message, up to its value, whose
 * container is entered. 0 where there is none. */
int message_find(sd_bus_message *m, const char *name, const char *type);

/* The same for a text; NULL where there is none. Valid as long as the message. */
const char *message_text(sd_bus_message *m, const char *name);

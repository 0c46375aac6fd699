/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* An identity as a device has it, and what it asks for when that is to be rotated. What goes wrong
 * here fails the test. */

#include "tests/integration/lib/stage.h"

typedef struct Identity {
        char *certificate, *private_key; /* PEM */
        char *certificate_id;
} Identity;

void identity_done(Identity *i);

/* Provisions thing-SERIAL with the claim, and takes it over. */
Identity rotation_first_identity(const char *serial);

/* `old` must live as long as the wish. */
Wish rotation_wish(const Identity *old, const char *serial);

/* Rotates, and takes over what comes. */
Identity rotation_new_identity(const Identity *old, const char *serial);

/* It must be refused with this code and a message that holds `text`. */
void rotation_must_be_refused(const Wish *wish, int code, const char *text);

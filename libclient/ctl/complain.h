/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What goes wrong, on standard error: `fleetprovctl: <what>: <why>; <mend>`. Control characters are
 * escaped: half of the text comes from a cloud. */

#include "libclient/fleetprov-client.h"
#include "libclient/macro.h"

void complain(const char *format, ...) _printf_(1, 2);

/* "<what>: <message> (<code>)", with all that the service said, and the causes. */
void complain_error(const char *what, const fleetprov_error *error);

/* The service's own words of this error ("403 ACCESS_DENIED: no (tracking id 7)"); NULL where it
 * said nothing, where the message holds its words already, or where memory is short. The caller
 * frees. */
char *error_service_text(const fleetprov_error *error);

/* Whether the message of this error holds that of its cause, which then need not be said twice. */
bool error_tells_cause(const fleetprov_error *e);

/* A copy of s with control characters, and what is not UTF-8, as \xNN; a line break becomes a space
 * where `one_line`. Also those that turn the writing direction, which can make a line read as
 * another one. NULL: no memory. */
char *escape_text(const char *s, bool one_line);

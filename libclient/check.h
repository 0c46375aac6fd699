/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a checkup says: the answer to Profile.Check. */

#include <systemd/sd-bus.h>

#include "libclient/macro.h"

typedef struct CheckLine {
        char *check;
        char *result;
        char *message;
} CheckLine;

typedef struct CheckList {
        CheckLine *lines;
        size_t n;
} CheckList;

/* More of them are no answer of ours. */
#define CHECK_LINES_MAX ((size_t) 256)

void check_list_done(CheckList *list);

/* Reads an a(sss) at the message's current place. -EBADMSG: not as the interface says. */
int check_list_read(sd_bus_message *m, CheckList *list);

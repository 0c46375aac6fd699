/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/verbs.h"

ExitStatus verb_cancel(Ctl *ctl, _unused_ int argc, char **argv) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        _cleanup_free_ char *id = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        if ((status = ctl_connect(ctl)) != STATUS_OK ||
            (status = ctl_resolve(ctl, argv[0], &id)) != STATUS_OK)
                return status;
        r = fleetprov_client_cancel(ctl->client, id, &ticket);
        /* Answered when the call under way has come to its end, however long that takes. */
        ctl_be_patient(ctl);
        return ctl_answer(ctl, r, ticket, id, &event, NULL);
}

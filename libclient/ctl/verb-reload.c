/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/verbs.h"

ExitStatus verb_reload(Ctl *ctl, _unused_ int argc, _unused_ char **argv) {
        _cleanup_(fleetprov_event_freep) fleetprov_event *event = NULL;
        uint64_t ticket = 0;
        ExitStatus status;
        int r;

        status = ctl_connect(ctl);
        if (status != STATUS_OK)
                return status;
        r = fleetprov_client_reload(ctl->client, &ticket);
        ctl_be_patient(ctl);
        status = ctl_answer(ctl, r, ticket, "reload", &event, NULL);
        /* A refused configuration is not this command line's fault. */
        return status == STATUS_USAGE ? STATUS_FAILED : status;
}

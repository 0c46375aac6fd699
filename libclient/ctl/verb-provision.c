/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/submit.h"
#include "libclient/ctl/verbs.h"

ExitStatus verb_provision(Ctl *ctl, int argc, char **argv) {
        return submit_and_deliver(ctl, FLEETPROV_OPERATION_PROVISION, argc > 0 ? argv[0] : NULL);
}

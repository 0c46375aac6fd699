/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/complain.h"
#include "libclient/ctl/submit.h"
#include "libclient/ctl/verbs.h"

ExitStatus verb_create_keys(Ctl *ctl, int argc, char **argv) {
        if (!ctl->options.out && !(ctl->options.given & OPTION_NO_WAIT)) {
                complain("create-keys: no place for key and ownership token; give --out=DIR");
                return STATUS_USAGE;
        }
        return submit_and_deliver(ctl, FLEETPROV_OPERATION_CREATE_KEYS_AND_CERTIFICATE,
                                  argc > 0 ? argv[0] : NULL);
}

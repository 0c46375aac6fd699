/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/complain.h"
#include "libclient/ctl/submit.h"
#include "libclient/ctl/verbs.h"

ExitStatus verb_register_thing(Ctl *ctl, int argc, char **argv) {
        if (!ctl->options.token_file) {
                complain("register-thing: the ownership token of the certificate is missing; give "
                         "--token-file=FILE, as create-certificate and create-keys write it");
                return STATUS_USAGE;
        }
        return submit_and_deliver(ctl, FLEETPROV_OPERATION_REGISTER_THING,
                                  argc > 0 ? argv[0] : NULL);
}

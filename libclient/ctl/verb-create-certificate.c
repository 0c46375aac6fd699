/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/complain.h"
#include "libclient/ctl/submit.h"
#include "libclient/ctl/verbs.h"

ExitStatus verb_create_certificate(Ctl *ctl, int argc, char **argv) {
        if (!ctl->options.csr) {
                complain("create-certificate: what shall be signed is missing; give --csr=FILE");
                return STATUS_USAGE;
        }
        /* Without a place for the ownership token the certificate could never be registered. */
        if (!ctl->options.out && !(ctl->options.given & OPTION_NO_WAIT)) {
                complain("create-certificate: no place for certificate and ownership token; give "
                         "--out=DIR");
                return STATUS_USAGE;
        }
        return submit_and_deliver(ctl, FLEETPROV_OPERATION_CREATE_CERTIFICATE_FROM_CSR,
                                  argc > 0 ? argv[0] : NULL);
}

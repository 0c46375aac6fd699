/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Verbs whose names are kept for a later version: better said than taken for a typing error. */

#include "libclient/ctl/complain.h"
#include "libclient/ctl/verbs.h"

ExitStatus verb_unavailable(_unused_ Ctl *ctl, _unused_ int argc, char **argv) {
        complain("%s: not available in this version (%s); a later one will have it", argv[-1],
                 PROJECT_VERSION);
        return STATUS_FAILED;
}

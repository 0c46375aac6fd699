/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The stub by hand: stub SOCKET [BUS], then busctl --address=unix:path=SOCKET tree … */

#include "tests/integration/front/stub.h"

int main(int argc, char **argv) {
        if (argc < 2)
                return 2;
        return stub_run(argv[1], argc > 2 ? argv[2] : "none");
}

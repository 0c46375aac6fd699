/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the tests of claims in tokens share: a token in the daemon's folder that holds a claim's
 * key, and a profile that names it. */

#include "tests/integration/lib/stage.h"
#include "tests/token/soft-token.h"

/* In the folder of the daemon, which is made before the daemon is. */
static inline const char *pin_file(const char *pin) {
        return place_write(&d.place, "pin", 0600, pin);
}

/* The key of `claim` in the cloud's folder, imported as `claim`. */
static inline void make_token(const char *claim) {
        const char *dir = cloud.place.dir;

        daemon_make(&d);
        soft_token_make(place_text(&d.place, "%s", d.place.dir));
        soft_token_import(place_text(&d.place, "%s/%s.key", dir, claim), "claim", "01");
}

static inline const char *profile(const char *claim, const char *more) {
        return cloud_profile(&cloud, "aws",
                             place_text(&d.place,
                                        "Certificate=%s/%s.pem\n"
                                        "PrivateKey=%s;object=claim\n"
                                        "PrivateKeyPassword=%s\n"
                                        "Pkcs11Module=%s\n%s",
                                        cloud.place.dir, claim, SOFT_TOKEN_URI,
                                        place_path(&d.place, "pin"), soft_token_module(), more));
}

/* `text` with `to` in the place of `from`, which must be in it. */
static inline const char *replace(const char *text, const char *from, const char *to) {
        const char *at = strstr(text, from);

        ck_assert_ptr_nonnull(at);
        return place_text(&d.place, "%.*s%s%s", (int) (at - text), text, to, at + strlen(from));
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/crypto/der.h"

/* A Name (RFC 5280, 4.1.2.4; the content of its SEQUENCE) as text after RFC 4514: the last, most
 * specific part first, everything that could mislead a reader or a terminal escaped; what is no
 * text stands as #hex. Empty for an empty name. -EBADMSG: malformed. */
int distinguished_name_to_text(const DerItem *name, char **ret);

/* Its most specific common name as it stands there, UTF-8, unescaped; NULL in `*ret`: it has none,
 * or that is no text. -EBADMSG: malformed. */
int distinguished_name_common_name(const DerItem *name, char **ret);

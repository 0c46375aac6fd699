/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/base/secret.h"

/* Decrypts an EncryptedPrivateKeyInfo (RFC 5958) where it stands: afterwards `der` begins with the
 * PKCS#8 key; up to a cipher block of padding may follow it. PBES2 with PBKDF2 and AES-CBC or
 * 3DES-CBC (RFC 8018). A wrong password is nearly always seen here, else the key is unreadable.
 * -ENOKEY: password is NULL; -EKEYREJECTED: it does not fit; -EOPNOTSUPP: encrypted in another way;
 * -EINVAL: malformed. */
int encrypted_key_open(Secret *der, const Secret *password, char **ret_why);

/* "The password does not fit", -EKEYREJECTED. */
int encrypted_key_why_rejected(char **ret_why);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "daemon/crypto/der.h"

/* A Time of RFC 5280 (4.1.2.5), UTCTime or GeneralizedTime, in microseconds of the real clock; 0
 * for 1970 and before. -EBADMSG: neither, or no such day or hour. */
int certificate_time_read(DerReader *reader, usec_t *ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The parts of a claim that are in tokens. On the thread of the tokens; see claim_load(). */

#include "daemon/config/claim.h"

/* Fills c->token_key; c->description is there. */
int claim_load_token_key(const Profile *p, TokenPool *tokens, Claim *c, ErrorCode *ret_code,
                         char **ret_why);

/* Fills c->key_store. */
int claim_load_key_store(const Profile *p, TokenPool *tokens, Claim *c, char **ret_why);

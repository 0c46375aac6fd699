/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A secret in pieces of 16 bytes, in every form in which a program may have it: whoever finds one
 * of them somewhere has found a part of the secret, and no other bytes are like it. */

#include <stddef.h>
#include <stdint.h>

#define PIECE_BYTES 16U

typedef struct Piece {
        uint8_t bytes[PIECE_BYTES];
        const char *form; /* for people; static */
} Piece;

typedef struct Pieces {
        Piece *list;
        size_t n;
} Pieces;

void pieces_done(Pieces *p);

/* A text that is secret from its first byte to its last. */
void pieces_add_text(Pieces *p, const char *text);

/* A private key (PEM): the numbers that are secret in it, in both byte orders, and those parts of
 * the PEM that show nothing else. What is public in it is left out. */
void pieces_add_key(Pieces *p, const char *pem);

/* Base64 of bytes that are secret: as that, and the bytes. */
void pieces_add_base64(Pieces *p, const char *text);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What the MQTT library's threads say to the loop: they copy, post, and leave. Bounded in number
 * and in bytes; what does not fit is not dropped silently, but marks the box as overrun, and the
 * connection is dropped. An end (of the connect, of the connection) always fits: there are at most
 * two of them, and nobody else would tell.
 *
 * Payloads may hold keys and tokens: letters are wiped when they are let go. */

#include "daemon/base/list.h"
#include "daemon/base/macro.h"

typedef struct Mailbox Mailbox;

typedef enum MailKind {
        MAIL_CONNECTED,
        MAIL_SUBSCRIBED,
        MAIL_MESSAGE,
        MAIL_CONNECT_FAILED, /* an end */
        MAIL_LOST,           /* an end */
} MailKind;

typedef struct Mail Mail;
struct Mail {
        MailKind kind;
        int code;         /* CONNECT_FAILED: above 0 the CONNACK code; SUBSCRIBED: 0 is granted */
        size_t text_size; /* of the topic or the message, without its terminator */
        size_t payload_size;
        const uint8_t *payload;
        LIST_LINK(Mail, mails);
        char text[]; /* terminated; a topic may hold NULs; the payload stands behind it */
};

/* NULL where memory is short. text and payload are copied; both may be NULL where their size is 0.
 */
Mail *mail_new(MailKind kind, int code, const char *text, size_t text_size, const void *payload,
               size_t payload_size);
Mail *mail_free(Mail *mail);
DEFINE_CLEANUP(Mail *, mail_free);

int mailbox_new(size_t mails_max, size_t bytes_max, Mailbox **ret);
Mailbox *mailbox_free(Mailbox *b); /* nobody posts any more */
DEFINE_CLEANUP(Mailbox *, mailbox_free);

/* Readable when something was posted. Owned by the box. */
int mailbox_fd(const Mailbox *b);

/* Takes the letter in any case; NULL (memory was short) counts as an overrun. 0, or -ENOBUFS: the
 * box was full, now or before. Any thread. */
int mailbox_post(Mailbox *b, Mail *mail);

/* Rearms the descriptor. Before the first mailbox_take() of a round. Loop thread. */
void mailbox_acknowledge(Mailbox *b);

/* The oldest letter, or NULL. The caller owns it. Loop thread. */
Mail *mailbox_take(Mailbox *b);

/* Something did not fit. All that was taken before is whole and in order; nothing but an end comes
 * after it. Any thread. */
bool mailbox_overrun(Mailbox *b);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>

struct Mailbox {
        int fd;
        size_t mails_max, bytes_max;
        pthread_mutex_t lock;
        LIST_HEAD(Mail, mails);
        size_t n_mails, bytes;
        bool overrun;
};

Mail *mail_new(MailKind kind, int code, const char *text, size_t text_size, const void *payload,
               size_t payload_size) {
        Mail *mail;

        if (text_size > SIZE_MAX / 4 || payload_size > SIZE_MAX / 4)
                return NULL;
        mail = calloc(1, sizeof(Mail) + text_size + 1 + payload_size);
        if (!mail)
                return NULL;
        mail->kind = kind;
        mail->code = code;
        mail->text_size = text_size;
        mail->payload_size = payload_size;
        mail->payload = (const uint8_t *) mail->text + text_size + 1;
        if (text_size > 0)
                memcpy(mail->text, text, text_size);
        if (payload_size > 0)
                memcpy(mail->text + text_size + 1, payload, payload_size);
        return mail;
}

Mail *mail_free(Mail *mail) {
        if (mail)
                explicit_bzero(mail->text, mail->text_size + 1 + mail->payload_size);
        free(mail);
        return NULL;
}

int mailbox_new(size_t mails_max, size_t bytes_max, Mailbox **ret) {
        _cleanup_(mailbox_freep) Mailbox *b = NULL;

        b = calloc(1, sizeof(Mailbox));
        if (!b)
                return -ENOMEM;
        b->mails_max = mails_max;
        b->bytes_max = bytes_max;
        pthread_mutex_init(&b->lock, NULL);
        b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (b->fd < 0)
                return -errno;
        *ret = TAKE_PTR(b);
        return 0;
}

Mailbox *mailbox_free(Mailbox *b) {
        Mail *mail, *next;

        if (!b)
                return NULL;
        LIST_FOREACH_SAFE(mails, mail, next, b) {
                LIST_REMOVE(mails, b, mail);
                mail_free(mail);
        }
        close_fd(b->fd);
        pthread_mutex_destroy(&b->lock);
        free(b);
        return NULL;
}

int mailbox_fd(const Mailbox *b) {
        return b->fd;
}

static bool mail_is_an_end(const Mail *mail) {
        return mail->kind == MAIL_CONNECT_FAILED || mail->kind == MAIL_LOST;
}

static bool fits(const Mailbox *b, const Mail *mail) {
        size_t size = mail->text_size + mail->payload_size;

        if (mail_is_an_end(mail))
                return true;
        return !b->overrun && b->n_mails < b->mails_max && b->bytes <= b->bytes_max &&
               size <= b->bytes_max - b->bytes;
}

int mailbox_post(Mailbox *b, Mail *mail) {
        bool posted;

        pthread_mutex_lock(&b->lock);
        posted = mail && fits(b, mail);
        if (posted) {
                LIST_APPEND(mails, b, mail);
                b->n_mails++;
                b->bytes += mail->text_size + mail->payload_size;
        } else
                b->overrun = true;
        pthread_mutex_unlock(&b->lock);
        if (!posted)
                mail_free(mail);
        (void) eventfd_write(b->fd, 1);
        return posted ? 0 : -ENOBUFS;
}

void mailbox_acknowledge(Mailbox *b) {
        eventfd_t count;

        (void) eventfd_read(b->fd, &count);
}

Mail *mailbox_take(Mailbox *b) {
        Mail *mail;

        pthread_mutex_lock(&b->lock);
        mail = b->mails_first;
        if (mail) {
                LIST_REMOVE(mails, b, mail);
                b->n_mails--;
                b->bytes -= mail->text_size + mail->payload_size;
        }
        pthread_mutex_unlock(&b->lock);
        return mail;
}

bool mailbox_overrun(Mailbox *b) {
        bool overrun;

        pthread_mutex_lock(&b->lock);
        overrun = b->overrun;
        pthread_mutex_unlock(&b->lock);
        return overrun;
}

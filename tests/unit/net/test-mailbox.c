/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/net/mailbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "tests/unit/net/run-suite.h"

#define MAILS_MAX 4U
#define BYTES_MAX 100U

static Mailbox *box;

static void setup(void) {
        ck_assert_int_eq(mailbox_new(MAILS_MAX, BYTES_MAX, &box), 0);
}

static void teardown(void) {
        box = mailbox_free(box);
}

static int post(MailKind kind, const char *text, size_t payload_size) {
        _cleanup_free_ uint8_t *payload = calloc(1, payload_size + 1);

        return mailbox_post(box, mail_new(kind, 0, text, strlen(text), payload, payload_size));
}

static bool is_readable(void) {
        struct pollfd p = {.fd = mailbox_fd(box), .events = POLLIN};

        return poll(&p, 1, 0) == 1;
}

START_TEST(letters_come_in_order_and_whole)
{
        _cleanup_(mail_freep) Mail *first = NULL, *second = NULL;

        ck_assert(!is_readable());
        ck_assert_int_eq(mailbox_post(box, mail_new(MAIL_MESSAGE, 7, "a\0b", 3, "xyz", 3)), 0);
        ck_assert_int_eq(post(MAIL_CONNECTED, "", 0), 0);
        ck_assert(is_readable());
        mailbox_acknowledge(box);
        ck_assert(!is_readable());

        first = mailbox_take(box);
        second = mailbox_take(box);
        ck_assert_int_eq(first->kind, MAIL_MESSAGE);
        ck_assert_int_eq(first->code, 7);
        ck_assert_uint_eq(first->text_size, 3);
        ck_assert_mem_eq(first->text, "a\0b\0", 4);
        ck_assert_uint_eq(first->payload_size, 3);
        ck_assert_mem_eq(first->payload, "xyz", 3);
        ck_assert_int_eq(second->kind, MAIL_CONNECTED);
        ck_assert_ptr_null(mailbox_take(box));
        ck_assert(!mailbox_overrun(box));
}
END_TEST

START_TEST(one_letter_too_many_is_an_overrun)
{
        unsigned n = 0;
        Mail *mail;

        for (unsigned i = 0; i < MAILS_MAX; i++)
                ck_assert_int_eq(post(MAIL_MESSAGE, "t", 1), 0);
        ck_assert(!mailbox_overrun(box));
        ck_assert_int_eq(post(MAIL_MESSAGE, "t", 1), -ENOBUFS);
        ck_assert(mailbox_overrun(box));

        /* What came before is whole; after the gap nothing comes, room or not. */
        while ((mail = mailbox_take(box))) {
                mail_free(mail);
                n++;
        }
        ck_assert_uint_eq(n, MAILS_MAX);
        ck_assert_int_eq(post(MAIL_MESSAGE, "t", 1), -ENOBUFS);
        ck_assert_ptr_null(mailbox_take(box));
        ck_assert(mailbox_overrun(box));
}
END_TEST

START_TEST(too_many_bytes_are_an_overrun)
{
        ck_assert_int_eq(post(MAIL_MESSAGE, "t", BYTES_MAX - 1), 0);
        ck_assert_int_eq(post(MAIL_MESSAGE, "", 0), 0);
        ck_assert_int_eq(post(MAIL_MESSAGE, "t", 0), -ENOBUFS);
        ck_assert(mailbox_overrun(box));
}
END_TEST

START_TEST(room_that_was_made_can_be_used)
{
        for (unsigned i = 0; i < 20; i++) {
                ck_assert_int_eq(post(MAIL_MESSAGE, "t", BYTES_MAX - 1), 0);
                mail_free(mailbox_take(box));
        }
        ck_assert(!mailbox_overrun(box));
}
END_TEST

START_TEST(lack_of_memory_is_an_overrun)
{
        ck_assert_int_eq(mailbox_post(box, NULL), -ENOBUFS);
        ck_assert(mailbox_overrun(box));
        ck_assert(is_readable());
}
END_TEST

START_TEST(end_fits_into_a_full_box)
{
        static const MailKind ends[] = {MAIL_CONNECT_FAILED, MAIL_LOST};
        Mail *mail = NULL;

        for (unsigned i = 0; i <= MAILS_MAX; i++)
                (void) post(MAIL_MESSAGE, "t", 1);
        ck_assert_int_eq(post(ends[_i], "reason", 0), 0);
        for (unsigned i = 0; i <= MAILS_MAX; i++) {
                mail_free(mail);
                mail = mailbox_take(box);
                ck_assert_ptr_nonnull(mail);
        }
        ck_assert_int_eq(mail->kind, ends[_i]);
        mail_free(mail);
}
END_TEST

static void *post_many(void *nothing) {
        for (unsigned i = 0; i < 10000; i++)
                (void) post(MAIL_MESSAGE, "topic", 10);
        (void) post(MAIL_LOST, "", 0);
        return NULL;
}

START_TEST(threads_may_post_while_the_loop_takes)
{
        pthread_t threads[3];
        unsigned lost = 0;

        for (size_t i = 0; i < ELEMENTSOF(threads); i++)
                ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, NULL), 0);
        while (lost < ELEMENTSOF(threads)) {
                _cleanup_(mail_freep) Mail *mail = mailbox_take(box);

                if (mail && mail->kind == MAIL_LOST)
                        lost++;
        }
        for (size_t i = 0; i < ELEMENTSOF(threads); i++)
                pthread_join(threads[i], NULL);
}
END_TEST

int main(void) {
        Suite *s = suite_create("mailbox");
        TCase *t = tcase_create("mailbox");

        tcase_add_checked_fixture(t, setup, teardown);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, letters_come_in_order_and_whole);
        tcase_add_test(t, one_letter_too_many_is_an_overrun);
        tcase_add_test(t, too_many_bytes_are_an_overrun);
        tcase_add_test(t, room_that_was_made_can_be_used);
        tcase_add_test(t, lack_of_memory_is_an_overrun);
        tcase_add_loop_test(t, end_fits_into_a_full_box, 0, 2);
        tcase_add_test(t, threads_may_post_while_the_loop_takes);
        suite_add_tcase(s, t);
        return run_suite(s);
}

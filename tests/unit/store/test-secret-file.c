/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "daemon/store/secret-file.h"
#include "tests/unit/store/fixture.h"

typedef struct Sealed {
        StateKeys keys;
        Job *job;
        SecretContext context;
        JobSecrets secrets;
        uint8_t *data;
        size_t size;
} Sealed;

static void sealed_init(Sealed *s) {
        *s = (Sealed){.job = fixture_full_job()};
        ck_assert_int_eq(seal_key_generate(&s->keys.keys[0]), 0);
        s->keys.n = 1;
        fixture_secrets(&s->secrets);
        ck_assert_int_eq(secret_context_make(s->job, &s->context), 0);
        ck_assert_int_eq(secret_file_seal(&s->keys, &s->context, &s->secrets, &s->data, &s->size),
                         0);
}

static void sealed_done(Sealed *s) {
        state_keys_done(&s->keys);
        job_free(s->job);
        secret_context_done(&s->context);
        job_secrets_done(&s->secrets);
        free(s->data);
}
#define _cleanup_sealed_ _cleanup_(sealed_done)

/* Opens the file as this job's; -errno. */
static int open_as(const Sealed *s, const Job *job) {
        _cleanup_(secret_context_done) SecretContext context = {};
        _cleanup_(job_secrets_done) JobSecrets back = {};
        int r;

        ck_assert_int_eq(secret_context_make(job, &context), 0);
        r = secret_file_unseal(&s->keys, &context, s->data, s->size, &back);
        if (r == 0)
                fixture_assert_same_secrets(&s->secrets, &back);
        else
                ck_assert(job_secrets_is_empty(&back));
        return r;
}

START_TEST(what_was_sealed_opens)
{
        _cleanup_sealed_ Sealed s;

        sealed_init(&s);
        ck_assert_int_eq(open_as(&s, s.job), 0);
}
END_TEST

START_TEST(each_set_of_fields_opens_as_it_was)
{
        _cleanup_sealed_ Sealed s;
        JobSecrets some = {};
        _cleanup_(job_secrets_done) JobSecrets back = {};
        _cleanup_free_ uint8_t *data = NULL;
        size_t size;

        sealed_init(&s);
        some.private_key = _i & 1 ? s.secrets.private_key : NULL;
        some.ownership_token = _i & 2 ? s.secrets.ownership_token : NULL;
        some.symmetric_key = _i & 4 ? s.secrets.symmetric_key : NULL;
        some.claim_key = _i & 8 ? s.secrets.claim_key : NULL;
        ck_assert_int_eq(secret_file_seal(&s.keys, &s.context, &some, &data, &size), 0);
        ck_assert_int_eq(secret_file_unseal(&s.keys, &s.context, data, size, &back), 0);
        fixture_assert_same_secrets(&some, &back);
}
END_TEST

static void change_id(Job *j) {
        j->id[5] = j->id[5] == '0' ? '1' : '0';
}

static void change_uid(Job *j) {
        j->owner->uid--;
}

static void change_door(Job *j) {
        ck_assert_int_eq(free_and_strdup(&j->owner->door, "main"), 0);
}

static void change_operation(Job *j) {
        j->spec->operation = OPERATION_ROTATE;
}

static void change_fingerprint(Job *j) {
        ck_assert_int_eq(free_and_strdup(&j->profile_fingerprint, "00ff00fe"), 0);
}

static void drop_fingerprint(Job *j) {
        ck_assert_int_eq(free_and_strdup(&j->profile_fingerprint, NULL), 0);
}

/* A byte moved over the border between two neighbours: they must not read the same. */
static void move_border(Job *j) {
        ck_assert_int_eq(free_and_strdup(&j->owner->door, "sensors4"), 0);
        j->owner->uid = 294967294;
}

static void (*const edits[])(Job *) = {change_id,        change_uid,         change_door,
                                       change_operation, change_fingerprint, drop_fingerprint,
                                       move_border};

START_TEST(another_jobs_or_an_edited_record_does_not_open_it)
{
        _cleanup_sealed_ Sealed s;

        sealed_init(&s);
        edits[_i](s.job);
        ck_assert_int_eq(open_as(&s, s.job), -EBADMSG);
}
END_TEST

START_TEST(any_flipped_byte_is_noticed)
{
        _cleanup_sealed_ Sealed s;

        sealed_init(&s);
        for (size_t i = 0; i < s.size; i++) {
                int r;

                s.data[i] ^= 0x20;
                r = open_as(&s, s.job);
                ck_assert(r == -EBADMSG || r == -ENOKEY);
                s.data[i] ^= 0x20;
        }
        ck_assert_int_eq(open_as(&s, s.job), 0);
}
END_TEST

START_TEST(no_prefix_and_no_longer_file_opens)
{
        _cleanup_sealed_ Sealed s;
        uint8_t *whole;
        size_t size;

        sealed_init(&s);
        whole = s.data;
        size = s.size;
        for (s.size = 0; s.size < size; s.size++) {
                s.data = malloc(s.size > 0 ? s.size : 1); /* of its size, for the sanitizer */
                memcpy(s.data, whole, s.size);
                ck_assert_int_eq(open_as(&s, s.job), -EBADMSG);
                free(s.data);
        }
        s.size = size + 1;
        s.data = calloc(1, s.size);
        memcpy(s.data, whole, size);
        ck_assert_int_eq(open_as(&s, s.job), -EBADMSG);
        free(whole);
}
END_TEST

/* Where the n-th field begins, its length included. */
static size_t field_at(const Sealed *s, unsigned n) {
        size_t at = 10;

        while (n-- > 0)
                at += 4 + (size_t) (s->data[at] | s->data[at + 1] << 8);
        return at;
}

START_TEST(fields_that_change_places_do_not_open)
{
        _cleanup_sealed_ Sealed s;
        _cleanup_free_ uint8_t *swapped = NULL;
        size_t first, second, third;

        sealed_init(&s);
        first = field_at(&s, 0);
        second = field_at(&s, 1);
        third = field_at(&s, 2);
        swapped = malloc(s.size);
        memcpy(swapped, s.data, s.size);
        memcpy(swapped + first, s.data + second, third - second);
        memcpy(swapped + first + (third - second), s.data + first, second - first);
        memcpy(s.data, swapped, s.size);
        ck_assert_int_eq(open_as(&s, s.job), -EBADMSG);
}
END_TEST

START_TEST(a_field_that_is_taken_away_is_missed)
{
        _cleanup_sealed_ Sealed s;
        size_t last;

        sealed_init(&s);
        last = field_at(&s, 3);
        s.size = last;
        s.data[9] &= 7;
        ck_assert_int_eq(open_as(&s, s.job), -EBADMSG);
}
END_TEST

START_TEST(secrets_of_two_jobs_do_not_change_places)
{
        _cleanup_sealed_ Sealed a, b;
        uint8_t *data;

        sealed_init(&a);
        sealed_init(&b);
        state_keys_done(&b.keys);
        ck_assert_str_ne(a.job->id, b.job->id);
        data = b.data;
        b.data = a.data;
        a.data = data;
        ck_assert_uint_eq(a.size, b.size);
        ck_assert_int_eq(secret_file_seal(&a.keys, &b.context, &b.secrets, &data, &b.size), 0);
        free(a.data);
        a.data = data; /* b's, under the same key */
        ck_assert_int_eq(open_as(&a, a.job), -EBADMSG);
        ck_assert_int_eq(open_as(&a, b.job), 0);
}
END_TEST

START_TEST(another_key_is_named_and_an_old_one_still_opens)
{
        _cleanup_sealed_ Sealed s;
        char id[SEAL_KEY_ID_LENGTH + 1] = "";
        SealKey *old;

        sealed_init(&s);
        ck_assert_int_eq(secret_file_check(&s.keys, s.data, s.size, id), 0);
        old = s.keys.keys[0];
        ck_assert_int_eq(seal_key_generate(&s.keys.keys[0]), 0);
        ck_assert_int_eq(open_as(&s, s.job), -ENOKEY);
        ck_assert_int_eq(secret_file_check(&s.keys, s.data, s.size, id), -ENOKEY);
        ck_assert_str_eq(id, old->id);

        s.keys.keys[s.keys.n++] = old;
        ck_assert_int_eq(secret_file_check(&s.keys, s.data, s.size, id), 0);
        ck_assert_int_eq(open_as(&s, s.job), 0);
}
END_TEST

START_TEST(a_secret_too_long_is_refused)
{
        _cleanup_sealed_ Sealed s;
        _cleanup_(job_secrets_done) JobSecrets longest = {}, too_long = {}, back = {};
        _cleanup_free_ uint8_t *data = NULL;
        uint8_t *none = NULL;
        size_t size;

        sealed_init(&s);
        longest.private_key = secret_new(NULL, IPC_SECRET_MAX);
        longest.ownership_token = secret_new(NULL, IPC_SECRET_MAX);
        longest.symmetric_key = secret_new(NULL, IPC_SECRET_MAX);
        longest.claim_key = secret_new(NULL, IPC_SECRET_MAX);
        ck_assert_int_eq(secret_file_seal(&s.keys, &s.context, &longest, &data, &size), 0);
        ck_assert_uint_eq(size, SECRET_FILE_MAX);
        ck_assert_int_eq(secret_file_unseal(&s.keys, &s.context, data, size, &back), 0);
        too_long.private_key = secret_new(NULL, IPC_SECRET_MAX + 1);
        ck_assert_int_eq(secret_file_seal(&s.keys, &s.context, &too_long, &none, &size), -EMSGSIZE);
        ck_assert_ptr_null(none);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, what_was_sealed_opens);
        tcase_add_loop_test(c, each_set_of_fields_opens_as_it_was, 0, 16);
        tcase_add_loop_test(c, another_jobs_or_an_edited_record_does_not_open_it, 0,
                            ELEMENTSOF(edits));
        tcase_add_test(c, any_flipped_byte_is_noticed);
        tcase_add_test(c, no_prefix_and_no_longer_file_opens);
        tcase_add_test(c, fields_that_change_places_do_not_open);
        tcase_add_test(c, a_field_that_is_taken_away_is_missed);
        tcase_add_test(c, secrets_of_two_jobs_do_not_change_places);
        tcase_add_test(c, another_key_is_named_and_an_old_one_still_opens);
        tcase_add_test(c, a_secret_too_long_is_refused);
}

int main(void) {
        return fixture_main("secret file", add_tests);
}

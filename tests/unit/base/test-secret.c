/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests/unit/protocol-aws/suite.h"

#define MAX ((size_t) 64)
#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

static char directory[] = "/tmp/test-secret-XXXXXX";

static void setup(void) {
        memcpy(directory + sizeof(directory) - 7, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void teardown(void) {
        char command[64];

        (void) snprintf(command, sizeof(command), "rm -rf %s", directory);
        ck_assert_int_eq(system(command), 0);
}

static const char *path_of(const char *name) {
        static char path[64];

        (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
        return path;
}

/* --- in memory ------------------------------------------------------------------------------- */

START_TEST(a_secret_is_a_copy_with_a_terminator)
{
        char text[] = "sesame";
        _cleanup_secret_ Secret *s = secret_new(text, strlen(text));
        _cleanup_secret_ Secret *copy = secret_copy(s);

        text[0] = 'x';
        ck_assert_uint_eq(s->size, 6);
        ck_assert_str_eq(secret_text(s), "sesame");
        ck_assert_ptr_ne(copy, s);
        ck_assert_str_eq(secret_text(copy), "sesame");
        ck_assert_ptr_null(secret_copy(NULL));
        ck_assert_ptr_null(secret_free(NULL));
}
END_TEST

START_TEST(secrets_may_be_empty_or_to_be_filled_in)
{
        _cleanup_secret_ Secret *empty = secret_new("", 0), *zeroes = secret_new(NULL, 3);

        ck_assert_uint_eq(empty->size, 0);
        ck_assert_str_eq(secret_text(empty), "");
        ck_assert_mem_eq(zeroes->data, "\0\0\0\0", 4);
        ck_assert_ptr_null(secret_new(NULL, SIZE_MAX));
        ck_assert_ptr_null(secret_new(NULL, SIZE_MAX - sizeof(Secret)));
}
END_TEST

START_TEST(secrets_are_compared_whole)
{
        _cleanup_secret_ Secret *a = secret_new("a\0b", 3), *same = secret_new("a\0b", 3),
                                *other = secret_new("a\0c", 3), *shorter = secret_new("a", 1),
                                *first = secret_new("x\0b", 3);

        ck_assert(secret_equal(a, same));
        ck_assert(!secret_equal(a, other));
        ck_assert(!secret_equal(a, first));
        ck_assert(!secret_equal(a, shorter));
        ck_assert(!secret_equal(shorter, a));
}
END_TEST

START_TEST(secret_strings_are_let_go)
{
        _cleanup_(secret_string_freep) char *s = strdup("sesame");

        ck_assert_ptr_nonnull(s);
        ck_assert_ptr_null(secret_string_free(strdup("sesame")));
        ck_assert_ptr_null(secret_string_free(NULL));
}
END_TEST

/* --- memfds: out ----------------------------------------------------------------------------- */

START_TEST(it_goes_out_sealed_and_at_its_beginning)
{
        _cleanup_secret_ Secret *s = secret_new("sesame", 6), *back = NULL;
        _cleanup_close_ int fd = secret_to_memfd(s, "key");
        char text[8] = {};

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fcntl(fd, F_GET_SEALS), ALL_SEALS | F_SEAL_SEAL);
        ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(write(fd, "x", 1), -1);
        ck_assert_int_eq(ftruncate(fd, 0), -1);
        ck_assert_int_eq(read(fd, text, sizeof(text)), 6);
        ck_assert_str_eq(text, "sesame");
        /* And in again, wherever the offset stands. */
        ck_assert_int_eq(secret_from_memfd(fd, MAX, &back), 0);
        ck_assert(secret_equal(s, back));
}
END_TEST

/* --- memfds: in ------------------------------------------------------------------------------ */

static int sealed(size_t size, int seals) {
        int fd = memfd_create("in", MFD_CLOEXEC | MFD_ALLOW_SEALING);

        ck_assert_int_ge(fd, 0);
        for (size_t i = 0; i < size; i++)
                ck_assert_int_eq(write(fd, "s", 1), 1);
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
        return fd;
}

/* The same file by another descriptor. */
static int open_again(int fd, int flags) {
        char path[32];
        int other;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        other = open(path, flags | O_CLOEXEC);
        close(fd);
        ck_assert_int_ge(other, 0);
        return other;
}

/* Of a memfd that is not sealed, since a sealed one cannot be opened for writing; the seals come
 * after. */
static int write_only(void) {
        int fd = memfd_create("in", MFD_CLOEXEC | MFD_ALLOW_SEALING), other;

        ck_assert_int_eq(write(fd, "s", 1), 1);
        other = open_again(fd, O_WRONLY);
        ck_assert_int_eq(fcntl(other, F_ADD_SEALS, ALL_SEALS), 0);
        return other;
}

static int pipe_end(void) {
        int fds[2];

        ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
        ck_assert_int_eq(write(fds[1], "s", 1), 1);
        close(fds[1]);
        return fds[0];
}

static int real_file(void) {
        int fd = open(path_of("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        ck_assert_int_eq(write(fd, "s", 1), 1);
        return fd;
}

typedef enum Kind {
        KIND_SEALED,
        KIND_SEALED_READ_ONLY,
        KIND_LONGEST,
        KIND_TOO_LONG,
        KIND_EMPTY,
        KIND_UNSEALED,
        KIND_NO_WRITE_SEAL,
        KIND_NO_GROW_SEAL,
        KIND_NO_SHRINK_SEAL,
        KIND_FUTURE_WRITE_SEAL, /* a mapping that is there may still write */
        KIND_WRITE_ONLY,
        KIND_PATH,
        KIND_PIPE,
        KIND_FILE,
        KIND_DEVICE,
        KIND_DIRECTORY,
        KIND_CLOSED,
        KIND_MAX,
} Kind;

static int open_kind(Kind kind) {
        switch (kind) {
        case KIND_SEALED:
                return sealed(6, ALL_SEALS);
        case KIND_SEALED_READ_ONLY:
                return open_again(sealed(6, ALL_SEALS | F_SEAL_SEAL), O_RDONLY);
        case KIND_LONGEST:
                return sealed(MAX, ALL_SEALS);
        case KIND_TOO_LONG:
                return sealed(MAX + 1, ALL_SEALS);
        case KIND_EMPTY:
                return sealed(0, ALL_SEALS);
        case KIND_UNSEALED:
                return sealed(6, 0);
        case KIND_NO_WRITE_SEAL:
                return sealed(6, F_SEAL_GROW | F_SEAL_SHRINK);
        case KIND_NO_GROW_SEAL:
                return sealed(6, F_SEAL_WRITE | F_SEAL_SHRINK);
        case KIND_NO_SHRINK_SEAL:
                return sealed(6, F_SEAL_WRITE | F_SEAL_GROW);
        case KIND_FUTURE_WRITE_SEAL:
                return sealed(6, F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
        case KIND_WRITE_ONLY:
                return write_only();
        case KIND_PATH:
                return open_again(sealed(6, ALL_SEALS), O_PATH);
        case KIND_PIPE:
                return pipe_end();
        case KIND_FILE:
                return real_file();
        case KIND_DEVICE:
                return open("/dev/zero", O_RDONLY | O_CLOEXEC);
        case KIND_DIRECTORY:
                return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        case KIND_CLOSED:
        case KIND_MAX:
                break;
        }
        return -1;
}

static const int results[KIND_MAX] = {
        [KIND_SEALED] = 0,
        [KIND_SEALED_READ_ONLY] = 0,
        [KIND_LONGEST] = 0,
        [KIND_TOO_LONG] = -EMSGSIZE,
        [KIND_EMPTY] = -ENODATA,
        [KIND_UNSEALED] = -EBADF,
        [KIND_NO_WRITE_SEAL] = -EBADF,
        [KIND_NO_GROW_SEAL] = -EBADF,
        [KIND_NO_SHRINK_SEAL] = -EBADF,
        [KIND_FUTURE_WRITE_SEAL] = -EBADF,
        [KIND_WRITE_ONLY] = -EBADF,
        [KIND_PATH] = -EBADF,
        [KIND_PIPE] = -EBADF,
        [KIND_FILE] = -EBADF,
        [KIND_DEVICE] = -EBADF,
        [KIND_DIRECTORY] = -EBADF,
        [KIND_CLOSED] = -EBADF,
};

START_TEST(only_a_sealed_memfd_comes_in)
{
        _cleanup_close_ int fd = open_kind((Kind) _i);
        _cleanup_secret_ Secret *s = NULL;

        ck_assert_int_eq(secret_from_memfd(fd, MAX, &s), results[_i]);
        if (results[_i] < 0)
                ck_assert_ptr_null(s);
        else {
                ck_assert_uint_eq(s->size, _i == KIND_LONGEST ? MAX : 6);
                ck_assert_uint_eq(strspn(secret_text(s), "s"), s->size);
                ck_assert_int_ge(fcntl(fd, F_GETFD), 0); /* still the caller's */
        }
}
END_TEST

/* --- files ----------------------------------------------------------------------------------- */

static void write_file(const char *name, size_t size) {
        _cleanup_close_ int fd = open(path_of(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        for (size_t i = 0; i < size; i++)
                ck_assert_int_eq(write(fd, "s", 1), 1);
}

START_TEST(files_are_read_whole_up_to_the_limit)
{
        static const size_t sizes[] = {0, 1, MAX - 1, MAX};
        _cleanup_secret_ Secret *s = NULL;

        write_file("file", sizes[_i]);
        ck_assert_int_eq(secret_from_file(AT_FDCWD, path_of("file"), MAX, &s), 0);
        ck_assert_uint_eq(s->size, sizes[_i]);
        ck_assert_uint_eq(strspn(secret_text(s), "s"), sizes[_i]);
}
END_TEST

START_TEST(files_are_found_below_a_directory)
{
        _cleanup_close_ int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_secret_ Secret *s = NULL;

        write_file("file", 3);
        ck_assert_int_eq(secret_from_file(dir, "file", MAX, &s), 0);
        ck_assert_str_eq(secret_text(s), "sss");
}
END_TEST

START_TEST(other_files_are_refused_by_their_reason)
{
        Secret *s = NULL;

        write_file("long", MAX + 1);
        ck_assert_int_eq(secret_from_file(AT_FDCWD, path_of("long"), MAX, &s), -EFBIG);
        ck_assert_int_eq(secret_from_file(AT_FDCWD, "/dev/zero", MAX, &s), -EFBIG);
        ck_assert_int_eq(secret_from_file(AT_FDCWD, path_of("none"), MAX, &s), -ENOENT);
        ck_assert_int_eq(secret_from_file(AT_FDCWD, directory, MAX, &s), -EISDIR);
        ck_assert_ptr_null(s);
}
END_TEST

/* With a writer that says nothing, a blocking read would never return. */
START_TEST(a_fifo_does_not_hold_the_reader)
{
        _cleanup_close_ int writer = -1;
        Secret *s = NULL;

        ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
        writer = open(path_of("fifo"), O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(writer, 0);
        ck_assert_int_eq(secret_from_file(AT_FDCWD, path_of("fifo"), MAX, &s), -EAGAIN);
        ck_assert_ptr_null(s);
}
END_TEST

int main(void) {
        Suite *s = suite_create("base/secret");
        TCase *c = tcase_create("secret");

        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_test(c, a_secret_is_a_copy_with_a_terminator);
        tcase_add_test(c, secrets_may_be_empty_or_to_be_filled_in);
        tcase_add_test(c, secrets_are_compared_whole);
        tcase_add_test(c, secret_strings_are_let_go);
        tcase_add_test(c, it_goes_out_sealed_and_at_its_beginning);
        tcase_add_loop_test(c, only_a_sealed_memfd_comes_in, 0, KIND_MAX);
        tcase_add_loop_test(c, files_are_read_whole_up_to_the_limit, 0, 4);
        tcase_add_test(c, files_are_found_below_a_directory);
        tcase_add_test(c, other_files_are_refused_by_their_reason);
        tcase_add_test(c, a_fifo_does_not_hold_the_reader);
        suite_add_tcase(s, c);
        return suite_run(s);
}

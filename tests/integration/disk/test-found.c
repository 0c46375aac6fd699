/* SPDX-License-Identifier: GPL-2.0-or-later */

/* What the daemon finds in its state directory at a start, and did not leave there so: one bad file
 * costs one job, which is set aside with a word in the log; what concerns all of them ends the
 * start with a reason; and never is a secret given to whom it was not sealed for. */

#include <stdio.h>
#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

#define EXIT_REFUSED 1

static const char *path_of(JobId id, const char *end) {
        return place_text(&d.place, "%s/%s%s", d.state, id.text, end);
}

static void write_file(const char *path, const void *data, size_t size) {
        FILE *out = fopen(path, "we");

        ck_assert_ptr_nonnull(out);
        ck_assert_uint_eq(fwrite(data, 1, size, out), size);
        ck_assert_int_eq(fclose(out), 0);
}

static char *read_file(const char *path, size_t *ret_size) {
        char *content = file_read(path, ret_size);

        ck_assert_msg(content, "%s cannot be read", path);
        return content;
}

/* A job that has succeeded, whose key waits. */
static JobId delivered_later(const char *key) {
        JobId id = agent_submit(client, &(Wish){.serial = key, .key = key});

        agent_wait_end(client, id, FLEETPROV_STATE_SUCCEEDED);
        return id;
}

static void stop(void) {
        client = fleetprov_client_free(client);
        daemon_stop(&d);
}

static void start_again(void) {
        daemon_start(&d);
        client = agent_open(d.socket);
}

static size_t count_set_aside(void) {
        return file_count_lines(d.log, "set aside", NULL);
}

static void must_be_set_aside(JobId id, const char *key) {
        ck_assert_uint_eq(
                file_count_lines(d.log, place_text(&d.place, "job %s: set aside", id.text), NULL),
                1);
        ck_assert_int_eq(agent_find(client, "aws", key, NULL), FLEETPROV_NO_SUCH_JOB);
        ck_assert_int_eq(agent_call(client, fleetprov_client_get_result, id),
                         FLEETPROV_NO_SUCH_JOB);
        ck_assert(!file_exists(path_of(id, ".job")));
        ck_assert(!file_exists(path_of(id, ".secret")));
}

static void must_be_whole(JobId id, const char *serial) {
        fleetprov_result *result = agent_result(client, id);

        identity_assert(&cloud, result, serial, NULL, NULL);
        fleetprov_result_free(result);
}

/* --- one bad file --- */

static void empty(JobId id) {
        write_file(path_of(id, ".job"), "", 0);
}

static void make_foreign(JobId id) {
        write_file(path_of(id, ".job"), "Dear diary,\n", 12);
}

static void flip_in(const char *path, size_t from_end) {
        size_t size;
        _cleanup_free_ char *content = read_file(path, &size);

        content[size - from_end] ^= 4;
        write_file(path, content, size);
}

static void flip_middle(JobId id) {
        struct stat st;

        ck_assert_int_eq(stat(path_of(id, ".job"), &st), 0);
        flip_in(path_of(id, ".job"), (size_t) st.st_size / 2);
}

static void flip_last(JobId id) {
        flip_in(path_of(id, ".job"), 1);
}

static void tear_first_line(JobId id) {
        ck_assert_int_eq(truncate(path_of(id, ".job"), 40), 0);
}

static void make_later(JobId id) {
        write_file(path_of(id, ".job"), "{\"v\":2,\"request\":{}", 19);
}

static void flip_secret(JobId id) {
        flip_in(path_of(id, ".secret"), 20);
}

static void tear_secret(JobId id) {
        ck_assert_int_eq(truncate(path_of(id, ".secret"), 30), 0);
}

static void empty_secret(JobId id) {
        ck_assert_int_eq(truncate(path_of(id, ".secret"), 0), 0);
}

static void make_fifo(JobId id) {
        ck_assert_int_eq(unlink(path_of(id, ".job")), 0);
        ck_assert_int_eq(mkfifo(path_of(id, ".job"), 0600), 0);
}

static void (*const damages[])(JobId) = {empty,           make_foreign, flip_middle, flip_last,
                                         tear_first_line, make_later,   flip_secret, tear_secret,
                                         empty_secret,    make_fifo};

START_TEST(one_bad_file_costs_one_job)
{
        JobId good, bad;

        stage_start("", "");
        good = delivered_later("good");
        bad = delivered_later("bad");
        stop();
        damages[_i](bad);
        write_file(place_text(&d.place, "%s/somebody's", d.state), "x", 1);
        start_again();
        must_be_set_aside(bad, "bad");
        must_be_whole(good, "good");
        ck_assert(file_exists(place_text(&d.place, "%s/somebody's", d.state)));
        /* Its key is free, and the next start is a quiet one. */
        must_be_whole(delivered_later("bad"), "bad");
        stage_restart(true);
        ck_assert_uint_eq(count_set_aside(), 1);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 2);
}
END_TEST

START_TEST(torn_last_line_is_what_was_not_promised)
{
        size_t size;
        JobId id;

        stage_start("", "");
        id = delivered_later("torn");
        stop();
        {
                _cleanup_free_ char *content = read_file(path_of(id, ".job"), &size);
                FILE *out = fopen(path_of(id, ".job"), "ae");

                /* As a crash in the midst of an append leaves it. */
                ck_assert_ptr_nonnull(out);
                ck_assert_uint_eq(fwrite(content, 1, 100, out), 100);
                ck_assert_int_eq(fclose(out), 0);
        }
        start_again();
        must_be_whole(id, "torn");
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, id), FLEETPROV_OK);
        stage_restart(true);
        ck_assert_uint_eq(count_set_aside(), 0);
        ck_assert_uint_eq(agent_count_jobs(client, 0), 0);
        ck_assert_uint_eq(agent_count_jobs(client, 1), 1);
}
END_TEST

/* --- the seal --- */

START_TEST(secrets_that_changed_places_are_given_to_nobody)
{
        _cleanup_free_ char *one = NULL, *two = NULL;
        size_t one_size, two_size;
        JobId first, second, third;

        stage_start("", "");
        first = delivered_later("first");
        second = delivered_later("second");
        third = delivered_later("third");
        stop();
        one = read_file(path_of(first, ".secret"), &one_size);
        two = read_file(path_of(second, ".secret"), &two_size);
        write_file(path_of(first, ".secret"), two, two_size);
        write_file(path_of(second, ".secret"), one, one_size);
        start_again();
        must_be_set_aside(first, "first");
        must_be_set_aside(second, "second");
        must_be_whole(third, "third");
}
END_TEST

/* As whoever edits a record would do it: with a right sum behind each line. */
static uint32_t crc32_of(const char *data, size_t size) {
        uint32_t crc = ~0U;

        for (size_t i = 0; i < size; i++) {
                crc ^= (uint8_t) data[i];
                for (unsigned bit = 0; bit < 8; bit++)
                        crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320 : 0);
        }
        return ~crc;
}

static void write_line(FILE *out, char *line, const char *from, const char *to) {
        char *sum = strstr(line, ",\"crc\":\""), *found;
        _cleanup_free_ char *edited = NULL;

        ck_assert_ptr_nonnull(sum);
        *sum = '\0';
        found = strstr(line, from);
        if (found)
                ck_assert_int_ge(asprintf(&edited, "%.*s%s%s", (int) (found - line), line, to,
                                          found + strlen(from)),
                                 0);
        else
                edited = strdup(line);
        fprintf(out, "%s,\"crc\":\"%08x\"}\n", edited, crc32_of(edited, strlen(edited)));
}

static void edit(JobId id, const char *from, const char *to) {
        _cleanup_free_ char *content = read_file(path_of(id, ".job"), NULL);
        FILE *out = fopen(path_of(id, ".job"), "we");
        char *save = NULL;

        ck_assert_ptr_nonnull(out);
        ck_assert_ptr_nonnull(strstr(content, from));
        for (char *line = strtok_r(content, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                write_line(out, line, from, to);
        ck_assert_int_eq(fclose(out), 0);
}

START_TEST(record_that_is_written_anew_with_right_sums_is_taken)
{
        JobId id;

        stage_start("", "");
        id = delivered_later("edited");
        stop();
        edit(id, "\"edited\"", "\"edited\""); /* so that the next test means something */
        start_again();
        must_be_whole(id, "edited");
        ck_assert_uint_eq(count_set_aside(), 0);
}
END_TEST

static const struct {
        const char *from, *to;
} edits[] = {
        {"\"door\":\"main\"", "\"door\":\"main\",\"uid\":7"}, /* 0 is not written */
        {"\"door\":\"main\"", "\"door\":\"mean\""},
        {"\"profile\":\"aws\"", "\"profile\":\"bws\""},
};

START_TEST(edited_record_gets_no_secret)
{
        JobId good, bad;

        stage_start("", "");
        good = delivered_later("good");
        bad = delivered_later("bad");
        stop();
        edit(bad, edits[_i].from, edits[_i].to);
        start_again();
        must_be_set_aside(bad, "bad");
        must_be_whole(good, "good");
}
END_TEST

START_TEST(edited_fingerprint_of_the_profile_gets_no_secret)
{
        _cleanup_free_ char *content = NULL, *from = NULL, *to = NULL;
        const char *at;
        JobId bad;

        stage_start("", "");
        bad = delivered_later("bad");
        stop();
        content = read_file(path_of(bad, ".job"), NULL);
        at = strstr(content, "\"fingerprint\":\"");
        ck_assert_ptr_nonnull(at);
        from = strndup(at, strlen("\"fingerprint\":\"") + 64);
        to = strdup(from);
        to[strlen(to) - 1] = to[strlen(to) - 1] == '0' ? '1' : '0';
        edit(bad, from, to);
        start_again();
        must_be_set_aside(bad, "bad");
}
END_TEST

static const char *state_key(void) {
        return place_text(&d.place, "%s/state.key", d.state);
}

START_TEST(unknown_key_costs_the_job_until_it_is_given_back)
{
        _cleanup_free_ char *key = NULL, *now = NULL, *other = NULL;
        JobId sealed, acknowledged;
        size_t size;

        stage_start("", "");
        sealed = delivered_later("sealed");
        acknowledged = delivered_later("acknowledged");
        ck_assert_int_eq(agent_call(client, fleetprov_client_acknowledge, acknowledged),
                         FLEETPROV_OK);
        stop();
        key = read_file(state_key(), &size);
        other = strndup("0123456789abcdef0123456789abcdef", 32);
        write_file(state_key(), other, 32);
        start_again();
        must_be_set_aside(sealed, "sealed");
        ck_assert_int_eq(agent_find(client, "aws", "acknowledged", NULL), FLEETPROV_OK);
        now = read_file(state_key(), &size);
        ck_assert_mem_eq(now, other, 32); /* no new one was made */
        stop();
        write_file(state_key(), key, 32);
        start_again();
        must_be_whole(sealed, "sealed");
}
END_TEST

/* --- what ends the start --- */

static void must_be_refused(const char *word) {
        const char *const arguments[] = {place_text(&d.place, "--config=%s", d.config),
                                         place_text(&d.place, "--state-directory=%s", d.state),
                                         place_text(&d.place, "--socket=%s", d.socket),
                                         "--bus=none", NULL};
        _cleanup_free_ char *output = NULL;

        ck_assert_int_eq(daemon_run_once(arguments, NULL, &output), EXIT_REFUSED);
        ck_assert_msg(strstr(output, word), "%s", output);
        ck_assert(!file_exists(d.socket));
}

START_TEST(lost_state_key_ends_the_start_and_none_is_made)
{
        _cleanup_free_ char *key = NULL;
        size_t size;
        JobId id;

        stage_start("", "");
        id = delivered_later("sealed");
        stop();
        key = read_file(state_key(), &size);
        ck_assert_int_eq(unlink(state_key()), 0);
        must_be_refused("put it back");
        ck_assert(!file_exists(state_key()));
        write_file(state_key(), key, size);
        must_be_refused("chmod"); /* the mode that fopen() gives it: others could read it */
        ck_assert_int_eq(chmod(state_key(), 0600), 0);
        start_again();
        must_be_whole(id, "sealed");
}
END_TEST

static const char *const versions[] = {"2\n", "", "one\n"};

START_TEST(other_version_ends_the_start_and_nothing_is_touched)
{
        const char *version;
        size_t jobs, secrets;
        JobId id;

        stage_start("", "");
        id = delivered_later("kept");
        stop();
        version = place_text(&d.place, "%s/version", d.state);
        jobs = folder_count(d.state, ".job");
        secrets = folder_count(d.state, ".secret");
        write_file(version, versions[_i], strlen(versions[_i]));
        must_be_refused("version");
        ck_assert_uint_eq(folder_count(d.state, ".job"), jobs);
        ck_assert_uint_eq(folder_count(d.state, ".secret"), secrets);
        write_file(version, "1\n", 2);
        start_again();
        must_be_whole(id, "kept");
}
END_TEST

START_TEST(directory_that_is_not_there_is_made)
{
        daemon_make(&d);
        ck_assert_int_eq(rmdir(d.state), 0);
        daemon_configure(&d, cloud_profile(&cloud, "aws", ""));
        start_again();
        must_be_whole(delivered_later("fresh"), "fresh");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("disk: found");
        TCase *tc = stage_shared(suite, "found");

        tcase_add_loop_test(tc, one_bad_file_costs_one_job, 0, ELEMENTSOF(damages));
        tcase_add_test(tc, torn_last_line_is_what_was_not_promised);
        tcase_add_test(tc, secrets_that_changed_places_are_given_to_nobody);
        tcase_add_test(tc, record_that_is_written_anew_with_right_sums_is_taken);
        tcase_add_loop_test(tc, edited_record_gets_no_secret, 0, ELEMENTSOF(edits));
        tcase_add_test(tc, edited_fingerprint_of_the_profile_gets_no_secret);
        tcase_add_test(tc, unknown_key_costs_the_job_until_it_is_given_back);
        tcase_add_test(tc, lost_state_key_ends_the_start_and_none_is_made);
        tcase_add_loop_test(tc, other_version_ends_the_start_and_nothing_is_touched, 0,
                            ELEMENTSOF(versions));
        tcase_add_test(tc, directory_that_is_not_there_is_made);
        return stage_run(suite);
}

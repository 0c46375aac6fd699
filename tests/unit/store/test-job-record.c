/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "daemon/store/job-record.h"
#include "daemon/store/json-field.h"
#include "tests/unit/store/fixture.h"
#include "tests/unit/store/record-text.h"

START_TEST(every_field_comes_back)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_full_job(), *back = NULL;
        size_t size;

        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_int_eq(read_job(text, size, &clock, &back), 0);
        fixture_assert_same(j, back);
        ck_assert_uint_eq(back->created_boot, j->created_boot);
        ck_assert_uint_eq(back->finished_boot, j->finished_boot);
        ck_assert_uint_eq(back->token_made_boot, j->token_made_boot);
        ck_assert_uint_eq(back->not_before_boot, j->not_before_boot);
}
END_TEST

START_TEST(absent_fields_stay_absent)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_plain_job(), *back = NULL;
        size_t size;

        j->result.has_device_configuration = true; /* empty is not none */
        j->spec->deadline_usec = USEC_INFINITY;
        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_int_eq(read_job(text, size, &clock, &back), 0);
        fixture_assert_same(j, back);
        ck_assert_uint_eq(back->token_made_boot, 0);
        ck_assert_ptr_null(back->spec->private_key);
}
END_TEST

START_TEST(a_line_says_of_secrets_what_becomes_of_them)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_job_ Job *j = fixture_plain_job();

        j->secrets_erased = true;
        for (int mark = SECRETS_STORED; mark <= SECRETS_ERASED; mark++) {
                _cleanup_free_ char *text = NULL;
                _cleanup_job_ Job *back = NULL;
                size_t size;

                ck_assert_int_eq(job_record_make(j, &clock, (SecretsMark) mark, &text, &size), 0);
                ck_assert_int_eq(read_job(text, size, &clock, &back), 0);
                ck_assert_int_eq(back->secrets_stored, mark == SECRETS_STORED);
                ck_assert_int_eq(back->secrets_erased, mark == SECRETS_ERASED);
        }
}
END_TEST

START_TEST(no_secret_is_in_the_record)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_full_job();
        size_t size;

        j->spec->private_key = secret_new("CALLERS-KEY", 11);
        j->spec->ownership_token = secret_new("CALLERS-TOKEN", 13);
        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_STORED, &text, &size), 0);
        ck_assert_ptr_null(strstr(text, "CALLERS"));
}
END_TEST

START_TEST(the_last_whole_line_wins_when_the_end_is_torn_at_any_byte)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_plain_job();
        size_t size, request_end, first_end;

        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        request_end = (size_t) (strchr(text, '\n') - text) + 1;
        first_end = size;
        job_set_state(j, JOB_RUNNING, PHASE_CREATE, 1700000001000000, 6000000, "started");
        append_state(&text, &size, j, &clock);

        for (size_t cut = 0; cut <= size; cut++) {
                /* A copy of its own, so that a sanitizer sees a read beyond it. */
                _cleanup_free_ char *torn = malloc(cut > 0 ? cut : 1);
                _cleanup_job_ Job *back = NULL;
                int r;

                memcpy(torn, text, cut);
                r = read_job(torn, cut, &clock, &back);
                if (cut < request_end) {
                        ck_assert_int_eq(r, -EBADMSG);
                        continue;
                }
                ck_assert_int_eq(r, 0);
                ck_assert_int_eq(back->state, cut == size ? JOB_RUNNING : JOB_QUEUED);
                ck_assert_uint_eq(back->n_history, cut == size ? 2 : 1);
                ck_assert_uint_eq(back->created_boot, 5000000);
                ck_assert_uint_eq(back->created_real, 1700000000000000);
        }
        ck_assert_uint_lt(first_end, size);
}
END_TEST

START_TEST(any_flipped_bit_is_noticed)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_plain_job();
        size_t size;

        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        append_state(&text, &size, j, &clock);
        for (size_t i = 0; i < size * 8; i++) {
                _cleanup_job_ Job *back = NULL;
                int r;

                text[i / 8] = (char) (text[i / 8] ^ 1 << (i % 8));
                r = read_job(text, size, &clock, &back);
                ck_assert_int_eq(r, -EBADMSG);
                text[i / 8] = (char) (text[i / 8] ^ 1 << (i % 8));
        }
}
END_TEST

static const char *const foreign[] = {
        "", "\n", "hello\n", "{}\n", "[]\n", "null,\"crc\":\"00000000\"}\n", "\x7f\x45LF\n",
};

START_TEST(a_foreign_file_is_no_job)
{
        JobClock clock = clock_at(BOOT_A, 0);
        Job *back = NULL;

        ck_assert_int_eq(read_job(foreign[_i], strlen(foreign[_i]), &clock, &back), -EBADMSG);
        ck_assert_ptr_null(back);
}
END_TEST

/* Puts one member of a line of ours to another value, and sums the line up anew: what a writer
 * gone wrong could have written. */
typedef struct WrongValue {
        bool in_state;
        const char *member;
        const char *json; /* NULL: not there at all */
} WrongValue;

static const WrongValue wrong_values[] = {
        {false, "id", "\"x\""},
        {false, "id", "\"0123456789ABCDEF0123456789ABCDEF\""},
        {false, "id", NULL},
        {false, "serial", "-1"},
        {false, "serial", "\"1\""},
        {false, "serial", "1.5"},
        {false, "owner", NULL},
        {false, "owner", "[]"},
        {false, "owner", "{\"uid\":1,\"gids\":[]}"},
        {false, "owner", "{\"door\":\"main\",\"uid\":4294967296,\"gids\":[]}"},
        {false, "owner", "{\"door\":\"main\",\"uid\":1}"},
        {false, "owner", "{\"door\":\"main\",\"uid\":1,\"gids\":[-1]}"},
        {false, "owner", "{\"door\":\"main\",\"uid\":1,\"gids\":[\"0\"]}"},
        {false, "owner", "{\"door\":\"main\",\"uid\":1,\"gids\":[],\"privileged\":1}"},
        {false, "operation", "\"dance\""},
        {false, "operation", NULL},
        {false, "profile", "\"a/b\""},
        {false, "profile", "\"\""},
        {false, "key", "\"a b\""},
        {false, "key", "\"0123456789abcdef0123456789abcdef\""},
        {false, "parameters", "{\"a\":1}"},
        {false, "parameters", "[]"},
        {false, "csr", "1"},
        {false, "key-type", "\"rsa-1\""},
        {false, "key-source", "true"},
        {false, "deadline", "\"never\""},
        {false, "deadline", "-5"},
        {true, "state", "\"sleeping\""},
        {true, "state", NULL},
        {true, "phase", "\"lunch\""},
        {true, "phase", NULL},
        {true, "attempts", "4294967296"},
        {true, "age", "-1"},
        {true, "at", "\"noon\""},
        {true, "secrets-stored", "1"},
        {true, "acknowledged", "\"yes\""},
        {true, "failure", "1"},
        {true, "failure", "{\"code\":\"x\",\"phase\":\"\",\"status\":0}"},
        {true, "failure", "{\"code\":\"timeout\",\"phase\":\"\"}"},
        {true, "failure", "{\"code\":\"timeout\",\"phase\":\"\",\"status\":2147483648}"},
        {true, "failure", "{\"code\":\"timeout\",\"phase\":\"\",\"status\":0,\"cause\":[]}"},
        {true, "result", "[]"},
        {true, "result", "{\"thing\":1}"},
        {true, "result", "{\"configuration\":{\"a\":null}}"},
        {true, "left", "{}"},
        {true, "left", "[1]"},
        {true, "history", NULL},
        {true, "history", "{}"},
        {true, "history", "[1]"},
        {true, "history", "[{\"state\":\"queued\"}]"},
};

/* The line with that member changed. */
static void change_line(const char *line, size_t size, const WrongValue *wrong, char **text,
                        size_t *text_size) {
        _cleanup_json_ json_t *o = NULL;
        _cleanup_free_ char *again = NULL;
        size_t again_size;
        json_t *inner;

        ck_assert_int_eq(record_line_read(line, size, &o), 0);
        ck_assert_int_eq(json_object_del(o, "crc"), 0);
        inner = json_object_get(o, "state") ? json_object_get(o, "state")
                                            : json_object_get(o, "request");
        if (wrong->json) {
                json_t *value = json_loads(wrong->json, JSON_DECODE_ANY, NULL);

                ck_assert_ptr_nonnull(value);
                ck_assert_int_eq(json_object_set_new(inner, wrong->member, value), 0);
        } else
                ck_assert_int_eq(json_object_del(inner, wrong->member), 0);
        ck_assert_int_eq(record_line_make(o, &again, &again_size), 0);
        append(text, text_size, again, again_size);
}

START_TEST(a_member_of_another_shape_is_refused)
{
        const WrongValue *wrong = wrong_values + _i;
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL, *changed = NULL;
        _cleanup_job_ Job *j = fixture_full_job(), *back = NULL;
        size_t size, request, changed_size = 0;

        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        request = (size_t) (strchr(text, '\n') - text) + 1;
        if (wrong->in_state) {
                append(&changed, &changed_size, text, request);
                change_line(text + request, size - request - 1, wrong, &changed, &changed_size);
        } else {
                change_line(text, request - 1, wrong, &changed, &changed_size);
                append(&changed, &changed_size, text + request, size - request);
        }
        ck_assert_int_eq(read_job(changed, changed_size, &clock, &back), -EBADMSG);
}
END_TEST

START_TEST(a_later_version_is_named_as_such)
{
        JobClock clock = clock_at(BOOT_A, 0);
        _cleanup_json_ json_t *o = json_pack("{s:i,s:{}}", "v", 2, "request");
        _cleanup_free_ char *line = NULL, *why = NULL;
        Job *back = NULL;
        size_t size;

        ck_assert_int_eq(record_line_make(o, &line, &size), 0);
        ck_assert_int_eq(job_record_read(line, size, &clock, &back, &why), -EPROTONOSUPPORT);
        ck_assert_ptr_nonnull(strstr(why, "later version"));
}
END_TEST

/* The sum as the standard describes it, a bit at a time. */
static uint32_t plain_crc32(const char *data, size_t size) {
        uint32_t crc = ~0U;

        for (size_t i = 0; i < size * 8; i++) {
                uint32_t bit = (uint32_t) (data[i / 8] >> (i % 8)) & 1;

                crc = (crc >> 1) ^ ((crc ^ bit) & 1 ? 0xedb88320U : 0);
        }
        return ~crc;
}

START_TEST(the_sum_is_the_standards_and_a_member_given_twice_is_refused)
{
        static const char *const bodies[] = {"{\"v\":1,\"request\":{}",
                                             "{\"v\":1,\"v\":1,\"request\":{}"};

        ck_assert_uint_eq(plain_crc32("123456789", 9), 0xcbf43926U);
        for (size_t i = 0; i < ELEMENTSOF(bodies); i++) {
                _cleanup_free_ char *line = NULL;
                _cleanup_json_ json_t *o = NULL;
                int n;

                n = asprintf(&line, "%s,\"crc\":\"%08x\"}", bodies[i],
                             plain_crc32(bodies[i], strlen(bodies[i])));
                ck_assert_int_gt(n, 0);
                ck_assert_int_eq(record_line_read(line, (size_t) n, &o), i == 0 ? 0 : -EBADMSG);
        }
}
END_TEST

START_TEST(history_is_joined_over_the_lines)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_plain_job(), *back = NULL;
        size_t size;

        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        for (usec_t i = 0; i < 30; i++) {
                job_set_state(j, JOB_RUNNING, i % 2 ? PHASE_BACKOFF : PHASE_CREATE, i, i, "again");
                /* Sometimes several transitions come with one line; never more than the tail. */
                if (i % 3 != 0 && i % 7 != 0)
                        append_state(&text, &size, j, &clock);
        }
        append_state(&text, &size, j, &clock);
        append_state(&text, &size, j, &clock);
        ck_assert_int_eq(read_job(text, size, &clock, &back), 0);
        fixture_assert_same(j, back);
        ck_assert_uint_eq(back->n_history, 31);
}
END_TEST

START_TEST(a_long_history_keeps_its_first_and_its_last)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL, *compact = NULL;
        _cleanup_job_ Job *j = fixture_plain_job(), *back = NULL, *again = NULL;
        size_t size, compact_size;

        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        for (usec_t i = 0; i < 2 * JOB_HISTORY_MAX; i++) {
                job_set_state(j, JOB_RUNNING, PHASE_CREATE, i, i, "again");
                append_state(&text, &size, j, &clock);
        }
        ck_assert_int_eq(read_job(text, size, &clock, &back), 0);
        fixture_assert_same(j, back);
        ck_assert_str_eq(back->history[0].text, "accepted");

        ck_assert_int_eq(job_record_compact(text, size, &clock, &compact, &compact_size), 0);
        ck_assert_uint_lt(compact_size, size / 4);
        ck_assert_int_eq(read_job(compact, compact_size, &clock, &again), 0);
        fixture_assert_same(j, again);
}
END_TEST

START_TEST(what_is_no_text_is_stored_escaped)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_full_job(), *back = NULL;
        size_t size;

        ck_assert_int_eq(free_and_strdup(&j->failure->error_message, "bad \xff\xfe bytes"), 0);
        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_int_eq(read_job(text, size, &clock, &back), 0);
        ck_assert_str_eq(back->failure->error_message, "bad \\xff\\xfe bytes");
}
END_TEST

START_TEST(a_line_that_could_not_be_read_again_is_not_written)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_job_ Job *j = fixture_plain_job();
        char *text = NULL;
        size_t size;

        j->result.registration_state = malloc(RECORD_LINE_MAX);
        ck_assert_ptr_nonnull(j->result.registration_state);
        memset(j->result.registration_state, 'x', RECORD_LINE_MAX - 1);
        j->result.registration_state[RECORD_LINE_MAX - 1] = '\0';
        ck_assert_int_eq(job_record_make_state(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size),
                         -EMSGSIZE);
        ck_assert_ptr_null(text);
}
END_TEST

START_TEST(an_endless_chain_of_causes_is_cut)
{
        JobClock clock = clock_at(BOOT_A, 9000000);
        _cleanup_free_ char *text = NULL;
        _cleanup_job_ Job *j = fixture_plain_job(), *back = NULL;
        unsigned depth = 0;
        size_t size;

        for (unsigned i = 0; i < 4 * JOB_RECORD_CAUSES_MAX; i++)
                j->failure = failure_with_cause(failure_new(ERROR_TIMEOUT, "%u", i), j->failure);
        ck_assert_int_eq(job_record_make(j, &clock, SECRETS_AS_JOB_SAYS, &text, &size), 0);
        ck_assert_int_eq(read_job(text, size, &clock, &back), 0);
        for (const Failure *f = back->failure; f; f = f->cause)
                depth++;
        ck_assert_uint_eq(depth, JOB_RECORD_CAUSES_MAX);
}
END_TEST

static void add_tests(TCase *c) {
        tcase_add_test(c, every_field_comes_back);
        tcase_add_test(c, absent_fields_stay_absent);
        tcase_add_test(c, a_line_says_of_secrets_what_becomes_of_them);
        tcase_add_test(c, no_secret_is_in_the_record);
        tcase_add_test(c, the_last_whole_line_wins_when_the_end_is_torn_at_any_byte);
        tcase_add_test(c, any_flipped_bit_is_noticed);
        tcase_add_loop_test(c, a_foreign_file_is_no_job, 0, ELEMENTSOF(foreign));
        tcase_add_loop_test(c, a_member_of_another_shape_is_refused, 0, ELEMENTSOF(wrong_values));
        tcase_add_test(c, a_later_version_is_named_as_such);
        tcase_add_test(c, the_sum_is_the_standards_and_a_member_given_twice_is_refused);
        tcase_add_test(c, history_is_joined_over_the_lines);
        tcase_add_test(c, a_long_history_keeps_its_first_and_its_last);
        tcase_add_test(c, what_is_no_text_is_stored_escaped);
        tcase_add_test(c, a_line_that_could_not_be_read_again_is_not_written);
        tcase_add_test(c, an_endless_chain_of_causes_is_cut);
}

int main(void) {
        return fixture_main("job record", add_tests);
}

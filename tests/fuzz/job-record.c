/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A job's file, as it is found at a start. An input is the whole file.
 *
 *   - 0, -EBADMSG or -EPROTONOSUPPORT, and with those a reason that is fit to be shown
 *   - what is taken is a job within its bounds
 *   - written anew it reads as the same job: the text of the second time is that of the first
 *   - so does the file after compaction; and a torn line behind it changes nothing
 *
 * Chance gets no sum right: what libFuzzer makes of an input has its sums put right, but for some.
 */

#include <errno.h>
#include <stdio.h>

#include "daemon/store/job-record.h"
#include "tests/fuzz/fuzz.h"

#define SUM ",\"crc\":\""
#define SUM_DIGITS 8U

static const JobClock now = {.boot_id = "00112233445566778899aabbccddeeff",
                             .now_boot = 1000 * USEC_PER_SEC};

static void check_job(const Job *j) {
        must(ipc_job_id_is_valid(j->id));
        must(j->owner && j->owner->door && j->spec);
        must(j->spec->operation >= 0 && j->spec->operation < OPERATION_MAX);
        must(ipc_profile_name_is_valid(j->spec->profile));
        must(!j->spec->key || ipc_key_is_valid(j->spec->key));
        must(j->state >= 0 && j->state < JOB_STATE_MAX);
        must(j->phase >= 0 && j->phase < JOB_PHASE_MAX);
        must(j->n_history > 0 && j->n_history <= JOB_HISTORY_MAX);
        must(j->serial <= JOB_RECORD_SERIAL_MAX);
}

static char *write_job(const Job *j, size_t *ret_size) {
        char *text = NULL;
        int r = job_record_make(j, &now, SECRETS_AS_JOB_SAYS, &text, ret_size);

        must(r == 0 || r == -EMSGSIZE);
        return text;
}

static void check_again(const Job *j) {
        _cleanup_free_ char *text = NULL, *second = NULL, *compact = NULL, *torn = NULL;
        size_t size = 0, second_size = 0, compact_size = 0;
        _cleanup_job_ Job *again = NULL;
        char *why = NULL;

        text = write_job(j, &size);
        if (!text)
                return;
        must(job_record_read(text, size, &now, &again, &why) == 0 && !why);
        second = write_job(again, &second_size);
        must(second && second_size == size && memcmp(text, second, size) == 0);
        must(job_record_compact(text, size, &now, &compact, &compact_size) == 0);
        must(compact_size == size && memcmp(text, compact, size) == 0);
        must(asprintf(&torn, "%s{\"v\":1,\"state\":{\"sta", text) > 0);
        again = job_free(again);
        must(job_record_read(torn, strlen(torn), &now, &again, &why) == 0 && !why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_job_ Job *j = NULL;
        char *why = NULL;
        int r;

        r = job_record_read((const char *) data, size, &now, &j, &why);
        must(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT);
        must((r == 0) == (j != NULL));
        if (r < 0) {
                fuzz_check_why(why, false);
                return 0;
        }
        must(!why);
        check_job(j);
        check_again(j);
        return 0;
}

#ifdef WITH_LIBFUZZER

/* Bit by bit, and so not as the daemon does it. */
static uint32_t sum_of(const uint8_t *data, size_t size) {
        uint32_t crc = UINT32_MAX;

        for (size_t i = 0; i < size; i++) {
                crc ^= data[i];
                for (int bit = 0; bit < 8; bit++)
                        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
        return ~crc;
}

static void mend_line(uint8_t *line, size_t size) {
        size_t tail = strlen(SUM) + SUM_DIGITS + strlen("\"}");
        char digits[SUM_DIGITS + 1];
        uint8_t *sum;

        if (size <= tail || memcmp(line + size - tail, SUM, strlen(SUM)) != 0)
                return;
        sum = line + size - tail + strlen(SUM);
        (void) snprintf(digits, sizeof(digits), "%08x", sum_of(line, size - tail));
        memcpy(sum, digits, SUM_DIGITS);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
        uint8_t *line = data, *end;

        size = LLVMFuzzerMutate(data, size, max_size);
        if (seed % 16 == 0)
                return size;
        while ((end = memchr(line, '\n', size - (size_t) (line - data)))) {
                mend_line(line, (size_t) (end - line));
                line = end + 1;
        }
        return size;
}

#endif

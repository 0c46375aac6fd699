/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A job as the text of its file, and back. Pure: bytes and a time go in, bytes come out.
 *
 *   {"v":1,"request":{…},"crc":"…"}      what was asked, by whom, when: first, and once
 *   {"v":1,"state":{…},"crc":"…"}        all that can change, again with each change
 *
 * The last whole line wins. A last line without its line feed was torn by a crash before its change
 * was promised to anybody, and is nothing. Anything else that is not as written here means that the
 * file is damaged: the job is set aside, since its state would be a guess.
 *
 * A state line repeats the last JOB_RECORD_HISTORY_TAIL entries of the history; the reader joins
 * them where they overlap. So the writer need not know what earlier lines held, and an entry whose
 * line could not be written comes with the next.
 *
 * Time: each line says on which boot and when on its clock it was written, and how long ago things
 * had happened by then. Read on the same boot, that gives the very times. On another boot what had
 * elapsed at the last line counts, the uptime of the boots between (see uptime.h), and all of this
 * boot's time. */

#include "daemon/model/job.h"
#include "daemon/store/record-line.h"

#define JOB_RECORD_VERSION 1
#define JOB_RECORD_HISTORY_TAIL ((size_t) 8)
#define JOB_RECORD_CAUSES_MAX 8U               /* of a failure, one behind the other */
#define JOB_RECORD_WAIT_MAX (7 * USEC_PER_DAY) /* no service's word is taken for longer */
#define JOB_RECORD_SERIAL_MAX ((uint64_t) INT64_MAX)
#define JOB_RECORD_BOOT_ID_LENGTH ((size_t) 32)

typedef struct JobClock {
        char boot_id[JOB_RECORD_BOOT_ID_LENGTH + 1]; /* "": cannot be known */
        usec_t now_boot;
        usec_t before; /* uptime of all boots before this one, as far as it is known */
} JobClock;

/* What the line says of the job's secrets. */
typedef enum SecretsMark {
        SECRETS_AS_JOB_SAYS,
        SECRETS_STORED, /* they were written right before this line */
        SECRETS_ERASED, /* they will be erased right after it */
        SECRETS_MARK_MAX,
} SecretsMark;

/* A whole file: the request, and the state with all of its history. -EMSGSIZE: a line would be
 * longer than RECORD_LINE_MAX. */
int job_record_make(const Job *job, const JobClock *clock, SecretsMark mark, char **ret,
                    size_t *ret_size);

/* One more line. Errors likewise. */
int job_record_make_state(const Job *job, const JobClock *clock, SecretsMark mark, char **ret,
                          size_t *ret_size);

/* -EBADMSG: damaged; -EPROTONOSUPPORT: written by a later version. *ret_why says where. */
int job_record_read(const char *text, size_t size, const JobClock *clock, Job **ret,
                    char **ret_why);

/* The same job without the lines that later ones have overtaken. */
int job_record_compact(const char *text, size_t size, const JobClock *clock, char **ret,
                       size_t *ret_size);

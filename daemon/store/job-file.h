/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A job's file: grows by whole lines, and is written anew once it has grown long.
 *
 * A failed append leaves the file as it was. Where even that fails, or a crash tore the last line,
 * the next append cuts off what has no line feed. A flush that failed is undone by cutting, too:
 * the kernel has marked the pages as clean then, and only what is written again is flushed again
 * ("PostgreSQL's handling of fsync() errors is unsafe", LWN 752063). */

#include "daemon/store/disk.h"
#include "daemon/store/job-record.h"

#define JOB_FILE_COMPACT_SIZE ((size_t) 512 * 1024) /* beyond this it is written anew */
#define JOB_FILE_MAX (JOB_FILE_COMPACT_SIZE + 2 * RECORD_LINE_MAX)

typedef struct JobFile {
        char id[IPC_JOB_ID_LENGTH + 1];
        int fd;
        off_t size_before;
        bool is_new; /* stands under its temporary name */
} JobFile;

/* Writes a file of these lines under its temporary name. */
int job_file_begin_new(const Disk *d, const char *id, const char *text, size_t size, JobFile *ret);

/* Adds lines to the file. -EFBIG: it has grown long, nothing was done: job_file_begin_compact. */
int job_file_begin_append(const Disk *d, const char *id, const char *text, size_t size,
                          JobFile *ret);

/* What the file holds and these lines, without what has been overtaken, under its temporary name.
 */
int job_file_begin_compact(const Disk *d, const char *id, const char *text, size_t size,
                           const JobClock *clock, JobFile *ret);

/* Flushes what was begun, and closes. On an error it is undone. */
int job_file_sync(const Disk *d, JobFile *f);

/* Gives a new file its name, for which the directory is to be flushed then. Nothing for others. */
int job_file_commit(const Disk *d, const JobFile *f);

/* -EFBIG where it is longer than any of ours. */
int job_file_read(const Disk *d, const char *id, Secret **ret);

/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Whose turn it is in one lane (a profile's session): callers take turns, and each caller's jobs
 * keep their order, so that one with 5,000 jobs does not hold up another's first. Pure. */

#include "daemon/model/job.h"

typedef struct Queue Queue;

Queue *queue_new(void);
Queue *queue_free(Queue *q); /* the jobs are not the queue's */
DEFINE_CLEANUP(Queue *, queue_free);

/* Behind the owner's other jobs; the owner behind the other owners, if it had none waiting. */
int queue_append(Queue *q, Job *job);

/* Before all others: a job that was at work when the session broke. */
int queue_return(Queue *q, Job *job);

/* Before the owner's other jobs, and not before other owners: a job that waited between two tries.
 * Whoever has many of them would hold up all others otherwise. */
int queue_resume(Queue *q, Job *job);

/* Takes out whoever is next; NULL where nobody waits. */
Job *queue_take(Queue *q);

/* Takes a job out of its turn; nothing where it does not wait here. */
void queue_remove(Queue *q, Job *job);

bool queue_holds(const Queue *q, const Job *job);
size_t queue_size(const Queue *q);

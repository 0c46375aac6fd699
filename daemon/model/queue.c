/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/model/queue.h"

#include <errno.h>

/* One caller's jobs. It stands in the ring while it has any. */
typedef struct Turn Turn;
struct Turn {
        Peer *owner;
        LIST_HEAD(Job, waiting);
        LIST_LINK(Turn, turns);
};

struct Queue {
        LIST_HEAD(Turn, turns);
        size_t size;
};

Queue *queue_new(void) {
        return calloc(1, sizeof(Queue));
}

static void turn_free(Queue *q, Turn *turn) {
        LIST_REMOVE(turns, q, turn);
        peer_free(turn->owner);
        free(turn);
}

Queue *queue_free(Queue *q) {
        Turn *turn, *next;

        if (!q)
                return NULL;
        LIST_FOREACH_SAFE(turns, turn, next, q)
                turn_free(q, turn);
        free(q);
        return NULL;
}

static Turn *find_turn(const Queue *q, const Peer *owner) {
        Turn *turn;

        LIST_FOREACH(turns, turn, q)
                if (peer_same_owner(turn->owner, owner))
                        return turn;
        return NULL;
}

/* The owner's turn, made at the end of the ring where it has none. */
static Turn *need_turn(Queue *q, const Peer *owner) {
        Turn *turn = find_turn(q, owner);

        if (turn)
                return turn;
        turn = calloc(1, sizeof(Turn));
        if (!turn)
                return NULL;
        turn->owner = peer_copy(owner);
        if (!turn->owner) {
                free(turn);
                return NULL;
        }
        LIST_APPEND(turns, q, turn);
        return turn;
}

int queue_append(Queue *q, Job *job) {
        Turn *turn = need_turn(q, job->owner);

        if (!turn)
                return -ENOMEM;
        LIST_APPEND(waiting, turn, job);
        q->size++;
        return 0;
}

int queue_resume(Queue *q, Job *job) {
        Turn *turn = need_turn(q, job->owner);

        if (!turn)
                return -ENOMEM;
        LIST_PREPEND(waiting, turn, job);
        q->size++;
        return 0;
}

int queue_return(Queue *q, Job *job) {
        Turn *turn;
        int r;

        r = queue_resume(q, job);
        if (r < 0)
                return r;
        turn = find_turn(q, job->owner);
        LIST_REMOVE(turns, q, turn);
        LIST_PREPEND(turns, q, turn);
        return 0;
}

static void take_out(Queue *q, Turn *turn, Job *job) {
        LIST_REMOVE(waiting, turn, job);
        q->size--;
        if (!turn->waiting_first)
                turn_free(q, turn);
}

Job *queue_take(Queue *q) {
        Turn *turn = q->turns_first;
        Job *job;

        if (!turn)
                return NULL;
        job = turn->waiting_first;
        LIST_REMOVE(turns, q, turn);
        LIST_APPEND(turns, q, turn);
        take_out(q, turn, job);
        return job;
}

bool queue_holds(const Queue *q, const Job *job) {
        const Turn *turn = find_turn(q, job->owner);
        const Job *first = job;

        /* Its links alone do not tell: it may stand in another lane's queue. */
        while (first->waiting_prev)
                first = first->waiting_prev;
        return turn && turn->waiting_first == first;
}

void queue_remove(Queue *q, Job *job) {
        if (queue_holds(q, job))
                take_out(q, find_turn(q, job->owner), job);
}

size_t queue_size(const Queue *q) {
        return q->size;
}

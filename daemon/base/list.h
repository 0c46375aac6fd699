/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Intrusive doubly linked lists. An element that stands in several lists has a link for each, named
 * after the list. `LIST_HEAD(Job, jobs)` in the owner, `LIST_LINK(Job, jobs)` in the element. */

#include <stdbool.h>
#include <stddef.h>

#define LIST_HEAD(Type, name) \
        Type *name##_first;   \
        Type *name##_last

#define LIST_LINK(Type, name) \
        Type *name##_prev;    \
        Type *name##_next

#define LIST_APPEND(name, owner, item)                             \
        do {                                                       \
                __typeof__(item) _item = (item);                   \
                _item->name##_prev = (owner)->name##_last;         \
                _item->name##_next = NULL;                         \
                if ((owner)->name##_last)                          \
                        (owner)->name##_last->name##_next = _item; \
                else                                               \
                        (owner)->name##_first = _item;             \
                (owner)->name##_last = _item;                      \
        } while (0)

#define LIST_PREPEND(name, owner, item)                             \
        do {                                                        \
                __typeof__(item) _item = (item);                    \
                _item->name##_next = (owner)->name##_first;         \
                _item->name##_prev = NULL;                          \
                if ((owner)->name##_first)                          \
                        (owner)->name##_first->name##_prev = _item; \
                else                                                \
                        (owner)->name##_last = _item;               \
                (owner)->name##_first = _item;                      \
        } while (0)

#define LIST_REMOVE(name, owner, item)                                        \
        do {                                                                  \
                __typeof__(item) _item = (item);                              \
                if (_item->name##_prev)                                       \
                        _item->name##_prev->name##_next = _item->name##_next; \
                else                                                          \
                        (owner)->name##_first = _item->name##_next;           \
                if (_item->name##_next)                                       \
                        _item->name##_next->name##_prev = _item->name##_prev; \
                else                                                          \
                        (owner)->name##_last = _item->name##_prev;            \
                _item->name##_prev = _item->name##_next = NULL;               \
        } while (0)

#define LIST_FOREACH(name, i, owner) for ((i) = (owner)->name##_first; (i); (i) = (i)->name##_next)

/* The element under the cursor may be removed and freed. */
#define LIST_FOREACH_SAFE(name, i, next, owner) \
        for ((i) = (owner)->name##_first; (i) && ((next) = (i)->name##_next, true); (i) = (next))

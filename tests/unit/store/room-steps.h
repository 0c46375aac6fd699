/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Jobs with secrets, and without them, and what stands in the directory for them. */

#include "tests/unit/store/watched.h"

/* A job whose secrets are stored; they are filled in. */
Job *create(Fixture *f, JobSecrets *secrets);
int run_spend(Fixture *f, const Job *j);
/* Jobs whose secrets have served; so many spare files are there then. */
void spend_some(Fixture *f, unsigned n);
/* The disk's thread has nothing left to do when this returns; `j` has no secrets. */
void let_it_tidy(Fixture *f, const Job *j);
void assert_zeros(const char *path);
/* As it was read at the start. */
const Job *loaded(const Fixture *f, const char *id);

/* Counts changes that went well; an unsigned as userdata. */
void on_counted(int error, void *userdata);
/* Holds the disk at the creation of this job: what is asked for until end_lot() is one lot. */
void begin_lot(Fixture *f, const Job *job, unsigned *told);
/* Waits until so many were told, with that job. */
void end_lot(Fixture *f, const unsigned *told, size_t n);

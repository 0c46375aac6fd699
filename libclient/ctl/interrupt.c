/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/interrupt.h"

#include <signal.h>

/* A signal handler has no other place to leave a word. */
static volatile sig_atomic_t noted;

static void on_signal(int number) {
        noted = number;
}

void interrupt_note(void) {
        static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
        struct sigaction sa = {.sa_handler = on_signal}; /* without SA_RESTART: polls must end */

        sigemptyset(&sa.sa_mask);
        for (size_t i = 0; i < ELEMENTSOF(numbers); i++) {
                struct sigaction old;

                /* nohup and background shells ignore some: leave it so. */
                if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
                        continue;
                sigaction(numbers[i], &sa, NULL);
        }
}

bool interrupt_seen(void) {
        return noted != 0;
}

void interrupt_obey(void) {
        int number = noted;

        if (number == 0)
                return;
        signal(number, SIG_DFL);
        raise(number);
}

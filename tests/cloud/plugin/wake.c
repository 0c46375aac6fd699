/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* One broker a process, and signals belong to the process: this state can be nowhere else. */
static timer_t wake_timer;
static pid_t broker_thread;

static int wake_signal(void) {
        return SIGRTMIN + 1;
}

static void on_signal(_unused_ int signo) {
}

usec_t wake_now(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (usec_t) now.tv_sec * USEC_PER_SEC + (usec_t) now.tv_nsec / 1000;
}

int wake_setup(void) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
        struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID};

        broker_thread = (pid_t) syscall(SYS_gettid);
        event.sigev_signo = wake_signal();
        event._sigev_un._tid = broker_thread;
        if (sigaction(wake_signal(), &action, NULL) < 0 ||
            timer_create(CLOCK_MONOTONIC, &event, &wake_timer) < 0)
                return -errno;
        return 0;
}

void wake_shutdown(void) {
        timer_delete(wake_timer);
        signal(wake_signal(), SIG_IGN);
}

void wake_broker(void) {
        (void) syscall(SYS_tgkill, getpid(), broker_thread, wake_signal());
}

void wake_at(usec_t when_usec) {
        struct itimerspec spec = {};

        if (when_usec != USEC_INFINITY) {
                spec.it_value.tv_sec = (time_t) (when_usec / USEC_PER_SEC);
                spec.it_value.tv_nsec = (long) (when_usec % USEC_PER_SEC * 1000);
                spec.it_interval.tv_nsec = 1000000;
                if (when_usec == 0)
                        spec.it_value.tv_nsec = 1; /* all zeros would disarm */
        }
        timer_settime(wake_timer, TIMER_ABSTIME, &spec, NULL);
}

int wake_on_input(int fd) {
        struct f_owner_ex owner = {.type = F_OWNER_TID, .pid = broker_thread};
        int flags = fcntl(fd, F_GETFL);

        if (flags < 0 || fcntl(fd, F_SETOWN_EX, &owner) < 0 ||
            fcntl(fd, F_SETSIG, wake_signal()) < 0 ||
            fcntl(fd, F_SETFL, flags | O_ASYNC | O_NONBLOCK) < 0)
                return -errno;
        return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Another real clock for one program (LD_PRELOAD), since nobody may set the machine's in a test.
 * The file $FLEETPROV_TEST_CLOCK holds, as 64 bits of this machine's, by how many seconds that
 * clock is ahead. A timerfd that is to end when the clock is set ends when the file is written to.
 * Whether it is synchronised says $FLEETPROV_TEST_SYNCHRONISED, yes or no, or a file's name: then
 * it is when that is there. */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead;

__attribute__((constructor)) static void open_clock(void) {
        const char *path = getenv("FLEETPROV_TEST_CLOCK");
        int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        void *p;

        if (fd < 0)
                return;
        p = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
        close(fd);
        if (p != MAP_FAILED)
                ahead = p;
}

int adjtimex(struct timex *t) {
        const char *synchronised = getenv("FLEETPROV_TEST_SYNCHRONISED");

        if (!synchronised || t->modes != 0)
                return (int) syscall(SYS_adjtimex, t);
        t->status = strcmp(synchronised, "yes") == 0 ||
                                    (synchronised[0] == '/' && access(synchronised, F_OK) == 0)
                            ? 0
                            : STA_UNSYNC;
        return t->status == 0 ? TIME_OK : TIME_ERROR;
}

int clock_gettime(clockid_t id, struct timespec *ret) {
        int r = (int) syscall(SYS_clock_gettime, id, ret);

        if (r == 0 && ahead && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
                ret->tv_sec += *ahead;
        return r;
}

time_t time(time_t *ret) {
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME, &now);
        if (ret)
                *ret = now.tv_sec;
        return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone) {
        struct timespec now;

        (void) zone;
        (void) clock_gettime(CLOCK_REALTIME, &now);
        *ret = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
        return 0;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new_value,
                    struct itimerspec *old_value) {
        const char *path = getenv("FLEETPROV_TEST_CLOCK");
        int watch, r = 0;

        if (!path || !(flags & TFD_TIMER_CANCEL_ON_SET))
                return (int) syscall(SYS_timerfd_settime, fd, flags, new_value, old_value);
        watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (watch < 0)
                return -1;
        if (inotify_add_watch(watch, path, IN_MODIFY) < 0 || dup3(watch, fd, O_CLOEXEC) < 0)
                r = -1;
        close(watch);
        return r;
}

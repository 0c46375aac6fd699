/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static void run_pager(const char *pager) {
        const char *options = getenv("SYSTEMD_LESS");

        prctl(PR_SET_PDEATHSIG, SIGTERM);
        setenv("LESS", options ? options : "FRSXMK", 1);
        setenv("LESSCHARSET", "utf-8", 0);
        /* No shell, no editor from inside: it may run as root, on text that a cloud wrote. */
        setenv("LESSSECURE", "1", 1);
        if (pager)
                execl("/bin/sh", "sh", "-c", pager, (char *) NULL);
        execlp("less", "less", (char *) NULL);
        execlp("more", "more", (char *) NULL);
        execlp("cat", "cat", (char *) NULL);
        _exit(127);
}

void pager_open(Ctl *ctl) {
        const char *pager = getenv("SYSTEMD_PAGER"), *term = getenv("TERM");
        int fds[2];

        if (!pager)
                pager = getenv("PAGER");
        if (ctl->pager > 0 || !ctl->terminal || ctl->options.no_pager ||
            (pager && (!*pager || streq(pager, "cat"))) || (term && streq(term, "dumb")))
                return;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return;
        fflush(stdout);
        ctl->pager = fork();
        if (ctl->pager == 0) {
                dup2(fds[0], STDIN_FILENO);
                run_pager(pager);
        }
        if (ctl->pager > 0) {
                dup2(fds[1], STDOUT_FILENO);
                /* Ctrl-C belongs to the pager, and so does the end of reading. */
                signal(SIGINT, SIG_IGN);
                signal(SIGPIPE, SIG_IGN);
        }
        close(fds[0]);
        close(fds[1]);
}

void pager_close(Ctl *ctl) {
        if (ctl->pager <= 0)
                return;
        fflush(stdout);
        /* The pager sees the end when no descriptor of the pipe is left here. */
        if (!freopen("/dev/null", "w", stdout))
                close(STDOUT_FILENO);
        while (waitpid(ctl->pager, NULL, 0) < 0 && errno == EINTR)
                ;
        ctl->pager = 0;
}

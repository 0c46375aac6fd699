/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/ctl/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <wchar.h>

#include "libclient/ctl/complain.h"

void progress_begin(Progress *p) {
        *p = (Progress){.since = ctl_now()};
}

/* Cuts the line to so many columns: a line that wraps could not be erased. */
static void cut(char *s, size_t columns) {
        mbstate_t state = {0};
        size_t width = 0;

        while (*s) {
                wchar_t c;
                size_t n = mbrtowc(&c, s, MB_CUR_MAX, &state);
                int w;

                if (n == 0 || n > MB_CUR_MAX) {
                        n = 1;
                        w = 1;
                        memset(&state, 0, sizeof(state));
                } else
                        w = wcwidth(c);
                width += w > 0 ? (size_t) w : 0;
                if (width > columns) {
                        *s = '\0';
                        return;
                }
                s += n;
        }
}

void progress_show(Progress *p, const char *what, const char *state, const char *phase,
                   const char *note) {
        _cleanup_free_ char *text = NULL, *safe = NULL;
        struct winsize size = {0};

        if (!isatty(STDERR_FILENO))
                return;
        if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 20)
                size.ws_col = 80;
        if (asprintf(&text, "%s: %s%s%s, %llu s%s%s", what, state, phase && *phase ? ", " : "",
                     phase ? phase : "",
                     (unsigned long long) ((ctl_now() - p->since) / USEC_PER_SEC), note ? ": " : "",
                     note ? note : "") < 0) {
                text = NULL;
                return;
        }
        safe = escape_text(text, true);
        if (!safe)
                return;
        cut(safe, size.ws_col - 1U);
        fprintf(stderr, "\r%s\033[K", safe);
        fflush(stderr);
        p->shown = true;
}

void progress_erase(Progress *p) {
        if (!p->shown)
                return;
        fputs("\r\033[K", stderr);
        fflush(stderr);
        p->shown = false;
}

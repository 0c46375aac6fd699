/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libclient/check.h"

#include <errno.h>

#include "libclient/event.h"

static void line_done(CheckLine *line) {
        free(line->check);
        free(line->result);
        free(line->message);
        *line = (CheckLine){0};
}

void check_list_done(CheckList *list) {
        for (size_t i = 0; i < list->n; i++)
                line_done(&list->lines[i]);
        free(list->lines);
        *list = (CheckList){0};
}

static int add_line(CheckList *list, const char *check, const char *result, const char *message) {
        CheckLine *lines;
        CheckLine line = {
                .check = strdup(check), .result = strdup(result), .message = strdup(message)};

        if (list->n >= CHECK_LINES_MAX) {
                line_done(&line);
                return -EBADMSG;
        }
        lines = reallocarray(list->lines, list->n + 1, sizeof(CheckLine));
        if (lines)
                list->lines = lines;
        if (!lines || !line.check || !line.result || !line.message) {
                line_done(&line);
                return -ENOMEM;
        }
        list->lines[list->n++] = line;
        return 0;
}

int check_list_read(sd_bus_message *m, CheckList *list) {
        const char *check, *result, *message;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "(sss)");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read(m, "(sss)", &check, &result, &message)) > 0) {
                r = add_line(list, check, result, message);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

_public_ int fleetprov_event_enumerate_checks(const fleetprov_event *event, size_t index,
                                              const char **ret_check, const char **ret_result,
                                              const char **ret_message) {
        const CheckLine *line;

        if (!event || index >= event->checks.n)
                return 0;
        line = &event->checks.lines[index];
        if (ret_check)
                *ret_check = line->check;
        if (ret_result)
                *ret_result = line->result;
        if (ret_message)
                *ret_message = line->message;
        return 1;
}

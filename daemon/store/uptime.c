/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/uptime.h"

#include <errno.h>

#include "daemon/base/log.h"
#include "daemon/store/file-name.h"
#include "daemon/store/json-field.h"
#include "daemon/store/record-line.h"

typedef struct Note {
        char boot_id[JOB_RECORD_BOOT_ID_LENGTH + 1];
        usec_t before; /* when that boot began */
        usec_t at;     /* on its clock, when this was noted */
} Note;

/* Beyond what any machine sees; a sum of two stays a number. */
#define UPTIME_MAX ((uint64_t) INT64_MAX / 2)

static int read_note(const json_t *o, Note *ret) {
        _cleanup_free_ char *boot_id = NULL;
        Note n = {};
        int r;

        if (!json_is_object(o))
                return -EBADMSG;
        if ((r = field_get_string(o, "boot", JOB_RECORD_BOOT_ID_LENGTH, &boot_id)) < 0 ||
            (r = field_get_number(o, "before", UPTIME_MAX, &n.before)) < 0 ||
            (r = field_get_number(o, "at", UPTIME_MAX, &n.at)) < 0)
                return r;
        if (boot_id)
                memcpy(n.boot_id, boot_id, strlen(boot_id));
        *ret = n;
        return 0;
}

static int read_file(const Disk *disk, Note *ret) {
        _cleanup_secret_ Secret *text = NULL;
        _cleanup_json_ json_t *o = NULL;
        int r;

        r = disk_read(disk, FILE_UPTIME, UPTIME_TEXT_MAX, &text);
        if (r < 0)
                return r == -EFBIG ? -EBADMSG : r;
        if (text->size == 0 || text->data[text->size - 1] != '\n')
                return -EBADMSG;
        r = record_line_read(secret_text(text), text->size - 1, &o);
        return r < 0 ? r : read_note(json_object_get(o, "uptime"), ret);
}

static char *make_text(const JobClock *clock) {
        _cleanup_json_ json_t *line = json_object(), *o = json_object();
        char *text;
        size_t size;

        if (!line || !o || field_put_number(line, "v", JOB_RECORD_VERSION) < 0 ||
            field_put_string(o, "boot", clock->boot_id[0] ? clock->boot_id : NULL) < 0 ||
            field_put_number(o, "before", clock->before) < 0 ||
            field_put_number(o, "at", clock->now_boot) < 0 ||
            field_put_object(line, "uptime", TAKE_PTR(o)) < 0 ||
            record_line_make(line, &text, &size) < 0)
                return NULL;
        return text;
}

static void note(const Disk *disk, const JobClock *clock) {
        _cleanup_free_ char *text = make_text(clock);
        int r = text ? disk_replace(disk, FILE_UPTIME, text, strlen(text)) : -ENOMEM;

        if (r < 0)
                log_warning_errno(r, "cannot note the machine's uptime; a power cut would take "
                                     "more of it");
}

/* --- later on */

typedef struct NoteTask {
        const Disk *disk;
        JobClock clock;
} NoteTask;

static void on_note_run(void *p) {
        const NoteTask *task = p;

        note(task->disk, &task->clock);
}

static const WorkerTaskType note_task = {.run = on_note_run, .destroy = free};

void uptime_note(Worker *worker, const Disk *disk, const JobClock *clock) {
        NoteTask *task = malloc(sizeof(NoteTask));
        int r = -ENOMEM;

        if (task) {
                *task = (NoteTask){.disk = disk, .clock = *clock};
                r = worker_submit(worker, &note_task, task, NULL);
        }
        if (r < 0)
                log_warning_errno(r, "the machine's uptime is not noted this time");
}

/* --- at the start */

/* Where boots cannot be told apart, a clock that went on is taken for the same one's. */
static bool is_this_boot(const Note *n, const JobClock *clock) {
        if (n->boot_id[0] != '\0' && clock->boot_id[0] != '\0')
                return streq(n->boot_id, clock->boot_id);
        return clock->now_boot >= n->at;
}

void uptime_begin(const Disk *disk, JobClock *clock) {
        Note n = {};
        int r;

        clock->before = 0;
        r = read_file(disk, &n);
        if (r < 0 && r != -ENOENT)
                log_warning_errno(r, "what was noted of the machine's uptime cannot be read; what "
                                     "former boots add to deadlines and retention is lost");
        if (r >= 0 && is_this_boot(&n, clock)) {
                clock->before = n.before;
                if (usec_sub(clock->now_boot, n.at) <= UPTIME_STALE_USEC)
                        return;
        } else if (r >= 0)
                clock->before = n.before + n.at;
        note(disk, clock);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Callers who ask for as much as they may, in the largest requests there are: each is stopped at
 * its own share, all of them before the daemon takes half of the memory that its unit allows, and
 * so it is when their jobs are read anew. */

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/integration/lib/stage.h"

#define FILLERS 7U
#define FILLER_BYTES 4000U
#define FIRST_UID 12001U
#define OWNERS 4U /* that together have all there is */

static char filler[FILLER_BYTES + 1];

/* Until it is refused; the job that came last, and why the next one did not. */
typedef struct Flood {
        unsigned n;
        JobId last;
        fleetprov_error *error;
} Flood;

static Flood flood(fleetprov_client *c) {
        Flood f = {};
        JobId id;

        while (agent_try(c, &(Wish){.serial = "flood", .filler = filler, .n_fillers = FILLERS}, &id,
                         &f.error) == 0) {
                f.last = id;
                f.n++;
        }
        ck_assert_int_eq(fleetprov_error_get_code(f.error), FLEETPROV_QUEUE_FULL);
        return f;
}

static void must_be_stopped_by(const Flood *f, const char *text) {
        ck_assert_ptr_nonnull(strstr(fleetprov_error_get_message(f->error), text));
}

static void flood_as_user(void *unused) {
        fleetprov_client *c = agent_open(d.socket);
        Flood f = flood(c);

        ck_assert_uint_gt(f.n, 100);
        must_be_stopped_by(&f, "take 8 MiB");
        fleetprov_error_free(f.error);
        fleetprov_client_free(c);
}

static uint64_t number_behind(const char *path, const char *name) {
        _cleanup_free_ char *content = file_read(path, NULL);
        const char *at = content ? strstr(content, name) : NULL;

        ck_assert_msg(at, "%s: no %s", path, name);
        return strtoull(at + strlen(name), NULL, 10);
}

/* The sanitizer's own memory is a multiple of the daemon's. */
static void must_be_modest(void) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        const uint64_t peak_kb =
                number_behind(place_text(&d.place, "/proc/%d/status", d.pid), "\nVmHWM:");
        const uint64_t max_mb = number_behind(UNIT, "\nMemoryMax=");

        ck_assert_msg(peak_kb < max_mb * 1024 / 2, "it takes %" PRIu64 " KiB", peak_kb);
#else
        ck_assert_uint_gt(number_behind(UNIT, "\nMemoryMax="), 0);
#endif
}

START_TEST(nobody_has_more_than_a_share_of_memory)
{
        Flood f;

        memset(filler, 'x', FILLER_BYTES);
        cloud_stop(&cloud);
        stage_start("", "AllowUsers=root 12001 12002 12003 12004");
        ck_assert_int_eq(chmod(d.socket, 0666), 0);
        f = flood(client);
        must_be_stopped_by(&f, "take 8 MiB");
        fleetprov_error_free(f.error);

        /* What is released is free again. */
        ck_assert_int_eq(agent_call(client, fleetprov_client_cancel, f.last), FLEETPROV_OK);
        agent_wait_end(client, f.last, FLEETPROV_STATE_CANCELLED);
        ck_assert_int_eq(agent_call(client, fleetprov_client_release, f.last), FLEETPROV_OK);
        f = flood(client);
        ck_assert_uint_eq(f.n, 1);
        fleetprov_error_free(f.error);

        if (geteuid() == 0) {
                for (unsigned i = 1; i < OWNERS; i++)
                        process_as_user(FIRST_UID + i, FIRST_UID + i, NULL, 0, flood_as_user, NULL);
                must_be_modest();
        }
        stage_restart(true);
        f = flood(client);
        ck_assert_uint_eq(f.n, 0);
        fleetprov_error_free(f.error);
        must_be_modest();
        cloud_again(&cloud);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("daemon: flood");
        TCase *tc = stage_alone(suite, "flood");

        tcase_add_test(tc, nobody_has_more_than_a_share_of_memory);
        return stage_run(suite);
}

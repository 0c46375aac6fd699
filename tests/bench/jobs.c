/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The same exchange through the daemon: Submit with the same CSR, wait for JobChanged, one after
 * the other; the store is on. Usage: bench-jobs SOCKET CSR COUNT. Further: bench-jobs SOCKET
 * --status COUNT times Properties.GetAll of the manager and ListJobs, which is what `status` does.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "protocol/ipc/names.h"
#include "tests/bench/figures.h"

static void die(const char *what, int r) {
        fprintf(stderr, "bench-jobs: %s: %s\n", what, strerror(-r));
        exit(1);
}

typedef struct Wait {
        char job[128];
        bool done, failed;
} Wait;

static int on_job_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Wait *w = userdata;
        const char *job, *state, *phase;

        if (sd_bus_message_read(m, "oss", &job, &state, &phase) < 0 || strcmp(job, w->job) != 0)
                return 0;
        w->done = strcmp(state, "succeeded") == 0;
        w->failed = strcmp(state, "failed") == 0;
        return 0;
}

static void submit(sd_bus *bus, const char *csr, int serial, Wait *w) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *m = NULL, *reply = NULL;
        const char *job;
        char number[32];
        int r;

        (void) snprintf(number, sizeof(number), "daemon-%d", serial);
        r = sd_bus_message_new_method_call(bus, &m, IPC_BUS_NAME, IPC_MANAGER_PATH,
                                           IPC_MANAGER_INTERFACE, "Submit");
        if (r >= 0)
                r = sd_bus_message_append(m, "ssa{sv}", "provision", "aws", 2, "parameters",
                                          "a{ss}", 1, "SerialNumber", number, "csr", "s", csr);
        if (r < 0)
                die("cannot ask", r);
        *w = (Wait){};
        r = sd_bus_call(bus, m, 0, &error, &reply);
        if (r < 0)
                die(error.message ? error.message : "Submit", r);
        (void) sd_bus_message_read(reply, "o", &job);
        (void) snprintf(w->job, sizeof(w->job), "%s", job);
        sd_bus_message_unref(reply);
        sd_bus_message_unref(m);
}

static void wait_for(sd_bus *bus, const Wait *w) {
        while (!w->done) {
                int r = sd_bus_process(bus, NULL);

                if (r == 0 && !w->done)
                        r = sd_bus_wait(bus, UINT64_MAX);
                if (r < 0)
                        die("the daemon is gone", r);
                if (w->failed)
                        die("the job failed", -EIO);
        }
}

static void ask_status(sd_bus *bus) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_call_method(bus, IPC_BUS_NAME, IPC_MANAGER_PATH,
                               "org.freedesktop.DBus.Properties", "GetAll", &error, &reply, "s",
                               IPC_MANAGER_INTERFACE);
        if (r < 0)
                die("GetAll", r);
        sd_bus_message_unref(reply);
        r = sd_bus_call_method(bus, IPC_BUS_NAME, IPC_PROFILE_PREFIX "/aws",
                               "org.freedesktop.DBus.Properties", "GetAll", &error, &reply, "s",
                               IPC_PROFILE_INTERFACE);
        if (r < 0)
                die("GetAll of the profile", r);
        sd_bus_message_unref(reply);
}

static sd_bus *connect_to(const char *path) {
        sd_bus *bus = NULL;
        char address[256];
        int r;

        (void) snprintf(address, sizeof(address), "unix:path=%s", path);
        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_set_bus_client(bus, true);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                die("cannot connect", r);
        return bus;
}

static char *read_csr(const char *file) {
        static char pem[16 * 1024];
        FILE *f = fopen(file, "re");

        if (!f || fread(pem, 1, sizeof(pem) - 1, f) == 0)
                die("cannot read the CSR", -ENOENT);
        fclose(f);
        return pem;
}

int main(int argc, char **argv) {
        const bool status = argc == 4 && strcmp(argv[2], "--status") == 0;
        double *times, start;
        Wait wait = {};
        sd_bus *bus;
        int n, r;

        if (argc != 4)
                die("usage: bench-jobs SOCKET CSR|--status COUNT", -EINVAL);
        n = atoi(argv[3]);
        times = calloc((size_t) n, sizeof(double));
        bus = connect_to(argv[1]);
        r = sd_bus_match_signal(bus, NULL, NULL, NULL, IPC_MANAGER_INTERFACE, "JobChanged",
                                on_job_changed, &wait);
        if (r < 0)
                die("cannot subscribe", r);
        start = figures_now_ms();
        for (int i = 0; i < n; i++) {
                double began = figures_now_ms();

                if (status)
                        ask_status(bus);
                else {
                        submit(bus, read_csr(argv[2]), i, &wait);
                        wait_for(bus, &wait);
                }
                times[i] = figures_now_ms() - began;
        }
        printf(status ? "status" : "jobs");
        figures_print(times, (size_t) n, figures_now_ms() - start);
        sd_bus_flush_close_unref(bus);
        free(times);
        return 0;
}

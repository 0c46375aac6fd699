/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/libclient/stub-inside.h"

static int append_failure(sd_bus_message *m) {
        return sd_bus_message_append(m, "{sv}", "error", "a{sv}", 8, "code", "s", "server-refused",
                                     "phase", "s", "register", "message", "s",
                                     "the template's hook refused the device\x1b[31m\xc2\x9b",
                                     "statusCode", "i", 400, "errorCode", "s", "InvalidParameters",
                                     "errorMessage", "s", "no such serial number", "retriable", "b",
                                     0, "cause", "a{sv}", 2, "code", "s", "throttled", "message",
                                     "s", "too many requests before");
}

static int append_unverified(sd_bus_message *m) {
        return sd_bus_message_append(m, "{sv}", "error", "a{sv}", 5, "code", "s", "verify-failed",
                                     "phase", "s", "verify", "message", "s",
                                     "its certificate is not let in: CONNACK 7", "retriable", "b",
                                     0, "cause", "a{sv}", 3, "code", "s", "credentials-refused",
                                     "message", "s", "CONNACK 7", "statusCode", "i", 7);
}

bool stub_job_is_unverified(const StubJob *job) {
        return job->outcome && strcmp(job->outcome, "unverified") == 0 &&
               strcmp(job->state, "failed") == 0;
}

int stub_append_details(StubJob *job, sd_bus_message *m) {
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(
                        m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "id", "s", job->id,
                        "operation", "s", job->operation, "profile", "s", job->profile, "owner",
                        "u", (unsigned) geteuid(), "state", "s", job->state, "phase", "s",
                        job->phase, "attempts", "u", job->started ? 1U : 0U, "created", "t",
                        job->created, "started", "t", job->started, "finished", "t", job->finished,
                        "acknowledged", "b", job->acknowledged);
        if (r >= 0 && job->key)
                r = sd_bus_message_append(m, "{sv}", "key", "s", job->key);
        if (r >= 0 && job->serial)
                r = sd_bus_message_append(m, "{sv}", "parameters", "a{ss}", 1, "SerialNumber",
                                          job->serial);
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "history", "a(tsss)", 2, job->created,
                                          "queued", "", "accepted", job->finished, job->state, "",
                                          "ended");
        if (r >= 0)
                r = sd_bus_message_append(m, "{sv}", "from-the-future", "(xy)", (int64_t) 1, 2);
        if (r >= 0 && stub_job_is_unverified(job))
                r = append_unverified(m);
        else if (r >= 0 && strcmp(job->state, "failed") == 0)
                r = append_failure(m);
        if (r >= 0 && strcmp(job->state, "failed") == 0 && !stub_job_is_unverified(job))
                r = sd_bus_message_append(m, "{sv}", "leftCertificates", "as", 1, "0123abcd");
        if (r >= 0 && strcmp(job->state, "queued") == 0)
                r = sd_bus_message_append(m, "{sv}", "waitingFor", "a{sv}", 2, "code", "s",
                                          "name-resolution", "message", "s",
                                          "no address for cloud.example");
        return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_secret(sd_bus_message *m, const char *name, const char *value, bool sealed) {
        int fd = memfd_create("stub", MFD_CLOEXEC | MFD_ALLOW_SEALING), r;

        if (fd < 0 || write(fd, value, strlen(value)) < 0 ||
            fcntl(fd, F_ADD_SEALS,
                  !sealed ? F_SEAL_GROW
                          : F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
                if (fd >= 0)
                        close(fd);
                return -EIO;
        }
        r = sd_bus_message_append(m, "{sv}", name, "h", fd);
        close(fd);
        return r;
}

int stub_append_result(StubJob *job, sd_bus_message *m) {
        bool token = strncmp(job->operation, "create-", 7) == 0;
        bool key = !job->own_csr && strcmp(job->operation, "register-thing") != 0;
        bool certificate = strcmp(job->operation, "register-thing") != 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0 && certificate)
                r = sd_bus_message_append(
                        m, "{sv}{sv}", "certificateId", "s", job->id, "certificatePem", "s",
                        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
        if (r >= 0 && !token)
                r = sd_bus_message_append(m, "{sv}{sv}", "thingName", "s", "thing-1",
                                          "deviceConfiguration", "a{ss}", 1, "url", "https://x");
        if (r >= 0 && (token || key) && job->acknowledged)
                r = sd_bus_message_append(m, "{sv}", "secretsErased", "b", 1);
        if (r >= 0 && key && !job->acknowledged)
                r = append_secret(m, "privateKey",
                                  "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n"
                                  "-----END PRIVATE KEY-----\n",
                                  !job->outcome || strcmp(job->outcome, "unsealed") != 0);
        if (r >= 0 && token && !job->acknowledged)
                r = append_secret(m, "ownershipToken", "the-token", true);
        return r < 0 ? r : sd_bus_message_close_container(m);
}

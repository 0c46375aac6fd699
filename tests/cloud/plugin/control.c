/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/cloud/plugin/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>

#include "tests/cloud/plugin/wake.h"

typedef json_t *(*Command)(Cloud *cloud, const json_t *request);

static const struct sockaddr_un control_address = {AF_UNIX, CONTROL_SOCKET};

int control_open(Cloud *cloud) {
        mode_t before;
        int fd, r;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) unlink(CONTROL_SOCKET);
        before = umask(0077);
        r = bind(fd, (const struct sockaddr *) &control_address, sizeof(control_address));
        r = r < 0 ? -errno : wake_on_input(fd);
        umask(before);
        if (r < 0) {
                close(fd);
                return r;
        }
        cloud->control_fd = fd;
        return 0;
}

void control_close(Cloud *cloud) {
        if (cloud->control_fd < 0)
                return;
        cloud->control_fd = close_fd(cloud->control_fd);
        (void) unlink(CONTROL_SOCKET);
}

static json_t *error(const char *why) {
        return json_pack("{s:b, s:s}", "ok", 0, "error", why);
}

static const char *text_of(const json_t *request, const char *field) {
        return json_string_value(json_object_get(request, field));
}

static json_t *command_add(Cloud *cloud, const json_t *request) {
        _cleanup_free_ char *why = NULL;
        unsigned id;

        if (faults_add(&cloud->faults, request, &id, &why) < 0)
                return error(why ? why : "memory is out");
        return json_pack("{s:b, s:i}", "ok", 1, "id", (int) id);
}

static json_t *command_clear(Cloud *cloud, const json_t *request) {
        json_int_t id = json_integer_value(json_object_get(request, "id"));
        size_t n;

        if (id < 0 || id > UINT32_MAX)
                return error("no such fault");
        n = faults_clear(&cloud->faults, (unsigned) id);
        if (id != 0 && n == 0)
                return error("no such fault");
        return json_pack("{s:b, s:I}", "ok", 1, "cleared", (json_int_t) n);
}

static json_t *command_list(Cloud *cloud, _unused_ const json_t *request) {
        return json_pack("{s:b, s:o}", "ok", 1, "faults", faults_list(&cloud->faults));
}

static json_t *operations_to_json(const uint64_t counts[OPERATION_MAX]) {
        json_t *o = json_object();

        for (Operation operation = 0; operation < OPERATION_MAX; operation++)
                json_object_set_new(o, operation_to_string(operation),
                                    json_integer((json_int_t) counts[operation]));
        return o;
}

static json_t *command_status(Cloud *cloud, _unused_ const json_t *request) {
        const Stats *stats = &cloud->stats;

        return json_pack(
                "{s:b, s:{s:I, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I, s:o}}", "ok", 1,
                "status", "connections", (json_int_t) cloud->connections.n_connections, "connects",
                (json_int_t) stats->connects, "refusedConnects", (json_int_t) stats->refused,
                "requests", operations_to_json(stats->requests), "accepted",
                operations_to_json(stats->accepted), "rejected",
                operations_to_json(stats->rejected), "answersSent", (json_int_t) cloud->outbox.sent,
                "answersLost", (json_int_t) cloud->outbox.lost, "answersWaiting",
                (json_int_t) cloud->outbox.n_answers, "faultsStruck",
                (json_int_t) cloud->faults.hits, "breaches", record_breach_counts(cloud->record));
}

static json_t *command_kick(Cloud *cloud, const json_t *request) {
        const char *client = text_of(request, "client");

        if (client && !connections_find_id(&cloud->connections, client))
                return error("no such client is connected");
        mosquitto_kick_client_by_clientid(client, false);
        return json_pack("{s:b}", "ok", 1);
}

static json_t *command_certificate(Cloud *cloud, const json_t *request) {
        const char *id = text_of(request, "id"), *state = text_of(request, "state");
        Certificate *certificate = id ? registry_find(cloud->registry, id) : NULL;

        if (!certificate)
                return error("no such certificate was issued");
        if (!state)
                return json_pack("{s:b, s:s, s:s*}", "ok", 1, "state",
                                 certificate_state_to_string(certificate->state), "thingName",
                                 certificate->thing);
        if (streq(state, "active"))
                certificate->state = CERTIFICATE_ACTIVE;
        else if (streq(state, "inactive"))
                certificate->state = CERTIFICATE_INACTIVE;
        else
                return error("the state of a certificate is active or inactive");
        certificate->active_from_usec = 0;
        return json_pack("{s:b}", "ok", 1);
}

static json_t *run_command(Cloud *cloud, const json_t *request) {
        static const struct {
                const char *name;
                Command command;
        } commands[] = {
                {"add", command_add},   {"clear", command_clear},
                {"list", command_list}, {"status", command_status},
                {"kick", command_kick}, {"certificate", command_certificate},
        };
        const char *name = text_of(request, "command");

        for (size_t i = 0; name && i < ELEMENTSOF(commands); i++)
                if (streq(commands[i].name, name))
                        return commands[i].command(cloud, request);
        return error("no such command");
}

/* False when nothing has been asked. */
static bool dispatch_one(Cloud *cloud, char *buffer) {
        struct sockaddr_un peer;
        socklen_t peer_n = sizeof(peer);
        _cleanup_free_ char *text = NULL;
        json_t *request, *answer;
        ssize_t n;

        n = recvfrom(cloud->control_fd, buffer, CONTROL_MESSAGE_MAX, 0, (struct sockaddr *) &peer,
                     &peer_n);
        if (n < 0)
                return false;
        request = json_loadb(buffer, (size_t) n, JSON_REJECT_DUPLICATES, NULL);
        answer = request ? run_command(cloud, request) : error("the command is not JSON");
        json_decref(request);
        text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        json_decref(answer);
        if (text && sendto(cloud->control_fd, text, strlen(text), MSG_NOSIGNAL,
                           (struct sockaddr *) &peer, peer_n) < 0)
                mosquitto_log_printf(MOSQ_LOG_WARNING, "cannot answer on the control socket: %s",
                                     strerror(errno));
        return true;
}

void control_dispatch(Cloud *cloud) {
        _cleanup_free_ char *buffer = NULL;
        char probe;

        /* Every turn of the broker's loop comes here: no memory before there is something to read.
         */
        if (recv(cloud->control_fd, &probe, sizeof(probe), MSG_PEEK) < 0)
                return;
        buffer = malloc(CONTROL_MESSAGE_MAX);
        while (buffer && dispatch_one(cloud, buffer))
                ;
}

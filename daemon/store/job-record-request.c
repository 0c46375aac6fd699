/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/job-record-parts.h"

#include <errno.h>

#include "daemon/store/json-field.h"

#define DOOR_NAME_MAX ((size_t) 255)

int job_record_get_parameters(const json_t *o, const char *name, Parameters *ret,
                              bool *ret_present) {
        const char *key;
        json_t *list = json_object_get(o, name), *value;

        *ret_present = list != NULL;
        if (list && !json_is_object(list))
                return -EBADMSG;
        json_object_foreach(list, key, value) {
                if (!json_is_string(value))
                        return -EBADMSG;
                if (parameters_set(ret, key, json_string_value(value)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int get_gids(const json_t *list, gid_t **ret, size_t *ret_n) {
        _cleanup_free_ gid_t *gids = NULL;
        size_t n;

        if (!json_is_array(list))
                return -EBADMSG;
        n = json_array_size(list);
        gids = calloc(n > 0 ? n : 1, sizeof(gid_t));
        if (!gids)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                const json_t *gid = json_array_get(list, i);

                if (!json_is_integer(gid) || json_integer_value(gid) < 0 ||
                    json_integer_value(gid) > UINT32_MAX)
                        return -EBADMSG;
                gids[i] = (gid_t) json_integer_value(gid);
        }
        *ret = TAKE_PTR(gids);
        *ret_n = n;
        return 0;
}

static int get_owner(const json_t *o, Peer **ret) {
        _cleanup_free_ char *door = NULL;
        _cleanup_free_ gid_t *gids = NULL;
        uint64_t uid = 0;
        bool privileged;
        size_t n_gids;
        int r;

        o = json_object_get(o, "owner");
        if (!json_is_object(o))
                return -EBADMSG;
        if ((r = field_get_string(o, "door", DOOR_NAME_MAX, &door)) < 0 ||
            (r = field_get_number(o, "uid", UINT32_MAX, &uid)) < 0 ||
            (r = field_get_flag(o, "privileged", &privileged)) < 0 ||
            (r = get_gids(json_object_get(o, "gids"), &gids, &n_gids)) < 0)
                return r;
        if (!door)
                return -EBADMSG;
        *ret = peer_new(door, (uid_t) uid, gids, n_gids, privileged);
        return *ret ? 0 : -ENOMEM;
}

static int get_key_wishes(const json_t *o, JobSpec *spec) {
        const char *word;

        if (json_object_get(o, "key-type")) {
                if (field_get_word(o, "key-type", &word) < 0)
                        return -EBADMSG;
                spec->key_type = key_type_from_string(word);
                if (spec->key_type == KEY_TYPE_INVALID)
                        return -EBADMSG;
        }
        if (json_object_get(o, "key-source")) {
                if (field_get_word(o, "key-source", &word) < 0)
                        return -EBADMSG;
                spec->key_source = key_source_from_string(word);
                if (spec->key_source == KEY_SOURCE_INVALID)
                        return -EBADMSG;
        }
        return 0;
}

static int get_spec(const json_t *o, JobSpec **ret) {
        _cleanup_job_spec_ JobSpec *spec = NULL;
        const char *operation, *profile;
        Operation op;
        bool present;
        int r;

        if (field_get_word(o, "operation", &operation) < 0 ||
            field_get_word(o, "profile", &profile) < 0 || !ipc_profile_name_is_valid(profile))
                return -EBADMSG;
        op = operation_from_string(operation);
        if (op == OPERATION_INVALID)
                return -EBADMSG;
        spec = job_spec_new(op, profile);
        if (!spec)
                return -ENOMEM;
        if ((r = field_get_string(o, "key", IPC_KEY_MAX, &spec->key)) < 0 ||
            (r = job_record_get_parameters(o, "parameters", &spec->parameters, &present)) < 0 ||
            (r = field_get_string(o, "csr", JOB_RECORD_TEXT_MAX, &spec->csr)) < 0 ||
            (r = get_key_wishes(o, spec)) < 0 ||
            (r = field_get_string(o, "payload", JOB_RECORD_TEXT_MAX, &spec->payload)) < 0 ||
            (r = field_get_string(o, "registration-id", JOB_RECORD_TEXT_MAX,
                                  &spec->registration_id)) < 0 ||
            (r = field_get_time(o, "deadline", &spec->deadline_usec)) < 0 ||
            (r = field_get_string(o, "certificate", JOB_RECORD_TEXT_MAX, &spec->certificate)) < 0)
                return r;
        if (spec->key && !ipc_key_is_valid(spec->key))
                return -EBADMSG;
        *ret = TAKE_PTR(spec);
        return 0;
}

int job_record_read_request(const json_t *o, const JobClock *clock, Job **ret) {
        _cleanup_job_ Job *j = calloc(1, sizeof(Job));
        const char *id;
        int r;

        if (!j)
                return -ENOMEM;
        if (field_get_word(o, "id", &id) < 0 || !ipc_job_id_is_valid(id))
                return -EBADMSG;
        memcpy(j->id, id, sizeof(j->id));
        if ((r = field_get_number(o, "serial", JOB_RECORD_SERIAL_MAX, &j->serial)) < 0 ||
            (r = get_owner(o, &j->owner)) < 0 || (r = get_spec(o, &j->spec)) < 0 ||
            (r = field_get_time(o, "created", &j->created_real)) < 0 ||
            (r = job_record_get_age(o, "age", clock, &j->created_boot)) < 0 ||
            (r = field_get_string(o, "fingerprint", JOB_RECORD_TEXT_MAX, &j->profile_fingerprint)) <
                    0)
                return r;
        j->state = JOB_QUEUED;
        *ret = TAKE_PTR(j);
        return 0;
}

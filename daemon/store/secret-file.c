/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/store/secret-file.h"

#include <errno.h>
#include <stdio.h>

#define MAGIC "FPSECRET"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)
#define VERSION 1
#define HEADER_SIZE (MAGIC_SIZE + 2)
#define LENGTH_SIZE ((size_t) 4)
#define UID_TEXT_SIZE sizeof("4294967295")

typedef struct Field {
        const char *name;
        size_t offset; /* of the Secret * in JobSecrets */
} Field;

/* A bit each, in this order: on disk, so entries are only ever added. */
static const Field fields[SECRET_FILE_FIELDS] = {
        {"private-key", offsetof(JobSecrets, private_key)},
        {"ownership-token", offsetof(JobSecrets, ownership_token)},
        {"symmetric-key", offsetof(JobSecrets, symmetric_key)},
        {"claim-key", offsetof(JobSecrets, claim_key)},
};

static Secret **field_of(JobSecrets *s, size_t i) {
        return (Secret **) (void *) ((uint8_t *) s + fields[i].offset);
}

static const Secret *field_in(const JobSecrets *s, size_t i) {
        return *(Secret *const *) (const void *) ((const uint8_t *) s + fields[i].offset);
}

static void put_length(uint8_t *to, size_t n) {
        for (size_t i = 0; i < LENGTH_SIZE; i++)
                to[i] = (uint8_t) (n >> (8 * i));
}

static size_t get_length(const uint8_t *from) {
        size_t n = 0;

        for (size_t i = 0; i < LENGTH_SIZE; i++)
                n |= (size_t) from[i] << (8 * i);
        return n;
}

static int context_add(SecretContext *c, const void *data, size_t size) {
        uint8_t *longer;

        longer = realloc(c->data, c->size + LENGTH_SIZE + size);
        if (!longer)
                return -ENOMEM;
        c->data = longer;
        put_length(longer + c->size, size);
        if (size > 0)
                memcpy(longer + c->size + LENGTH_SIZE, data, size);
        c->size += LENGTH_SIZE + size;
        return 0;
}

static int context_add_text(SecretContext *c, const char *text) {
        return context_add(c, text, text ? strlen(text) : 0);
}

void secret_context_done(SecretContext *c) {
        free(c->data);
        *c = (SecretContext){};
}

int secret_context_make(const Job *job, SecretContext *ret) {
        const uint8_t version = VERSION;
        _cleanup_(secret_context_done) SecretContext c = {};
        char uid[UID_TEXT_SIZE];

        (void) snprintf(uid, sizeof(uid), "%u", job->owner->uid);
        if (context_add(&c, &version, sizeof(version)) < 0 || context_add_text(&c, job->id) < 0 ||
            context_add_text(&c, job->owner->door) < 0 || context_add_text(&c, uid) < 0 ||
            context_add_text(&c, operation_to_string(job->spec->operation)) < 0 ||
            context_add_text(&c, job->spec->profile) < 0 ||
            context_add_text(&c, job->profile_fingerprint) < 0)
                return -ENOMEM;
        *ret = c;
        c = (SecretContext){};
        return 0;
}

int secret_context_copy(const SecretContext *c, SecretContext *ret) {
        uint8_t *data = malloc(c->size);

        if (!data)
                return -ENOMEM;
        memcpy(data, c->data, c->size);
        *ret = (SecretContext){.data = data, .size = c->size};
        return 0;
}

/* The context, and with it which fields there are and which one this is. */
static int context_for_field(const SecretContext *context, uint8_t mask, size_t i,
                             SecretContext *ret) {
        _cleanup_(secret_context_done) SecretContext c = {};

        if (secret_context_copy(context, &c) < 0 || context_add(&c, &mask, sizeof(mask)) < 0 ||
            context_add_text(&c, fields[i].name) < 0)
                return -ENOMEM;
        *ret = c;
        c = (SecretContext){};
        return 0;
}

static int append_field(const StateKeys *keys, const SecretContext *context, uint8_t mask, size_t i,
                        const Secret *secret, uint8_t **file, size_t *size) {
        _cleanup_(secret_context_done) SecretContext c = {};
        _cleanup_free_ uint8_t *record = NULL;
        size_t record_size;
        uint8_t *longer;
        int r;

        if (secret->size > IPC_SECRET_MAX)
                return -EMSGSIZE;
        r = context_for_field(context, mask, i, &c);
        if (r < 0)
                return r;
        r = seal(keys->keys[0], c.data, c.size, secret, &record, &record_size);
        if (r < 0)
                return r;
        longer = realloc(*file, *size + LENGTH_SIZE + record_size);
        if (!longer)
                return -ENOMEM;
        put_length(longer + *size, record_size);
        memcpy(longer + *size + LENGTH_SIZE, record, record_size);
        *file = longer;
        *size += LENGTH_SIZE + record_size;
        return 0;
}

int secret_file_seal(const StateKeys *keys, const SecretContext *context, const JobSecrets *secrets,
                     uint8_t **ret, size_t *ret_size) {
        _cleanup_free_ uint8_t *file = malloc(HEADER_SIZE);
        size_t size = HEADER_SIZE;
        uint8_t mask = 0;

        if (!file)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (field_in(secrets, i))
                        mask |= (uint8_t) (1U << i);
        memcpy(file, MAGIC, MAGIC_SIZE);
        file[MAGIC_SIZE] = VERSION;
        file[MAGIC_SIZE + 1] = mask;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const Secret *secret = field_in(secrets, i);
                int r = secret ? append_field(keys, context, mask, i, secret, &file, &size) : 0;

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(file);
        *ret_size = size;
        return 0;
}

/* Walks over the fields. The first call has *at = 0; false behind the last. -EBADMSG in *ret_error
 * where it is no such file. */
typedef struct Reader {
        const uint8_t *data;
        size_t size;
        size_t at;
        size_t next; /* field */
        uint8_t mask;
} Reader;

static int reader_init(Reader *reader, const uint8_t *data, size_t size) {
        if (size < HEADER_SIZE || memcmp(data, MAGIC, MAGIC_SIZE) != 0 ||
            data[MAGIC_SIZE] != VERSION || data[MAGIC_SIZE + 1] >= 1U << SECRET_FILE_FIELDS)
                return -EBADMSG;
        *reader = (Reader){.data = data, .size = size, .at = HEADER_SIZE};
        reader->mask = data[MAGIC_SIZE + 1];
        return 0;
}

/* 1 and a field's record, 0 behind the last, -EBADMSG where the file ends early or late. */
static int reader_next(Reader *reader, size_t *ret_field, const uint8_t **ret, size_t *ret_size) {
        size_t n;

        while (reader->next < SECRET_FILE_FIELDS && !(reader->mask & 1U << reader->next))
                reader->next++;
        if (reader->next == SECRET_FILE_FIELDS)
                return reader->at == reader->size ? 0 : -EBADMSG;
        if (reader->size - reader->at < LENGTH_SIZE)
                return -EBADMSG;
        n = get_length(reader->data + reader->at);
        reader->at += LENGTH_SIZE;
        if (n > reader->size - reader->at)
                return -EBADMSG;
        *ret_field = reader->next++;
        *ret = reader->data + reader->at;
        *ret_size = n;
        reader->at += n;
        return 1;
}

static int unseal_field(const StateKeys *keys, const SecretContext *context, uint8_t mask,
                        size_t field, const uint8_t *record, size_t size, Secret **ret) {
        _cleanup_(secret_context_done) SecretContext c = {};
        int r;

        r = context_for_field(context, mask, field, &c);
        if (r < 0)
                return r;
        for (size_t i = 0; i < keys->n; i++) {
                r = unseal(keys->keys[i], c.data, c.size, record, size, ret);
                if (r != -ENOKEY)
                        return r;
        }
        return -ENOKEY;
}

int secret_file_unseal(const StateKeys *keys, const SecretContext *context, const uint8_t *data,
                       size_t size, JobSecrets *ret) {
        _cleanup_(job_secrets_done) JobSecrets secrets = {};
        const uint8_t *record;
        size_t record_size, field;
        Reader reader;
        int r;

        r = reader_init(&reader, data, size);
        if (r < 0)
                return r;
        while ((r = reader_next(&reader, &field, &record, &record_size)) > 0) {
                r = unseal_field(keys, context, reader.mask, field, record, record_size,
                                 field_of(&secrets, field));
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = secrets;
        secrets = (JobSecrets){};
        return 0;
}

bool secret_file_is_erased(const uint8_t *data, size_t size) {
        static const uint8_t zeros[HEADER_SIZE];

        return size >= HEADER_SIZE && memcmp(data, zeros, HEADER_SIZE) == 0;
}

bool secret_file_is_current(const StateKeys *keys, const uint8_t *data, size_t size) {
        const StateKeys present = {.keys = {keys->keys[0]}, .n = 1};
        char id[SEAL_KEY_ID_LENGTH + 1];

        return secret_file_check(&present, data, size, id) >= 0;
}

static bool have_key(const StateKeys *keys, const char *id) {
        for (size_t i = 0; i < keys->n; i++)
                if (streq(keys->keys[i]->id, id))
                        return true;
        return false;
}

int secret_file_check(const StateKeys *keys, const uint8_t *data, size_t size,
                      char ret_key_id[static SEAL_KEY_ID_LENGTH + 1]) {
        const uint8_t *record;
        size_t record_size, field;
        Reader reader;
        int r;

        r = reader_init(&reader, data, size);
        if (r < 0)
                return r;
        while ((r = reader_next(&reader, &field, &record, &record_size)) > 0) {
                char id[SEAL_KEY_ID_LENGTH + 1];

                r = seal_record_key_id(record, record_size, id);
                if (r < 0)
                        return r;
                if (!have_key(keys, id)) {
                        memcpy(ret_key_id, id, sizeof(id));
                        return -ENOKEY;
                }
        }
        return r;
}

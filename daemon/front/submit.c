/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/front/submit.h"

#include <errno.h>

#include "protocol/ipc/limits.h"

#define OPTIONS_MAX 32U /* that can be told apart in a mask of those seen */

/* Each reader is called with an option of the right type; 0, or negative with the failure. */
typedef struct Option Option;
struct Option {
        const char *name;
        const char *type;
        int (*read)(sd_bus_message *m, const Option *o, JobSpec *spec, Failure **failure);
        size_t offset; /* of the member, for texts and secrets */
        size_t max;    /* bytes, likewise */
};

#define bad(failure, ...) (*(failure) = failure_new(ERROR_BAD_PARAMETER, __VA_ARGS__), -EINVAL)

static int broken(Failure **failure, int r) {
        *failure = failure_from_errno(r, "cannot read the options");
        return r;
}

static int read_text(sd_bus_message *m, const Option *o, JobSpec *spec, Failure **failure) {
        const char *text;
        size_t size;
        int r;

        r = sd_bus_message_read(m, "s", &text);
        if (r < 0)
                return broken(failure, r);
        size = strlen(text);
        if (size == 0)
                return bad(failure, "option '%s': it is empty; leave it out instead", o->name);
        if (size > o->max)
                return bad(failure, "option '%s': %zu bytes, at most %zu", o->name, size, o->max);
        r = free_and_strdup((char **) (void *) ((uint8_t *) spec + o->offset), text);
        return r < 0 ? broken(failure, r) : 0;
}

static int read_key(sd_bus_message *m, const Option *o, JobSpec *spec, Failure **failure) {
        int r;

        r = read_text(m, o, spec, failure);
        if (r < 0)
                return r;
        if (!ipc_key_is_valid(spec->key))
                return bad(failure, "option 'key': only letters, digits and . _ : @ - stand in a "
                                    "key, and it is not 32 hex digits as a job's id");
        return 0;
}

static int read_key_type(sd_bus_message *m, _unused_ const Option *o, JobSpec *spec,
                         Failure **failure) {
        const char *text;
        int r;

        r = sd_bus_message_read(m, "s", &text);
        if (r < 0)
                return broken(failure, r);
        spec->key_type = key_type_from_string(text);
        if (spec->key_type == KEY_TYPE_INVALID)
                return bad(failure,
                           "option 'key-type': '%.64s' is none of ec-p256, ec-p384, "
                           "rsa-2048, rsa-3072",
                           text);
        return 0;
}

static int read_key_source(sd_bus_message *m, _unused_ const Option *o, JobSpec *spec,
                           Failure **failure) {
        const char *text;
        int r;

        r = sd_bus_message_read(m, "s", &text);
        if (r < 0)
                return broken(failure, r);
        spec->key_source = key_source_from_string(text);
        /* The caller's own key is asked for by bringing a CSR, not by name. */
        if (spec->key_source != KEY_SOURCE_DAEMON && spec->key_source != KEY_SOURCE_CLOUD)
                return bad(failure, "option 'key-source': '%.64s' is neither daemon nor cloud",
                           text);
        return 0;
}

static int read_deadline(sd_bus_message *m, _unused_ const Option *o, JobSpec *spec,
                         Failure **failure) {
        uint64_t usec;
        int r;

        r = sd_bus_message_read(m, "t", &usec);
        if (r < 0)
                return broken(failure, r);
        if (usec == 0)
                return bad(failure, "option 'deadline-usec': 0 is over before it begins; leave it "
                                    "out for the profile's");
        spec->deadline_usec = usec;
        return 0;
}

static bool has_control_character(const char *s) {
        for (; *s; s++)
                if ((uint8_t) *s < 0x20 || *s == 0x7f)
                        return true;
        return false;
}

static int check_parameter(const Parameters *known, const char *name, const char *value,
                           Failure **failure) {
        if (*name == '\0')
                return bad(failure, "option 'parameters': a name is empty");
        if (strlen(name) > IPC_PARAMETER_NAME_MAX)
                return bad(failure,
                           "option 'parameters': the name '%.32s…' has %zu bytes, at most "
                           "%zu",
                           name, strlen(name), IPC_PARAMETER_NAME_MAX);
        if (has_control_character(name))
                return bad(failure, "option 'parameters': a control character stands in a name");
        if (strlen(value) > IPC_PARAMETER_VALUE_MAX)
                return bad(failure,
                           "option 'parameters': the value of '%s' has %zu bytes, at most "
                           "%zu",
                           name, strlen(value), IPC_PARAMETER_VALUE_MAX);
        if (parameters_get(known, name))
                return bad(failure, "option 'parameters': '%s' stands there twice", name);
        if (known->n >= IPC_PARAMETERS_MAX)
                return bad(failure, "option 'parameters': more than %zu of them",
                           IPC_PARAMETERS_MAX);
        return 0;
}

static int read_parameters(sd_bus_message *m, _unused_ const Option *o, JobSpec *spec,
                           Failure **failure) {
        const char *name, *value;
        size_t total = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{ss}");
        while (r >= 0 && (r = sd_bus_message_read(m, "{ss}", &name, &value)) > 0) {
                r = check_parameter(&spec->parameters, name, value, failure);
                if (r < 0)
                        return r;
                total += strlen(name) + strlen(value);
                if (total > IPC_PARAMETERS_TOTAL_MAX)
                        return bad(failure, "option 'parameters': more than %zu bytes in all",
                                   IPC_PARAMETERS_TOTAL_MAX);
                r = parameters_set(&spec->parameters, name, value);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? broken(failure, r) : 0;
}

static int read_secret(sd_bus_message *m, const Option *o, JobSpec *spec, Failure **failure) {
        Secret **secret = (Secret **) (void *) ((uint8_t *) spec + o->offset);
        int fd, r;

        r = sd_bus_message_read(m, "h", &fd); /* the message keeps it */
        if (r < 0)
                return broken(failure, r);
        r = secret_from_memfd(fd, o->max, secret);
        if (r == -EBADF)
                return bad(failure,
                           "option '%s': the descriptor is no memfd that is sealed "
                           "against writing, growing and shrinking (memfd_create(2), "
                           "F_ADD_SEALS)",
                           o->name);
        if (r == -EMSGSIZE)
                return bad(failure, "option '%s': the memfd holds more than %zu bytes", o->name,
                           o->max);
        if (r == -ENODATA)
                return bad(failure, "option '%s': the memfd is empty", o->name);
        return r < 0 ? broken(failure, r) : 0;
}

#define TEXT(name, field, max) \
        { name, "s", read_text, offsetof(JobSpec, field), max }
#define SECRET(name, field) \
        { name, "h", read_secret, offsetof(JobSpec, field), IPC_SECRET_MAX }

static const Option options[] = {
        {"key", "s", read_key, offsetof(JobSpec, key), IPC_KEY_MAX},
        {"parameters", "a{ss}", read_parameters, 0, 0},
        TEXT("csr", csr, IPC_CSR_MAX),
        {"key-type", "s", read_key_type, 0, 0},
        {"key-source", "s", read_key_source, 0, 0},
        TEXT("payload", payload, IPC_PAYLOAD_MAX),
        TEXT("registration-id", registration_id, IPC_REGISTRATION_ID_MAX),
        {"deadline-usec", "t", read_deadline, 0, 0},
        TEXT("certificate", certificate, IPC_CERTIFICATE_MAX),
        SECRET("private-key", private_key),
        SECRET("ownership-token", ownership_token),
};

_Static_assert(ELEMENTSOF(options) <= OPTIONS_MAX, "a mask of them fits");

static const Option *find_option(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (streq(options[i].name, name))
                        return options + i;
        return NULL;
}

/* In the dictionary's entry; `seen`: a bit for each of `options`. */
static int read_option(sd_bus_message *m, JobSpec *spec, uint32_t *seen, Failure **failure) {
        const char *name, *type;
        const Option *o;
        uint32_t bit;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return broken(failure, r);
        o = find_option(name);
        if (!o)
                return bad(failure, "option '%.64s' is unknown; see the description of Submit",
                           name);
        bit = UINT32_C(1) << (o - options);
        if (*seen & bit)
                return bad(failure, "option '%s' is there twice", name);
        *seen |= bit;
        r = sd_bus_message_peek_type(m, NULL, &type);
        if (r < 0)
                return broken(failure, r);
        if (!streq(type, o->type))
                return bad(failure, "option '%s': type '%.16s', must be '%s'", name, type, o->type);
        r = sd_bus_message_enter_container(m, 'v', o->type);
        if (r < 0)
                return broken(failure, r);
        r = o->read(m, o, spec, failure);
        if (r < 0)
                return r;
        r = sd_bus_message_exit_container(m);
        return r < 0 ? broken(failure, r) : 0;
}

static int read_options(sd_bus_message *m, JobSpec *spec, Failure **failure) {
        uint32_t seen = 0;
        int r;

        r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r < 0)
                return broken(failure, r);
        while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                r = read_option(m, spec, &seen, failure);
                if (r < 0)
                        return r;
                r = sd_bus_message_exit_container(m);
                if (r < 0)
                        return broken(failure, r);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        return r < 0 ? broken(failure, r) : 0;
}

int submit_parse(sd_bus_message *m, JobSpec **ret, Failure **ret_failure) {
        _cleanup_job_spec_ JobSpec *spec = NULL;
        const char *name, *profile;
        Operation operation;
        int r;

        *ret_failure = NULL;
        r = sd_bus_message_read(m, "ss", &name, &profile);
        if (r < 0)
                return broken(ret_failure, r);
        operation = operation_from_string(name);
        if (operation == OPERATION_INVALID)
                return bad(ret_failure,
                           "operation '%.64s' is none of provision, create-certificate-from-csr, "
                           "create-keys-and-certificate, register-thing, rotate",
                           name);
        if (*profile && !ipc_profile_name_is_valid(profile))
                return bad(ret_failure,
                           "profile '%.80s': only letters, digits, _ and - stand in a profile's "
                           "name, at most %zu of them",
                           profile, IPC_PROFILE_NAME_MAX);
        spec = job_spec_new(operation, profile);
        if (!spec)
                return -ENOMEM;
        r = read_options(m, spec, ret_failure);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(spec);
        return 0;
}

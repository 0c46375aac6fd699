/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/config/config-specifier.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <systemd/sd-id128.h>

#include "daemon/config/config-tree.h"

void specifiers_done(Specifiers *s) {
        free(s->host_name);
        free(s->machine_id);
        *s = (Specifiers){};
}

int specifiers_get(Specifiers *ret) {
        Specifiers s = {};
        struct utsname names;
        sd_id128_t id;

        if (uname(&names) == 0 && names.nodename[0] != '\0' && !streq(names.nodename, "(none)")) {
                s.host_name = strdup(names.nodename);
                if (!s.host_name)
                        return -ENOMEM;
        }
        if (sd_id128_get_machine(&id) >= 0) {
                s.machine_id = malloc(SD_ID128_STRING_MAX);
                if (!s.machine_id) {
                        specifiers_done(&s);
                        return -ENOMEM;
                }
                sd_id128_to_string(id, s.machine_id);
        }
        *ret = s;
        return 0;
}

/* The text of the specifier with this letter; NULL with *ret_why where there is none. */
static const char *lookup(const Specifiers *s, char letter, char **ret_why) {
        switch (letter) {
        case '%':
                return "%";
        case 'H':
                if (!s->host_name)
                        config_refuse_text(ret_why, "%%H: this machine has no host name");
                return s->host_name;
        case 'm':
                if (!s->machine_id)
                        config_refuse_text(ret_why,
                                           "%%m: this machine has no id in /etc/machine-id; run "
                                           "systemd-machine-id-setup");
                return s->machine_id;
        case '\0':
                config_refuse_text(ret_why, "a '%%' at the end; write %%%% for a single '%%'");
                return NULL;
        default:
                config_refuse_text(ret_why,
                                   "'%%%c' is no specifier here; %%H is the host name, %%m the "
                                   "machine id, %%%% a single '%%'",
                                   letter);
                return NULL;
        }
}

int specifiers_expand(const Specifiers *s, const char *text, char **ret, char **ret_why) {
        _cleanup_free_ char *out = NULL;
        size_t size = 0;
        FILE *f;
        int r = 0;

        f = open_memstream(&out, &size);
        if (!f)
                return -ENOMEM;
        for (; *text != '\0'; text++) {
                const char *value;

                if (*text != '%') {
                        fputc(*text, f);
                        continue;
                }
                value = lookup(s, text[1], ret_why);
                if (!value) {
                        r = -EINVAL;
                        break;
                }
                fputs(value, f);
                text++;
        }
        if (fclose(f) != 0 || !out)
                return -ENOMEM;
        if (r < 0)
                return r;
        *ret = TAKE_PTR(out);
        return 0;
}

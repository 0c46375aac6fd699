/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "protocol/dps/certificates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/base/scope.h"
#include "protocol/base/why.h"
#include "protocol/dps/answer.h"

#define BEGIN_CERTIFICATE "-----BEGIN CERTIFICATE-----"
#define END_CERTIFICATE "-----END CERTIFICATE-----"
#define DASHES "-----"
#define LINE_MAX_SIZE ((size_t) 64) /* RFC 7468, section 2 */
#define SPACE " \t\r\n"
#define BASE64                                                             \
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" \
        "="

bool dps_base64_is_valid(const char *text, size_t size) {
        size_t digits = size;

        if (size == 0 || size % 4 != 0)
                return false;
        if (text[size - 1] == '=')
                digits -= text[size - 2] == '=' ? 2 : 1;
        for (size_t i = 0; i < digits; i++)
                if (text[i] == '\0' || text[i] == '=' || !strchr(BASE64, text[i]))
                        return false;
        return true;
}

void dps_pem_done(DpsPem *pem) {
        free(pem->text);
        *pem = (DpsPem){};
}

/* Copies the base64 digits of these bytes, and nothing of the white space between them. */
static char *without_space(const char *text, size_t size) {
        char *digits = malloc(size + 1);
        size_t n = 0;

        if (!digits)
                return NULL;
        for (size_t i = 0; i < size; i++)
                if (!strchr(SPACE, text[i]))
                        digits[n++] = text[i];
        digits[n] = '\0';
        return digits;
}

/* Writes the block with its last newline; `out` has room for it. Gives the end back. */
static char *write_block(char *out, const char *digits, size_t size) {
        out = stpcpy(out, BEGIN_CERTIFICATE "\n");
        for (size_t i = 0; i < size; i += LINE_MAX_SIZE) {
                size_t n = size - i < LINE_MAX_SIZE ? size - i : LINE_MAX_SIZE;

                memcpy(out, digits + i, n);
                out += n;
                *out++ = '\n';
        }
        return stpcpy(out, END_CERTIFICATE "\n");
}

static int add_digits(DpsPem *pem, const char *name, const char *digits, char **ret_why) {
        size_t size = strlen(digits), room;
        char *text;

        /* 'M' is how each DER SEQUENCE begins: 0x30. */
        if (!dps_base64_is_valid(digits, size) || digits[0] != 'M')
                return protocol_why(ret_why, -EBADMSG, "%s holds no certificate in base64", name);
        if (pem->n >= DPS_CERTIFICATES_MAX)
                return protocol_why(ret_why, -EBADMSG, "%s has more than %zu certificates", name,
                                    DPS_CERTIFICATES_MAX);
        room = strlen(BEGIN_CERTIFICATE "\n" END_CERTIFICATE "\n") + size + size / LINE_MAX_SIZE +
               1;
        if (room > DPS_CERTIFICATES_SIZE_MAX - pem->size)
                return protocol_why(ret_why, -EBADMSG, "%s has more than %zu bytes as PEM", name,
                                    DPS_CERTIFICATES_SIZE_MAX);
        text = reallocarray(pem->text, pem->size + room + 1, 1);
        if (!text)
                return -ENOMEM;
        pem->text = text;
        pem->size = (size_t) (write_block(text + pem->size, digits, size) - text);
        pem->n++;
        return 0;
}

/* One block of a PEM text; `*p` goes behind it. */
static int add_block(DpsPem *pem, const char *name, const char **p, char **ret_why) {
        _cleanup_(protocol_freep) char *digits = NULL;
        const char *body = *p + strlen(BEGIN_CERTIFICATE), *end = strstr(body, END_CERTIFICATE);

        if (!end)
                return protocol_why(ret_why, -EBADMSG, "%s ends within a certificate", name);
        *p = end + strlen(END_CERTIFICATE);
        digits = without_space(body, (size_t) (end - body));
        if (!digits)
                return -ENOMEM;
        return add_digits(pem, name, digits, ret_why);
}

int dps_pem_add(DpsPem *pem, const char *name, const char *text, char **ret_why) {
        const char *p = text + strspn(text, SPACE);
        int r;

        if (strncmp(p, DASHES, strlen(DASHES)) != 0)
                return add_digits(pem, name, text, ret_why);
        while (*p) {
                if (strncmp(p, BEGIN_CERTIFICATE, strlen(BEGIN_CERTIFICATE)) != 0)
                        return protocol_why(ret_why, -EBADMSG,
                                            "%s holds something besides certificates", name);
                r = add_block(pem, name, &p, ret_why);
                if (r < 0)
                        return r;
                p += strspn(p, SPACE);
        }
        return 0;
}

int dps_csr_to_base64(const char *pem, char **ret, char **ret_why) {
        /* The second is what older tools write (RFC 7468, section 7). */
        static const char *const begins[] = {"-----BEGIN CERTIFICATE REQUEST-----",
                                             "-----BEGIN NEW CERTIFICATE REQUEST-----"};
        _cleanup_(protocol_freep) char *digits = NULL;
        const char *body = NULL, *end;

        for (size_t i = 0; i < ELEMENTSOF(begins) && !body; i++) {
                body = strstr(pem, begins[i]);
                if (body)
                        body += strlen(begins[i]);
        }
        end = body ? strstr(body, "-----END ") : NULL;
        if (!end)
                return protocol_why(ret_why, -EINVAL,
                                    "the certificate signing request is no PEM of one");
        digits = without_space(body, (size_t) (end - body));
        if (!digits)
                return -ENOMEM;
        if (!dps_base64_is_valid(digits, strlen(digits)))
                return protocol_why(ret_why, -EINVAL,
                                    "the certificate signing request holds no base64");
        *ret = TAKE_PTR(digits);
        return 0;
}
